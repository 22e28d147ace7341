/** Many releases of one kind, seen by several rules. */
import type { Row } from '../../core/judge/counts.ts';
import { median } from '../median.ts';
import { type Random, randomOf } from './random.ts';
import { NEVER, ours, type Rule } from './rules.ts';

/** What a rule did with all runs of a cell. */
export type Cell = {
  /** Share of the runs that it rolled back. */
  readonly found: number;
  /** Median minute of the rollback over all runs; Infinity where most had none. */
  readonly minute: number;
  /** Mean of the candidate's requests until then, or until the end. */
  readonly exposed: number;
};

/** @param name seeds the cell: every run of the bench sees the same releases */
export function cells(
  name: string,
  runs: number,
  release: (random: Random) => readonly Row[],
  rules: readonly Rule[],
): readonly Cell[] {
  const random = randomOf(name);
  const minutes = rules.map(() => new Float64Array(runs));
  const exposed = rules.map(() => 0);
  for (let run = 0; run < runs; run++) {
    const made = release(random);
    for (const [i, { first }] of rules.entries()) {
      const at = first(made);
      const times = minutes[i];
      if (times !== undefined) times[run] = at + 1;
      exposed[i] = (exposed[i] ?? 0) + requestsUntil(made, at);
    }
  }
  return rules.map((_, i) => {
    const times = [...(minutes[i] ?? [])];
    return {
      found: times.filter((time) => time < NEVER).length / runs,
      minute: median(times),
      exposed: (exposed[i] ?? 0) / runs,
    };
  });
}

function requestsUntil(minutes: readonly Row[], at: number): number {
  let sum = 0;
  for (let i = 0; i < minutes.length && i <= at; i++) sum += minutes[i]?.n1 ?? 0;
  return sum;
}

export type Table = {
  readonly title: string;
  /** What stands below the title. */
  readonly about: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

export type Grid = { readonly table: Table; readonly of: (column: string, rule?: string) => Cell };

/** Rules down, cases across. `of` answers for the judge unless another rule is named. */
export function grid(
  title: string,
  about: string,
  columns: readonly {
    readonly name: string;
    readonly rules: readonly Rule[];
    readonly cells: readonly Cell[];
  }[],
  say: (cell: Cell) => string,
): Grid {
  const names = columns[0]?.rules.map(({ name }) => name) ?? [];
  const of = (column: string, rule = ours.name): Cell => {
    const found = columns.find(({ name }) => name === column);
    const cell = found?.cells[found.rules.findIndex(({ name }) => name === rule)];
    if (cell === undefined) throw new Error(`There is no cell ${rule}, ${column}.`);
    return cell;
  };
  const rows = names.map((rule) => [rule, ...columns.map(({ name }) => say(of(name, rule)))]);
  return { table: { title, about, head: ['rule', ...columns.map(({ name }) => name)], rows }, of };
}

/** 0.92, 12.3, 100: enough digits for what so many runs can tell. */
export const percent = (share: number): string => {
  const value = 100 * share;
  return value >= 99.95 || value === 0 ? value.toFixed(0) : value < 10 ? value.toFixed(2) : value.toFixed(1);
};

export const minute = (value: number): string => (Number.isFinite(value) ? value.toFixed(0) : '–');

/** "100 % 5 min 253": found, median minute, mean candidate requests. */
export const seen = ({ found, minute: at, exposed }: Cell): string =>
  `${percent(found)} ${minute(at)} ${exposed.toFixed(0)}`;

/** Done once, however many claims ask for it. */
export function once<T>(make: (runs: number) => T): (runs: number) => T {
  const made = new Map<number, T>();
  return (runs) => {
    const before = made.get(runs);
    if (before !== undefined) return before;
    const result = make(runs);
    made.set(runs, result);
    return result;
  };
}
