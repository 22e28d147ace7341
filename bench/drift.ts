/**
 * Drift, by simulation: `npm run bench -- drift`. The tables are written to docs/drift-bench.md. The detectors are the
 * product's own; beside them PSI > 0.2, and Evidently as its package is. Nothing here is timed.
 */
import { type Claim, type Effort, SHORT } from './claims.ts';
import { evidently, evidentlyTable, rateOf } from './drift-evidently.ts';
import { FIGURES } from './drift-figures.ts';
import type { Table } from './release-cells.ts';
import { threadOf } from './thread.ts';

/** Windows without drift of each size; drifted ones, and what costs more, are a fraction. */
const FULL_RUNS = 300_000;
const runsOf = (effort: Effort): number => (effort === SHORT ? FULL_RUNS / 100 : FULL_RUNS);

/** What the thread is asked: a figure by name, the false alarms of S2 where it finds so many, or all tables. */
export type Question =
  | { readonly figure: string; readonly runs: number }
  | { readonly found: number; readonly n: number; readonly runs: number }
  | { readonly runs: number };
const ask = threadOf<Question>(new URL('./drift-worker.ts', import.meta.url));

const EVIDENTLY: Claim = {
  name: 'drift-evidently',
  group: 'drift',
  about:
    'false alarms at 300 rows, when S2 finds as many windows that moved by 0.25 σ as Evidently’s default',
  ours: 'S2',
  other: 'Evidently',
  unit: '%',
  compare: 'ratio',
  limit: 0.5,
  measure: async (effort) => {
    if (effort === SHORT) return { unmeasured: 'Evidently is not installed for the short form' };
    const theirs = await evidently();
    const [n, reference] = [300, 10_000];
    const found = rateOf(theirs, reference, n, 0.25);
    const ours: number = await ask({ found, n, runs: runsOf(effort) });
    return {
      ours: [100 * ours],
      other: [100 * rateOf(theirs, reference, n, 0)],
      beside: `${(100 * found).toFixed(1)} % found, version ${theirs.version}`,
    };
  },
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
  EVIDENTLY,
];

/** All tables of docs/drift-bench.md; those that the claims needed are there already. */
export async function tables(effort: Effort): Promise<readonly Table[]> {
  return [...(await ask<readonly Table[]>({ runs: runsOf(effort) })), evidentlyTable(await evidently())];
}
