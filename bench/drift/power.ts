/**
 * False alarms and power of single windows: each detector at its own limit, and at the limit that makes
 * powers equal.
 */
import { smoothThreshold } from '../../core/drift/statistics/threshold.ts';
import { once, percent, type Table } from '../release/cells.ts';
import { CELLS, chiLimit, type Detector, kolmogorovLimit, psiLimit } from './detectors.ts';
import { beyond, CHANGE_NAMES, CHANGES, type ChangeName, limitOf, pool, SIZES } from './pool.ts';

export const ALPHA = 0.001;

export type Rule = { readonly name: string; readonly of: Detector; readonly limit: (n: number) => number };
export const PSI: Rule = { name: 'PSI > 0.2', of: 'psi10', limit: () => 0.2 };
/** Its effect floor is off: a table of its own shows what that does. */
export const S2: Rule = { name: 'S2', of: 's2', limit: () => smoothThreshold(1, 0, ALPHA) };
const RULES: readonly Rule[] = [
  PSI,
  { name: 'PSI, corrected', of: 'psi10', limit: (n) => psiLimit(n, 10, ALPHA) },
  { name: 'chi²', of: 'chi', limit: () => chiLimit(9, ALPHA) },
  { name: 'K-S', of: 'ks', limit: () => kolmogorovLimit(ALPHA) },
  S2,
];

export const share = (value: number): string => (value >= 0.9995 ? '1' : value.toFixed(3));

/** Mean of PSI and how often its usual limits are exceeded where nothing drifts. */
export const still = once((runs: number): Table => {
  const rows = SIZES.flatMap((n) =>
    CELLS.map((cells) => {
      const seen = pool(runs).still.get(n);
      const values = seen?.[`psi${cells}`] ?? new Float32Array();
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return [
        `${n}`,
        `${cells}`,
        `${mean.toFixed(4)} (${((cells - 1) * (1 / n + 1e-4)).toFixed(4)})`,
        `${limitOf(values, 0.01).toFixed(4)} (${psiLimit(n, cells, 0.01).toFixed(4)})`,
        ...[0.1, 0.2, 0.25].map((limit) => rare(beyond(values, limit))),
        rare(beyond(seen?.[`empty${cells}`] ?? values, 0.2)),
      ];
    }),
  );
  return {
    title: 'PSI without drift',
    about:
      'Mean and 99 % point, in brackets what chi² says they are; then windows beyond usual limits, %. In the last column an empty cell counts 0.0001.',
    head: ['rows', 'cells', 'mean', '99 %', '> 0.1', '> 0.2', '> 0.25', '> 0.2, empty 0.0001'],
    rows,
  };
});

export type Power = {
  readonly table: Table;
  /** Share of the windows flagged; without a change, of those without drift. */
  readonly of: (n: number, rule: string, change?: ChangeName) => number;
};

export const power = once((runs: number): Power => {
  const { still, drifted } = pool(runs);
  const of: Power['of'] = (n, name, change) => {
    const rule = RULES.find((one) => one.name === name);
    const seen = change === undefined ? still.get(n) : drifted(n, change);
    if (rule === undefined || seen === undefined) throw new Error(`There is no ${name} of ${n} rows.`);
    return beyond(seen[rule.of], rule.limit(n));
  };
  return {
    of,
    table: {
      title: 'False alarms and power of one window',
      about: `False alarms in %, and shares of drifted windows found. All but PSI > 0.2 have the level ${ALPHA}. Ten cells; S2 without its effect floor.`,
      head: ['rows', 'rule', 'false, %', ...CHANGE_NAMES],
      rows: SIZES.flatMap((n) =>
        RULES.map(({ name }) => [
          `${n}`,
          name,
          percent(of(n, name)),
          ...CHANGE_NAMES.map((change) => share(of(n, name, change))),
        ]),
      ),
    },
  };
});

const RIVALS: readonly (readonly [name: string, of: Detector])[] = [
  ['PSI', 'psi10'],
  ['PSI, 4 cells', 'psi4'],
  ['chi²', 'chi'],
  ['K-S', 'ks'],
  ['S2', 's2'],
];
const SHIFTS = ['0.25 σ', '0.5 σ'] as const;

export type Equal = {
  readonly table: Table;
  /** False alarms of S2 when it finds as much as PSI > 0.2, divided by those of PSI > 0.2. */
  readonly ratio: (n: number, change: ChangeName) => number;
};

type Goal = { readonly n: number; readonly change: ChangeName; readonly found: number };
/** False alarms of a detector whose limit is set to find such a share of such windows. */
function falseAlarmsAt(runs: number, of: Detector, { n, change, found }: Goal): number {
  const { still, drifted } = pool(runs);
  return beyond(still.get(n)?.[of] ?? new Float32Array(), limitOf(drifted(n, change)[of], found));
}

/**
 * What S2 does with windows of `n` rows: as it is, and when it finds the share `found` of those that moved by
 * 0.25 σ.
 */
export type Ours = { readonly falseAlarms: number; readonly half: number; readonly equal: number };
export const oursAt = (runs: number, n: number, found: number): Ours => ({
  falseAlarms: power(runs).of(n, S2.name),
  half: power(runs).of(n, S2.name, '0.5 σ'),
  equal: falseAlarmsAt(runs, 's2', { n, change: '0.25 σ', found }),
});

/** What a limit costs in false alarms when it is set to find as much as PSI > 0.2 does. */
export const equal = once((runs: number): Equal => {
  const falseAt = (of: Detector, n: number, change: ChangeName, found: number): number =>
    falseAlarmsAt(runs, of, { n, change, found });
  const found = (n: number, change: ChangeName): number => power(runs).of(n, PSI.name, change);
  return {
    ratio: (n, change) => falseAt('s2', n, change, found(n, change)) / power(runs).of(n, PSI.name),
    table: {
      title: 'False alarms at equal power',
      about: 'Every detector finds as many of the drifted windows as PSI > 0.2 does; false alarms in %.',
      head: ['rows', 'drift', 'found', ...RIVALS.map(([name]) => name)],
      rows: SIZES.filter((n) => n <= 300).flatMap((n) =>
        SHIFTS.map((change) => [
          `${n}`,
          `${CHANGES[change].shift} σ`,
          share(found(n, change)),
          ...RIVALS.map(([, of]) => rare(falseAt(of, n, change, found(n, change)))),
        ]),
      ),
    },
  };
});

/** In %, with the digits that small shares need. */
export const rare = (value: number): string =>
  value === 0 || value >= 0.001 ? percent(value) : (100 * value).toPrecision(2);
