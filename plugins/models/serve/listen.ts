import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  GATEWAY_BYTES,
  gatewayAnswer,
  type HttpAnswer,
  type HttpRequest,
} from '../../../core/host/gateway.ts';
import { guardRefusal } from '../../../core/host/guard.ts';
import { problemError } from '../problems/errors.ts';

export type Listening = {
  readonly port: number;
  readonly url: string;
  /** Ends open connections and frees the port. */
  readonly close: () => Promise<void>;
};

/** Beyond this the connection is cut: whoever sends so much does not read the answer. */
const PATIENCE_BYTES = 10 * GATEWAY_BYTES;

/**
 * @returns the body, or undefined when it is beyond the gateway's limit; read to its end all the same, since
 * most clients look for an answer only then
 */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= GATEWAY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
    if (bytes > PATIENCE_BYTES) request.destroy();
  }
  return bytes > GATEWAY_BYTES ? undefined : Buffer.concat(chunks);
}

/** Milliseconds without a byte taken after which a client has stopped reading its answer. */
const UNREAD = 60_000;

function send(
  response: ServerResponse,
  { status, headers, body }: HttpAnswer,
  head: boolean,
  unread: number,
): void {
  // What it does not take stays in memory.
  response.setTimeout(unread, () => response.destroy());
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value as string | string[]);
  const bodiless = status === 204 || status === 304;
  if (!bodiless) response.setHeader('content-length', body.length);
  response.end(head || bodiless ? undefined : body);
}

async function answerOne(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  handle: (request: HttpRequest) => Promise<HttpAnswer>,
  unread: number,
): Promise<void> {
  const refused = guardRefusal(request.headers, port);
  if (refused !== undefined) return send(response, gatewayAnswer(403, refused), false, unread);
  const body = await readBody(request);
  if (body === undefined)
    return send(response, gatewayAnswer(413, 'Request Entity Too Large'), false, unread);
  const { method = 'GET', url: target = '/', headers } = request;
  send(response, await handle({ method, target, headers, body }), method === 'HEAD', unread);
}

/**
 * An HTTP server for this machine alone: bound to the loopback address, closed to other origins' pages.
 * @param port 0 picks a free one
 * @param unread milliseconds after which a client that reads nothing of its answer is cut
 * @throws ProblemError `MODELS_USAGE` where the port is taken
 */
export async function listen(
  port: number,
  handle: (request: HttpRequest) => Promise<HttpAnswer>,
  unread = UNREAD,
): Promise<Listening> {
  const server = createServer((request, response) => {
    answerOne(request, response, listening(), handle, unread).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return response.destroy();
      send(response, gatewayAnswer(500, 'Internal Server Error'), false, unread);
      process.emitWarning(error instanceof Error ? error : String(error));
    });
  });
  const listening = (): number => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE' || error.code === 'EACCES';
      reject(taken ? portProblem(port, 'is taken, or not ours to use') : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: listening(),
    url: `http://127.0.0.1:${listening()}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** @throws ProblemError `MODELS_USAGE` */
export function portOf(flag: string | boolean | undefined, standard: string, key = '--port'): number {
  const text = typeof flag === 'string' ? flag : standard;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw portProblem(text, 'is no port', key);
  return port;
}

/** A port that cannot be had, to throw. */
export function portProblem(port: number | string, what: string, key = '--port'): Error {
  return problemError([
    {
      code: 'MODELS_USAGE',
      key,
      value: port,
      message: `${port} ${what}.`,
      fix: 'Write a number from 1024 to 65535, or 0 to have a free one picked.',
    },
  ]);
}
