import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createBodies } from '../../../../functions/host/bodies.ts';

let server: Server;
afterEach(() => server.close());

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
