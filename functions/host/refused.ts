import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterRefusal, NO_REFUSALS } from '../../core/host/admission.ts';

/** Makes callers that ask again at once, whatever `Retry-After` says, wait for it. */
export type Refused = {
  /** @param response of a refusal that is to be sent next, on a connection that is kept */
  readonly told: (request: IncomingMessage, response: ServerResponse) => void;
  /** All connections are read again, and none waits any more. @returns whether one did */
  readonly release: () => boolean;
};

/**
 * A refused caller that asks again at once costs the front as much as one that is answered, and keeps it from
 * those. So where refusals are many, nothing more is read of a connection that had one, for as long as its
 * caller was told to wait: what it sends stays in the kernel, and fills its own buffers. Others, for example
 * those of a probe, are read as ever.
 */
export function createRefused(): Refused {
  let refusals = NO_REFUSALS;
  let released = false;
  const waiting = new Map<Socket, NodeJS.Timeout>();
  const wait = (socket: Socket, ms: number): void => {
    if (socket.destroyed || released) return;
    socket.pause();
    const timer = setTimeout(() => {
      waiting.delete(socket);
      socket.resume();
    }, ms);
    waiting.set(socket, timer);
  };
  return {
    told(request, response) {
      const { refusals: counted, pause } = afterRefusal(refusals, performance.now());
      refusals = counted;
      if (pause === 0) return;
      const { socket } = request;
      // Once it is sent, and the rest of its request is read, which is a part of this refusal.
      response.once('close', () => {
        if (request.complete) wait(socket, pause);
        else request.once('end', () => wait(socket, pause));
      });
    },
    release() {
      const some = waiting.size > 0;
      released = true;
      for (const [socket, timer] of waiting) {
        clearTimeout(timer);
        socket.resume();
      }
      waiting.clear();
      return some;
    },
  };
}
