import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RefusalCode } from '../../core/errors/refusals.ts';
import { HOST_LIMITS } from '../../core/host/contract.ts';
import { refusalAnswer } from './replies.ts';

/** The parser’s word for it, or one of ours. */
type Fault = { readonly code?: string | undefined };

/** Connections on which something came that is no request. */
export type Broken = {
  /** A request came whose answer goes before whatever is told of its connection. */
  readonly came: (request: IncomingMessage, response: ServerResponse) => void;
  /** As of the parser’s `clientError`: nothing of what comes on the connection can be read any more. */
  readonly told: (error: Fault, socket: Duplex) => void;
};

export function createBroken(): Broken {
  /** Requests of a connection that have no whole answer yet. */
  const open = new WeakMap<Duplex, Set<IncomingMessage>>();
  const faults = new WeakMap<Duplex, Fault>();
  /** One that is not whole never will be, and it is what is refused. */
  const isOwed = (socket: Duplex): boolean => {
    for (const { complete } of open.get(socket) ?? []) if (complete) return true;
    return false;
  };
  return {
    came(request, response) {
      const { socket } = request;
      const here = open.get(socket) ?? new Set();
      open.set(socket, here.add(request));
      response.once('close', () => {
        here.delete(request);
        const fault = faults.get(socket);
        if (fault !== undefined && !isOwed(socket)) refuseConnection(fault, socket);
      });
    },
    told(error, socket) {
      if (error.code === 'ECONNRESET' || !isOwed(socket)) refuseConnection(error, socket);
      else if (!faults.has(socket)) faults.set(socket, error);
    },
  };
}

/** What the parser says of a connection, as refusals. */
const FAULTS: Readonly<Record<string, readonly [RefusalCode, string]>> = {
  HPE_HEADER_OVERFLOW: [
    'HEADERS_TOO_LARGE',
    `A request may have ${HOST_LIMITS.headers} headers, and ${HOST_LIMITS.headerBytes / 1024} KB of them.`,
  ],
  CONNECT: ['INVALID_REQUEST', 'The host is no proxy.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['SLOW_REQUEST', 'The request did not come whole in time.'],
};

/** What is no request gets an answer, too, where one can still be sent. */
function refuseConnection(error: Fault, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.writableLength > 0) {
    socket.destroy();
    return;
  }
  const [code, text] = FAULTS[error.code ?? ''] ?? ['INVALID_REQUEST', 'This is no HTTP.'];
  const { status, headers, body } = refusalAnswer(code, text);
  const named = { ...headers, 'content-length': body.length, connection: 'close' };
  const lines = Object.entries(named).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`);
  socket.end(body, () => socket.destroy());
}
