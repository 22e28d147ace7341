import type { Numbers } from '../tensor/numbers.ts';

/** What a row of K values says of K classes: for the judge's scores and for drift's alike. */

/** Where `readClasses` puts what it finds. */
export const [LABEL, CONFIDENCE, ENTROPY] = [0, 1, 2] as const;

/**
 * The number of the greatest, its probability, and the entropy of all, in nats.
 * @param logits the values are logits, else probabilities
 * @param withEntropy else that of probabilities is not reckoned, and 0
 * @returns is all of it finite? Else nothing is to be taken from it
 */
export function readClasses(
  values: Numbers,
  start: number,
  size: number,
  logits: boolean,
  withEntropy: boolean,
  found: Float64Array,
): boolean {
  const best = greatest(values, start, size);
  let top = values[best] as number;
  let mixed = 0;
  if (logits) {
    let sum = 0;
    let weighted = 0;
    for (let i = start; i < start + size; i++) {
      const below = (values[i] as number) - top;
      const weight = Math.exp(below);
      sum += weight;
      if (weight > 0) weighted += weight * below;
    }
    mixed = Math.log(sum) - weighted / sum;
    top = 1 / sum;
  } else if (withEntropy) {
    for (let i = start; i < start + size; i++) {
      const p = values[i] as number;
      if (p > 0) mixed -= p * Math.log(p);
      else if (Number.isNaN(p)) mixed = p;
    }
  }
  found[LABEL] = best - start;
  found[CONFIDENCE] = top;
  found[ENTROPY] = mixed;
  // NaN and infinities are the only numbers whose difference with themselves is not 0.
  return top - top === 0 && mixed - mixed === 0;
}

/** @returns index of the first greatest; of a NaN where there is one, which comparisons would pass over */
function greatest(values: Numbers, start: number, size: number): number {
  let best = start;
  for (let i = start + 1; i < start + size; i++) {
    const value = values[i] as number;
    if (value > (values[best] as number) || Number.isNaN(value)) best = i;
  }
  return best;
}
