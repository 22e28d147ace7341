import type { Baseline, DriftLine, Signal } from './contract.ts';
import { greatestScores } from './score.ts';

/** What a window's lines of one baseline add up to; nothing else is kept of them. */
export type Sums = {
  readonly baseline: string;
  readonly requests: number;
  readonly rows: number;
  /** Requests that these stand for: each for one over the share that it was chosen with. */
  readonly estimated: number;
  /** Sums by signal, in the baseline's order. */
  readonly signals: readonly SignalSums[];
};

export type SignalSums = {
  /** Rows with a value. For an output, whose rows are scored by their mean: requests with one. */
  readonly n: number;
  /** Rows without one, or requests. */
  readonly nulls: number;
  readonly a: number;
  readonly b: number;
  /**
   * Rows by cell. For an output: requests, with a part in each cell that its rows are in. They add up to `n`.
   */
  readonly cells: readonly number[];
};

export type Adder = {
  /** @returns false where the line cannot be of this baseline: then nothing was added */
  readonly add: (line: DriftLine) => boolean;
  readonly sums: () => Sums;
};

/** @param baseline whose digest the lines have; without one requests and rows are counted only */
export function createSums(digest: string, baseline: Baseline | undefined): Adder {
  const signals = (baseline?.signals ?? []).map((signal) => ({
    of: signal.of,
    most: boundsOf(signal),
    n: 0,
    a: createSum(),
    b: createSum(),
    cells: signal.counts.map(() => 0),
  }));
  let [requests, rows] = [0, 0];
  const estimated = createSum();
  const fits = (line: DriftLine): boolean =>
    line.a.length === signals.length &&
    signals.every(({ of, most, cells }, index) => {
      const valued = valuedOf(line.cells, index, cells.length);
      // The rows of an output may be more than the request's: a graph can answer anything.
      if (of === 'input' && valued > line.rows) return false;
      const scored = of === 'output' ? Math.min(1, valued) : valued;
      const [a, b] = [line.a[index] as number, line.b[index] as number];
      return Math.abs(a) <= most.a * scored && Math.abs(b) <= most.b * scored;
    });
  return {
    add(line) {
      if (baseline !== undefined) {
        if (!fits(line)) return false;
        for (let index = 0; index < signals.length; index++) {
          const signal = signals[index] as (typeof signals)[number];
          signal.n += count(line.cells, index, signal.of, signal.cells);
          signal.a.add(line.a[index] as number);
          signal.b.add(line.b[index] as number);
        }
      }
      requests += 1;
      estimated.add(1 / (line.sample ?? 1));
      rows += line.rows;
      return true;
    },
    sums: () => ({
      baseline: digest,
      requests,
      rows,
      estimated: Math.round(estimated.value()),
      signals: signals.map(({ of, n, a, b, cells }) => ({
        n,
        nulls: (of === 'output' ? requests : rows) - n,
        a: a.value(),
        b: b.value(),
        cells: cells.map(rounded),
      })),
    }),
  };
}

// A log may have millions of lines: what is done for each makes no object.

/** The cell of a one-row line's signal; −1 for none. @param cells letters, digits and `-` */
function cellAt(cells: string, index: number): number {
  const code = cells.charCodeAt(index);
  return code >= 97 ? code - 87 : code >= 48 ? code - 48 : -1;
}

/**
 * @returns rows with a value, of one signal; NaN, which fits nothing, where there are other cells than its
 * own
 */
function valuedOf(cells: DriftLine['cells'], index: number, length: number): number {
  if (typeof cells === 'string') {
    const cell = cellAt(cells, index);
    return cell < 0 ? 0 : cell < length ? 1 : Number.NaN;
  }
  const counts = cells[index] as readonly number[];
  if (counts.length !== length) return Number.NaN;
  let valued = 0;
  for (const one of counts) valued += one;
  return valued;
}

/** Parts of a request, to no digit in which the order of lines would show. */
const rounded = (count: number): number => Math.round(count * 1e4) / 1e4;

/**
 * Adds a signal's rows to `to`: of an output, whose rows are not independent, all together as one.
 * @returns how many were added
 */
function count(cells: DriftLine['cells'], index: number, of: Signal['of'], to: number[]): number {
  if (typeof cells === 'string') {
    const cell = cellAt(cells, index);
    if (cell < 0) return 0;
    to[cell] = (to[cell] as number) + 1;
    return 1;
  }
  const counts = cells[index] as readonly number[];
  const valued = valuedOf(cells, index, to.length);
  if (valued === 0) return 0;
  const added = of === 'output' ? 1 : valued;
  for (let cell = 0; cell < counts.length; cell++)
    to[cell] = (to[cell] as number) + ((counts[cell] as number) * added) / valued;
  return added;
}

/**
 * The greatest scores that a row can have, a little more for rounded ones: a forged sum could hide, or feign,
 * any drift.
 */
function boundsOf(signal: Signal): { readonly a: number; readonly b: number } {
  if (signal.kind === 'category') return { a: 0, b: 0 };
  const { a, b } = greatestScores(signal);
  return { a: a + 0.1, b: b + 0.1 };
}

/**
 * Adds with the rounding kept apart (Neumaier): the order of millions of lines does not show in any digit
 * that is read.
 */
function createSum() {
  let [sum, lost] = [0, 0];
  return {
    add(value: number): void {
      const next = sum + value;
      lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
      sum = next;
    },
    value: (): number => sum + lost,
  };
}
