import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { type Deployment, deployService, type Service } from '../../journeys/service.ts';

/** An identity provider on this machine: what it is called, its keys and tokens of them. */
async function identityProvider() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'first', use: 'sig', alg: 'RS256' };
  const server = createServer((request, response) => {
    const answers: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer, jwks_uri: `${issuer}/keys` },
      '/keys': { keys: [jwk] },
    };
    const answer = answers[request.url ?? ''];
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const issuer = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  return {
    issuer,
    token: (claims: object, { kid = 'first', key = privateKey } = {}): string => jwt({ kid }, claims, key),
    close: () => server.close(),
  };
}

function jwt(header: object, claims: object, key: KeyObject): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'RS256', typ: 'JWT', ...header })}.${encode(claims)}`;
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`;
}

let aws: LocalAws;
let provider: Awaited<ReturnType<typeof identityProvider>>;
let service: Service & Deployment;
beforeAll(async () => {
  provider = await identityProvider();
  aws = await startAws();
  const yaml = `
service: tokens
provider:
  name: aws
  runtime: nodejs24.x
  versionFunctions: false
  httpApi:
    authorizers:
      staff:
        type: jwt
        identitySource: $request.header.Authorization
        issuerUrl: ${provider.issuer}
        audience: [models, reports]
functions:
  hello:
    handler: handler.hello
    events:
      - httpApi: {method: GET, path: /any, authorizer: {name: staff}}
      - httpApi: {method: GET, path: /scoped, authorizer: {name: staff, scopes: [score, admin]}}
`;
  const files = {
    'handler.mjs': `export const hello = async ({ requestContext: { authorizer } }) =>
  ({ statusCode: 200, body: JSON.stringify(authorizer.jwt) });`,
  };
  service = await deployService({ yaml, files }, aws);
});
afterAll(async () => {
  provider?.close();
  await aws?.stop();
});

const now = (): number => Math.floor(Date.now() / 1000);
/** A valid token's claims, other where they are named. */
const claims = (changed: object = {}): object => ({
  iss: provider.issuer,
  sub: 'ann',
  aud: 'models',
  iat: now() - 10,
  exp: now() + 600,
  ...changed,
});

async function get(path: string, token?: string): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${service.http()}${path}`, {
    headers: token === undefined ? {} : { authorization: token },
  });
  return { status: answer.status, body: await answer.json() };
}

const UNAUTHORIZED = { status: 401, body: { message: 'Unauthorized' } };
const FORBIDDEN = { status: 403, body: { message: 'Forbidden' } };

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
it('a token of the issuer opens the route, and the function reads its claims', async () => {
  for (const prefix of ['', 'Bearer '])
    expect(await get('/any', `${prefix}${provider.token(claims())}`)).toMatchObject({
      status: 200,
      body: { claims: { iss: provider.issuer, sub: 'ann', aud: 'models' } },
    });
  // One of its audiences is enough; without `aud`, `client_id` is the audience.
  expect((await get('/any', provider.token(claims({ aud: ['other', 'reports'] })))).status).toBe(200);
  const client = claims({ aud: undefined, client_id: 'models' });
  expect((await get('/any', provider.token(client))).status).toBe(200);
});

it('without a token, with one out of its time, for others, of another issuer or forged: 401', async () => {
  expect(await get('/any')).toEqual(UNAUTHORIZED);
  expect(await get('/any', 'Bearer none')).toEqual(UNAUTHORIZED);
  const wrong: Record<string, object> = {
    expired: { exp: now() - 60 },
    early: { nbf: now() + 300 },
    'from the future': { iat: now() + 300 },
    'for others': { aud: 'other' },
    'for nobody': { aud: undefined },
    'of another client, although that would do without aud': { aud: 'other', client_id: 'models' },
    'of another issuer': { iss: 'https://login.example.com' },
  };
  for (const [why, changed] of Object.entries(wrong))
    expect(await get('/any', provider.token(claims(changed))), why).toEqual(UNAUTHORIZED);
  expect(await get('/any', provider.token(claims(), { kid: 'unknown' })), 'unknown key').toEqual(
    UNAUTHORIZED,
  );
  const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  expect(await get('/any', provider.token(claims(), { key })), 'forged').toEqual(UNAUTHORIZED);
});

it('a route with scopes wants one of them: 403 without', async () => {
  expect(await get('/scoped', provider.token(claims()))).toEqual(FORBIDDEN);
  expect(await get('/scoped', provider.token(claims({ scope: 'read write' })))).toEqual(FORBIDDEN);
  expect(await get('/scoped', provider.token(claims({ scope: 'read score' })))).toMatchObject({
    status: 200,
    body: { scopes: expect.arrayContaining(['score']) },
  });
  expect((await get('/scoped', provider.token(claims({ scp: ['admin'] })))).status).toBe(200);
  expect(await get('/scoped', provider.token(claims({ scope: 'score', exp: now() - 60 })))).toEqual(
    UNAUTHORIZED,
  );
});
