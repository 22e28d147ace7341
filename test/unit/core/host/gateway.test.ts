import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromAnswer, toEvent } from '../../../../core/host/gateway.ts';
import { nodeBase64 } from '../../../../core/node/base64.ts';
import { bodyBytes, readEvent } from '../../../../core/protocol/event.ts';

const ask = (target: string, headers = {}, body: string | Uint8Array = '') =>
  toEvent({ method: 'POST', target, headers, body: Buffer.from(body) });

describe('a request as the event of an HTTP API', () => {
  it('has path and query apart, the path decoded', () => {
    const event = ask('/v2/models/a%20b?x=1&x=2&y=%3F?');
    expect(event).toMatchObject({
      rawPath: '/v2/models/a b',
      rawQueryString: 'x=1&x=2&y=%3F?',
      queryStringParameters: { x: '1,2', y: '??' },
      requestContext: { http: { method: 'POST', path: '/v2/models/a b' } },
    });
  });

  it('takes a broken path as it is', () => expect(ask('/%E0%A4').rawPath).toBe('/%E0%A4'));

  it('moves cookies out of the headers', () => {
    const event = ask('/', { cookie: 'a=1; b=2', host: 'h' });
    expect(event.cookies).toEqual(['a=1', 'b=2']);
    expect(event.headers).toEqual({ host: 'h' });
  });

  it('has JSON as text, and all else in base64', () => {
    expect(ask('/', { 'content-type': 'application/json; charset=utf-8' }, '{"é":1}')).toMatchObject({
      body: '{"é":1}',
      isBase64Encoded: false,
    });
    expect(ask('/', { 'content-type': 'application/octet-stream' }, 'x')).toMatchObject({
      isBase64Encoded: true,
    });
    expect(
      ask('/', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, 'x').isBase64Encoded,
    ).toBe(true);
    expect(ask('/')).not.toHaveProperty('body');
  });

  it('never changes a byte of a body', () => {
    const types = fc.constantFrom('application/json', 'text/csv', 'application/octet-stream', undefined);
    fc.assert(
      fc.property(fc.uint8Array(), types, (bytes, type) => {
        const event = ask('/', type === undefined ? {} : { 'content-type': type }, bytes);
        expect(Buffer.from(bytes).equals(bodyBytes(readEvent(event), nodeBase64))).toBe(true);
      }),
    );
  });
});

describe('a function’s answer as HTTP', () => {
  it('keeps status, headers, cookies and a body in base64', () => {
    const answer = fromAnswer({
      statusCode: 201,
      headers: { 'Content-Type': 'text/plain', 'x-n': 3 },
      cookies: ['a=1', 'b=2'],
      body: Buffer.from([0, 255]).toString('base64'),
      isBase64Encoded: true,
    });
    expect(answer).toEqual({
      status: 201,
      headers: { 'content-type': 'text/plain', 'x-n': '3', 'set-cookie': ['a=1', 'b=2'] },
      body: Buffer.from([0, 255]),
    });
  });

  it('takes what has no status as JSON, and what has a wrong one as a fault', () => {
    expect(fromAnswer({ a: 1 })).toMatchObject({ status: 200, body: Buffer.from('{"a":1}') });
    expect(fromAnswer(undefined)).toMatchObject({ status: 200, body: Buffer.from('null') });
    expect(fromAnswer({ statusCode: '200' })).toMatchObject({ status: 500 });
  });
});
