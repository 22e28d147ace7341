/**
 * Drift, by simulation: `npm run bench -- drift`. The tables are written to docs/drift-bench.md. The
 * detectors are the product's own; beside them PSI > 0.2, and Evidently as its package is. Nothing here is
 * timed.
 */
import { type Claim, type Effort, SHORT } from '../claims.ts';
import type { Table } from '../release/cells.ts';
import { threadOf } from '../thread.ts';
import { type Evidently, evidently, evidentlyTable, rateOf } from './evidently.ts';
import { FIGURES } from './figures.ts';
import { SIZES } from './pool.ts';
import type { Ours } from './power.ts';
import { BUDGETS, quietRatio, realSets, realTables } from './real.ts';

/** Windows without drift of each size; drifted ones, and what costs more, are a fraction. */
const FULL_RUNS = 300_000;
const runsOf = (effort: Effort): number => (effort === SHORT ? FULL_RUNS / 100 : FULL_RUNS);

/** What the thread is asked: a figure by name, what S2 does beside one that finds so many, or all tables. */
export type Question =
  | { readonly figure: string; readonly runs: number }
  | { readonly found: number; readonly n: number; readonly runs: number }
  | { readonly runs: number };
const ask = threadOf<Question>(new URL('./worker.ts', import.meta.url));

/** Both find every window that moved by 0.5 σ. */
const [ROWS, REFERENCE] = [300, 10_000];
const EVIDENTLY: Claim = {
  name: 'drift-evidently',
  group: 'drift',
  about: `false alarms at ${ROWS} rows; either finds 99.9 % of what moved by 0.5 σ`,
  ours: 'S2',
  other: 'Evidently’s default',
  unit: '%',
  compare: 'ratio',
  limit: 0.02,
  measure: async (effort) => {
    if (effort === SHORT) return { unmeasured: 'Evidently is not installed for the short form' };
    const theirs = await evidently();
    const { falseAlarms, half, equal } = await besideEvidently(theirs, ROWS, effort);
    const found = rateOf(theirs, REFERENCE, ROWS, 0.5);
    if (Math.min(half, found) < 0.999) throw new Error(`Found are ${half} and ${found}: not comparable.`);
    return {
      ours: [100 * falseAlarms],
      other: [100 * rateOf(theirs, REFERENCE, ROWS, 0)],
      // A shift of a normal variable by little is what Wasserstein's distance sees best.
      beside: `set to find as much of 0.25 σ as Evidently, S2 has ${(100 * equal).toFixed(1)} %`,
    };
  },
};
const besideEvidently = (theirs: Evidently, n: number, effort: Effort): Promise<Ours> =>
  ask({ found: rateOf(theirs, REFERENCE, n, 0.25), n, runs: runsOf(effort) });

/** Read and judged in seconds: whole in the short form, too. */
const REAL: Claim = {
  name: 'drift-real',
  group: 'drift',
  about: `alarms in quiet windows of public data ÷ what a budget of ${BUDGETS[1]} lets expect there`,
  ours: 'monitor’s rule',
  unit: '',
  compare: 'value',
  limit: 1,
  measure: async () => ({ ours: [quietRatio(await realSets(BUDGETS[1]), BUDGETS[1])], other: [] }),
};

export const DRIFT: readonly Claim[] = [
  ...Object.entries(FIGURES).map(
    ([name, { about, ours, limit, unit }]): Claim => ({
      name,
      group: 'drift',
      about,
      ours,
      unit,
      compare: 'value',
      limit,
      measure: async (effort) => {
        const value: number = await ask({ figure: name, runs: runsOf(effort) });
        return { ours: [unit === '%' ? 100 * value : value], other: [] };
      },
    }),
  ),
  REAL,
  EVIDENTLY,
];

/** All tables of docs/drift-bench.md; those that the claims needed are there already. */
export async function tables(effort: Effort): Promise<readonly Table[]> {
  const own = await ask<readonly Table[]>({ runs: runsOf(effort) });
  const theirs = await evidently();
  const ours = new Map<number, Ours>();
  for (const n of SIZES) ours.set(n, await besideEvidently(theirs, n, effort));
  return [
    ...own,
    evidentlyTable(theirs, (reference, n) => (reference === REFERENCE ? ours.get(n) : undefined)),
    ...(await realTables()),
  ];
}
