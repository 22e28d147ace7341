import type { TickAnswer } from '../../../../core/release/document/worker-contract.ts';
import { isPassing, SILENT_MS, sleep, type Worker } from './worker.ts';

/** A model and its Lambda function's name; `deployment`: id of the deploy that began its release. */
export type FollowedModel = {
  readonly model: string;
  readonly functionName: string;
  readonly alias: string;
  readonly deployment?: string;
};

/** Milliseconds between two ticks of a release that waits, and until we leave it to its schedule. */
const PAUSE = 2000;
const LIMIT = 5 * 60_000;

/** Releases that are ticked at a time. */
const PARALLEL = 5;

/** Does the release need no more help: is it over, held, or judged by the minute, which its schedule does? */
export const isLeft = ({ running, phase }: TickAnswer): boolean =>
  !running || phase === 'JUDGING' || phase === 'REVERSING';

/** Nothing more happens by itself but a watch for alarms. */
export const isSettled = ({ running }: TickAnswer): boolean => !running;

/**
 * Ticks releases until each `done`: by default until it goes on by itself, so that a deploy that returns is
 * live, or has its first step's weight. A release that takes longer than `limit` goes on without us.
 *
 * @param seen called with every answer
 * @returns the last answer of each, in the order of `targets`
 * @throws Error where the worker may not be invoked, cannot be for minutes, or fails three times in a row
 */
export async function followReleases(
  worker: Pick<Worker, 'tick'>,
  targets: readonly FollowedModel[],
  seen: (answer: TickAnswer) => void,
  options: {
    readonly done?: (answer: TickAnswer) => boolean;
    /** Milliseconds. */
    readonly pause?: number;
    readonly limit?: number;
    readonly clock?: () => number;
    readonly wait?: (milliseconds: number) => Promise<void>;
  } = {},
): Promise<readonly TickAnswer[]> {
  const { done = isLeft, pause = PAUSE, limit = LIMIT, clock = Date.now, wait = sleep } = options;
  const end = clock() + limit;
  const one = async (target: FollowedModel): Promise<TickAnswer> => {
    /** Since the first that failed: the one before may have taken minutes, or this machine slept since. */
    let silentSince: number | undefined;
    for (;;) {
      const answer = await worker.tick(target).catch((error: unknown) => {
        silentSince ??= clock();
        if (!isPassing(error) || clock() >= Math.min(silentSince + SILENT_MS, end)) throw error;
        return undefined;
      });
      if (answer !== undefined) {
        silentSince = undefined;
        seen(answer);
        if (done(answer) || clock() >= end) return answer;
      }
      await wait(pause);
    }
  };
  const answers: TickAnswer[] = [];
  // Those that are followed to their end take hours: all at once then, since none may wait for another's
  // steps.
  const parallel = limit > LIMIT ? targets.length : PARALLEL;
  for (let first = 0; first < targets.length; first += parallel)
    answers.push(...(await Promise.all(targets.slice(first, first + parallel).map(one))));
  return answers;
}
