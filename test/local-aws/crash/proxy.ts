import { Buffer } from 'node:buffer';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that changed something. `path` without its query. */
export type Write = {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly status: number;
};

/** Which write is the last that a worker sends, and whether AWS gets to see it. */
export type Kill = { readonly at: number; readonly side: 'before' | 'after' };

export type Between = {
  readonly url: string;
  /** Counts and notes from now on. `kill` ends the worker at that write. */
  readonly watch: (armed: Kill | undefined, kill: () => void) => void;
  /** Writes that AWS has made since `watch`, in their order. */
  readonly writes: readonly Write[];
  /** Answers to CloudFormation, of all time. */
  readonly answers: readonly { readonly RequestId: string; readonly Status: string }[];
  /** Names of the writes that were asked for since `watch`, also of those that were not made. */
  readonly asked: readonly string[];
  readonly close: () => void;
};

/**
 * Stands between a worker and AWS: notes each write, and ends the worker before AWS gets it, or when AWS has
 * made it and the worker does not know yet.
 *
 * @param told events that are posted to `/_told`
 */
export async function proxy(endpoint: string, told: (event: unknown) => void): Promise<Between> {
  const target = new URL(endpoint);
  const writes: Write[] = [];
  const answers: { readonly RequestId: string; readonly Status: string }[] = [];
  const asked: string[] = [];
  let end: { readonly at: Kill | undefined; readonly kill: () => void } = { at: undefined, kill: () => {} };

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await bytes(incoming);
    const [method, url] = [incoming.method ?? 'GET', incoming.url ?? '/'];
    if (url === '/_told') {
      told(JSON.parse(body.toString()));
      outgoing.end();
      return;
    }
    const name = writeName(method, url, incoming.headers['x-amz-target'], body);
    const isLast = name !== undefined && end.at?.at === asked.length;
    if (name !== undefined) asked.push(name);
    const side = isLast ? end.at?.side : undefined;
    if (side === 'before') {
      end.kill();
      incoming.socket.destroy();
      return;
    }
    const answer = await forward(target, method, url, withoutExpect(incoming.headers), body);
    const { status } = answer;
    if (url.includes('/cfn-response/')) answers.push(JSON.parse(body.toString()));
    if (name !== undefined)
      writes.push({ name, method, path: url.split('?')[0] ?? '', body: body.toString(), status });
    if (side === 'after') {
      end.kill();
      incoming.socket.destroy();
      return;
    }
    // By AWS's clock: the SDK would find its own wrong, and try again whatever failed.
    const { date: _, ...headers } = answer.headers;
    outgoing.writeHead(status, headers).end(answer.body);
  };
  const server = createServer((incoming, outgoing) => {
    outgoing.sendDate = false;
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    watch: (at, kill) => {
      writes.length = 0;
      asked.length = 0;
      end = { at, kill };
    },
    writes,
    answers,
    asked,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * What a request changes, by AWS's name of it where there is one; undefined where it only reads, or asks a
 * function.
 */
function writeName(
  method: string,
  url: string,
  target: string | string[] | undefined,
  body: Buffer,
): string | undefined {
  const path = url.split('?')[0] ?? '';
  if (method === 'GET' || method === 'HEAD' || path.endsWith('/invocations')) return undefined;
  const operation =
    (typeof target === 'string' ? target.split('.').at(-1) : undefined) ??
    /\/operation\/(\w+)$/.exec(path)?.[1] ??
    /(?:^|&)Action=(\w+)/.exec(method === 'POST' ? body.toString() : '')?.[1];
  if (operation !== undefined) return /^(Get|List|Describe)/.test(operation) ? undefined : operation;
  return `${method} ${path.split('/').slice(-2).join('/')}`;
}

export async function bytes(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

type Answer = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
};

export function forward(
  { hostname, port }: URL,
  method: string,
  path: string,
  headers: IncomingMessage['headers'],
  body: Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers }, (answer) => {
      bytes(answer).then(
        (found) => resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: found }),
        reject,
      );
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

/** The whole body is here already, and nobody is asked whether to go on. */
export const withoutExpect = ({
  expect: _,
  ...headers
}: IncomingMessage['headers']): IncomingMessage['headers'] => headers;
