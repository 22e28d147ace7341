import { locationOf, spreadOf } from '../shared/score.ts';
import type { Baseline, DriftLine, Signal } from './contract.ts';

/** What a window's lines of one baseline add up to; nothing else is kept of them. */
export type Sums = {
  readonly baseline: string;
  readonly requests: number;
  readonly rows: number;
  /** By signal, in the baseline's order. */
  readonly signals: readonly SignalSums[];
};

export type SignalSums = {
  /** Rows with a value; of an output, whose rows are scored by their mean, requests with one. */
  readonly n: number;
  /** Rows without, or requests. */
  readonly nulls: number;
  readonly a: number;
  readonly b: number;
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
  return {
    add(line) {
      if (baseline !== undefined) {
        const counts = signals.map(({ cells }, index) => countsOf(line.cells, index, cells.length));
        const fits =
          line.a.length === signals.length &&
          signals.every(({ of, most }, index) => {
            const valued = total(counts[index]);
            // The rows of an output may be more than the request's: a graph can answer anything.
            const scored = of === 'output' ? Math.min(1, valued) : valued;
            const [a, b] = [Math.abs(line.a[index] ?? 0), Math.abs(line.b[index] ?? 0)];
            const within = a <= most.a * scored && b <= most.b * scored;
            return counts[index] !== undefined && within && (of === 'output' || valued <= line.rows);
          });
        if (!fits) return false;
        for (const [index, signal] of signals.entries()) {
          const valued = total(counts[index]);
          signal.n += signal.of === 'output' ? Math.min(1, valued) : valued;
          signal.a.add(line.a[index] ?? 0);
          signal.b.add(line.b[index] ?? 0);
          for (const [cell, one] of (counts[index] ?? []).entries())
            signal.cells[cell] = (signal.cells[cell] ?? 0) + one;
        }
      }
      requests += 1;
      rows += line.rows;
      return true;
    },
    sums: () => ({
      baseline: digest,
      requests,
      rows,
      signals: signals.map(({ of, n, a, b, cells }) => ({
        n,
        nulls: (of === 'output' ? requests : rows) - n,
        a: a.value(),
        b: b.value(),
        cells: [...cells],
      })),
    }),
  };
}

/** Rows by cell of one signal; undefined where it has no such cell. */
function countsOf(cells: DriftLine['cells'], index: number, length: number): readonly number[] | undefined {
  const one = cells[index];
  if (typeof one !== 'string') return one?.length === length ? one : undefined;
  if (one === '-') return [];
  const cell = Number.parseInt(one, 36);
  return cell < length ? Array.from({ length }, (_, at) => (at === cell ? 1 : 0)) : undefined;
}

const total = (counts: readonly number[] = []): number => counts.reduce((sum, one) => sum + one, 0);

/** The greatest scores that a row can have, a little more for rounded ones: a forged sum could hide, or feign, any drift. */
function boundsOf(signal: Signal): { readonly a: number; readonly b: number } {
  if (signal.kind === 'category') return { a: 0, b: 0 };
  const { mean, sd, skew } = signal;
  // h₂ is a parabola: its greatest is at an end or at its vertex.
  const vertex = sd === 0 ? mean : mean + skew / (2 * sd);
  const ranks = [0, 1, Math.min(1, Math.max(0, vertex))];
  const most = (score: (u: number) => number): number =>
    Math.max(...ranks.map((u) => Math.abs(score(u)))) + 0.1;
  return {
    a: most((u) => locationOf(signal, u)),
    b: most((u) => spreadOf(signal, u, locationOf(signal, u))),
  };
}

/** Adds with the rounding kept apart (Neumaier): the order of millions of lines does not show in any digit that is read. */
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
