import { once } from 'node:events';
import { connect, constants, createServer, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, connect as dial, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { closeSurely } from '../../../../functions/host/exchange.ts';

/** More than a system keeps for a connection that nobody reads. */
const LARGE = 64 * 1024 ** 2;
const MOST = 2 ** 31 - 1;
const UNREAD_MS = 300_000;

it('a client that pauses for some seconds gets what its other calls are answered', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets: Socket[] = [];
  const between = createTcpServer((below) => {
    const above = dial((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(above, below);
    for (const socket of sockets) socket.on('error', () => {});
    below.pipe(above).pipe(below);
  }).listen(0, '127.0.0.1');
  await once(between, 'listening');
  const session = connect(`http://127.0.0.1:${(between.address() as AddressInfo).port}`, {
    settings: { initialWindowSize: MOST },
  }).on('error', () => {});
  await once(session, 'connect');
  session.setLocalWindowSize(MOST);
  const ask = async () => {
    const request = session.request().on('error', () => {});
    const [stream] = await once(server, 'stream');
    return { request, stream: (stream as ServerHttp2Stream).on('error', () => {}) };
  };
  try {
    const [refused, computing, large] = [await ask(), await ask(), await ask()];
    const answered = new Promise((resolve) => {
      computing.request.once('response', (headers) => resolve(headers[':status']));
      computing.request.once('close', () => resolve('none'));
    });
    const [above, below] = sockets as [Socket, Socket];
    above.unpipe().pause();
    large.stream.respond({ ':status': 200 });
    large.stream.end(Buffer.alloc(LARGE));
    large.request.resume();
    // Until the system takes no more of it, what ends the other one would go.
    await sleep(500);
    closeSurely(refused.stream, constants.NGHTTP2_CANCEL, UNREAD_MS);
    await sleep(1500);
    above.pipe(below);
    computing.stream.respond({ ':status': 200 });
    computing.stream.end();
    expect(await answered).toBe(200);
  } finally {
    session.destroy();
    for (const socket of sockets) socket.destroy();
    between.close();
    server.close();
  }
});
