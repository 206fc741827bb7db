// An OpenID provider for the tests: node server.mjs PORT KEY_SET_FILE CLIENT_SECRET
//
// The key set file is a private JWK Set with one RS256 and one ES256 key; another file is a key rotation.
// Prints `ready` when it listens, and one line `METHOD PATH` for each request. Ends when its stdin ends,
// so it never outlives the test run that started it.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { errors, Provider } from 'oidc-provider';

const [port, keySetFile, clientSecret] = process.argv.slice(2);
const scope = 'orders:read orders:write';
const resources = { 'https://orders.example': 'RS256', 'https://stock.example': 'ES256' };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: JSON.parse(readFileSync(keySetFile, 'utf8')),
  scopes: scope.split(' '),
  clients: [
    {
      client_id: 'orders-client',
      client_secret: clientSecret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      getResourceServerInfo(_ctx, resource) {
        const alg = resources[resource];
        if (!alg) throw new errors.InvalidTarget();
        return { audience: resource, scope, accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg } } };
      },
    },
  },
});

const answer = provider.callback();
const server = createServer((request, response) => {
  console.log(`${request.method} ${request.url}`);
  answer(request, response);
});
server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
process.stdin.on('end', () => process.exit(0)).resume();
