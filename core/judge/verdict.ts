import { difference, upperBound } from './bound.ts';
import { answered, hasCounted, incomplete, silent } from './complete.ts';
import type { Judgement, SignalJudgement, Verdict } from './contract.ts';
import { type Counts, countRows, errorRow, rejectedRow, steadiness } from './counts.ts';
import { boundAndLimit, type Names, odds, of, percentPoints, RELEASING, wholeNumber } from './format.ts';
import type { Minute } from './minutes.ts';
import { borneEvidence, scoredMinutes, shiftOf } from './output.ts';
import {
  ERRORS_AT,
  errorsFail,
  OUTPUT_AT,
  REJECTED_AT,
  rejectedFails,
  SLOW_AT,
  slowFails,
} from './regression.ts';
import { type SlowEdge, slowRow } from './slow.ts';

/** Where the release is. */
export type Position = {
  readonly index: number;
  /** The weight (0 to 1) that a pass leads to; absent after the last step, where it is all. */
  readonly nextWeight?: number;
  readonly bakeOver: boolean;
};

export type Options = {
  /** A step and side. */
  readonly minRequests: number;
  /** Share of all requests that the next step may waste if the candidate is worse. */
  readonly increase: number;
  /** σ by which outputs of a new model may differ. */
  readonly expectedShift: number;
  /** Absent: no SLO, or a changed one; latency is not judged and blocks nothing. */
  readonly slow?: SlowEdge | undefined;
  /** Both versions count refused requests by version; else those are not judged and block nothing. */
  readonly rejected?: boolean | undefined;
  /** Output signals whose scores rest on the same baseline in both versions; others are not judged. */
  readonly outputs: readonly string[];
};

export type JudgeFinding = Pick<Judgement, 'verdict' | 'reason' | 'signals'>;

type Signal = SignalJudgement & { readonly reason: string };

/** What is counted of latency, in words. */
export const SLOW = 'warm requests were above its edge (1.19 times higher)';

/**
 * Answers of either version before the outputs' asymptotic test is asked: the noise is measured in the stable
 * version's, of which there may be few where it fails or has a small share.
 */
const ANSWERS = 100;

/**
 * The verdict over all usable minutes of a release so far, read anew at every look: the first that holds of
 * error, fail (errors, slow, rejected, outputs), nodata (bake, requests, bound) and pass. Fail is judged from
 * the first minute on. Every figure that decided is in `signals`. Formulas: docs/judge.md.
 */
export function judge(minutes: readonly Minute[], position: Position, options: Options): JudgeFinding {
  const { minRequests, slow, rejected = false } = options;
  const missing = incomplete(minutes, minRequests, RELEASING, rejected);
  const errors = judgeErrors(minutes, position, options);
  const all: readonly Signal[] = [
    errors,
    ...(slow === undefined ? [] : [judgeSlow(minutes, slow, minRequests)]),
    ...(rejected ? [judgeRejected(minutes, minRequests)] : []),
    ...options.outputs.map((signal) => judgeOutput(minutes, signal, options)),
  ];
  const signals = all.map(({ reason: _, ...signal }) => signal);
  if (missing !== undefined)
    return {
      verdict: 'error',
      reason: missing,
      signals: signals.map((signal) => ({ ...signal, verdict: 'error' })),
    };
  const decisive = all.find(({ verdict }) => verdict === 'fail') ?? errors;
  return { verdict: decisive.verdict, reason: decisive.reason, signals };
}

/** The metrics could not be read at all. */
export const unread = (reason: string): JudgeFinding => ({ verdict: 'error', reason, signals: [] });

function judgeErrors(minutes: readonly Minute[], position: Position, options: Options): Signal {
  const counts = countRows(minutes.map(errorRow));
  // The bet stays on all minutes: which of them are late may depend on how they went.
  const counted = countRows(minutes.filter(hasCounted).map(errorRow));
  // What is known of minutes that are not whole is not left out where it speaks against the candidate.
  const [ofAll, ofCounted] = [upperBound(counts.strata), upperBound(counted.strata)];
  const [bound, known] = ofAll > ofCounted ? [ofAll, counts] : [ofCounted, counted];
  const limit = options.increase / (position.nextWeight ?? 1);
  const ofStep = minutes.filter(({ step }) => step === position.index);
  const [candidate, stable] = [
    answered(ofStep.map((minute) => minute.candidate)),
    answered(ofStep.map((minute) => minute.stable)),
  ];
  const numbers = { ...figures(counts, ERRORS_AT), ...finite({ bound, limit }), candidate, stable };
  const say = (verdict: Verdict, reason: string): Signal => ({ signal: 'errors', verdict, reason, numbers });
  if (errorsFail(counts))
    return say('fail', `errors: ${compared(counts, 'requests failed', ERRORS_AT, RELEASING)}`);
  if (!position.bakeOver) return say('nodata', 'no regression so far; the step’s time is not over');
  const { minRequests, rejected = false } = options;
  if (candidate < minRequests || stable < minRequests) {
    const uncounted = silent(ofStep, minRequests, RELEASING, rejected);
    if (uncounted !== undefined) return say('error', uncounted);
    return say(
      'nodata',
      `no regression so far, but too few requests in this step: candidate ${wholeNumber(candidate)}, stable ${wholeNumber(stable)}, each needs ${wholeNumber(minRequests)}`,
    );
  }
  // Outputs and slowness fail by two minutes at least: what one shows may not pass before they can.
  if (!isSeenTwice(minutes))
    return say(
      'nodata',
      'no regression so far, but only one minute could be judged: a second one is awaited',
    );
  const { x1, n1 } = known.total;
  const seen = `${of(x1, n1)} candidate requests failed`;
  const [risen, allowed] = boundAndLimit(bound, limit);
  if (!(bound < limit))
    return say(
      'nodata',
      `no regression so far, but it is not excluded: ${seen}; errors may have risen by ${
        Number.isFinite(bound) ? risen : 'any amount'
      }, the next weight allows ${allowed}`,
    );
  return say('pass', `${seen}; errors have risen by at most ${risen}, the next weight allows ${allowed}`);
}

/** Did each version answer in two minutes? In the same ones they need not: a minute may have one request. */
const isSeenTwice = (minutes: readonly Minute[]): boolean =>
  (['candidate', 'stable'] as const).every(
    (side) => minutes.filter((minute) => answered([minute[side]]) > 0).length >= 2,
  );

function judgeSlow(minutes: readonly Minute[], edge: SlowEdge, minRequests: number): Signal {
  const counts = countRows(minutes.map((minute) => slowRow(minute, edge)));
  const { n1, n2 } = counts.total;
  const verdict = slowFails(counts) ? 'fail' : Math.min(n1, n2) < minRequests ? 'nodata' : 'pass';
  return {
    signal: 'slow',
    verdict,
    reason: `latency: ${compared(counts, SLOW, SLOW_AT, RELEASING)}`,
    numbers: { ...figures(counts, SLOW_AT), edge },
  };
}

function judgeRejected(minutes: readonly Minute[], minRequests: number): Signal {
  const counts = countRows(minutes.map(rejectedRow));
  const { n1, n2 } = counts.total;
  const verdict = rejectedFails(counts) ? 'fail' : Math.min(n1, n2) < minRequests ? 'nodata' : 'pass';
  return {
    signal: 'rejected',
    verdict,
    reason: `rejected: ${compared(counts, 'requests were refused', REJECTED_AT, RELEASING)}`,
    numbers: figures(counts, REJECTED_AT),
  };
}

function judgeOutput(minutes: readonly Minute[], signal: string, options: Options): Signal {
  const scored = scoredMinutes(minutes, signal);
  const { n1, n2, ne, q } = shiftOf(scored);
  const stake = OUTPUT_AT * options.outputs.length;
  const lnLimit = Math.log(stake);
  const lnE = borneEvidence(scored, options.expectedShift, lnLimit);
  const verdict = Math.min(n1, n2) < ANSWERS ? 'nodata' : lnE >= lnLimit ? 'fail' : 'pass';
  const reason =
    `output ${signal}: ${Number(q.toPrecision(2))} σ away from the stable version’s over ${wholeNumber(n1)} and ${wholeNumber(n2)} answers, ` +
    `${options.expectedShift} σ are allowed; evidence ${odds(lnE)}, ${wholeNumber(stake)} to 1 is needed`;
  return {
    signal,
    verdict,
    reason,
    numbers: { n1, n2, ne, shift: q, expectedShift: options.expectedShift, lnE, lnLimit },
  };
}

/** What decided a signal of counts. */
export function figures(counts: Counts, stake: number): Readonly<Record<string, number>> {
  const { total, lnE, lnE125, minutes } = counts;
  const [delta, steady] = [difference(counts.strata), steadiness(counts)];
  return { ...total, lnE, lnE125, lnLimit: Math.log(stake), delta, steady, minutes };
}

/** JSON has no Infinity: an endless bound is left out. */
const finite = (numbers: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(numbers).filter(([, value]) => Number.isFinite(value)));

/**
 * "34 of 1,172 (2.9 %) of the candidate version’s requests failed, 51 of 5,428 (0.94 %) of the stable
 * version’s: …"
 */
export function compared(counts: Counts, what: string, stake: number, names: Names): string {
  const { x1, n1, x2, n2 } = counts.total;
  const delta = difference(counts.strata);
  return (
    `${of(x1, n1)} of the ${names.candidate} version’s ${what}, ${of(x2, n2)} of the ${names.stable} version’s: ${percentPoints(Math.abs(delta))} ` +
    `${delta < 0 ? 'fewer' : 'more'} at the same mix of steps; evidence ${odds(counts.lnE)}, ${stake} to 1 is needed`
  );
}
