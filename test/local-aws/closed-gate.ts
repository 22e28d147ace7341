import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An address that answers once it is opened, and tells when it was asked so many times. */
export async function closedGate(times = 1): Promise<{ url: string; asked: Promise<void>; open(): void }> {
  let tell: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const waiting: ServerResponse[] = [];
  const server = createServer((_, response) => {
    waiting.push(response);
    if (waiting.length >= times) tell();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const open = (): void => {
    for (const response of waiting) response.end();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}/`, asked, open };
}
