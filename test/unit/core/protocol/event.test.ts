import { Buffer } from 'node:buffer';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeBase64 } from '../../../../core/node/base64.ts';
import { readBody, splitBody } from '../../../../core/protocol/body.ts';
import { bodyBytes, readEvent, utf8, writeAnswer } from '../../../../core/protocol/event.ts';
import { errorAnswer, jsonAnswer } from '../../../../core/protocol/http.ts';

const MB = 1024 * 1024;
const context = { awsRequestId: 'lambda-1' };
const headers = { 'Content-Type': 'application/json', 'X-Request-Id': 'mine-1' };

/** As AWS documents each source, shortened to what matters. */
const http = {
  version: '2.0',
  routeKey: 'POST /v2/models/{m}/infer',
  rawPath: '/dev/v2/models/a%20b/infer',
  rawQueryString: '',
  headers: { 'content-type': 'application/json', 'x-request-id': 'mine-1' },
  requestContext: {
    http: { method: 'POST', path: '/dev/v2/models/a%20b/infer' },
    requestId: 'api-1',
    stage: 'dev',
  },
  body: '{}',
  isBase64Encoded: false,
};
const rest = {
  resource: '/{proxy+}',
  path: '/v2/models/a b/infer',
  httpMethod: 'POST',
  headers,
  multiValueHeaders: { 'Content-Type': ['application/json'], 'X-Request-Id': ['mine-1'] },
  requestContext: { requestId: 'rest-1', stage: 'dev' },
  body: '{}',
  isBase64Encoded: false,
};
const alb = {
  requestContext: {
    elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/t/1' },
  },
  httpMethod: 'POST',
  path: '/v2/models/a%20b/infer',
  queryStringParameters: {},
  headers: { 'content-type': 'application/json', 'x-request-id': 'mine-1' },
  body: '{}',
  isBase64Encoded: false,
};
const { headers: _headers, ...rested } = alb;
const albMulti = {
  ...rested,
  multiValueHeaders: { 'content-type': ['application/json'], 'x-request-id': ['mine-1'], accept: ['a', 'b'] },
};

describe('readEvent', () => {
  test('takes whatever was written as headers', () => {
    const odd = { a: [{ toString: 1 }], b: [['c'], 7, null], c: 7, d: { e: 'f' }, e: ['g', 'h'] };
    for (const event of [http, rest, { ...albMulti, multiValueHeaders: odd }])
      expect(readEvent({ ...event, headers: odd }, context).headers).toEqual({ e: 'g, h' });
  });

  test.each([
    ['HTTP API and function URL', http, 'http', '/dev/v2/models/a b/infer'],
    ['REST API', rest, 'rest', '/v2/models/a b/infer'],
    ['HTTP API, payload 1.0', { ...rest, version: '1.0' }, 'rest', '/v2/models/a b/infer'],
    ['load balancer', alb, 'alb', '/v2/models/a b/infer'],
    ['load balancer, multi-value', albMulti, 'alb', '/v2/models/a b/infer'],
  ])('%s', (_name, event, source, path) => {
    const request = readEvent(event, context);
    expect(request).toMatchObject({ source, path, method: 'POST', id: 'mine-1', body: '{}', base64: false });
    expect(request.headers['content-type']).toBe('application/json');
  });

  test.each([
    ['POST /v2/models/{m}/infer', { m: 'a b' }, '/v2/models/a b/infer'],
    ['POST /v2/models/{m}/infer', { m: 'a%20b' }, '/v2/models/a b/infer'],
    ['ANY /{proxy+}', { proxy: 'v2/models/x' }, '/v2/models/x'],
    ['GET /docs', undefined, '/docs'],
    // Those that say nothing of the path, and those that somebody wrote.
    ['$default', { m: 'x' }, '/dev/v2/models/a b/infer'],
    ['POST /v2/models/{m}/infer', undefined, '/dev/v2/models/a b/infer'],
    ['POST /v2/models/{m}/infer', { m: 7 }, '/dev/v2/models/a b/infer'],
    ['POST /v2/models/{toString}/infer', {}, '/dev/v2/models/a b/infer'],
    [7, null, '/dev/v2/models/a b/infer'],
    ['POST v2', null, '/dev/v2/models/a b/infer'],
  ])('the path is that of the gateway’s route: %s', (routeKey, pathParameters, path) => {
    expect(readEvent({ ...http, routeKey, pathParameters }).path).toBe(path);
    if (typeof routeKey !== 'string' || path.startsWith('/dev')) return;
    // Payload 1.0 of an HTTP API.
    const resource = routeKey.replace(/^\w+ /, '');
    expect(readEvent({ ...rest, path: '/dev/x', resource, pathParameters }).path).toBe(path);
  });

  test('a slash at its end stays', () => {
    const event = { ...http, routeKey: 'GET /docs', rawPath: '/dev/docs/' };
    expect(readEvent(event).path).toBe('/docs/');
  });

  test('values of one header are joined', () => {
    expect(readEvent(albMulti).headers.accept).toBe('a, b');
  });

  test('an id that cannot go into a header or a log gives way to the source’s', () => {
    for (const id of ['', 'a\nb', 'ü', 'x'.repeat(129), ' ']) {
      const event = { ...http, headers: { 'x-request-id': id } };
      expect(readEvent(event, context).id).toBe('api-1');
    }
    expect(readEvent({ ...alb, headers: {} }, context).id).toBe('lambda-1');
  });

  test('an id of the source that is none, from who invokes directly, gives way to Lambda’s', () => {
    for (const requestId of ['', 'a\nb', 'ü', 'x'.repeat(129), ' ', 7]) {
      const requestContext = { ...http.requestContext, requestId };
      expect(readEvent({ ...http, headers: {}, requestContext }, context).id).toBe('lambda-1');
    }
    const requestContext = { ...http.requestContext, requestId: 'x'.repeat(128) };
    expect(readEvent({ ...http, headers: {}, requestContext }, context).id).toBe('x'.repeat(128));
  });

  test('anything else is a direct invocation, and nothing throws', () => {
    fc.assert(
      fc.property(fc.anything(), (event) => {
        const request = readEvent(event, context);
        expect(['direct', 'http', 'rest', 'alb']).toContain(request.source);
      }),
    );
    expect(readEvent({ inputs: [] }, context)).toMatchObject({
      source: 'direct',
      method: 'POST',
      id: 'lambda-1',
    });
    const odd = { ...http, headers: null, rawPath: 7, body: 7, requestContext: { http: {} } };
    expect(readEvent(odd)).toMatchObject({ source: 'http', path: '', method: '', body: undefined });
    expect(readEvent({ ...http, rawPath: '/%zz' }).path).toBe('/%zz');
  });

  test('a header cannot reach Object’s own', () => {
    const event = { ...http, headers: JSON.parse('{"__proto__":"x","constructor":"y"}') };
    expect(readEvent(event).headers.toString).toBeUndefined();
  });
});

describe('bodies', () => {
  test.each([
    [6 * MB, true, true],
    [6 * MB + 1, true, false],
    [6 * MB, false, true],
    [6 * MB + 1, false, false],
  ])('of %i bytes, in base64: %s, is read: %s', (size, base64, read) => {
    const bytes = Buffer.alloc(size, ' ');
    const body = bytes.toString(base64 ? 'base64' : 'latin1');
    const request = readEvent({ ...http, body, isBase64Encoded: base64 });
    const found = () => readBody(request, nodeBase64, () => zlib).length;
    if (read) expect(found()).toBe(size);
    else expect(found).toThrow(expect.objectContaining({ code: 'BODY_TOO_LARGE' }));
  });

  test('base64 gives the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const body = Buffer.from(bytes).toString('base64');
        for (const written of [body, body.replace(/=+$/, '')]) {
          const request = readEvent({ ...http, body: written, isBase64Encoded: true });
          expect(Buffer.from(bytes).equals(bodyBytes(request, nodeBase64))).toBe(true);
        }
      }),
    );
  });

  test('what is no base64 is refused', () => {
    for (const body of ['ü', 'ab!d', '{"inputs":[]}', 'abcd efg']) {
      const request = readEvent({ ...http, body, isBase64Encoded: true });
      expect(() => bodyBytes(request, nodeBase64), body).toThrow(
        expect.objectContaining({ code: 'INVALID_ENCODING' }),
      );
    }
  });

  test('binary tensors that a gateway made text of are refused, where bytes of them were lost', () => {
    const headers = { 'inference-header-content-length': '2' };
    const split = (tail: Uint8Array) => splitBody(`{}${new TextDecoder().decode(tail)}`, headers).tail;
    expect(split(Buffer.from('abcd'))).toEqual(new Uint8Array(Buffer.from('abcd')));
    // As long as before: FP32 of 19.08 would be 23.72.
    for (const bytes of [
      [0xf0, 0x9f, 0x98, 0x41],
      [0, 0, 0x80, 0x3f],
    ])
      expect(() => split(Uint8Array.from(bytes))).toThrow(
        expect.objectContaining({
          code: 'INVALID_ENCODING',
          message:
            'The binary tensors came as text, in which some bytes are lost. Send the content type application/octet-stream; a REST API passes such a body on where its binaryMediaTypes have that.',
        }),
      );
    expect(splitBody('"\uFFFD"', {}).tail).toBeUndefined();
    expect(splitBody('"\uFFFD"', { 'inference-header-content-length': '5' }).json).toBe('"\uFFFD"');
  });

  test('and so is what was compressed: text that nobody can unpack is no JSON, and may be a row of csv', () => {
    const body = new TextDecoder().decode(zlib.gzipSync('{}'));
    expect(() => readBody(readEvent({ ...http, body }), nodeBase64, () => zlib)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ENCODING',
        message: expect.stringMatching(/^The compressed body came as text, /),
      }),
    );
  });

  test('broken UTF-8 is refused', () => {
    expect(utf8(Buffer.from('ü🌱'))).toBe('ü🌱');
    expect(() => utf8(Buffer.from([0x22, 0xff, 0x22]))).toThrow(
      expect.objectContaining({ code: 'INVALID_ENCODING' }),
    );
  });
});

describe('writeAnswer', () => {
  const binary = {
    status: 200,
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.from([0, 255]),
  };

  test.each([http, rest, alb])('text and bytes, with the request’s id', (event) => {
    const request = readEvent(event, context);
    expect(writeAnswer(request, jsonAnswer(200, { a: 1 }), nodeBase64)).toMatchObject({
      statusCode: 200,
      headers: { 'content-type': 'application/json', 'x-request-id': 'mine-1' },
      body: '{"a":1}',
      isBase64Encoded: false,
    });
    expect(writeAnswer(request, binary, nodeBase64)).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
  });

  test('a load balancer set to multi-value headers gets them, and no others', () => {
    const answer = writeAnswer(readEvent(albMulti), jsonAnswer(200, {}), nodeBase64);
    expect(answer).toMatchObject({ multiValueHeaders: { 'content-type': ['application/json'] } });
    expect(answer).not.toHaveProperty('headers');
  });

  test('a direct invocation gets the value, errors too', () => {
    const request = readEvent({ inputs: [] }, context);
    const error = { status: 400, code: 'INVALID_JSON', message: 'No.' };
    expect(writeAnswer(request, errorAnswer(error), nodeBase64)).toEqual({
      error: 'No.',
      code: 'INVALID_JSON',
    });
  });

  test.each([
    ['text as it is', http, 'a'.repeat(6 * 1024 * 1024), true],
    ['text that fits', http, 'a'.repeat(6 * 1024 * 1024 - 8192), false],
    ['text that grows when it is written as JSON', http, '"'.repeat(4 * 1024 * 1024), true],
    ['text of two bytes a character', http, 'ü'.repeat(4 * 1024 * 1024), true],
    ['bytes', http, Buffer.alloc(4.6 * 1024 * 1024), true],
    ['bytes that fit', http, Buffer.alloc(4.4 * 1024 * 1024), false],
    ['a load balancer’s 1 MB', alb, 'a'.repeat(1024 * 1024), true],
    ['a load balancer, fits', alb, 'a'.repeat(1000 * 1024), false],
  ])('beyond what can be sent back: %s', (_name, event, body, refused) => {
    const send = (): unknown => writeAnswer(readEvent(event), { status: 200, headers: {}, body }, nodeBase64);
    if (refused) expect(send).toThrow(expect.objectContaining({ code: 'ANSWER_TOO_LARGE', status: 413 }));
    else expect(send()).toBeDefined();
  });
});
