import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/**
 * A proxy as companies have it: it alone knows where a host is. `CONNECT` leads to a port of this machine:
 * https://www.rfc-editor.org/rfc/rfc9110#name-connect
 * @param portOf a `host:port`; undefined where there is none
 * @param says what it does in place of that: nothing, or its status and headers
 */
export async function startProxy(
  portOf: (address: string) => number | undefined,
  says: string | undefined = undefined,
): Promise<{
  readonly url: string;
  /** What it was asked for, with the authorization that came along. */
  readonly asked: readonly string[];
  readonly stop: () => Promise<void>;
}> {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on('connection', (socket) => open.add(socket));
  server.on('connect', ({ url = '', headers }, socket, head) => {
    asked.push([url, headers['proxy-authorization'] ?? []].flat().join(' '));
    const port = portOf(url);
    socket.on('error', () => {});
    if (says === 'nothing') return;
    if (says !== undefined || port === undefined) {
      socket.end(`HTTP/1.1 ${says ?? '502 Bad Gateway'}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
      return;
    }
    const there = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      there.write(head);
      there.pipe(socket).pipe(there);
    });
    open.add(there);
    there.on('error', () => socket.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
