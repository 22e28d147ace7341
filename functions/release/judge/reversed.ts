import { incomplete } from './complete.ts';
import type { SignalJudgement } from './contract.ts';
import { count, errorRow } from './counts.ts';
import type { Minute } from './minutes.ts';
import { isClearlyWorse, REVERSED_AT } from './regression.ts';
import { compared, figures } from './verdict.ts';
import { REVERSING } from './words.ts';

/** Minutes of half the traffic on the last good version, at most. */
export const REVERSED_MINUTES = 10;

export type Reversed = {
  readonly verdict: 'rollBack' | 'restore' | 'undecided';
  readonly reason: string;
  readonly signals: readonly SignalJudgement[];
};

/**
 * The reversed canary: after an alarm the last good version (`stable` here) takes half of the traffic beside the live
 * one (`candidate`), and the same bet tells whether the live one is to blame. Asked less sternly than before promotion
 * (20 to 1, and without agreement of the minutes): an alarm has already said that something is worse.
 *
 * @param minutes usable ones of this canary alone
 * @param options over: nobody waits for more, because its time has passed; also after ten minutes
 */
export function reversed(
  minutes: readonly Minute[],
  { minRequests, over }: { readonly minRequests: number; readonly over: boolean },
): Reversed {
  const counts = count(minutes.map(errorRow));
  const missing = incomplete(minutes, minRequests, REVERSING);
  const isWorse = missing === undefined && isClearlyWorse(counts, REVERSED_AT);
  const isOver = over || minutes.length >= REVERSED_MINUTES;
  const seen = missing ?? `errors: ${compared(counts, 'requests failed', REVERSED_AT, REVERSING)}`;
  const signals: readonly SignalJudgement[] = [
    {
      signal: 'errors',
      verdict: missing !== undefined ? 'error' : isWorse ? 'fail' : isOver ? 'pass' : 'nodata',
      numbers: figures(counts, REVERSED_AT),
    },
  ];
  if (isWorse) return { verdict: 'rollBack', reason: seen, signals };
  return { verdict: isOver ? 'restore' : 'undecided', reason: seen, signals };
}
