/** Twenty signals at once, and what a month of windows brings. */
import { hochberg } from '../../core/drift/statistics/hochberg.ts';
import { falseAlarms } from '../../plugins/models/plan/drift/budget.ts';
import { once, percent, type Table } from '../release/cells.ts';
import { M } from './draws.ts';
import { beyond, pool, SIZES } from './pool.ts';
import { PSI, power, share } from './power.ts';

const SIGNALS = 20;
const SHIFTED = 5;
/** The level of the twenty tests together. */
const FAMILY = 0.01;
const HOURS = 720;

type Rule = {
  readonly name: string;
  /** Statistics of all signals of a window → which are flagged. */
  readonly flags: (psi: Float32Array, s2: Float32Array) => readonly boolean[];
};
const pOf = (t: number): number => Math.exp(-t / 2);
const RULES: readonly Rule[] = [
  { name: 'PSI > 0.2', flags: (psi) => [...psi].map((value) => value > 0.2) },
  { name: 'S2, uncorrected', flags: (_, s2) => [...s2].map((t) => pOf(t) <= FAMILY) },
  { name: 'S2, Bonferroni', flags: (_, s2) => [...s2].map((t) => pOf(t) <= FAMILY / SIGNALS) },
  { name: 'S2, Benjamini–Hochberg', flags: (_, s2) => hochberg([...s2].map(pOf), FAMILY) },
];

type Cell = {
  readonly n: number;
  readonly rule: string;
  /** Windows without drift with any flag. */
  readonly any: number;
  /** Flags among the signals that drifted, with 1 or 5 of the 20 shifted by 0.5 σ. */
  readonly one: number;
  readonly five: number;
  /** Mean share of the flags that are false, with 5 shifted. */
  readonly wrong: number;
};

function cellOf(runs: number, n: number, { name, flags }: Rule): Cell {
  const still = pool(runs).still.get(n);
  const drifted = pool(runs).drifted(n, '0.5 σ');
  if (still === undefined) throw new Error(`There are no windows of ${n} rows.`);
  const windows = Math.floor(drifted.s2.length / SHIFTED);
  // Windows of the pool are independent, so any twenty are one of twenty signals.
  const twenty = (values: Float32Array, i: number): Float32Array =>
    values.slice(i * SIGNALS, (i + 1) * SIGNALS);
  const shifted = (values: Float32Array, from: Float32Array, i: number, count: number): Float32Array => {
    const changed = values.slice();
    changed.set(from.subarray(i * SHIFTED, i * SHIFTED + count));
    return changed;
  };
  let [any, one, five, wrong] = [0, 0, 0, 0];
  const all = Math.floor(still.s2.length / SIGNALS);
  for (let i = 0; i < all; i++) if (flags(twenty(still.psi10, i), twenty(still.s2, i)).includes(true)) any++;
  for (let i = 0; i < windows; i++) {
    const [psi, s2] = [twenty(still.psi10, i), twenty(still.s2, i)];
    const of = (count: number): readonly boolean[] =>
      flags(shifted(psi, drifted.psi10, i, count), shifted(s2, drifted.s2, i, count));
    if (of(1)[0]) one++;
    const flagged = of(SHIFTED);
    const right = flagged.slice(0, SHIFTED).filter(Boolean).length;
    const total = flagged.filter(Boolean).length;
    five += right / SHIFTED;
    wrong += total === 0 ? 0 : (total - right) / total;
  }
  return {
    n,
    rule: name,
    any: any / all,
    one: one / windows,
    five: five / windows,
    wrong: wrong / windows,
  };
}

export type Many = { readonly table: Table; readonly of: (n: number, rule: string) => Cell };
export const many = once((runs: number): Many => {
  const cells = SIZES.flatMap((n) => RULES.map((rule) => cellOf(runs, n, rule)));
  return {
    of: (n, rule) => {
      const cell = cells.find((one) => one.n === n && one.rule === rule);
      if (cell === undefined) throw new Error(`There is no ${rule} of ${n} rows.`);
      return cell;
    },
    table: {
      title: 'Twenty signals',
      about: `Level ${FAMILY} for the twenty together. Windows without drift with any flag, %; how often a signal that moved by 0.5 σ is found when 1 or 5 of the 20 did; and the mean share of false flags with 5, %.`,
      head: ['rows', 'rule', 'any false, %', '1 found', '5 found', 'false of the flags, %'],
      rows: cells.map(({ n, rule, any, one, five, wrong }) => [
        `${n}`,
        rule,
        percent(any),
        share(one),
        share(five),
        percent(wrong),
      ]),
    },
  };
});

const number = (value: number): string => {
  if (value === 0) return '0';
  return value < 1e-4 ? '< 0.0001' : value >= 100 ? value.toFixed(0) : value.toPrecision(2);
};

/** Twenty signals, an hour a window, every signal an alarm of its own. */
export const month = once((runs: number): Table => {
  const rows = SIZES.map((n) => {
    const one = power(runs).of(n, PSI.name);
    const tenth = beyond(pool(runs).still.get(n)?.psi10 ?? new Float32Array(), 0.1);
    const watched = { signals: SIGNALS, windows: HOURS, m: M };
    const both = (effect: number): string => number(falseAlarms({ ...watched, effect }, 0.001, n));
    return [
      `${n}`,
      ...[tenth, one, tenth ** 2, one ** 2].map((rate) => number(rate * SIGNALS * HOURS)),
      both(0),
      both(0.1),
    ];
  });
  return {
    title: 'Expected false alarms a month',
    about:
      '20 signals, 720 hours. Two PSI windows are taken as if they were independent; S2 in 2 of 2 windows at 0.001 by its formula, the windows sharing one reference, without and with an effect floor of 0.1 σ.',
    head: ['rows', 'PSI > 0.1', 'PSI > 0.2', '> 0.1, 2 of 2', '> 0.2, 2 of 2', 'S2, 2 of 2', 'S2 with floor'],
    rows,
  };
});
