/** Signals from a column of reference data, by the definitions of core/drift/contract.ts and nothing else. */
import {
  type CategorySignal,
  type NumericSignal,
  OWN_CELLS,
  PARTS,
  type Signal,
} from '../core/drift/contract.ts';
import { rankOf } from '../core/drift/score.ts';

type Where = Pick<Signal, 'name' | 'of' | 'tensor'> & { readonly column?: number };
type What<V> = { readonly value?: V; readonly logits?: boolean };

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export function numericSignal(
  where: Where & What<NumericSignal['value']>,
  data: readonly number[],
): NumericSignal {
  const sorted = data.filter(Number.isFinite).sort((x, y) => x - y);
  const quantile = (share: number): number => {
    const place = (sorted.length - 1) * share;
    const [low, high] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0];
    return low + (place - Math.floor(place)) * (high - low);
  };
  const knots = Array.from({ length: PARTS + 1 }, (_, i) => quantile(i / PARTS));
  const ranks = sorted.map((value) => rankOf(knots, value));
  const middle = mean(ranks);
  const variance = mean(ranks.map((u) => (u - middle) ** 2));
  const sd = Math.sqrt(variance);
  const h1 = ranks.map((u) => (sd === 0 ? 0 : (u - middle) / sd));
  const skew = mean(ranks.map((u, i) => (u - middle) ** 2 * (h1[i] ?? 0)));
  const rest = ranks.map((u, i) => (u - middle) ** 2 - variance - skew * (h1[i] ?? 0));
  const spread = Math.sqrt(mean(rest.map((x) => x * x)));
  const edges = [...new Set(Array.from({ length: 9 }, (_, i) => knots[(i + 1) * (PARTS / 10)] ?? 0))];
  const counts = Array<number>(edges.length + 1).fill(0);
  for (const value of sorted) {
    const cell = cellOf(edges, value);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  return {
    column: 0,
    value: 'element',
    ...where,
    label: where.name,
    nulls: data.length - sorted.length,
    phi: 1,
    counts,
    kind: 'numeric',
    knots,
    mean: middle,
    sd,
    skew,
    spread: spread < 1e-6 ? 0 : spread,
    edges,
  };
}

/** @returns number of the first cell whose edge is not below the value */
export function cellOf(edges: readonly number[], value: number): number {
  const found = edges.findIndex((edge) => edge >= value);
  return found === -1 ? edges.length : found;
}

export function categorySignal(
  where: Where & What<CategorySignal['value']>,
  data: readonly string[],
): CategorySignal {
  const counts = new Map<string, number>();
  for (const text of data) counts.set(text, (counts.get(text) ?? 0) + 1);
  const known = [...counts].sort(([, x], [, y]) => y - x);
  const own = known.slice(0, OWN_CELLS);
  const rare = known.slice(OWN_CELLS);
  return {
    column: 0,
    value: 'element',
    ...where,
    label: where.name,
    nulls: 0,
    phi: 1,
    counts: [...own.map(([, count]) => count), rare.reduce((sum, [, count]) => sum + count, 0), 0],
    kind: 'category',
    values: own.map(([text]) => text),
    rare: rare.map(([text]) => text),
  };
}
