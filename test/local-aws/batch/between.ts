import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bytes, forward, withoutExpect } from '../crash/proxy.ts';

/**
 * What happens to a request. `die`: the process that sent it is killed, and AWS never sees it. `slow down`:
 * S3's 503. `reset`: the connection is closed without an answer, though AWS has made it. `cut`: it is closed
 * in the middle of the answer's body; `stall`: nothing comes after that middle, and the connection stays.
 */
export type Fault = 'die' | 'slow down' | 'reset' | 'cut' | 'stall';

type Request = { readonly method: string; readonly path: string };

export type Between = {
  readonly url: string;
  /** Counts from now on. `faultOf` is asked for each request, the first being 0; `kill` ends the process. */
  readonly watch: (
    faultOf: (request: Request, number: number) => Fault | undefined,
    kill: () => void,
  ) => void;
  /** `METHOD path` of all requests since `watch`. */
  readonly requests: readonly string[];
  readonly close: () => void;
};

const SLOW_DOWN =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';

/** Stands between a batch function and AWS, and does to requests what is asked for. */
export async function between(endpoint: string): Promise<Between> {
  const target = new URL(endpoint);
  const requests: string[] = [];
  let watched: Parameters<Between['watch']> = [() => undefined, () => {}];

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await bytes(incoming);
    const [method, url] = [incoming.method ?? 'GET', incoming.url ?? '/'];
    const path = decodeURIComponent(url.split('?')[0] ?? '');
    const [faultOf, kill] = watched;
    const fault = faultOf({ method, path }, requests.length);
    requests.push(`${method} ${path}`);
    if (fault === 'die') {
      kill();
      incoming.socket.destroy();
      return;
    }
    if (fault === 'slow down') {
      outgoing
        .writeHead(503, { 'content-type': 'application/xml' })
        .end(method === 'HEAD' ? undefined : SLOW_DOWN);
      return;
    }
    const answer = await forward(target, method, url, withoutExpect(incoming.headers), body);
    if (fault === 'reset') {
      incoming.socket.destroy();
      return;
    }
    outgoing.writeHead(answer.status, answer.headers);
    if (fault === undefined) {
      outgoing.end(answer.body);
      return;
    }
    const half = answer.body.subarray(0, answer.body.length >> 1);
    outgoing.write(half, () => {
      if (fault === 'cut') incoming.socket.destroy();
    });
  };
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    watch: (...next) => {
      requests.length = 0;
      watched = next;
    },
    requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
