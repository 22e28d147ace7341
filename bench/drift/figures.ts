/**
 * Every figure of drift that is held against a limit, and every table; a table is simulated once, however
 * many figures read it.
 */

import type { Table } from '../release/cells.ts';
import { furthest } from './expected.ts';
import { many, month } from './many.ts';
import { monitored } from './monitor.ts';
import { months, smallest } from './months.ts';
import { equal, power, still } from './power.ts';
import { canary, floor, lumps, peeking } from './worlds.ts';

/** A figure that may be at most `limit`; a share is shown in percent. */
export type Figure = {
  /** One line for the table. */
  readonly about: string;
  readonly ours: string;
  readonly limit: number;
  readonly unit: '%' | '';
  readonly of: (runs: number) => number;
};

export const FIGURES: Readonly<Record<string, Figure>> = {
  'drift-equal-power': {
    about: 'false alarms at 100 rows, when either finds as many windows that moved by 0.5 σ',
    ours: 'S2 ÷ PSI > 0.2',
    limit: 0.05,
    unit: '',
    of: (runs) => equal(runs).ratio(100, '0.5 σ'),
  },
  'drift-tables': {
    about:
      'false alarms and power of five detectors: furthest of 90 figures from what numpy and scipy gave, beyond rounding',
    ours: 'standard errors',
    limit: 4,
    unit: '',
    of: (runs) => furthest(power(runs), runs),
  },
  'drift-budget': {
    about:
      'false alarms a month on data without drift ÷ the stated budget, worst of seven settings whose effect floor saves some of it',
    ours: 'native alarms',
    limit: 1,
    unit: '',
    of: (runs) => months(runs).worst,
  },
  'drift-budget-spent': {
    about:
      'the same of four settings that spend the most of it (no effect floor, or a small budget): above the budget by, at most',
    ours: 'standard errors',
    limit: 3,
    unit: '',
    of: (runs) => months(runs).overspent,
  },
  'drift-budget-monitor': {
    about:
      'the same of the alarm on the number of drifted signals, by S2 and chi², worst of seven settings; 1 and three standard errors',
    ours: 'monitor’s rule',
    limit: 1.15,
    unit: '',
    of: (runs) => monitored(runs).worst,
  },
  'drift-smallest': {
    about:
      'missed of the smallest shift that is promised to be found in 90 % of cases, worst of five sizes; 10 and three standard errors',
    ours: 'S2, 2 of 2 windows',
    limit: 10.5,
    unit: '%',
    of: (runs) => 1 - smallest(runs).least,
  },
  'drift-many': {
    about:
      'windows of 20 signals without drift that are called drifted, level 1 %; and three standard errors',
    ours: 'S2, Benjamini–Hochberg',
    limit: 1.5,
    unit: '%',
    of: (runs) => Math.max(...[100, 300, 1000, 5000].map((n) => many(runs).of(n, BENJAMINI).any)),
  },
  'drift-many-missed': {
    about: 'of 20 signals 5 moved by 0.5 σ, 100 rows: not found',
    ours: 'S2, Benjamini–Hochberg',
    limit: 8,
    unit: '%',
    of: (runs) => 1 - many(runs).of(100, BENJAMINI).five,
  },
  'drift-lumps': {
    about: 'values rounded to whole σ, or 15 % of them frozen, 300 rows: not found',
    ours: 'S2 with chi²',
    limit: 6,
    unit: '%',
    of: (runs) => 1 - lumps(runs).least,
  },
  'drift-canary': {
    about: 'the world moves by 0.5 σ, the model is fine, 100 canary rows: a look that calls for a rollback',
    ours: 'R3',
    limit: 0.25,
    unit: '%',
    of: (runs) => canary(runs).of(100, 0.5, 0),
  },
  'drift-canary-missed': {
    about: 'the model’s outputs move by 0.5 σ, 100 canary rows: not found in one look',
    ours: 'R3',
    limit: 16,
    unit: '%',
    of: (runs) => 1 - canary(runs).of(100, 0, 0.5),
  },
};
const BENJAMINI = 'S2, Benjamini–Hochberg';

/** All tables of docs/drift-bench.md but Evidently's. */
export const tables = (runs: number): readonly Table[] => [
  still(runs),
  power(runs).table,
  equal(runs).table,
  many(runs).table,
  month(runs),
  months(runs).table,
  monitored(runs).table,
  smallest(runs).table,
  peeking(runs).table,
  floor(runs).table,
  lumps(runs).table,
  canary(runs).table,
];
