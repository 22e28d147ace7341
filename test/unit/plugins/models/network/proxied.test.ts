import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { HeadObjectCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { askJson } from '../../../../../plugins/models/artifact/fetch/http.ts';
import { keptPost } from '../../../../../plugins/models/measure/post.ts';
import { clientAgents, PROXY_FIX, proxied, proxyFor } from '../../../../../plugins/models/network/proxied.ts';
import { forwarder } from '../../../../../plugins/models/serve/forward.ts';
import { exchange, REGISTRY_LIMITS } from '../../../../../plugins/models/ship/oci/exchange.ts';
import { selfSigned } from '../../../../fakes/certificate.ts';
import { startProxy } from '../../../../fakes/proxy.ts';

const running: (() => unknown)[] = [];
beforeEach(() => {
  for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy']) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toUpperCase(), undefined);
  }
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const stop of running.splice(0)) await stop();
});

async function listening(server: Server | ReturnType<typeof createHttps>): Promise<number> {
  running.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

/** @returns what the proxy was asked for */
async function behind(hosts: Readonly<Record<string, number>>, says?: string): Promise<readonly string[]> {
  const proxy = await startProxy((address) => hosts[address], says);
  running.push(proxy.stop);
  vi.stubEnv('HTTPS_PROXY', proxy.url.replace('//', '//corp:s%23cret@'));
  vi.stubEnv('HTTP_PROXY', proxy.url);
  return proxy.asked;
}

const LIMITS = { patience: 60_000, attempts: 1, pause: 1, longest: 1000, json: 1024 };
const found: RequestListener = (_, response) => response.end('{"found":true}');

describe('the proxy of an address', () => {
  it.each([
    ['none where none is named', {}, 'https://s3.example', undefined],
    ['that of HTTPS_PROXY', { HTTPS_PROXY: 'http://p:1' }, 'https://s3.example', 'http://p:1'],
    ['in small letters, too', { https_proxy: 'http://p:1' }, 'https://s3.example', 'http://p:1'],
    [
      'that of HTTP_PROXY, as with the framework',
      { HTTP_PROXY: 'http://q:1' },
      'https://s3.example',
      'http://q:1',
    ],
    [
      'HTTPS_PROXY’s before it',
      { HTTP_PROXY: 'http://q:1', HTTPS_PROXY: 'http://p:1' },
      'https://a.b',
      'http://p:1',
    ],
    [
      'HTTP_PROXY’s over HTTP',
      { HTTP_PROXY: 'http://q:1', HTTPS_PROXY: 'http://p:1' },
      'http://a.b',
      'http://q:1',
    ],
    ['none of HTTPS_PROXY over HTTP', { HTTPS_PROXY: 'http://p:1' }, 'http://a.b', undefined],
    [
      'none for a host of NO_PROXY',
      { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'x,.b' },
      'https://a.b',
      undefined,
    ],
    ['none for its port', { HTTP_PROXY: 'http://p:1', NO_PROXY: 'a.b:443' }, 'https://a.b', undefined],
    ['one for its other port', { HTTP_PROXY: 'http://p:1', NO_PROXY: 'a.b:80' }, 'https://a.b', 'http://p:1'],
    ['ALL_PROXY’s where nothing else is named', { ALL_PROXY: 'http://r:1' }, 'https://a.b', 'http://r:1'],
    ['none of ALL_PROXY that is SOCKS', { ALL_PROXY: 'socks5://r:1' }, 'https://a.b', undefined],
    [
      'HTTP_PROXY’s beside one of SOCKS',
      { ALL_PROXY: 'socks5://r:1', HTTP_PROXY: 'http://q:1' },
      'https://a.b',
      'http://q:1',
    ],
    ['none for this machine', { HTTP_PROXY: 'http://p:1' }, 'http://127.0.0.1:4566', undefined],
    ['none for it by name', { HTTP_PROXY: 'http://p:1' }, 'http://s3.localhost:4566', undefined],
    ['none for it in IPv6', { HTTP_PROXY: 'http://p:1' }, 'http://[::1]:4566', undefined],
  ])('is %s', (_, env, url, proxy) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    expect(proxyFor(new URL(url))).toBe(proxy);
  });

  it('is no question where none is named: clients keep what they make themselves', () => {
    expect([proxied(), clientAgents()]).toEqual([undefined, {}]);
    vi.stubEnv('HTTPS_PROXY', 'http://p:1');
    vi.stubEnv('NO_PROXY', '*');
    expect(proxied()).toBeUndefined();
  });
});

describe('requests by a proxy', () => {
  it('reach what it alone knows: registries of models and of images, an endpoint', async () => {
    const port = await listening(createServer(found));
    const asked = await behind({ 'models.example:80': port });
    expect(await askJson({ url: 'http://models.example/v1' }, LIMITS)).toEqual({ found: true });
    const { status, stream } = await exchange(
      { method: 'GET', url: new URL('http://models.example/v2/') },
      REGISTRY_LIMITS,
    );
    stream.resume();
    expect(status).toBe(200);
    const endpoint = keptPost(new URL('http://models.example/infer'));
    expect(await endpoint.post('{}', AbortSignal.timeout(60_000))).toMatchObject({ status: 200 });
    endpoint.close();
    const forward = forwarder({
      base: 'http://models.example',
      region: 'us-east-1',
      credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }),
    });
    const passed = await forward({ method: 'GET', target: '/v2', headers: {}, body: Buffer.alloc(0) });
    expect(passed.status).toBe(200);
    expect(new Set(asked)).toEqual(new Set(['models.example:80']));
    vi.stubEnv('NO_PROXY', '.invalid');
    await expect(askJson({ url: 'http://models.invalid/v1' }, LIMITS)).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
  });

  it('are TLS to whom they are for, and tell the proxy who asks', async () => {
    const port = await listening(createHttps(selfSigned(), found));
    const asked = await behind({ 'models.example:443': port });
    await expect(askJson({ url: 'https://models.example/v1' }, LIMITS)).rejects.toThrow(/certificate/);
    expect(asked).toEqual([`models.example:443 Basic ${Buffer.from('corp:s#cret').toString('base64')}`]);
  });

  it('of a client go on where another one is destroyed', async () => {
    let answer = (): void => {};
    const came = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const port = await listening(
      createServer(async (_, response) => {
        answer();
        await held;
        response.end('<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>');
      }),
    );
    const asked = await behind({ 's3.example:80': port });
    const make = (): S3Client =>
      new S3Client({
        region: 'us-east-1',
        endpoint: 'http://s3.example',
        forcePathStyle: true,
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        maxAttempts: 1,
        requestHandler: { connectionTimeout: 60_000, socketTimeout: 60_000, ...clientAgents() },
      });
    const [one, other] = [make(), make()];
    const listed = one.send(new ListBucketsCommand({}));
    await came;
    other.destroy();
    release();
    expect(await listed).toMatchObject({ Buckets: [] });
    expect(asked).toEqual(['s3.example:80']);
    one.destroy();
  });

  it('end where the proxy says nothing, as soon as whoever asks gives up, and after half a minute', async () => {
    const asked = await behind({}, 'nothing');
    await expect(
      askJson({ url: 'http://models.example/v1' }, { ...LIMITS, patience: 200 }),
    ).rejects.toMatchObject({ kind: 'unreachable' });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const reply = exchange({ method: 'GET', url: new URL('http://images.example/v2/') }, REGISTRY_LIMITS);
      const refused = expect(reply).rejects.toMatchObject({ kind: 'unreachable' });
      while (!asked.includes('images.example:80')) await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(30_000);
      await refused;
    } finally {
      vi.useRealTimers();
    }
  });

  it('tell the proxy’s refusal as that, and never its password', async () => {
    await behind({}, '407 Proxy Authentication Required');
    const refused = askJson({ url: 'https://models.example/v1' }, LIMITS);
    await expect(refused).rejects.toMatchObject({
      kind: 'wrong',
      message: expect.stringContaining('The proxy does not lead to models.example:443: it answers 407.'),
      fix: PROXY_FIX,
    });
    await refused.catch((error: Error) => expect(String(error.stack)).not.toMatch(/s#cret|s%23cret/));
    await expect(
      exchange({ method: 'GET', url: new URL('https://images.example/v2/') }, REGISTRY_LIMITS),
    ).rejects.toMatchObject({ kind: 'wrong', fix: PROXY_FIX });
    for (const [proxy, is] of [
      ['socks5://corp:s%23cret@127.0.0.1:1', /none of http/],
      ['http://corp:s#cret@127.0.0.1:1', /is no address/],
      ['http://corp:cret%@127.0.0.1:1', /is no address/],
    ] as const) {
      vi.stubEnv('HTTPS_PROXY', proxy);
      const other = askJson({ url: 'https://models.example/v1' }, LIMITS);
      await expect(other).rejects.toMatchObject({ kind: 'wrong', message: expect.stringMatching(is) });
      await other.catch((error: Error) => expect(String(error.stack)).not.toMatch(/cret/));
    }
  });

  it.each([
    ['201 Created', 'wrong'],
    ['302 Found', 'wrong'],
    ['401 Unauthorized', 'wrong'],
    ['503 Service Unavailable', 'unreachable'],
  ])('take what it says in place of leading there for no answer of the host: %s', async (status, kind) => {
    await behind(
      {},
      `${status}\r\nlocation: https://other.example/file\r\nwww-authenticate: Bearer realm="https://other.example"`,
    );
    const asked = askJson({ url: 'https://models.example/v1' }, LIMITS);
    await expect(asked).rejects.toMatchObject({ kind, message: expect.stringContaining(status.slice(0, 3)) });
    const pulled = exchange({ method: 'GET', url: new URL('https://images.example/v2/') }, REGISTRY_LIMITS);
    await expect(pulled).rejects.toMatchObject({ kind });
  });

  it('are asked again of a client where the proxy cannot now', async () => {
    const asked = await behind({}, '503 Service Unavailable');
    const client = new S3Client({
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 2,
      requestHandler: { connectionTimeout: 60_000, socketTimeout: 60_000, ...clientAgents() },
    });
    await expect(client.send(new ListBucketsCommand({}))).rejects.toThrow(/answers 503/);
    expect(asked).toHaveLength(2);
  });

  it.each(['http', 'https'])('of a client go over a connection that is there already: %s', async (scheme) => {
    const answers: RequestListener = (_, response) =>
      response.end('<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>');
    const port = await listening(
      scheme === 'http' ? createServer(answers) : createHttps(selfSigned(), answers),
    );
    const asked = await behind({ [`s3.example:${scheme === 'http' ? 80 : 443}`]: port });
    const trusting = { keepAlive: true, rejectUnauthorized: false };
    const client = new S3Client({
      region: 'us-east-1',
      endpoint: `${scheme}://s3.example`,
      forcePathStyle: true,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      requestHandler: { connectionTimeout: 60_000, socketTimeout: 60_000, ...clientAgents(trusting) },
    });
    for (let i = 0; i < 3; i += 1) await client.send(new ListBucketsCommand({}));
    expect(asked).toHaveLength(1);
  });

  it('to a host of NO_PROXY do not wait for each other for ever where sockets are bounded', async () => {
    const port = await listening(createServer(found));
    await behind({});
    const client = new S3Client({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${port}`,
      forcePathStyle: true,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      requestHandler: {
        connectionTimeout: 60_000,
        socketTimeout: 60_000,
        ...clientAgents({ keepAlive: true, maxSockets: 1 }),
      },
    });
    const all = await Promise.all(
      [1, 2, 3].map((key) => client.send(new HeadObjectCommand({ Bucket: 'b', Key: `${key}` }))),
    );
    expect(all).toHaveLength(3);
  });
});
