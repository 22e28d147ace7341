/**
 * The monitor's alarm, which counts drifted signals: does its budget hold, where signals are many and windows
 * share a reference?
 */
import { chi } from '../../core/drift/chi.ts';
import { PARTS } from '../../core/drift/contract.ts';
import { hochberg } from '../../core/drift/statistics/hochberg.ts';
import { smooth } from '../../core/drift/statistics/smooth.ts';
import { effectFloor, effectiveRows } from '../../core/drift/statistics/threshold.ts';
import { discoveryRateOf } from '../../plugins/models/plan/drift/budget.ts';
import { once, type Table } from '../release/cells.ts';
import { randomOf } from '../release/random.ts';
import { folded, M, referenceOf, sumsOf, window } from './draws.ts';

const EFFECT = 0.1;
/** Windows that are held against one set of references. */
const SEEN = 240;

type Setting = {
  readonly budget: number;
  readonly signals: number;
  /** A month. */
  readonly windows: number;
  readonly m: number;
  readonly rows: number;
};
const SETTINGS: readonly Setting[] = [
  { budget: 1, signals: 5, windows: 720, m: M, rows: 100 },
  { budget: 1, signals: 20, windows: 720, m: M, rows: 100 },
  { budget: 1, signals: 20, windows: 720, m: 1000, rows: 100 },
  { budget: 1, signals: 20, windows: 720, m: M, rows: 300 },
  { budget: 1, signals: 20, windows: 720, m: 1000, rows: 1000 },
  { budget: 1, signals: 20, windows: 30, m: M, rows: 100 },
  { budget: 10, signals: 20, windows: 720, m: M, rows: 100 },
];

/** Whether any signal of a window is significant at q and past the floor. */
function isDrifted(counts: readonly Float64Array[], { m }: Setting, q: number): boolean {
  const reference = { kind: 'numeric', phi: 1, counts: Array<number>(10).fill(m / 10) } as const;
  const tested = counts.map((live) => {
    const sums = sumsOf(live);
    const [own, cells] = [smooth(sums, m, 1), chi(reference, folded(live, 10))];
    const ne = effectiveRows(sums.n, m);
    const isPast =
      (own?.t ?? 0) > effectFloor(2, ne, EFFECT, q) ||
      (cells !== undefined && cells.x2 > effectFloor(cells.df, ne, EFFECT, q));
    return { p: Math.min(1, 2 * Math.min(own?.p ?? 1, cells?.p ?? 1)), isPast };
  });
  const significant = hochberg(
    tested.map(({ p }) => p),
    q,
  );
  return tested.some(({ isPast }, i) => isPast && significant[i]);
}

function simulated(setting: Setting, sets: number): { readonly ratio: number; readonly error: number } {
  const { budget, signals, windows, m, rows } = setting;
  const q = discoveryRateOf({ ...setting, effect: EFFECT });
  const random = randomOf(`monitor ${JSON.stringify(setting)}`);
  const counts = Array.from({ length: signals }, () => new Float64Array(PARTS));
  const every: number[] = [];
  for (let set = 0; set < sets; set++) {
    const references = counts.map(() => referenceOf(random, m));
    let flagged = 0;
    for (let i = 0; i < SEEN; i++) {
      for (const [signal, below] of references.entries()) {
        const into = counts[signal];
        if (into !== undefined) window(random, rows, below, into);
      }
      if (isDrifted(counts, setting, q)) flagged++;
    }
    // As for one signal: given the references, any two windows tell as much as two in a row.
    every.push((windows * flagged * (flagged - 1)) / (SEEN * (SEEN - 1)) / budget);
  }
  const ratio = every.reduce((sum, one) => sum + one, 0) / sets;
  const variance = every.reduce((sum, one) => sum + (one - ratio) ** 2, 0) / sets;
  return { ratio, error: Math.sqrt(variance / sets) };
}

export type Monitored = { readonly table: Table; readonly worst: number };
export const monitored = once((runs: number): Monitored => {
  const found = SETTINGS.map((setting) => ({ setting, ...simulated(setting, Math.ceil(runs / 3000)) }));
  return {
    worst: Math.max(...found.map(({ ratio }) => ratio)),
    table: {
      title: 'Does the monitor’s budget hold?',
      about: `As above, of all signals together: any that is significant in two windows in a row, by Benjamini and Hochberg at q = √(budget/windows) over twice the lesser p of S2 and chi², and past a floor of ${EFFECT} σ.`,
      head: ['budget a month', 'signals', 'windows', 'reference', 'rows', 'q', 'measured'],
      rows: found.map(({ setting, ratio, error }) => [
        ...[setting.budget, setting.signals, setting.windows, setting.m, setting.rows].map(String),
        discoveryRateOf({ ...setting, effect: EFFECT }).toPrecision(3),
        `${ratio.toFixed(3)} ± ${error.toFixed(3)}`,
      ]),
    },
  };
});
