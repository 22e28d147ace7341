import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps, globalAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { askFile, askJson } from '../../../../../../plugins/models/artifact/fetch/http.ts';
import { selfSigned } from '../../../../../fakes/certificate.ts';

let folder: string;
const running: Pick<Server, 'close' | 'closeAllConnections'>[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'http-'));
});
afterEach(() => {
  delete globalAgent.options.ca;
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function listening(server: Server | ReturnType<typeof createHttps>): Promise<number> {
  running.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}
const plain = async (answer: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listening(createServer(answer))}`;
/** @param isTrusted its certificate is of a known authority */
async function secure(answer: RequestListener, isTrusted: boolean, until?: number): Promise<string> {
  const certificate = selfSigned(until);
  if (isTrusted) globalAgent.options.ca = certificate.cert;
  return `https://localhost:${await listening(createHttps(certificate, answer))}`;
}
const LIMITS = { patience: 5000, attempts: 3, pause: 1, longest: 60_000, json: 1024 };

describe('what is sent on', () => {
  const asked: (readonly (string | undefined)[])[] = [];
  const moved =
    (status: number, to: string): RequestListener =>
    async (request, response) => {
      const { method, url, headers } = request;
      asked.push([method, url, await text(request), headers['content-type'], headers.authorization]);
      if (url === '/old') response.writeHead(status, { location: to }).end();
      else response.end('{"found":true}');
    };
  const ask = (url: string) =>
    askJson({ url: `${url}/old`, headers: { authorization: 'Bearer t' }, body: { a: 1 } }, LIMITS);
  afterEach(() => {
    asked.length = 0;
  });
  const POSTED = ['{"a":1}', 'application/json'];

  it.each([307, 308])('by %i is asked again as it was: a repository was renamed', async (status) => {
    expect(await ask(await plain(moved(status, '/new')))).toEqual({ found: true });
    expect(asked).toEqual([
      ['POST', '/old', ...POSTED, 'Bearer t'],
      ['POST', '/new', ...POSTED, 'Bearer t'],
    ]);
  });

  it('by 307 to another server is told what was asked, and not who asks', async () => {
    const other = await plain(moved(200, ''));
    expect(await ask(await plain(moved(307, `${other}/new`)))).toEqual({ found: true });
    expect(asked[1]).toEqual(['POST', '/new', ...POSTED, undefined]);
  });

  it.each([301, 302, 303])('by %i is looked up', async (status) => {
    expect(await ask(await plain(moved(status, '/new')))).toEqual({ found: true });
    expect(asked[1]).toEqual(['GET', '/new', '', undefined, 'Bearer t']);
  });

  it('from HTTPS to HTTP is not followed: a file may have no digest', async () => {
    const open = await plain((_, response) => response.end('evil'));
    const registry = await secure(
      (_, response) => response.writeHead(302, { location: `${open}/m.onnx` }).end(),
      true,
    );
    const file = askFile({ url: `${registry}/m.onnx` }, join(folder, 'm.onnx'), 4, LIMITS);
    await expect(file).rejects.toMatchObject({ kind: 'wrong', message: 'sends on from HTTPS to HTTP' });
  });

  it.each(['ftp://127.0.0.1/new', 'file:///etc/passwd'])('to %s is not followed', async (location) => {
    await expect(ask(await plain(moved(302, location)))).rejects.toMatchObject({
      kind: 'wrong',
      message: `sends on to ${new URL(location).protocol.slice(0, -1)}`,
    });
  });

  it('from HTTPS to HTTPS is followed', async () => {
    const registry = await secure(moved(302, '/new'), true);
    expect(await askJson({ url: `${registry}/old` }, LIMITS)).toEqual({ found: true });
  });
});

describe('what is no fault of the network', () => {
  const served: RequestListener = (_, response) => response.end('{}');

  it('is asked once: a certificate of an unknown authority', async () => {
    const url = await secure(served, false);
    let connected = 0;
    (running[0] as Server).on('tlsClientError', () => {
      connected += 1;
    });
    await expect(askJson({ url }, LIMITS)).rejects.toMatchObject({
      kind: 'wrong',
      message: 'has a certificate that is not trusted here: DEPTH_ZERO_SELF_SIGNED_CERT',
      fix: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
    expect(connected).toBeLessThanOrEqual(1);
  });

  it('is told as such: a certificate that has expired, or is for another host', async () => {
    const url = await secure(served, true, 2021);
    await expect(askJson({ url }, LIMITS)).rejects.toMatchObject({
      kind: 'wrong',
      message: 'has a certificate that is not valid: CERT_HAS_EXPIRED',
    });
    const other = (await secure(served, true)).replace('localhost', '127.0.0.1');
    await expect(askJson({ url: other }, LIMITS)).rejects.toMatchObject({
      kind: 'wrong',
      message: 'has a certificate that is not valid: ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it('is told as such: HTTPS where HTTP is spoken', async () => {
    const url = (await plain(served)).replace('http:', 'https:');
    await expect(askJson({ url }, LIMITS)).rejects.toMatchObject({
      kind: 'wrong',
      message: expect.stringMatching(/^does not speak TLS there: /),
    });
  });

  it.each(['tok\nen', 'tok\ren', 'to\u0000ken', 'tokén\u2026'])('is a token like %j', async (token) => {
    const url = await plain(served);
    const question = { url, headers: { authorization: `Bearer ${token}` } };
    await expect(askJson(question, LIMITS)).rejects.toMatchObject({
      kind: 'refused',
      message: 'is not asked: what says who asks has a character that no header may have',
    });
  });

  it.each(['hub.example.com/x', 'ftp://hub.example.com/x'])('is the address %s', async (url) => {
    await expect(askJson({ url }, LIMITS)).rejects.toMatchObject({
      kind: 'wrong',
      message: expect.stringMatching(/^is not asked: its address is none over HTTP \(ERR_INVALID_/),
    });
  });
});

it('what the network does is tried again, and told as out of reach', async () => {
  let connected = 0;
  const url = await plain((request) => {
    connected += 1;
    request.socket.destroy();
  });
  await expect(askJson({ url }, LIMITS)).rejects.toMatchObject({
    kind: 'unreachable',
    message: 'cannot be reached: ECONNRESET',
  });
  expect(connected).toBe(3);
});

describe('who is told when to ask again', () => {
  /** Refuses so often, then answers. */
  const limited = (times: number, headers: Readonly<Record<string, string>>) => {
    const at: number[] = [];
    const server = plain((_, response) => {
      at.push(performance.now());
      if (at.length > times) response.end('{"found":true}');
      else response.writeHead(429, headers).end('{"error":"We had to rate limit you"}');
    });
    return { at, server };
  };

  it.each([
    ['seconds', { 'retry-after': '1' }],
    ['the rest of a window, as Hugging Face', { ratelimit: '"api";r=0;t=1' }],
  ])('waits for it, and says so: %s', async (_, headers) => {
    const { at, server } = limited(1, headers);
    const url = await server;
    const lines: (string | undefined)[] = [];
    const progress = (text: string | undefined): void => void lines.push(text);
    expect(await askJson({ url, progress }, LIMITS)).toEqual({ found: true });
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(950);
    expect(lines).toEqual([`Waiting 1 s, as ${new URL(url).host} asks for`, undefined]);
  });

  it('waits for a file, too', async () => {
    const { at, server } = limited(1, { 'retry-after': '1' });
    await askFile({ url: await server }, join(folder, 'late'), 14, LIMITS);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(950);
  });

  it('is told it at once where nobody would wait for so long, and asks no sooner', async () => {
    const { at, server } = limited(9, { ratelimit: '"api";r=0;t=3600' });
    await expect(askJson({ url: await server }, LIMITS)).rejects.toMatchObject({
      kind: 'unreachable',
      message: 'answers 429, to be asked again in 3600 s: We had to rate limit you',
    });
    expect(at).toHaveLength(1);
  });
});
