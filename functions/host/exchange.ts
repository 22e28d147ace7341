import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { encodedMessage, type GrpcStatus } from '../../core/protocol/grpc/status.ts';
import { untaken } from './untaken.ts';

/** A call on its way: what it is answered by. */
export type Exchange = {
  readonly request: Http2ServerRequest;
  /** By the clock of `performance`. */
  readonly began: number;
  /** Sends a message, or why there is none. The first that is sent is the answer. */
  readonly finish: (answer: Uint8Array | GrpcStatus, headers?: Readonly<Record<string, string>>) => void;
  /** Has something called where nobody waits for an answer any more, or has one. */
  readonly whenOver: (call: () => void) => void;
};

const HEADERS = { 'content-type': 'application/grpc', 'grpc-accept-encoding': 'identity,gzip,deflate' };

/** What a call takes beside its answer, until this is taken: one connection may have a thousand of them. */
const CALL_BYTES = 16 * 1024;

/** @param unreadMs without a byte taken, after which its client has stopped reading */
export function exchangeOf(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  unreadMs: number,
): Exchange {
  const after: (() => void)[] = [];
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    for (const call of after) call();
  };
  response.once('close', end);
  return {
    request,
    began: performance.now(),
    whenOver(call) {
      if (over) call();
      else after.push(call);
    },
    finish(answer, headers = {}) {
      if (over || response.stream.destroyed) return;
      response.writeHead(200, { ...HEADERS, ...headers });
      if (answer instanceof Uint8Array) {
        response.addTrailers({ 'grpc-status': '0' });
        response.end(framed(answer));
      } else {
        const { status, message, code, again } = answer;
        response.addTrailers({
          'grpc-status': String(status),
          'grpc-message': encodedMessage(message),
          'error-code': code,
          ...(again !== undefined && { 'grpc-retry-pushback-ms': String(again) }),
        });
        response.end();
      }
      endUnread(request, response, 'wantTrailers', unreadMs);
      // What its client does not take stays in memory.
      const cancel = (): void => closeSurely(response.stream, constants.NGHTTP2_CANCEL, unreadMs);
      response.setTimeout(unreadMs, cancel);
      if (answer instanceof Uint8Array)
        response.once('close', untaken.hold(answer.length + CALL_BYTES, cancel));
      end();
    },
  };
}

/**
 * Ends a call with its answer. What has not come is no longer wanted: a client that sends it still would wait
 * for room, and one that never does would keep the call.
 *
 * @param last of the answer: what the stream says just before it. The response says that it is finished only
 * once its stream is closed, which this one would never be.
 */
export function endUnread(
  request: Http2ServerRequest,
  { stream }: Http2ServerResponse,
  last: 'wantTrailers' | 'finish',
  unreadMs: number,
): void {
  if (stream.readableEnded) return;
  request.resume();
  endReset(stream);
  stream.once(last, () => {
    setImmediate(() => {
      if (!stream.readableEnded) closeSurely(stream, constants.NGHTTP2_NO_ERROR, unreadMs);
    });
  });
}

/**
 * Ends a stream, and its connection where the stream stays. After a client has told that it goes, and has
 * then broken the protocol, a connection neither sends nor reads, not even that its client is gone.
 *
 * @param unreadMs that a stream may take: on one whose client pauses, other calls are answered afterwards
 */
export function closeSurely(stream: Http2ServerResponse['stream'], code: number, unreadMs: number): void {
  const { session } = stream;
  stream.close(code);
  if (stream.destroyed) return;
  const timer = setTimeout(() => session?.destroy(), unreadMs);
  stream.once('close', () => clearTimeout(timer));
}

/**
 * Ends a stream that its client has reset without an error while there was something to send: Node waits
 * until that is sent, which it never is, and its connection stays.
 */
function endReset(stream: Http2ServerResponse['stream']): void {
  stream.once('end', () => {
    if (!stream.closed) return;
    setImmediate(() => {
      // Neither open nor half closed: HTTP/2 does not know it any more.
      const isGone = stream.state.state === constants.NGHTTP2_STREAM_STATE_IDLE;
      if (isGone && !stream.destroyed) stream.destroy();
    });
  });
}

/** One message, not compressed: a byte for that, and four of its length. */
function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(message.length + 5);
  bytes.writeUInt8(0, 0);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, 5);
  return bytes;
}
