import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { REFUSALS, type RefusalCode } from '../../core/errors/refusals.ts';
import { RETRY_SECONDS } from '../../core/host/admission.ts';
import { HOST_LIMITS } from '../../core/host/contract.ts';
import type { HttpAnswer } from '../../core/host/gateway.ts';
import { type Answer, errorAnswer } from '../../core/protocol/http.ts';
import type { PoolOutcome } from './pool.ts';
import { untaken } from './untaken.ts';

/**
 * The newest request of each connection, and the one whose answer closes it. Others came before that, and an
 * answer to one of them that closed the connection would take theirs away; those after it are not answered.
 */
const newest = new WeakMap<Socket, ServerResponse>();
const closing = new WeakMap<Socket, ServerResponse>();

/** A request came on a connection. */
export function came(response: ServerResponse): void {
  newest.set(response.req.socket, response);
}

function closes(response: ServerResponse): boolean {
  const { socket } = response.req;
  const last = closing.get(socket) ?? newest.get(socket);
  if (last !== undefined && !last.headersSent) closing.set(socket, last);
  return last === response;
}

/** Sends an answer. @param last the connection is closed after what it owes */
export function reply(response: ServerResponse, { status, headers, body }: HttpAnswer, last: boolean): void {
  if (response.destroyed) return;
  const named: Record<string, number | string | readonly string[]> = { ...headers };
  if (status !== 204 && status !== 304) named['content-length'] = body.length;
  if (last && closes(response)) named.connection = 'close';
  response.writeHead(status, named as Record<string, string>);
  if (status === 204 || status === 304) response.end();
  // Node sends a text in one piece with the headers; in Latin-1 it is the same bytes.
  else if (body.length <= TEXT_BYTES) response.end(body.toString('latin1'), 'latin1');
  else response.end(body);
  // What its client does not take stays in memory, and so does what waits behind another answer to it.
  const { socket } = response;
  if (socket !== null && socket.writableLength === 0) return;
  response.setTimeout(HOST_LIMITS.unreadMs, () => response.destroy());
  response.once(
    'close',
    untaken.hold(body.length, () => response.req.socket.destroy()),
  );
}

/** A longer body is not copied for it. */
const TEXT_BYTES = 16 * 1024;

export const asHttp = ({ status, headers, body }: Answer): HttpAnswer => ({
  status,
  headers,
  body: Buffer.from(body),
});

/** `{"error", "code"}`, as all of the service says it. */
export function refusalAnswer(code: RefusalCode, message: string): HttpAnswer {
  const { status } = REFUSALS[code];
  const { headers, body } = errorAnswer({ status, code, message });
  const again = status === 503 ? { 'retry-after': String(RETRY_SECONDS) } : {};
  return { status, headers: { ...headers, ...again, 'cache-control': 'no-store' }, body: Buffer.from(body) };
}

/** What a client is told of a request that a process had, or should have had. */
export function outcomeAnswer(outcome: PoolOutcome): HttpAnswer {
  if (!('failure' in outcome)) return outcome;
  switch (outcome.failure) {
    case 'timeout':
      return refusalAnswer('TIMED_OUT', 'The model did not answer within its timeout, and was ended.');
    case 'crash':
      return refusalAnswer('ENDPOINT_FAILED', 'The model’s process ended while it had this request.');
    case 'memory':
      return refusalAnswer('ENDPOINT_FAILED', 'The model took more memory than it may, and was ended.');
    case 'unready':
    case 'gone':
      return refusalAnswer('NOT_READY', 'The model is not ready to answer.');
    case 'error':
      return refusalAnswer('INTERNAL', 'The endpoint failed; its log says where.');
  }
}

/** It is made once, since it is told most often where there is least time. */
export const OVERLOADED = refusalAnswer(
  'OVERLOADED',
  'All processes of the model are busy and its queue is full; try again.',
);
