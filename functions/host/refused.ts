import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { afterRefusal, NO_REFUSALS, RETRY_SECONDS } from '../../core/host/admission.ts';

/** A refusal so long after the one before is the first of another row. */
const ROW_MS = 3 * RETRY_SECONDS * 1000;

/** Makes callers that ask again at once, whatever they were told, wait for it. */
export type Refused = {
  /** @param tell sends the refusal, on a connection that is kept */
  readonly told: (request: IncomingMessage, response: ServerResponse, tell: () => void) => void;
  /**
   * The same for a call whose connection has others: only it waits, before it is told.
   * @param tell sends the refusal; it gets the milliseconds that its caller has waited for it
   * @returns takes it back: nobody waits for it any more
   */
  readonly later: (request: Readable, tell: (waited: number) => void) => () => void;
  /** None waits any more, and none will. @returns whether one did */
  readonly release: () => boolean;
};

/**
 * A refused caller that asks again at once costs the front as much as one that is answered, and keeps it from
 * those. So where refusals are many, nothing more is read of a connection that had one, for as long as its
 * caller was told to wait: what it sends stays in the kernel, and fills its own buffers. Others, for example
 * those of a probe, are read as ever.
 *
 * A caller with a new connection for each request would not notice. So the first refusal of a connection is
 * told only after that time.
 */
export function createRefused(): Refused {
  let refusals = NO_REFUSALS;
  let released = false;
  /** Connections that have had a refusal: how many in a row, and when the last one was. */
  const rows = new WeakMap<Socket, { turn: number; at: number }>();
  const waiting = new Map<NodeJS.Timeout, () => void>();
  /**
   * Refusals of what was read in this turn of the event loop, to be told at its end: one after another, they
   * wake whoever asked once, and not each time.
   */
  const last: (() => void)[] = [];
  const pauseNow = (turn = 1): number => {
    const { refusals: counted, pause } = afterRefusal(refusals, performance.now(), turn, Math.random());
    refusals = counted;
    return released ? 0 : pause;
  };
  /** @returns takes it back */
  const after = (ms: number, call: () => void): (() => void) => {
    const timer = setTimeout(() => {
      waiting.delete(timer);
      call();
    }, ms);
    waiting.set(timer, call);
    return () => {
      clearTimeout(timer);
      waiting.delete(timer);
    };
  };
  const hold = (request: Readable, ms: number, tell: (waited: number) => void): (() => void) => {
    // Its body is not wanted, and is not to stay in memory.
    request.resume();
    return after(ms, () => tell(ms));
  };
  /** @returns which refusal of its row it is */
  const turnOf = (socket: Socket): number => {
    const at = performance.now();
    const row = rows.get(socket) ?? { turn: 0, at };
    row.turn = at - row.at > ROW_MS ? 1 : row.turn + 1;
    row.at = at;
    rows.set(socket, row);
    return row.turn;
  };
  const wait = (socket: Socket, ms: number): void => {
    if (socket.destroyed || released) return;
    socket.pause();
    after(ms, () => socket.resume());
  };
  const together = (call: () => void): void => {
    if (last.push(call) > 1) return;
    setImmediate(() => {
      for (const one of last.splice(0)) one();
    });
  };
  return {
    told(request, response, tell) {
      const { socket } = request;
      const isFirst = !rows.has(socket);
      const pause = pauseNow(turnOf(socket));
      if (pause > 0 && isFirst) response.once('close', hold(request, pause, tell));
      else if (pause > 0)
        together(() => {
          // Once it is sent, and the rest of its request is read, which is a part of this refusal.
          response.once('close', () => {
            if (request.complete) wait(socket, pause);
            else request.once('end', () => wait(socket, pause));
          });
          tell();
        });
      else tell();
    },
    later(request, tell) {
      const pause = pauseNow();
      if (pause > 0) return hold(request, pause, tell);
      tell(0);
      return () => {};
    },
    release() {
      const some = waiting.size > 0;
      released = true;
      for (const [timer, call] of waiting) {
        clearTimeout(timer);
        call();
      }
      waiting.clear();
      return some;
    },
  };
}
