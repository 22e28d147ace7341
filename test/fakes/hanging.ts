import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on this machine, which answers as it is told. */
export type Listening = {
  readonly url: string;
  /** Requests that came. */
  readonly asked: () => number;
  readonly close: () => Promise<void>;
};

/** @param answer absent: every connection is accepted, and no request is ever answered */
export async function startServer(answer?: Parameters<typeof createServer>[1]): Promise<Listening> {
  let count = 0;
  const server: Server = createServer((request, response) => {
    count += 1;
    request.resume();
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => count,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
