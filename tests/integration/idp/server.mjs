// An OpenID provider for the tests: node server.mjs PORT KEY_SET_FILE CLIENT_SECRET CLIENT_KEY_SET_FILE
//
// The key set file is a private JWK Set with one RS256 and one ES256 key; another file is a key rotation. The client
// key set file holds the public key of the client that authenticates with one. What is issued for a resource is a JWT
// or opaque; opaque tokens can be introspected, plain and signed, and revoked, and die with the process.
// Prints `ready` when it listens, and one line `METHOD PATH` for each request. Ends when its stdin ends,
// so it never outlives the test run that started it.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { errors, Provider } from 'oidc-provider';

const [port, keySetFile, clientSecret, clientKeySetFile] = process.argv.slice(2);
const scope = 'orders:read orders:write';
const jwt = (alg) => ({ accessTokenFormat: 'jwt', jwt: { sign: { alg } } });
const resources = {
  'https://orders.example': jwt('RS256'),
  'https://stock.example': jwt('ES256'),
  'https://accounts.example': { accessTokenFormat: 'opaque' },
};
const gateway = (method, more = { client_secret: clientSecret }) => ({
  client_id: `gateway-${method}`,
  token_endpoint_auth_method: method,
  introspection_signed_response_alg: 'ES256',
  grant_types: [],
  redirect_uris: [],
  response_types: [],
  ...more,
});

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: JSON.parse(readFileSync(keySetFile, 'utf8')),
  scopes: scope.split(' '),
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ['HS256', 'ES256'] },
  clients: [
    {
      client_id: 'orders-client',
      client_secret: clientSecret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
    gateway('client_secret_basic'),
    gateway('client_secret_post'),
    gateway('client_secret_jwt'),
    gateway('private_key_jwt', { jwks: JSON.parse(readFileSync(clientKeySetFile, 'utf8')) }),
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: () => true },
    jwtIntrospection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      getResourceServerInfo(_ctx, resource) {
        if (!resources[resource]) throw new errors.InvalidTarget();
        return { audience: resource, scope, accessTokenTTL: 300, ...resources[resource] };
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
