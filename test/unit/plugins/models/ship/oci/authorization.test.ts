import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  authorizationFor,
  challengeOf,
  isSameSite,
} from '../../../../../../plugins/models/ship/oci/authorization.ts';
import { REGISTRY_LIMITS } from '../../../../../../plugins/models/ship/oci/exchange.ts';

it.each([
  [
    'Bearer realm="https://a/t",service="s"',
    { scheme: 'bearer', parameters: { realm: 'https://a/t', service: 's' } },
  ],
  ['BASIC Realm=r', { scheme: 'basic', parameters: { realm: 'r' } }],
  ['Basic', { scheme: 'basic', parameters: {} }],
  ['Bearer a = "x, \\"y\\"" , b=c', { scheme: 'bearer', parameters: { a: 'x, "y"', b: 'c' } }],
  ['', undefined],
  [undefined, undefined],
])('reads the challenge %s', (header, challenge) => {
  expect(challengeOf(header)).toEqual(challenge);
});

it.each([
  ['https://a.example', 'https://a.example/token', true],
  ['https://registry-1.docker.io', 'https://auth.docker.io/token', true],
  ['https://registry.gitlab.com', 'https://gitlab.com/jwt/auth', true],
  ['http://127.0.0.1:1', 'http://127.0.0.1:1', true],
  ['https://a.example', 'http://a.example', false],
  ['https://a.example', 'https://b.example', false],
  ['https://a.com', 'https://com', false],
  ['https://a.x.example', 'https://a.y.example', false],
  ['http://127.0.0.1:1', 'http://127.0.0.1:2', false],
  ['http://10.0.0.1', 'http://11.0.0.1', false],
])('%s may send to %s: %s', (one, other, may) => {
  expect(isSameSite(new URL(one), new URL(other))).toBe(may);
});

describe('a server of tokens', () => {
  const limits = { ...REGISTRY_LIMITS, pause: 1, attempts: 2 };
  let answer = { status: 200, body: '{"access_token":"t"}' };
  let asked: { readonly request: IncomingMessage; readonly body: string }[] = [];
  let url = new URL('http://x');
  const server = () =>
    createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      asked.push({ request, body });
      response.writeHead(answer.status).end(answer.body);
    });
  let running = server();
  beforeEach(async () => {
    asked = [];
    answer = { status: 200, body: '{"access_token":"t"}' };
    running = server();
    await new Promise<void>((resolve) => running.listen(0, '127.0.0.1', resolve));
    url = new URL(`http://127.0.0.1:${(running.address() as AddressInfo).port}/token?a=b`);
  });
  afterEach(() => {
    running.closeAllConnections();
    running.close();
  });
  const ask = (login: Parameters<typeof authorizationFor>[3]) =>
    authorizationFor(
      { scheme: 'bearer', parameters: { realm: url.href, service: 's' } },
      new URL(url.origin),
      'repository:x:pull',
      login,
      limits,
    );

  it('is asked by nobody, by a name, or by a token', async () => {
    expect(await ask(undefined)).toBe('Bearer t');
    expect(await ask({ username: 'a', password: 'b' })).toBe('Bearer t');
    expect(await ask({ identityToken: 'i' })).toBe('Bearer t');
    expect(asked.map(({ request }) => request.headers.authorization)).toEqual([
      undefined,
      'Basic YTpi',
      undefined,
    ]);
    expect(asked[0]?.request.url).toBe('/token?a=b&service=s&scope=repository%3Ax%3Apull');
    expect(Object.fromEntries(new URLSearchParams(asked[2]?.body))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'serverless-models',
      refresh_token: 'i',
      scope: 'repository:x:pull',
      service: 's',
    });
  });

  it.each([
    [401, '{"details":"no"}', 'refused', /^gives no token: 127.0.0.1:\d+ refuses \(401\)/, 1],
    [503, '', 'unreachable', /^gives no token: 127.0.0.1:\d+ answers 503/, 2],
    [200, '<html>', 'wrong', /answers what is no JSON/, 1],
    [200, '{"token":""}', 'wrong', /answers without one/, 1],
  ])('that answers %i %s gives none', async (status, body, kind, message, times) => {
    answer = { status, body };
    await expect(ask(undefined)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    expect(asked).toHaveLength(times);
  });
});
