import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authorizationFor, isSameSite } from '../../../../../../plugins/models/ship/oci/authorization.ts';
import { challengesOf } from '../../../../../../plugins/models/ship/oci/challenges.ts';
import type { RegistryLogin } from '../../../../../../plugins/models/ship/oci/docker-login.ts';
import { REGISTRY_LIMITS } from '../../../../../../plugins/models/ship/oci/exchange.ts';

type Parameters = Readonly<Record<string, string>>;
const bearer = (parameters: Parameters) => ({ scheme: 'bearer', parameters });
const basic = (parameters: Parameters = {}) => ({ scheme: 'basic', parameters });

it.each([
  ['Bearer realm="https://a/t",service="s"', [bearer({ realm: 'https://a/t', service: 's' })]],
  ['BASIC Realm=r', [basic({ realm: 'r' })]],
  ['Basic', [basic()]],
  ['Bearer a = "x, \\"y\\"" , b=c', [bearer({ a: 'x, "y"', b: 'c' })]],
  ['Bearer realm="https://a/t", Basic realm="r"', [bearer({ realm: 'https://a/t' }), basic({ realm: 'r' })]],
  ['Basic,,Bearer realm = "https://a/t"', [basic(), bearer({ realm: 'https://a/t' })]],
  [
    'Negotiate abc/d==, Basic realm="a, Bearer realm=b"',
    [expect.objectContaining({ scheme: 'negotiate' }), basic({ realm: 'a, Bearer realm=b' })],
  ],
  ['realm="r"', []],
  ['Bearer realm="r', [bearer({})]],
  ['', []],
  [undefined, []],
])('reads the challenges %s', (header, challenges) => {
  expect(challengesOf(header)).toEqual(challenges);
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
  ['https://foo.co.uk', 'https://evil.co.uk', false],
  ['https://mine.azurecr.io', 'https://evil.azurecr.io', false],
  ['https://a.b.run.app', 'https://evil.b.run.app', false],
  ['https://evildocker.io', 'https://auth.docker.io/token', false],
  ['https://ghcr.io', 'https://ghcr.io/token', true],
  ['https://public.ecr.aws', 'https://public.ecr.aws/token/', true],
  ['https://gitlab.example:5050', 'https://gitlab.example/jwt/auth', true],
  ['http://127.0.0.1:1', 'http://127.0.0.1:2', false],
  ['http://10.0.0.1', 'http://11.0.0.1', false],
])('%s may send to %s: %s', (one, other, may) => {
  expect(isSameSite(new URL(one), new URL(other))).toBe(may);
});

describe('a server of tokens', () => {
  const limits = { ...REGISTRY_LIMITS, pause: 1 };
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
  const ask = (login: RegistryLogin | undefined) =>
    authorizationFor(
      [bearer({ realm: url.href, service: 's' })],
      new URL(url.origin),
      ['repository:x:pull,push', 'repository:y:pull'],
      { login: async () => login, tokenLogin: async () => undefined },
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
    // Servers of tokens read a parameter as one scope:
    // https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/auth/token.md#requesting-a-token
    expect(asked[0]?.request.url).toBe(
      '/token?a=b&service=s&scope=repository%3Ax%3Apull%2Cpush&scope=repository%3Ay%3Apull',
    );
    expect(Object.fromEntries(new URLSearchParams(asked[2]?.body))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'serverless-models',
      refresh_token: 'i',
      scope: 'repository:x:pull,push repository:y:pull',
      service: 's',
    });
  });

  it('is told nobody over HTTP for a registry that is asked over HTTPS, whoever is known there', async () => {
    const asking = authorizationFor(
      [bearer({ realm: url.href })],
      new URL('https://example.com'),
      ['repository:x:pull'],
      {
        login: async () => ({ username: 'a', password: 'b' }),
        tokenLogin: async () => ({ username: 'a', password: 'b' }),
      },
      limits,
    );
    await expect(asking).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/is not told who asks$/),
    });
    expect(asked).toEqual([]);
  });

  it.each([
    [401, '{"details":"no"}', 'refused', /^gives no token: 127.0.0.1:\d+ refuses \(401\)/],
    [503, '', 'unreachable', /^gives no token: 127.0.0.1:\d+ answers 503/],
    [200, '<html>', 'wrong', /answers what is no JSON/],
    [200, '{"token":""}', 'wrong', /answers without one/],
  ])('that answers %i %s gives none, and is asked once', async (status, body, kind, message) => {
    answer = { status, body };
    await expect(ask(undefined)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    expect(asked).toHaveLength(1);
  });
});
