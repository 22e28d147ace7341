/** What the judge reads and says. Shapes only. */

/** One version's counts in one minute. An absent value is one that has no data point, which counts as 0. */
export type Side = {
  /** AWS/Lambda `Invocations` and `Errors` by `ExecutedVersion`: crashes, timeouts, failed starts. */
  readonly invocations?: number;
  readonly crashes?: number;
  /**
   * The endpoint's own counters: answered requests that were not rejected, its handled failures, first
   * requests of an instance.
   */
  readonly requests?: number;
  readonly errors?: number;
  /** Its refusals, which are in neither of the two; absent in versions that count them by model only. */
  readonly rejected?: number;
  readonly coldStarts?: number;
  /** Warm, successful requests slower than each of four edges: `p95 · 2^(k/4)`, k = −2…1. */
  readonly slow?: readonly [number, number, number, number];
  /** Sums of an output signal's two scores, their squares and their product. */
  readonly outputs?: Readonly<Record<string, Scores>>;
};

export type Scores = {
  readonly a: number;
  readonly b: number;
  readonly aa: number;
  readonly bb: number;
  readonly ab: number;
};

export type Verdict = 'pass' | 'fail' | 'nodata' | 'error';

/** What one look of the judge found, with the numbers that decided. */
export type Judgement = {
  readonly at: string;
  /** Index of the step; absent in the reversed canary. */
  readonly step?: number;
  readonly verdict: Verdict;
  /** For a person. */
  readonly reason: string;
  readonly signals: readonly SignalJudgement[];
};

export type SignalJudgement = {
  /** `errors`, `slow`, `rejected`, or the name of an output signal. */
  readonly signal: string;
  readonly verdict: Verdict;
  /** For example x1, n1, x2, n2, lnE, delta, bound, limit: names as in docs/judge.md. */
  readonly numbers: Readonly<Record<string, number>>;
};
