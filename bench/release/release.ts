/**
 * The judge, by simulation: `npm run bench -- release`. The tables are written to docs/judge-bench.md.
 * Nothing here is timed.
 */
import { type Claim, type Effort, SHORT } from '../claims.ts';
import { threadOf } from '../thread.ts';
import type { Table } from './cells.ts';
import { FIGURES } from './figures.ts';

/** Releases a cell. */
const FULL_RUNS = 10_000;

/** What the thread is asked, one thing at a time: a figure by name, or all tables. */
export type Question = { readonly figure?: string; readonly runs: number };

const ask = threadOf<Question>(new URL('./worker.ts', import.meta.url));

const runsOf = (effort: Effort): number => (effort === SHORT ? FULL_RUNS / 100 : FULL_RUNS);

export const RELEASE: readonly Claim[] = [...FIGURES].map(
  ([name, { about, limit, unit, ours = 'judge' }]) => ({
    name,
    group: 'release',
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
);

/** All tables of docs/judge-bench.md; those that the claims needed are there already. */
export const tables = (effort: Effort): Promise<readonly Table[]> => ask({ runs: runsOf(effort) });
