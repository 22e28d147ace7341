import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { HOST_LIMITS } from '../../../../core/host/contract.ts';
import { createBodies } from '../../../../functions/host/bodies.ts';
import { type Front, openFront } from '../../../../functions/host/front.ts';
import { openGrpc } from '../../../../functions/host/grpc.ts';
import { createUntaken } from '../../../../functions/host/untaken.ts';
import { answering } from './crowded.ts';

it('whatever comes and goes, no more lies there than may, and the oldest go first', () => {
  const step = fc.record({
    bytes: fc.integer({ min: 0, max: 120 }),
    taken: fc.option(fc.nat(20), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const { hold } = createUntaken(100);
      const releases: (() => void)[] = [];
      /** What lies there by all that was told, the oldest first. */
      let there: number[] = [];
      const sum = (): number => there.reduce((bytes, id) => bytes + (steps[id]?.bytes ?? 0), 0);
      for (const [id, { bytes, taken }] of steps.entries()) {
        there.push(id);
        const drop = (): void => {
          expect(sum()).toBeGreaterThan(100);
          expect(there[0]).toBe(id);
          there.shift();
        };
        releases.push(hold(bytes, drop));
        expect(sum()).toBeLessThanOrEqual(100);
        if (taken === undefined) continue;
        // It may be told so again, and of one that was given up.
        releases[taken]?.();
        there = there.filter((one) => one !== taken);
      }
    }),
  );
});

let front: Front | undefined;
/** Called where the model is asked: clients come one after the other. */
let hear = (): void => {};
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await front?.close();
  front = undefined;
});

/** Answers of 6 MB that clients ask for and do not read, twice as many as may lie there. */
const ANSWER = Buffer.alloc(6 * 1024 * 1024, 32);
const CLIENTS = 2 * Math.ceil(HOST_LIMITS.answerBytes / ANSWER.length);
const REQUEST = 'POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';

/** Asks, and reads nothing until it is told to. */
async function client(port: number, requests = 1): Promise<{ readonly read: () => Promise<number> }> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket.pause());
  socket.on('error', () => {});
  const asked = new Promise<void>((resolve) => {
    hear = resolve;
  });
  socket.write(REQUEST.repeat(requests));
  await asked;
  let bytes = 0;
  return {
    read: () =>
      new Promise((resolve) => {
        socket.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > ANSWER.length * requests) resolve(bytes);
        });
        socket.on('close', () => resolve(bytes)).resume();
      }),
  };
}

it('clients that do not read their answers take no more memory than that; who comes after them reads its own', async () => {
  front = await openFront(
    answering(ANSWER, () => hear()),
    0,
    '127.0.0.1',
  );
  const all = [];
  for (let one = 0; one < CLIENTS; one += 1) all.push(await client(front.port));
  const last = await (await client(front.port)).read();
  expect(last).toBeGreaterThan(ANSWER.length);
  const read = await Promise.all(all.map((one) => one.read()));
  const whole = read.filter((bytes) => bytes > ANSWER.length).length;
  expect(whole).toBeLessThanOrEqual(HOST_LIMITS.answerBytes / ANSWER.length);
  // Those that came first went.
  expect(read.findIndex((bytes) => bytes > ANSWER.length)).toBe(CLIENTS - whole);
});

it('nor do answers that wait behind another one on their connection, which ends', async () => {
  front = await openFront(
    answering(ANSWER, () => hear()),
    0,
    '127.0.0.1',
  );
  const bytes = await (await client(front.port, CLIENTS)).read();
  expect(bytes).toBeLessThan(ANSWER.length * CLIENTS);
});

/** A `ModelInferRequest` with the model’s name alone, framed. */
const MESSAGE = Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x6d]);

it('nor do calls of gRPC: those that came first are cancelled, and the others have their messages', async () => {
  front = await openGrpc(answering(ANSWER), createBodies(), 0, '127.0.0.1');
  const session = connectHttp2(`http://127.0.0.1:${front.port}`);
  const calls = Array.from({ length: CLIENTS }, () => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/inference.GRPCInferenceService/ModelInfer',
      'content-type': 'application/grpc',
    });
    let bytes = 0;
    const ended = new Promise<string>((resolve) =>
      stream.on('close', () =>
        resolve(stream.rstCode === constants.NGHTTP2_CANCEL ? 'cancelled' : `${bytes}`),
      ),
    );
    const begun = new Promise((resolve) => stream.on('response', resolve).on('close', resolve));
    stream.on('error', () => {}).end(MESSAGE);
    const read = (): void => {
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
    };
    return { begun, ended, read };
  });
  await Promise.all(calls.map(({ begun }) => begun));
  for (const { read } of calls) read();
  const told = await Promise.all(calls.map(({ ended }) => ended));
  session.destroy();
  const cancelled = told.filter((one) => one === 'cancelled').length;
  expect(CLIENTS - cancelled).toBeLessThanOrEqual(HOST_LIMITS.answerBytes / ANSWER.length);
  expect(told.indexOf(`${ANSWER.length + 5}`)).toBe(cancelled);
});
