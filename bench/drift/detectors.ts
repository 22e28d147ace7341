/** What each detector makes of a window: the product's own, and others after their usual definitions. */
import { chi } from '../../core/drift/chi.ts';
import { PARTS } from '../../core/drift/contract.ts';
import { chiTail } from '../../core/drift/statistics/gamma.ts';
import { psi } from '../../core/drift/statistics/psi.ts';
import { smooth } from '../../core/drift/statistics/smooth.ts';
import { effectiveRows } from '../../core/drift/statistics/threshold.ts';
import { folded, M, sumsOf } from './draws.ts';

export const CELLS = [4, 8, 10] as const;
const REFERENCES = new Map(CELLS.map((cells) => [cells, Array<number>(cells).fill(M / cells)]));
const DECILES = { kind: 'numeric', phi: 1, counts: REFERENCES.get(10) ?? [] } as const;

/**
 * Statistics, the greater the more drift. `empty`: PSI of ten cells with 0.0001 in place of an empty cell's
 * share.
 */
export const DETECTORS = ['s2', 'chi', 'ks', 'psi4', 'psi8', 'psi10', 'empty4', 'empty8', 'empty10'] as const;
export type Detector = (typeof DETECTORS)[number];

export function statistics(counts: Float64Array): Readonly<Record<Detector, number>> {
  const [four, eight, ten] = [folded(counts, 4), folded(counts, 8), folded(counts, 10)];
  return {
    s2: smooth(sumsOf(counts), M, 1)?.t ?? 0,
    chi: chi(DECILES, ten)?.x2 ?? 0,
    ks: kolmogorov(counts),
    psi4: psi(REFERENCES.get(4) ?? [], four) ?? 0,
    psi8: psi(REFERENCES.get(8) ?? [], eight) ?? 0,
    psi10: psi(REFERENCES.get(10) ?? [], ten) ?? 0,
    empty4: psiOfEmpty(four),
    empty8: psiOfEmpty(eight),
    empty10: psiOfEmpty(ten),
  };
}

/** Kolmogorov and Smirnov's √ne·max|F−G| over the parts' edges. */
function kolmogorov(counts: Float64Array): number {
  let [n, below, most] = [0, 0, 0];
  for (let i = 0; i < PARTS; i++) n += counts[i] ?? 0;
  for (let i = 0; i < PARTS; i++) {
    below += counts[i] ?? 0;
    most = Math.max(most, Math.abs(below / n - (i + 1) / PARTS));
  }
  return Math.sqrt(effectiveRows(n, M)) * most;
}

function psiOfEmpty(live: readonly number[]): number {
  const n = live.reduce((sum, count) => sum + count, 0);
  return live.reduce((sum, count) => {
    const [p, q] = [count === 0 ? 1e-4 : count / n, 1 / live.length];
    return sum + (p - q) * Math.log(p / q);
  }, 0);
}

/** The x that a chi² variable exceeds with probability `alpha`. */
export function chiLimit(df: number, alpha: number): number {
  let [low, high] = [0, 1000];
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (chiTail(df, middle) > alpha) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * What √ne·max|F−G| exceeds with probability `alpha`: 2·Σ(−1)^{k−1}e^{−2k²x²} = α, whose first term is all of
 * a small one.
 */
export const kolmogorovLimit = (alpha: number): number => Math.sqrt(-0.5 * Math.log(alpha / 2));

/** The limit of PSI that has the level `alpha`: (1/n+1/m)·chi². */
export const psiLimit = (n: number, cells: number, alpha: number): number =>
  (1 / n + 1 / M) * chiLimit(cells - 1, alpha);
