import { incomplete } from './complete.ts';
import type { SignalJudgement } from './contract.ts';
import { countRows, errorRow } from './counts.ts';
import { REVERSING } from './format.ts';
import type { Minute } from './minutes.ts';
import { isClearlyWorse, isWorse, REVERSED_AT, REVERSED_SLOW_AT } from './regression.ts';
import { type SlowEdge, slowRow } from './slow.ts';
import { compared, figures, SLOW } from './verdict.ts';

/** Minutes of half the traffic on the last good version, at most. */
export const REVERSED_MINUTES = 10;

export type Reversed = {
  readonly verdict: 'rollBack' | 'restore' | 'undecided';
  readonly reason: string;
  /** Nothing was compared: numbers are missing, or one of the versions had no request. */
  readonly isUntold?: true;
  readonly signals: readonly SignalJudgement[];
};

/**
 * The reversed canary: after an alarm the last good version (`stable` here) takes half of the traffic beside
 * the live one (`candidate`), and the same bet tells whether the live one is to blame. Asked less sternly
 * than before promotion (20 to 1, latency 40 to 1, and without agreement of the minutes): an alarm has
 * already told that something is worse.
 *
 * @param minutes usable ones of this canary alone
 * @param options over: nobody waits for more, because its time has passed; also after ten minutes. slow: the
 * alarm is about
 *   latency, and both versions count by one objective: the edge to hold the live one against
 */
export function reversed(
  minutes: readonly Minute[],
  {
    minRequests,
    over,
    slow,
  }: { readonly minRequests: number; readonly over: boolean; readonly slow?: SlowEdge | undefined },
): Reversed {
  const missing = incomplete(minutes, minRequests, REVERSING, false);
  const isOver = over || minutes.length >= REVERSED_MINUTES;
  const errors = countRows(minutes.map(errorRow));
  const judged = [
    {
      signal: 'errors',
      isWorse: isClearlyWorse(errors, REVERSED_AT),
      numbers: figures(errors, REVERSED_AT),
      seen: `errors: ${compared(errors, 'requests failed', REVERSED_AT, REVERSING)}`,
    },
    ...(slow === undefined ? [] : [judgeSlow(minutes, slow)]),
  ];
  const signals = judged.map(({ signal, isWorse: worse, numbers }): SignalJudgement => {
    const verdict = missing !== undefined ? 'error' : worse ? 'fail' : isOver ? 'pass' : 'nodata';
    return { signal, verdict, numbers };
  });
  const worse = missing === undefined ? judged.find((one) => one.isWorse) : undefined;
  if (worse !== undefined) return { verdict: 'rollBack', reason: worse.seen, signals };
  const isUntold = missing !== undefined || errors.total.n1 === 0 || errors.total.n2 === 0;
  return {
    verdict: isOver ? 'restore' : 'undecided',
    // What the alarm asked about comes last.
    reason: missing ?? judged.at(-1)?.seen ?? '',
    ...(isUntold && { isUntold }),
    signals,
  };
}

function judgeSlow(minutes: readonly Minute[], edge: SlowEdge) {
  const counts = countRows(minutes.map((minute) => slowRow(minute, edge)));
  return {
    signal: 'slow',
    isWorse: isWorse(counts, REVERSED_SLOW_AT),
    numbers: { ...figures(counts, REVERSED_SLOW_AT), edge },
    seen: `latency: ${compared(counts, SLOW, REVERSED_SLOW_AT, REVERSING)}`,
  };
}
