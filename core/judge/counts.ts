import type { Side } from './contract.ts';
import { chain } from './evidence.ts';
import type { Minute } from './minutes.ts';

/** What can be counted, in one minute: x of n are bad; 1 is the candidate, 2 the stable version. */
export type Row = {
  readonly step: number;
  readonly weight: number;
  readonly x1: number;
  readonly n1: number;
  readonly x2: number;
  readonly n2: number;
};

/** The sums of one step. */
export type Stratum = { x1: number; n1: number; x2: number; n2: number };

/**
 * Crashes reach only AWS's count, handled errors only the endpoint's own. Rejected requests are in n, never
 * in x.
 */
export const errorRow = (minute: Minute): Row =>
  ofInvocations(minute, ({ crashes = 0, errors = 0 }) => crashes + errors);

/** Clients' mistakes fall to both versions by the coin; what only the candidate refuses does not. */
export const rejectedRow = (minute: Minute): Row => ofInvocations(minute, ({ rejected = 0 }) => rejected);

const ofInvocations = ({ step, weight, candidate, stable }: Minute, bad: (side: Side) => number): Row => ({
  step,
  weight,
  x1: bad(candidate),
  n1: candidate.invocations ?? 0,
  x2: bad(stable),
  n2: stable.invocations ?? 0,
});

/** Requests that were answered, and not with an error. A rejected request is none. */
export const successes = ({ requests = 0, errors = 0 }: Side): number => Math.max(0, requests - errors);

/** All minutes of one signal so far. */
export type Counts = {
  readonly strata: readonly Stratum[];
  readonly total: Stratum;
  /** ln E(1): against "no worse". */
  readonly lnE: number;
  /** ln E(1.25): against "at most 1.25 times worse". */
  readonly lnE125: number;
  /** S = Σ(x₁−wm), V = Σ(x₁−wm)²: do the minutes agree? */
  readonly S: number;
  readonly V: number;
  /** Minutes in which the candidate had any. */
  readonly minutes: number;
  /** Some minute had m·w(1−w) ≥ 1: only then can minutes disagree. */
  readonly informative: boolean;
};

/**
 * Takes minutes in order and gives the counts so far, anew each time; `strata` and `total` are updated in
 * place.
 */
export function counting(): (row: Row) => Counts {
  const [noWorse, slightlyWorse] = [chain(1), chain(1.25)];
  const strata: Stratum[] = [];
  const total: Stratum = { x1: 0, n1: 0, x2: 0, n2: 0 };
  let [S, V, minutes, informative] = [0, 0, 0, false];
  return ({ step, weight, x1, n1, x2, n2 }) => {
    while (strata.length <= step) strata.push({ x1: 0, n1: 0, x2: 0, n2: 0 });
    const stratum = strata[step];
    for (const sums of stratum === undefined ? [total] : [stratum, total]) {
      sums.x1 += x1;
      sums.n1 += n1;
      sums.x2 += x2;
      sums.n2 += n2;
    }
    const m = x1 + x2;
    const beyond = x1 - weight * m;
    S += beyond;
    V += beyond * beyond;
    if (x1 > 0) minutes += 1;
    if (m * weight * (1 - weight) >= 1) informative = true;
    const [lnE, lnE125] = [noWorse(x1, m, weight), slightlyWorse(x1, m, weight)];
    return { strata, total, lnE, lnE125, S, V, minutes, informative };
  };
}

const NOTHING: Counts = {
  strata: [],
  total: { x1: 0, n1: 0, x2: 0, n2: 0 },
  lnE: 0,
  lnE125: 0,
  S: 0,
  V: 0,
  minutes: 0,
  informative: false,
};

export function countRows(rows: readonly Row[]): Counts {
  const add = counting();
  return rows.reduce<Counts>((_, row) => add(row), NOTHING);
}

/**
 * √V is the noise of S as the minutes themselves show it. Sick hosts make bursts, which S alone would take
 * for a trend.
 */
export const steadiness = ({ S, V }: Counts): number => (V > 0 ? S / Math.sqrt(V) : 0);

const STEADY = 2.5;
export const isSteady = ({ S, V, informative }: Counts): boolean =>
  !informative || S >= STEADY * Math.sqrt(V);
