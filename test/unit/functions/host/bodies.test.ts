import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { createBodies } from '../../../../functions/host/bodies.ts';
import { type Front, openFront } from '../../../../functions/host/front.ts';
import { CROWDED } from './crowded.ts';

let server: Server | undefined;
let front: Front | undefined;
let sockets: Socket[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const socket of sockets) socket.destroy();
  sockets = [];
  server?.close();
  await front?.close();
});

it('whole bodies count until they are released: what does not fit beside them is late', async () => {
  const bodies = createBodies(100_000);
  const releases: (() => void)[] = [];
  server = createServer(async (request, response) => {
    const read = await bodies.read(
      request,
      60_000,
      () => {},
      () => {},
    );
    if (typeof read !== 'string') releases.push(read.release);
    response.end(typeof read === 'string' ? read : String(read.body.length));
  }).listen(0);
  const { port } = server.address() as AddressInfo;
  const send = async (bytes: number): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: Buffer.alloc(bytes) });
    return answer.text();
  };
  expect([await send(60_000), await send(30_000)]).toEqual(['60000', '30000']);
  expect(await send(20_000)).toBe('late');
  expect([await send(0), await send(10_000)]).toEqual(['0', '10000']);
  // Twice is once.
  releases[1]?.();
  releases[1]?.();
  expect(await send(40_000)).toBe('late');
  expect(await send(30_000)).toBe('30000');
  releases[0]?.();
  expect(await send(60_000)).toBe('60000');
});

/** Begins a request that says it has so many bytes, and asks first. @returns what comes back at once */
function begun(port: number, bytes: number): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  sockets.push(socket);
  socket.write(
    `POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\nExpect: 100-continue\r\n\r\n`,
  );
  return new Promise((resolve) => socket.once('data', (chunk) => resolve(chunk.toString('latin1'))));
}

it('what says that it is longer than there is room for is 503 before anything of it is read', async () => {
  const [full] = CROWDED.pools();
  if (full === undefined) throw new Error('There is no pool.');
  const pool = { ...full, enter: () => true };
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  front = await openFront({ ...CROWDED, pool: () => pool }, 0, '127.0.0.1', createBodies(100_000));
  const { port } = front;
  expect(await begun(port, 60_000)).toMatch(/^HTTP\/1.1 100 /);
  const refused = await begun(port, 60_000);
  expect(refused).toMatch(/^HTTP\/1.1 503 .*\r\nretry-after: 1\r\n/s);
  expect(refused).toContain('"OVERLOADED"');
  expect(await begun(port, 40_000)).toMatch(/^HTTP\/1.1 100 /);
  expect(await begun(port, 1)).toMatch(/^HTTP\/1.1 503 /);
  // After a second they are slow, and what has not come is no longer kept free for them.
  await vi.advanceTimersByTimeAsync(1000);
  expect(await begun(port, 60_000)).toMatch(/^HTTP\/1.1 100 /);
});

it('slow bodies give way to what comes whole, and only where that is enough', async () => {
  const bodies = createBodies(100_000);
  const ended: string[] = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  server = createServer(async (request, response) => {
    const read = await bodies.read(
      request,
      100_000,
      () => {},
      () => {},
    );
    ended.push(typeof read === 'string' ? read : String(read.body.length));
    response.end('{}');
  }).listen(0);
  const { port } = server.address() as AddressInfo;
  const slow = connect(port, '127.0.0.1').on('error', () => {});
  sockets.push(slow);
  const came = new Promise<void>((resolve) =>
    server?.once('request', (request) => request.once('data', () => resolve())),
  );
  slow.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n${' '.repeat(30_000)}`);
  await came;
  await vi.advanceTimersByTimeAsync(1000);
  const send = (bytes: number) =>
    fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: Buffer.alloc(bytes) });
  await send(60_000);
  expect(ended).toEqual(['60000']);
  await send(100_000);
  expect(ended).toEqual(['60000', 'late']);
  await send(30_000);
  expect(ended).toEqual(['60000', 'late', 'late', '30000']);
});
