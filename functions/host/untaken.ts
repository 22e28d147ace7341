import { HOST_LIMITS } from '../../core/host/contract.ts';

/** Answers that their clients have not taken yet, and that lie in memory until then. */
export type Untaken = {
  /**
   * Counts an answer; where all together are too large, those that lie there for longest are given up, this
   * one last.
   * @param drop ends its connection, or its call
   * @returns has it count no more: it was taken, or its client has gone
   */
  readonly hold: (bytes: number, drop: () => void) => () => void;
};

type Held = { readonly bytes: number; readonly drop: () => void };

/** @param room bytes of all together */
export function createUntaken(room: number = HOST_LIMITS.answerBytes): Untaken {
  /** The oldest first. */
  const held = new Set<Held>();
  let total = 0;
  const release = (one: Held): void => {
    if (held.delete(one)) total -= one.bytes;
  };
  return {
    hold(bytes, drop) {
      const one = { bytes, drop };
      held.add(one);
      total += bytes;
      for (const oldest of held) {
        if (total <= room) break;
        release(oldest);
        oldest.drop();
      }
      return () => release(one);
    },
  };
}

/** Those of this host, over HTTP and gRPC. */
export const untaken: Untaken = createUntaken();
