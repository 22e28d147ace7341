import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it } from 'vitest';
import { keptPost } from '../../../../../plugins/models/measure/post.ts';

/** A server that answers with how many requests a connection has had, or cuts it. */
async function served<T>(cuts: (count: number) => boolean, work: (url: URL) => Promise<T>): Promise<T> {
  const counts = new Map<Socket, number>();
  const server = createServer((request, response) => {
    const count = (counts.get(request.socket) ?? 0) + 1;
    counts.set(request.socket, count);
    if (cuts(count)) return request.socket.destroy();
    request.resume();
    request.once('end', () => response.end(String(count)));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    return await work(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
const patience = () => AbortSignal.timeout(60_000);

it('connections are used again, and there are as many as requests at once', async () => {
  const bodies = await served(
    () => false,
    async (url) => {
      const { post, close } = keptPost(url);
      const first = await Promise.all([1, 2, 3].map(() => post('{}', patience())));
      const second = await post('{}', patience());
      close();
      return [...first, second].map(({ body }) => body);
    },
  );
  expect(bodies).toEqual(['1', '1', '1', '2']);
});

it('a connection that the server closed just before is no failure of the target', async () => {
  const bodies = await served(
    (count) => count === 2,
    async (url) => {
      const { post, close } = keptPost(url);
      const first = await post('{}', patience());
      const second = await post('{}', patience());
      close();
      return [first, second].map(({ body }) => body);
    },
  );
  expect(bodies).toEqual(['1', '1']);
});

it('a server that cuts every connection fails', async () => {
  await served(
    () => true,
    async (url) => {
      const { post, close } = keptPost(url);
      await expect(post('{}', patience())).rejects.toThrow();
      close();
    },
  );
});
