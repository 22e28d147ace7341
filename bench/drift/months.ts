/**
 * Whole months of windows against one reference: does a budget of false alarms hold, and is what is promised
 * found?
 */

import { PARTS } from '../../core/drift/contract.ts';
import { smooth } from '../../core/drift/statistics/smooth.ts';
import { sharedPart, smoothThreshold } from '../../core/drift/statistics/threshold.ts';
import {
  alphaOf,
  type DriftBudget,
  falseAlarms,
  smallestShift,
} from '../../plugins/models/plan/drift/budget.ts';
import { once, type Table } from '../release/cells.ts';
import { randomOf } from '../release/random.ts';
import { changed, M, referenceOf, sumsOf, window } from './draws.ts';
import { SIZES } from './pool.ts';
import { share } from './power.ts';

const HOURS = 720;
const DAYS = 30;
/** Windows that are held against one reference. */
const SEEN = 720;
type Setting = DriftBudget & { readonly rows: number };
/** The effect floor saves some of the budget. */
const USUAL: readonly Setting[] = [
  { budget: 1, signals: 4, windows: HOURS, m: M, effect: 0.1, rows: 100 },
  { budget: 1, signals: 4, windows: HOURS, m: M, effect: 0.1, rows: 300 },
  { budget: 1, signals: 20, windows: HOURS, m: M, effect: 0.1, rows: 100 },
  { budget: 10, signals: 20, windows: HOURS, m: M, effect: 0.1, rows: 100 },
  { budget: 1, signals: 4, windows: DAYS, m: M, effect: 0.1, rows: 100 },
  { budget: 1, signals: 4, windows: HOURS, m: 1000, effect: 0.1, rows: 100 },
  { budget: 1, signals: 4, windows: HOURS, m: 1000, effect: 0.1, rows: 300 },
];
/** A small budget, or no floor: as much of it is spent as ever is, and more would be a promise broken. */
const SPENT: readonly Setting[] = [
  { budget: 0.1, signals: 4, windows: HOURS, m: M, effect: 0.1, rows: 100 },
  { budget: 1, signals: 4, windows: HOURS, m: M, effect: 0, rows: 300 },
  { budget: 10, signals: 20, windows: HOURS, m: M, effect: 0, rows: 1000 },
  { budget: 10, signals: 20, windows: HOURS, m: M, effect: 0, rows: 5000 },
];

type Month = {
  readonly setting: Setting;
  readonly alpha: number;
  /**
   * Expected pairs of windows in a row that both exceed, a month, over the budget; and its standard error.
   */
  readonly ratio: number;
  readonly error: number;
  readonly formula: number;
};

function simulated(setting: Setting, references: number): Month {
  const { budget, signals, windows, m, effect, rows } = setting;
  const alpha = alphaOf(setting);
  const limit = smoothThreshold((rows * m) / (rows + m), effect, alpha, sharedPart(rows, m));
  const random = randomOf(`month ${JSON.stringify(setting)}`);
  const counts = new Float64Array(PARTS);
  const every: number[] = [];
  for (let run = 0; run < references; run++) {
    const below = referenceOf(random, m);
    let flagged = 0;
    for (let i = 0; i < SEEN; i++) {
      window(random, rows, below, counts);
      if ((smooth(sumsOf(counts), m, 1)?.t ?? 0) > limit) flagged++;
    }
    // Given the reference, windows are alike and independent: any two tell as much as two in a row.
    every.push((windows * flagged * (flagged - 1)) / (SEEN * (SEEN - 1)));
  }
  const mean = every.reduce((sum, pairs) => sum + pairs, 0) / references;
  const variance = every.reduce((sum, pairs) => sum + (pairs - mean) ** 2, 0) / references;
  return {
    setting,
    alpha,
    ratio: (signals * mean) / budget,
    error: (signals * Math.sqrt(variance / references)) / budget,
    formula: falseAlarms(setting, alpha, rows) / budget,
  };
}

export type Months = {
  readonly table: Table;
  /** The greatest ratio to the budget among settings that leave some of it. */
  readonly worst: number;
  /** Where the most of it is spent: by how many standard errors the measured ratio is above 1, at most. */
  readonly overspent: number;
};
export const months = once((runs: number): Months => {
  // Small windows are quick.
  const of = (list: readonly Setting[]): readonly Month[] =>
    list.map((setting) => simulated(setting, Math.ceil(runs / (setting.rows <= 100 ? 200 : 1000))));
  const [usual, spent] = [of(USUAL), of(SPENT)];
  return {
    worst: Math.max(...usual.map(({ ratio }) => ratio)),
    overspent: Math.max(0, ...spent.map(({ ratio, error }) => (error === 0 ? 0 : (ratio - 1) / error))),
    table: {
      title: 'Does the budget hold?',
      about:
        'Windows without drift, 720 against each of many references: how often would two in a row be beyond the limit that the budget gave? False alarms a month divided by the budget, with their standard error, and what the formula says.',
      head: [
        'budget a month',
        'signals',
        'windows',
        'reference',
        'rows',
        'effect',
        'α',
        'measured',
        'formula',
      ],
      rows: [...usual, ...spent].map(({ setting, alpha, ratio, error, formula }) => [
        ...[setting.budget, setting.signals, setting.windows, setting.m, setting.rows].map(String),
        `${setting.effect} σ`,
        alpha.toPrecision(3),
        `${ratio.toFixed(3)} ± ${error.toFixed(3)}`,
        formula.toFixed(3),
      ]),
    },
  };
});

export type Smallest = { readonly table: Table; readonly least: number };
/** The shift that is promised to be found in two windows in a row with 90 % probability: is it? */
export const smallest = once((runs: number): Smallest => {
  const alpha = 0.001;
  const pairs = Math.ceil(runs / 10);
  const rows = SIZES.map((n) => {
    const shift = smallestShift({ m: M, effect: 0.1 }, alpha, n);
    const limit = smoothThreshold((n * M) / (n + M), 0.1, alpha, sharedPart(n, M));
    const random = randomOf(`smallest ${n}`);
    const counts = new Float64Array(PARTS);
    let found = 0;
    for (let i = 0; i < pairs; i++) {
      const below = changed(referenceOf(random), { shift });
      const exceeds = (): boolean => {
        window(random, n, below, counts);
        return (smooth(sumsOf(counts), M, 1)?.t ?? 0) > limit;
      };
      if (exceeds() && exceeds()) found++;
    }
    return { n, shift, found: found / pairs };
  });
  return {
    least: Math.min(...rows.map(({ found }) => found)),
    table: {
      title: 'The smallest shift that is promised',
      about: `Found in 2 of 2 windows, α ${alpha}, effect 0.1 σ; 0.9 is promised.`,
      head: ['rows', 'shift', 'found'],
      rows: rows.map(({ n, shift, found }) => [`${n}`, `${shift.toFixed(2)} σ`, share(found)]),
    },
  };
});
