import type { CategorySignal, NumericSignal, Signal } from './contract.ts';
import { locationOf, rankOf, type Scale, spreadOf } from './score.ts';

/**
 * What one request adds up to, by signal in the baseline's order. One for all requests: each begins with
 * `clear`.
 */
export type Tally = {
  /** Σh₁ and Σh₂. */
  readonly a: Float64Array;
  readonly b: Float64Array;
  /** Rows with a value. */
  readonly used: Int32Array;
  /** The cell of the last row that had a value; −1 for none. */
  readonly last: Int32Array;
  /** Rows by cell. */
  readonly cells: readonly Int32Array[];
};

export const createTally = (signals: readonly Signal[]): Tally => ({
  a: new Float64Array(signals.length),
  b: new Float64Array(signals.length),
  used: new Int32Array(signals.length),
  last: new Int32Array(signals.length),
  cells: signals.map(({ counts }) => new Int32Array(counts.length)),
});

export function clear({ a, b, used, last, cells }: Tally): void {
  a.fill(0);
  b.fill(0);
  used.fill(0);
  last.fill(-1);
  for (const counts of cells) counts.fill(0);
}

/** One row that was counted is taken for so many. */
export function repeat({ a, b, used, cells }: Tally, place: number, rows: number): void {
  a[place] = (a[place] as number) * rows;
  b[place] = (b[place] as number) * rows;
  used[place] = (used[place] as number) * rows;
  const own = cells[place] as Int32Array;
  for (let cell = 0; cell < own.length; cell++) own[cell] = (own[cell] as number) * rows;
}

/** Adds a row's value; what is no finite number adds nothing. */
export type TakeNumber = (value: number) => void;

export function numberTaker(signal: NumericSignal, place: number, tally: Tally): TakeNumber {
  const knots = Float64Array.from(signal.knots);
  const edges = Float64Array.from(signal.edges);
  const { mean, sd, skew, spread } = signal;
  // A plain object of its own: signals differ in their members, and reading from one kind of object is
  // faster.
  const scale: Scale = { knots: signal.knots, mean, sd, skew, spread };
  const { a, b } = tally;
  const count = counter(place, tally);
  const isAnswer = signal.of === 'output';
  return (given) => {
    // NaN and infinities are the only numbers whose difference with themselves is not 0.
    if (given - given !== 0) return;
    const value = isAnswer ? snapped(knots, given) : given;
    const rank = rankOf(knots, value);
    const location = locationOf(scale, rank);
    a[place] = (a[place] as number) + location;
    b[place] = (b[place] as number) + spreadOf(scale, rank, location);
    let cell = 0;
    while (cell < edges.length && value > (edges[cell] as number)) cell++;
    count(cell);
  };
}

/**
 * How far the same sum may differ on other threads and processors: a share of the reference's range, and of a
 * value as a float32.
 */
const ROUNDING = 1e-6;
const DIGITS = 3e-7;

/**
 * An answer's last digits differ with threads and processor from those of the machine that built the
 * baseline. So what is that near to a knot is taken for it: an answer that is frequent would else lie beside
 * its own place.
 */
function snapped(knots: Float64Array, value: number): number {
  let low = 0;
  let high = knots.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((knots[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  const range = (knots[knots.length - 1] as number) - (knots[0] as number);
  const near = Math.max(ROUNDING * range, DIGITS * Math.abs(value));
  const [below, above] = [knots[low - 1] ?? Number.NaN, knots[low] ?? Number.NaN];
  if (above - value <= near && !(value - below < above - value)) return above;
  return value - below <= near ? below : value;
}

/** Adds a row's category as the tensor has it: a text, a number, or a bigint of 64 bits. */
export type TakeCategory = (value: unknown) => void;

export function categoryTaker(signal: CategorySignal, place: number, tally: Tally): TakeCategory {
  const { values, rare } = signal;
  const known = new Map<unknown, number>();
  values.forEach((text, cell) => {
    for (const key of keysOf(text)) known.set(key, cell);
  });
  for (const text of rare) for (const key of keysOf(text)) known.set(key, values.length);
  const unseen = values.length + 1;
  const count = counter(place, tally);
  return (value) => {
    // A text has no other way to say that there is none, and an empty cell of the reference is none.
    if (value === undefined || value === '' || (typeof value === 'number' && value - value !== 0)) return;
    count(known.get(value) ?? unseen);
  };
}

/** What a tensor may hold that has this text, so that no row has to be turned into one. */
function keysOf(text: string): unknown[] {
  const keys: unknown[] = [text];
  if (String(Number(text)) === text) keys.push(Number(text));
  if (/^(0|-?[1-9]\d*)$/.test(text)) keys.push(BigInt(text));
  return keys;
}

function counter(place: number, { used, last, cells }: Tally): (cell: number) => void {
  const own = cells[place] as Int32Array;
  return (cell) => {
    own[cell] = (own[cell] as number) + 1;
    used[place] = (used[place] as number) + 1;
    last[place] = cell;
  };
}
