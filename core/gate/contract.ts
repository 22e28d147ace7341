/** What the gate follows and finds. Shapes and limits only. */

import type { MetricSettings, MetricState, RowScores } from '../quality/contract.ts';

/**
 * After the load's last request so many seconds are left for answers; what comes later counts as an error.
 */
export const LOAD_GRACE = 10;

/**
 * Cases asked at once: few, since the version has no provisioned concurrency yet and every one at once starts
 * another instance.
 */
export const CASES_AT_ONCE = 4;

export type GateSettings = {
  /** The case file in the registry, `files/<sha256>`: JSON lines of `{inputs, outputs}`. */
  readonly cases?: { readonly sha256: string; readonly bytes: number; readonly count: number };
  /** Name of a SageMaker endpoint that is asked where a case has no `outputs`. */
  readonly reference?: string;
  /** Largest difference allowed: |got − expected| ≤ tolerance · max(1, |expected|). */
  readonly tolerance: number;
  /** How good the version must be on labelled rows. */
  readonly metric?: MetricSettings;
  /** Requests per second, and seconds. */
  readonly load?: { readonly rate: number; readonly duration: number };
};

/** How far the gate got, and what it found. Values of cases are in `GateEvidence`, never in a reason. */
export type GateState = {
  readonly verdict?: 'pass' | 'fail';
  /**
   * Cases done, of how many, and the lines (from 1) of those that failed; at 100 failed ones the gate stops.
   */
  readonly done: number;
  readonly count: number;
  readonly failed: readonly number[];
  readonly metric?: MetricState;
  readonly load?: LoadState;
  /** MB, the largest that any invocation of the gate reported. */
  readonly memory?: number;
  /**
   * For a person: why it passed or failed; without a verdict, what it waits for. Under 1 KB, without values
   * of cases.
   */
  readonly reason?: string;
  /** Another tick leaves the gate alone until then: two loads at once would measure each other. */
  readonly lease?: string;
};

/**
 * Percentiles in milliseconds from the scheduled time of each request, without those that met a cold start.
 */
export type LoadState = {
  readonly sent: number;
  readonly errors: number;
  /** Requests for which Lambda started an instance. */
  readonly cold: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /**
   * The 95th percentile of Lambda's own `Duration`, which has no network in it; absent where nothing reports
   * it.
   */
  readonly duration?: number;
};

/** One value that is not what it should be; both are texts as JSON writes them, cut at 60 characters. */
export type Difference = {
  /** For example `probabilities[0, 1]`, `label.shape` or `answer`. */
  readonly at: string;
  readonly expected: string;
  readonly got: string;
  /** got − expected, of numbers. */
  readonly difference?: number;
};

/**
 * `different`: an answer with other values. `refused`: the endpoint's own error. `timeout`, `memory`,
 * `crash`: the function died. `reference`: the reference gave nothing to compare with. `invalid`: the line is
 * no case.
 */
export type FailureKind = 'different' | 'refused' | 'timeout' | 'memory' | 'crash' | 'reference' | 'invalid';

export type CaseFailure = {
  /** Line of the case file, or number of the labelled row, from 1; 0 is the start check. */
  readonly case: number;
  /** It is a labelled row. */
  readonly of?: 'metric';
  readonly kind: FailureKind;
  /** The first few. */
  readonly differences: readonly Difference[];
  /** How many more there are. */
  readonly more: number;
};

/** `releases/<model>/gate-<release>.json`: what a reason must not hold. */
export type GateEvidence = {
  readonly schema: 1;
  readonly model: string;
  readonly release: string;
  readonly functionName: string;
  readonly version: string;
  readonly at: string;
  readonly gate: GateState;
  /** The first 20 failed cases. */
  readonly failures: readonly CaseFailure[];
  /** What each labelled row came to: the gate goes on from there, and anyone can measure again. */
  readonly scores?: RowScores;
};
