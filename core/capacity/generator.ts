import type { Arrivals } from './arrivals.ts';

export type Timing = {
  /** Milliseconds. */
  readonly clock: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
};

/** One request, in milliseconds from the start of its run. */
export type Issued<A> = {
  readonly scheduled: number;
  readonly issued: number;
  /**
   * How much later than it could have been sent: after its time and, where all that may be out were out,
   * after one of them was answered. The generator's own fault, never the target's.
   */
  readonly lateness: number;
  readonly done: number;
  readonly answer: A;
};

export type Generated<A> = {
  /** In the order in which they were answered. */
  readonly issued: readonly Issued<A>[];
  /** Times of those that could not be sent before the end. */
  readonly unsent: Arrivals;
  /** When it was over. */
  readonly ended: number;
};

export type OpenLoop = {
  readonly arrivals: Arrivals;
  /** Requests that may be out at once. */
  readonly outstanding: number;
  /** Milliseconds from the start: nothing is sent, and no answer waited for, beyond. */
  readonly end: number;
  /** Ends it early: asked before each request. Whoever sets it also ends pauses and requests that run. */
  readonly stopped?: () => boolean;
};

/**
 * Open loop: request i is to be sent at its time, whatever became of those before it, and its latency counts
 * from then. A closed loop would ask less the slower the answers come, and leave out the very requests that
 * suffer (coordinated omission). One that waits since as many are out as may be is late, and its latency says
 * so.
 *
 * @param ask sends request i and waits at most so many milliseconds; must not throw
 */
export async function openLoop<A>(
  { clock, pause }: Timing,
  { arrivals, outstanding, end, stopped = () => false }: OpenLoop,
  ask: (index: number, patience: number) => Promise<A>,
): Promise<Generated<A>> {
  const start = clock();
  const issued: Issued<A>[] = [];
  let out = 0;
  let freed = start;
  let wake: (() => void) | undefined;

  const send = async (index: number, due: number, ready: number): Promise<void> => {
    const at = clock();
    const answer = await ask(index, Math.max(1, start + end - at));
    const done = clock();
    const times = { scheduled: due - start, issued: at - start, lateness: Math.max(0, at - ready) };
    issued.push({ ...times, done: done - start, answer });
    out -= 1;
    freed = done;
    wake?.();
  };

  const running: Promise<void>[] = [];
  let sent = 0;
  for (; sent < arrivals.length; sent += 1) {
    const due = start + (arrivals[sent] ?? 0);
    if (due > clock()) await pause(due - clock());
    let ready = due;
    while (out >= outstanding) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      ready = Math.max(due, freed);
    }
    if (clock() >= start + end || stopped()) break;
    out += 1;
    running.push(send(sent, due, ready));
  }
  await Promise.all(running);
  return { issued, unsent: stopped() ? [] : arrivals.slice(sent), ended: clock() - start };
}

export type ClosedLoop = Omit<OpenLoop, 'arrivals' | 'outstanding'> & {
  /** Milliseconds from the start: no request is sent beyond. */
  readonly last: number;
};

/** Closed loop: the next request when the one before is answered. What one caller that waits would see. */
export async function closedLoop<A>(
  { clock }: Pick<Timing, 'clock'>,
  { last, end, stopped = () => false }: ClosedLoop,
  ask: (index: number, patience: number) => Promise<A>,
): Promise<Generated<A>> {
  const start = clock();
  const issued: Issued<A>[] = [];
  let before = start;
  for (let index = 0; before < start + last && !stopped(); index += 1) {
    const at = clock();
    const answer = await ask(index, Math.max(1, start + end - at));
    const done = clock();
    const times = { scheduled: at - start, issued: at - start, lateness: at - before };
    issued.push({ ...times, done: done - start, answer });
    before = done;
  }
  return { issued, unsent: [], ended: clock() - start };
}
