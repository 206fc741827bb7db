// node + fast-jwt: verify RS256 and re-sign, both remembered: node server.mjs PORT UPSTREAM FOLDER ISSUER AUDIENCE
import { readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { createSigner, createVerifier } from 'fast-jwt';

const [port, upstream, folder, issuer, audience] = process.argv.slice(2);
const capacity = 4000;
const verify = createVerifier({
  key: readFileSync(`${folder}/public.pem`),
  algorithms: ['RS256'],
  allowedIss: issuer,
  allowedAud: audience,
  requiredClaims: ['exp'],
  cache: capacity,
  cacheKeyBuilder: (token) => token, // the whole token: faster than its hash, and as safe in one process
});
const sign = createSigner({ key: readFileSync(`${folder}/private.pem`), algorithm: 'RS256', expiresIn: 300_000 });
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const issued = new Map();

function issue(token) {
  const claims = verify(token); // throws when the token is refused
  const known = issued.get(token);
  if (known && known.until > Date.now()) return known.token;
  if (issued.size >= capacity) issued.clear();
  const { exp, iat, ...rest } = claims;
  const entry = { token: sign({ ...rest, iss: 'https://gate.example' }), until: Date.now() + 240_000 };
  issued.set(token, entry);
  return entry.token;
}

createServer((incoming, outgoing) => {
  const field = incoming.headers.authorization;
  let assertion;
  try {
    if (!field?.startsWith('Bearer ')) throw new Error('no bearer token');
    assertion = issue(field.slice(7));
  } catch {
    outgoing.writeHead(401).end();
    return;
  }
  const headers = { ...incoming.headers, 'x-jwt-assertion': assertion };
  delete headers.connection;
  const options = { agent, host: '127.0.0.1', port: upstream, method: incoming.method, path: incoming.url, headers };
  const forward = request(options, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers);
    answer.pipe(outgoing);
  });
  forward.on('error', () => outgoing.writeHead(502).end());
  if (incoming.method === 'GET') forward.end();
  else incoming.pipe(forward);
}).listen(Number(port), '127.0.0.1');
