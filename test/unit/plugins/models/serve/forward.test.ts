import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forwarder } from '../../../../../plugins/models/serve/forward.ts';
import { apiBase } from '../../../../../plugins/models/serve/upstream.ts';

type Seen = { method: string; url: string; headers: IncomingHttpHeaders; body: Buffer };
let seen: Seen | undefined;
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  seen = {
    method: request.method ?? '',
    url: request.url ?? '',
    headers: request.headers,
    body: Buffer.concat(chunks),
  };
  response.writeHead(418, { 'content-type': 'application/x-teapot', 'set-cookie': 'a=1', 'x-n': '1' });
  response.end(Buffer.from([0, 255]));
});
let base = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/_aws/execute-api/abc/$default`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const SECRET = 'secret';
async function forward(target: string, headers: IncomingHttpHeaders, body: string | Buffer = '') {
  let asked = 0;
  const credentials = async () => {
    asked += 1;
    return { accessKeyId: 'AKID', secretAccessKey: SECRET, sessionToken: 'token' };
  };
  const pass = forwarder({ base, region: 'eu-west-1', credentials });
  const request = { method: 'POST', target, headers, body: Buffer.from(body) };
  await pass(request);
  const answer = await pass(request);
  if (seen === undefined) throw new Error('nothing came through');
  return { answer, seen, asked };
}

/**
 * Signature Version 4 by AWS's description, apart from the library:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
function signatureOf({ method, url, headers, body }: Seen, signed: readonly string[]): string {
  const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
  const hmac = (key: string | Buffer, data: string): Buffer =>
    createHmac('sha256', key).update(data).digest();
  const [path = '', query = ''] = url.split('?');
  // Every service but S3 encodes the path as sent once more.
  const twice = path.split('/').map(encodeURIComponent).join('/');
  const canonical = [
    method,
    twice,
    query.split('&').sort().join('&'),
    ...signed.map((name) => `${name}:${headers[name]}`),
    '',
    signed.join(';'),
    sha256(body),
  ].join('\n');
  const time = String(headers['x-amz-date']);
  const day = time.slice(0, 8);
  const scope = `${day}/eu-west-1/execute-api/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = ['eu-west-1', 'execute-api', 'aws4_request'].reduce(hmac, hmac(`AWS4${SECRET}`, day));
  return hmac(key, text).toString('hex');
}

describe('the proxy’s way to the service', () => {
  it('signs what goes out', async () => {
    const { seen, asked } = await forward(
      '/v2/models/m%20n/infer?b=2&a=x%20y',
      { 'content-type': 'application/json', host: '127.0.0.1:8081' },
      '{"é":1}',
    );
    expect(seen.url).toBe('/_aws/execute-api/abc/$default/v2/models/m%20n/infer?b=2&a=x%20y');
    const { authorization = '' } = seen.headers;
    const signed = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? [];
    expect(signed).toEqual(
      expect.arrayContaining(['content-type', 'host', 'x-amz-date', 'x-amz-security-token']),
    );
    expect(authorization).toContain(`Signature=${signatureOf(seen, signed)}`);
    expect(asked).toBe(1);
  });

  it('passes names on that every object has', async () => {
    const { seen } = await forward('/x?constructor=1&toString=2', {});
    expect(seen.url).toContain('/x?constructor=1&toString=2');
    const signed = /SignedHeaders=([^,]+)/.exec(String(seen.headers.authorization))?.[1]?.split(';') ?? [];
    expect(seen.headers.authorization).toContain(`Signature=${signatureOf(seen, signed)}`);
  });

  it('gives the answer back as it came, bytes and status', async () => {
    const { answer } = await forward('/x', {});
    expect(answer).toMatchObject({
      status: 418,
      headers: { 'content-type': 'application/x-teapot', 'x-n': '1' },
      body: Buffer.from([0, 255]),
    });
    expect(answer.headers).not.toHaveProperty('set-cookie');
  });

  it('passes the protocol’s headers and keeps this machine’s own', async () => {
    const { seen } = await forward('/x', {
      'inference-header-content-length': '12',
      'x-request-id': 'r',
      cookie: 'session=other-app',
      origin: 'http://127.0.0.1:8081',
      referer: 'http://127.0.0.1:8081/docs',
      'sec-fetch-site': 'same-origin',
    });
    expect(seen.headers).toMatchObject({ 'inference-header-content-length': '12', 'x-request-id': 'r' });
    for (const name of ['cookie', 'origin', 'referer', 'sec-fetch-site'])
      expect(seen.headers).not.toHaveProperty(name);
  });

  it('leaves a request alone that brings an authorization', async () => {
    const { seen } = await forward('/x', { authorization: 'Bearer abc' });
    expect(seen.headers).toMatchObject({ authorization: 'Bearer abc' });
    expect(seen.headers).not.toHaveProperty('x-amz-date');
  });

  it('never leaves the service’s own host', async () => {
    const { seen } = await forward('//evil.example/x', {});
    expect(seen.url).toBe('/_aws/execute-api/abc/$default//evil.example/x');
    expect((await forward('http://evil.example/x', {})).seen.url).toBe('/_aws/execute-api/abc/$default/');
  });

  it('says when nobody answers', async () => {
    const pass = forwarder({
      base: 'http://127.0.0.1:9',
      region: 'r',
      credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }),
    });
    expect(await pass({ method: 'GET', target: '/', headers: {}, body: Buffer.from('') })).toMatchObject({
      status: 502,
    });
  });
});

describe('where a service’s API is', () => {
  const outputs = { HttpApiId: 'abc', HttpApiUrl: 'https://abc.execute-api.eu-west-1.amazonaws.com/' };
  it('is what the stack says', () =>
    expect(apiBase(outputs, undefined)).toBe('https://abc.execute-api.eu-west-1.amazonaws.com'));
  it('is below a local AWS, which needs no names', () =>
    expect(apiBase(outputs, 'http://127.0.0.1:4566/')).toBe(
      'http://127.0.0.1:4566/_aws/execute-api/abc/$default',
    ));
  it('is nowhere without an API', () => expect(apiBase({}, undefined)).toBeUndefined());
  it.each([
    ['eu-west-1', 'https://xyz.execute-api.eu-west-1.amazonaws.com'],
    ['cn-north-1', 'https://xyz.execute-api.cn-north-1.amazonaws.com.cn'],
  ])('is where the API of another stack is, of which its own says nothing: %s', (region, base) => {
    expect(apiBase({}, undefined, { id: 'xyz', region })).toBe(base);
    expect(apiBase({}, 'http://127.0.0.1:4566', { id: 'xyz', region })).toBe(
      'http://127.0.0.1:4566/_aws/execute-api/xyz/$default',
    );
  });
});
