import type { Signal } from './contract.ts';
import { chiTail } from './statistics/gamma.ts';

export type Chi = {
  /** Σ(c√(m/n) − b√(n/m))²/(c+b), c live rows of a cell and b the reference's. */
  readonly x2: number;
  /** Cells compared, less one. */
  readonly df: number;
  /** P(X² or more | nothing changed), from X²/φ. */
  readonly p: number;
};

/** Rows that a cell must expect: with fewer, chi² calls a single row drift. */
const LEAST = 5;

type Cell = { live: number; reference: number };

/**
 * Chi² of two samples over a signal's cells: sees lumps (rounded or frozen values), where the smooth test is
 * weak, and is the only test of categories.
 * @param live rows of the window by cell, as the signal numbers them
 * @returns nothing where fewer than two cells can be compared
 */
export function chi(
  { kind, counts, phi }: Pick<Signal, 'kind' | 'counts' | 'phi'>,
  live: readonly number[],
): Chi | undefined {
  const cells = counts.map((reference, i): Cell => ({ live: live[i] ?? 0, reference }));
  const [n, m] = [sum(cells, (cell) => cell.live), sum(cells, (cell) => cell.reference)];
  if (!(n > 0 && m > 0)) return undefined;
  // By the reference alone: what is compared must not depend on what was seen. The smaller sample expects
  // less.
  const isSmall = ({ reference }: Cell): boolean => reference * Math.min(1, n / m) < LEAST;
  const joined = kind === 'numeric' ? neighboursJoined(cells, isSmall) : rareJoined(cells, isSmall);
  if (joined.length < 2) return undefined;
  const x2 = sum(
    joined,
    (cell) =>
      (cell.live * Math.sqrt(m / n) - cell.reference * Math.sqrt(n / m)) ** 2 / (cell.live + cell.reference),
  );
  const df = joined.length - 1;
  return { x2, df, p: chiTail(df, x2 / phi) };
}

/** Small cells of a scale join the one before, the first ones the one after. */
function neighboursJoined(cells: readonly Cell[], isSmall: (cell: Cell) => boolean): readonly Cell[] {
  const joined: Cell[] = [];
  for (const cell of cells) {
    const last = joined.at(-1);
    if (last === undefined || !(isSmall(cell) || isSmall(last))) joined.push({ ...cell });
    else add(last, cell);
  }
  return joined;
}

/**
 * Small cells of categories become one, the other values. If that is small still, it joins the smallest of
 * the rest.
 */
function rareJoined(cells: readonly Cell[], isSmall: (cell: Cell) => boolean): readonly Cell[] {
  const others: Cell = { live: 0, reference: 0 };
  const joined: Cell[] = [];
  // The two cells behind the categories' own are the other values, known or not.
  for (const [i, cell] of cells.entries()) {
    if (i >= cells.length - 2 || isSmall(cell)) add(others, cell);
    else joined.push({ ...cell });
  }
  if (!isSmall(others)) return [...joined, others];
  const [first, ...rest] = joined;
  if (first === undefined) return [];
  add(
    rest.reduce((least, cell) => (cell.reference < least.reference ? cell : least), first),
    others,
  );
  return joined;
}

function add(to: Cell, { live, reference }: Cell): void {
  to.live += live;
  to.reference += reference;
}

function sum(cells: readonly Cell[], of: (cell: Cell) => number): number {
  return cells.reduce((total, cell) => total + of(cell), 0);
}
