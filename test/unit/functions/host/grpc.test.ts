import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as dial, Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Behind } from '../../../../functions/host/behind.ts';
import { createBodies } from '../../../../functions/host/bodies.ts';
import type { Front } from '../../../../functions/host/front.ts';
import { openGrpc } from '../../../../functions/host/grpc.ts';
import { answering, CROWDED, stopTime } from './crowded.ts';

let front: Front;
let session: ClientHttp2Session;
beforeEach(async () => {
  front = await openGrpc(CROWDED, createBodies(), 0, '127.0.0.1');
  session = connect(`http://127.0.0.1:${front.port}`);
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  session.destroy();
  await front.close();
});

/** @returns trailers of the answer */
async function call(
  method = 'ModelInfer',
  message = Buffer.alloc(5),
  headers: OutgoingHttpHeaders = {},
): Promise<IncomingHttpHeaders> {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/inference.GRPCInferenceService/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.resume().end(message);
  const [trailers] = await once(stream, 'trailers');
  return trailers;
}
const pushback = (trailers: IncomingHttpHeaders): number => Number(trailers['grpc-retry-pushback-ms']);

it('a refusal is told at once while they are few, with the second to wait', async () => {
  for (let count = 0; count < 50; count++)
    expect(await call()).toMatchObject({
      ...{ 'grpc-status': '14', 'error-code': 'OVERLOADED', 'grpc-retry-pushback-ms': '1000' },
    });
});

it('goes on where connections cannot be accepted, for want of a descriptor, again and again', async () => {
  const listen = vi.spyOn(Server.prototype, 'listen');
  const other = await openGrpc(CROWDED, createBodies(), 0, '127.0.0.1');
  const [server] = listen.mock.contexts;
  // As Node tells it: https://nodejs.org/api/net.html#event-error
  const tell = (): unknown => (server as Server).emit('error', new Error('accept EMFILE'));
  try {
    expect([tell(), tell(), tell()]).toEqual([true, true, true]);
  } finally {
    await other.close();
  }
});

it('a call that its client takes back as it sends it, by NO_ERROR, leaves no connection', async () => {
  await once(session, 'connect');
  const gone = once(session, 'close');
  const stream = session.request({
    ':method': 'POST',
    ':path': '/inference.GRPCInferenceService/ServerLive',
    'content-type': 'application/grpc',
  });
  // Both come in one piece, and it is answered before the second is looked at.
  stream.resume().write(Buffer.alloc(1));
  stream.close(constants.NGHTTP2_NO_ERROR);
  session.close();
  await gone;
});

/** https://www.rfc-editor.org/rfc/rfc9113#section-4.1 */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt16BE(type * 256 + flags, 3);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
/** A header field that is in no table, as HPACK has it. */
const field = (name: string, value: string): Buffer =>
  Buffer.from(`\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`);
const [DATA, HEADERS, SETTINGS, GOAWAY] = [0, 1, 4, 7];
/** END_HEADERS and END_STREAM. */
const WHOLE_CALL = 5;

it('a client that says that it goes, and breaks the protocol then, leaves no connection', async () => {
  const own = await openGrpc(CROWDED, createBodies(), 0, '127.0.0.1', 100);
  const fields = Buffer.concat([
    field(':method', 'POST'),
    field(':scheme', 'http'),
    field(':authority', 'x'),
    field(':path', '/inference.GRPCInferenceService/ServerLive'),
    field('content-type', 'application/grpc'),
  ]);
  const socket = dial(own.port, '127.0.0.1').resume();
  socket.write(
    Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(SETTINGS, 0, 0, Buffer.alloc(0)),
      frame(HEADERS, WHOLE_CALL, 1, fields),
      frame(GOAWAY, 0, 0, Buffer.alloc(8)),
      // The call has ended.
      frame(DATA, 0, 1, Buffer.alloc(3)),
    ]),
  );
  await once(socket, 'close');
  await own.close();
});

it('a question is as small unpacked as it may be sent', async () => {
  const packed = gzipSync(Buffer.alloc(6 * 1024 * 1024));
  const message = Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), packed]);
  message.writeUInt32BE(packed.length, 1);
  expect(packed.length).toBeLessThan(16 * 1024);
  expect(await call('ModelReady', message, { 'grpc-encoding': 'gzip' })).toMatchObject({
    ...{ 'grpc-status': '8', 'error-code': 'BODY_TOO_LARGE' },
  });
});

it('while the host starts it has no pool: the same second', async () => {
  const starting = { ...CROWDED, state: () => 'starting' as const, pool: () => undefined, pools: () => [] };
  session.on('error', () => {});
  await once(session, 'connect');
  session.destroy();
  await front.close();
  front = await openGrpc(starting, createBodies(), 0, '127.0.0.1');
  session = connect(`http://127.0.0.1:${front.port}`);
  // The name `m`, framed.
  expect(await call('ModelInfer', Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x6d]))).toMatchObject({
    ...{ 'grpc-status': '14', 'error-code': 'NOT_READY', 'grpc-retry-pushback-ms': '1000' },
  });
});

it('where they are many, callers wait for it, and then the less; other calls of the connection do not', async () => {
  stopTime();
  vi.spyOn(Math, 'random').mockReturnValue(0);
  const told: number[] = [];
  const many = Array.from({ length: 700 }, () => call().then((found) => told.push(pushback(found))));
  expect(await call('ServerLive')).toMatchObject({ 'grpc-status': '0' });
  await expect.poll(() => told.length).toBe(100);
  expect(new Set(told)).toEqual(new Set([1000]));
  await vi.advanceTimersByTimeAsync(1000);
  await Promise.all(many);
  // The last ones waited for a whole second, less up to a step of the clock.
  expect(Math.min(...told)).toBeLessThan(26);
  expect(Math.min(...told)).toBeGreaterThanOrEqual(0);
});

it('what waits for its refusal is told before the front ends', async () => {
  stopTime();
  const many = Array.from({ length: 700 }, () => call());
  expect(await call('ServerLive')).toMatchObject({ 'grpc-status': '0' });
  vi.useRealTimers();
  const ended = front.close();
  for (const found of await Promise.all(many)) expect(found).toMatchObject({ 'grpc-status': '14' });
  await ended;
});

it('answers that lie there untaken, or were taken back so, keep no other call of their connection from its own', async () => {
  const large = answering(Buffer.alloc(6 * 1024 * 1024));
  const own = await openGrpc(large, createBodies(), 0, '127.0.0.1');
  const other = connect(`http://127.0.0.1:${own.port}`).on('error', () => {});
  const begin = (method: string, message: Buffer) => {
    const stream = other.request({
      ...{ ':method': 'POST', ':path': `/inference.GRPCInferenceService/${method}` },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    });
    stream.on('error', () => {}).end(message);
    return stream;
  };
  try {
    // The name `m`, framed. Its answer is begun, and nobody reads on.
    const message = Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x6d]);
    for (let round = 0; round < 3; round++) {
      const streams = Array.from({ length: 20 }, () => begin('ModelInfer', message));
      await Promise.all(streams.map((stream) => once(stream, 'response')));
      const [trailers] = await once(begin('ServerLive', Buffer.alloc(5)).resume(), 'trailers');
      expect(trailers).toMatchObject({ 'grpc-status': '0' });
      await Promise.all(
        streams.map((stream) => {
          stream.close(constants.NGHTTP2_CANCEL);
          return once(stream, 'close');
        }),
      );
    }
  } finally {
    other.destroy();
    await own.close();
  }
});

it('a client far away may send a large message in a few round trips, and several at a time', async () => {
  const [settings] = await once(session, 'remoteSettings');
  expect(settings.initialWindowSize).toBeGreaterThanOrEqual(128 * 1024);
  await expect.poll(() => session.state.remoteWindowSize).toBeGreaterThanOrEqual(6 * 1024 ** 2);
});

describe('calls whose message does not come', () => {
  const MOST = 1024;
  /** The name `m`, framed. */
  const WHOLE = Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x6d]);
  const statuses: string[] = [];
  let ended = 0;
  const others: ClientHttp2Session[] = [];
  beforeEach(() => {
    statuses.length = 0;
    ended = 0;
    others.push(...[1, 2].map(() => connect(`http://127.0.0.1:${front.port}`)));
  });
  afterEach(() => {
    for (const other of others.splice(0)) other.destroy();
  });

  /** Begins calls that send one byte of their message, and tells what they are answered. */
  const begin = (of: ClientHttp2Session, count: number, method: string) =>
    Array.from({ length: count }, () => {
      const stream = of.request({
        ...{ ':method': 'POST', ':path': `/inference.GRPCInferenceService/${method}` },
        ...{ 'content-type': 'application/grpc', te: 'trailers' },
      });
      stream.on('trailers', (found) => statuses.push(`${found['grpc-status']} ${found['error-code']}`));
      stream.on('error', () => {}).on('close', () => ended++);
      stream.resume().write(Buffer.from([0]));
      return stream;
    });
  const anew = async (behind: Behind): Promise<void> => {
    for (const other of [session, ...others.splice(0)]) other.destroy();
    await front.close();
    front = await openGrpc(behind, createBodies(), 0, '127.0.0.1');
    session = connect(`http://127.0.0.1:${front.port}`);
    others.push(...[1, 2].map(() => connect(`http://127.0.0.1:${front.port}`)));
  };
  const answers = answering(Buffer.from([1]));

  it.each([
    ['ModelReady', answers],
    ['ModelInfer', answers],
    ['ModelInfer', { ...answers, pools: () => [...answers.pools(), ...answers.pools()] }],
  ] as const)('of %s are bounded over all connections, and refused at once beyond it', async (method, of) => {
    stopTime();
    await anew(of);
    const streams = others.flatMap((other) => begin(other, 600, method));
    await expect.poll(() => statuses.length).toBe(1200 - MOST);
    expect(new Set(statuses)).toEqual(new Set(['14 OVERLOADED']));
    // A refused one is not kept either, though its client never ends it.
    await expect.poll(() => ended).toBe(1200 - MOST);
    expect(await call(method, WHOLE)).toMatchObject({ 'grpc-retry-pushback-ms': '1000' });
    // Nothing else is refused, and who goes leaves room.
    expect(await call('ServerLive')).toMatchObject({ 'grpc-status': '0' });
    for (const stream of streams) stream.close(8);
    await expect.poll(async () => (await call(method, WHOLE))['grpc-status']).toBe('0');
  });

  it('and that came slowly, give way to one whose message comes', async () => {
    stopTime();
    await anew(answers);
    begin(others[0] as ClientHttp2Session, MOST, 'ModelReady');
    await expect.poll(async () => (await call('ModelReady', WHOLE))['grpc-status']).toBe('14');
    expect(statuses).toEqual([]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await call('ModelReady', WHOLE)).toMatchObject({ 'grpc-status': '0' });
    await expect.poll(() => statuses).toEqual(['14 OVERLOADED']);
  });
});

it('a call of another content type ends with its answer, also where its message does not come', async () => {
  const stream = session.request({ ':method': 'POST', ':path': '/', 'content-type': 'text/plain' });
  stream.write('so much');
  const [answer] = await once(stream, 'response');
  expect(answer[':status']).toBe(415);
  await once(stream.resume(), 'close');
});
