import { type CategorySignal, OWN_CELLS } from '../../../core/drift/contract.ts';
import { windowsOf } from './numeric.ts';

export type CategoryPart = Pick<CategorySignal, 'nulls' | 'phi' | 'counts' | 'values' | 'rare'>;

/**
 * Boils texts down to counts: a cell for each of the most frequent, one for the others, one for what the rest
 * of the reference has not.
 *
 * @param codes a number of `texts` a row, in the order of the file; NaN is no value
 */
export function categoryPart(codes: Float64Array, texts: readonly string[]): CategoryPart {
  const totals = new Float64Array(texts.length);
  for (const code of codes) if (!Number.isNaN(code)) totals[code] = (totals[code] as number) + 1;
  const known = texts
    .map((text, code) => ({ text, code, count: totals[code] as number }))
    .filter(({ count }) => count > 0)
    // Equally frequent ones by their text: the same file gives the same cells.
    .sort((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1));
  const own = ownOf(known);
  const rare = known.filter((one) => !own.includes(one));
  const inOthers = rare.reduce((sum, { count }) => sum + count, 0);
  const counts = [...own.map(({ count }) => count), inOthers, 0];
  // What has one row would be unseen but for that one: as much of later data is, though nothing changes.
  const once = rare.filter(({ count }) => count === 1).length;
  const cellOf = new Uint8Array(texts.length).fill(own.length);
  own.forEach(({ code }, cell) => {
    cellOf[code] = cell;
  });
  const cells = new Uint8Array(counts.reduce((sum, count) => sum + count, 0));
  let next = 0;
  for (const code of codes) if (!Number.isNaN(code)) cells[next++] = cellOf[code] as number;
  return {
    nulls: codes.length - cells.length,
    phi: phiOf(cells, counts),
    counts: [...counts.slice(0, -2), inOthers - once, once],
    values: own.map(({ text }) => text),
    rare: rare.map(({ text }) => text).sort(),
  };
}

type Known = { readonly text: string; readonly code: number; readonly count: number };

/** Standard deviations of a difference of two counts within which chance may have made it. */
const CHANCE = 3;

/**
 * The most frequent ones. Where many are about equally frequent, those that chance gave the most rows would
 * have fewer in any later data, and be called different: of these the first by their text are taken.
 * @param known the most frequent first
 */
function ownOf(known: readonly Known[]): readonly Known[] {
  const [last, next] = [known[OWN_CELLS - 1], known[OWN_CELLS]];
  const isSure = (more: Known, less: Known): boolean =>
    more.count - less.count > CHANCE * Math.sqrt(more.count + less.count);
  if (last === undefined || next === undefined || isSure(last, next)) return known.slice(0, OWN_CELLS);
  const above = known.filter((one) => isSure(one, last));
  const about = known
    .filter((one) => !isSure(one, last) && !isSure(last, one))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .slice(0, OWN_CELLS - above.length);
  return known.filter((one) => above.includes(one) || about.includes(one));
}

/** Mean of chi²/df over windows, each against the counts of all other rows; at least 1, as by chance. */
export function phiOf(cells: Uint8Array, counts: readonly number[]): number {
  const windows = windowsOf(cells.length);
  const df = counts.filter((count) => count > 0).length - 1;
  if (windows.length === 0 || df < 1) return 1;
  let sum = 0;
  for (const { start, end } of windows) {
    const n = end - start;
    const m = cells.length - n;
    const window = new Float64Array(counts.length);
    for (let i = start; i < end; i++) {
      const cell = cells[i] as number;
      window[cell] = (window[cell] as number) + 1;
    }
    counts.forEach((count, cell) => {
      const here = window[cell] as number;
      const difference = here * Math.sqrt(m / n) - (count - here) * Math.sqrt(n / m);
      if (count > 0) sum += (difference * difference) / count;
    });
  }
  return Math.max(1, sum / windows.length / df);
}
