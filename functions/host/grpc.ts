import {
  constants,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
} from 'node:http2';
import { HOST_LIMITS } from '../../core/host/contract.ts';
import { guardRefusal } from '../../core/host/guard.ts';
import { GRPC, type GrpcStatus, timeoutOf } from '../../core/protocol/grpc/status.ts';
import type { Behind } from './behind.ts';
import type { Bodies } from './bodies.ts';
import { closeSurely, endUnread, exchangeOf } from './exchange.ts';
import type { Front } from './front.ts';
import { createMessages } from './grpc-message.ts';
import { answerMethod, type CallMeans, isMethod } from './grpc-methods.ts';
import { createRefused } from './refused.ts';

const SERVICE = '/inference.GRPCInferenceService/';

/**
 * Beyond it Node refuses each further call of a connection, whatever it asks. It counts answers that lie
 * there untaken, and goes on to count those that were taken back in the middle: with its own 10 MB two large
 * ones were enough, for as long as the connection lived. So it is more than any connection comes to. Answers
 * have a bound over all of them, and calls by their number.
 * https://nodejs.org/api/http2.html#http2createserveroptions-onrequesthandler
 */
const SESSION_MEGABYTES = 2 ** 31;

/**
 * Bytes of a message, and of all on a connection, that may be on their way without a word of ours. With
 * HTTP/2’s own 64 KB each of them is a round trip: at 10 ms a message of 6 MB took a second, so that it was
 * a slow one, and at 50 ms four of them more than the time that a message has. A refused call sends as much
 * in vain: with more than this under ten times what a model can do, the front answered a fifth.
 * https://www.rfc-editor.org/rfc/rfc9113#section-6.9
 */
const CALL_WINDOW = 128 * 1024;
const SESSION_WINDOW = 16 * 1024 * 1024;

/**
 * The host’s gRPC side: unary calls over HTTP/2 without TLS.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 *
 * A gRPC server of a library would read each message whole before anybody is asked whether there is room for
 * it, and has no bound for all messages together; here they are bodies as HTTP’s, within the same memory.
 * @param unreadMs without a byte of an answer taken, after which its client has stopped reading
 * @throws where the port is taken: an error with the system’s code
 */
export async function openGrpc(
  behind: Behind,
  bodies: Bodies,
  port: number,
  address?: string,
  unreadMs: number = HOST_LIMITS.unreadMs,
): Promise<Front> {
  const means = { messages: createMessages(bodies), refused: createRefused() };
  const sessions = new Set<Http2Session>();
  let closing = false;
  const server = createServer(
    {
      settings: {
        maxConcurrentStreams: HOST_LIMITS.calls,
        maxHeaderListSize: HOST_LIMITS.headerBytes,
        initialWindowSize: CALL_WINDOW,
      },
      maxHeaderListPairs: HOST_LIMITS.headers,
      maxSessionMemory: SESSION_MEGABYTES,
    },
    (request, response) => take(behind, means, request, response, bound(), unreadMs),
  );
  server.maxConnections = HOST_LIMITS.connections;
  const bound = (): number => {
    const found = server.address();
    return typeof found === 'object' && found !== null ? found.port : port;
  };
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(SESSION_WINDOW);
    session.once('close', () => sessions.delete(session));
    // Who speaks HTTP/2 sends its settings first.
    const silent = setTimeout(() => session.destroy(), HOST_LIMITS.headersMs);
    session.once('remoteSettings', () => clearTimeout(silent));
    session.once('close', () => clearTimeout(silent));
    // It closes once its calls are answered.
    session.setTimeout(HOST_LIMITS.keepAliveMs, () => session.close());
    if (closing) session.close();
  });
  // A connection that breaks, or speaks something else, is closed already.
  server.on('sessionError', () => {});
  await new Promise<void>((resolve, reject) => {
    // Not once: where no descriptor is left for a connection, that is an error, too, which nobody else hears.
    server.on('error', reject);
    server.listen({ port, backlog: 4096, ...(address !== undefined && { host: address }) }, resolve);
  });
  return {
    port: bound(),
    async close() {
      closing = true;
      means.refused.release();
      // As the other front: what has come by now is accepted just before this phase of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        // Clients learn which of their calls was not taken, and send it elsewhere.
        for (const session of sessions) session.close();
      });
    },
  };
}

const failed = (status: GrpcStatus['status'], code: string, text: string): GrpcStatus => ({
  status,
  code,
  message: `${code}: ${text}`,
});

function take(
  behind: Behind,
  means: CallMeans,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  port: number,
  unreadMs: number,
): void {
  const { headers, url } = request;
  if (!/^application\/grpc(\+proto|;|$)/.test(headers['content-type'] ?? '')) {
    response.writeHead(415).end();
    response.setTimeout(unreadMs, () => closeSurely(response.stream, constants.NGHTTP2_CANCEL, unreadMs));
    endUnread(request, response, 'finish', unreadMs);
    return;
  }
  const exchange = exchangeOf(request, response, unreadMs);
  const refused = behind.local ? guardRefusal({ host: headers[':authority'] }, port) : undefined;
  const timeout = timeoutOf(headers['grpc-timeout'] as string | undefined);
  const method = url.startsWith(SERVICE) ? url.slice(SERVICE.length) : '';
  if (refused !== undefined) exchange.finish(failed(GRPC.permissionDenied, 'FORBIDDEN', refused));
  else if (!isMethod(method))
    exchange.finish(failed(GRPC.unimplemented, 'NOT_FOUND', `There is no method ${url.slice(0, 200)}.`));
  else if (timeout !== undefined && !Number.isFinite(timeout))
    exchange.finish(failed(GRPC.invalidArgument, 'INVALID_REQUEST', 'grpc-timeout is none.'));
  else {
    if (timeout !== undefined && timeout <= LONGEST_MS) {
      const late = failed(
        GRPC.deadlineExceeded,
        'TIMED_OUT',
        'The deadline that the client has set is over.',
      );
      const timer = setTimeout(() => exchange.finish(late), timeout);
      exchange.whenOver(() => clearTimeout(timer));
    }
    const slow = failed(GRPC.deadlineExceeded, 'SLOW_REQUEST', 'The message did not come whole in time.');
    const coming = setTimeout(() => exchange.finish(slow), HOST_LIMITS.requestMs);
    request.once('end', () => clearTimeout(coming));
    exchange.whenOver(() => clearTimeout(coming));
    answerMethod(behind, means, method, exchange);
  }
}
/** Beyond it a timer fires at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_MS = 2 ** 31 - 1;
