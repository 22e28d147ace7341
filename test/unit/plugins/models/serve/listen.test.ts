import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { listen } from '../../../../../plugins/models/serve/listen.ts';

/** Milliseconds: more than a busy machine keeps a client that reads from reading. */
const UNREAD = 6000;
const LARGE = { status: 200, headers: {}, body: Buffer.alloc(32 * 1024 ** 2) };

it('a client that stops reading its answer is cut, and others get theirs', async () => {
  const server = await listen(0, async () => LARGE, UNREAD);
  try {
    const socket = connect(server.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
    socket.pause();
    const answer = await fetch(server.url);
    expect((await answer.arrayBuffer()).byteLength).toBe(LARGE.body.length);
    await new Promise((resolve) => setTimeout(resolve, 2 * UNREAD));
    socket.resume();
    await closed;
    expect(socket.bytesRead).toBeLessThan(LARGE.body.length);
  } finally {
    await server.close();
  }
});
