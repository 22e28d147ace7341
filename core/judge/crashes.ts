import { of } from './format.ts';
import type { Minute } from './minutes.ts';

/** Invocations that are looked at, and how far back they may lie. */
const ENOUGH = 10;
const MINUTES = 10;

/**
 * "A version that cannot answer at all needs no test": more than half of the candidate's latest invocations
 * crashed. Latest: as few of the last minutes (at most ten) as hold ten invocations.
 *
 * While a stable version shares the traffic (weight below 1) it must also be well, at most one crash in ten
 * among at least ten of its own in the same minutes: in a shared outage both crash, and going back would help
 * nobody. While one request in fifty crashes, a healthy version meets this in one of 80 million windows.
 * After promotion (`candidate` is the live version, weight 1) nothing is there to compare with; the gate,
 * passed again by the last good version, takes that part.
 *
 * @param minutes oldest first; complete, but unlike the judge's they need not be two minutes old: AWS counts
 * an
 *   invocation and its error together
 * @returns what was seen, for a person; undefined if it can answer
 */
export function crashesNow(minutes: readonly Minute[]): string | undefined {
  let [n1, x1, n2, x2, shared] = [0, 0, 0, 0, false];
  for (const { weight, candidate, stable } of minutes.slice(-MINUTES).reverse()) {
    n1 += candidate.invocations ?? 0;
    x1 += candidate.crashes ?? 0;
    n2 += stable.invocations ?? 0;
    x2 += stable.crashes ?? 0;
    shared ||= weight < 1;
    if (n1 >= ENOUGH) break;
  }
  if (n1 < ENOUGH || x1 <= n1 / 2) return undefined;
  if (shared && (n2 < ENOUGH || x2 > n2 / 10)) return undefined;
  const other = shared ? `, ${of(x2, n2)} of the stable version’s` : '';
  return `it cannot answer: ${of(x1, n1)} of its latest invocations crashed${other}`;
}
