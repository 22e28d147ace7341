import { difference } from './bound.ts';
import { type Counts, isSteady } from './counts.ts';

/** Stakes at which a signal fails: 1/40 + 1/80 + 1/160 + 1/160 = 5 % of healthy releases at the very most. */
export const ERRORS_AT = 40;
export const SLOW_AT = 80;
export const REJECTED_AT = 160;
export const OUTPUT_AT = 160;
/** Stakes after promotion are lower: an alarm has asked already. */
export const REVERSED_AT = 20;
export const REVERSED_SLOW_AT = 40;

/** Below this difference (a share of requests) nothing fails, by design. */
const LEAST = 0.001;
/** At this difference nobody waits for the minutes to agree. */
const PLAIN = 0.1;

/** E(1) has reached `stake`, the difference matters, and it was not one minute's accident. */
export const isWorse = (counts: Counts, stake: number): boolean =>
  counts.lnE >= Math.log(stake) && counts.minutes >= 2 && difference(counts.strata) >= LEAST;

/** Also: more than 1.25 times worse, at even odds. */
export const isClearlyWorse = (counts: Counts, stake: number): boolean =>
  isWorse(counts, stake) && counts.lnE125 >= 0;

/** The minutes agree, or need not. */
export const isTrend = (counts: Counts): boolean => isSteady(counts) || difference(counts.strata) >= PLAIN;

export const errorsFail = (counts: Counts): boolean => isClearlyWorse(counts, ERRORS_AT) && isTrend(counts);

export const rejectedFails = (counts: Counts): boolean =>
  isClearlyWorse(counts, REJECTED_AT) && isTrend(counts);

/** One notch of latency is allowed by the choice of edges, so "no worse" is the whole test. */
export const slowFails = (counts: Counts): boolean => isWorse(counts, SLOW_AT) && isTrend(counts);
