import { varianceOf } from './auc.ts';
import type { Estimate, Measure, Unmeasured } from './contract.ts';
import { tQuantile } from './t-quantile.ts';

/**
 * Means of losses and what is made of them. Each has an influence of a row, how far the row moves it, whose
 * spread gives its standard error (the delta method: van der Vaart, Asymptotic Statistics, 1998, chapters 3
 * and 20).
 */

export type LossMeasure = Exclude<Measure, 'accuracy' | 'auc'>;

/** Losses are skewed; with fewer rows the interval misses the truth too often (`npm run soak -- quality`). */
const LEAST = 30;

/** A value, how far each row moves it, and what is positive of it, whose logarithm is nearer to normal. */
type Influenced = { readonly value: number; readonly loss: number; readonly influence: Float64Array };

/** @param scores losses of logLoss, errors of the others; @param labels numbers, which r2 reads */
export function lossOf(
  measure: LossMeasure,
  scores: readonly number[],
  labels: readonly number[],
): Estimate | Unmeasured {
  const found = influenced(measure, scores, labels);
  if ('lacks' in found) return found;
  const { value, loss, influence } = found;
  const half = halfWidth(influence);
  if (loss === 0 || !Number.isFinite(half)) return { value, low: value, high: value };
  // On the scale of the logarithm: above the loss there is more room than below.
  const factor = Math.exp(half / loss);
  const [least, most] = [loss / factor, loss * factor];
  return measure === 'r2' ? { value, low: 1 - most, high: 1 - least } : { value, low: least, high: most };
}

/** Two versions on the same rows. */
export function lossDifference(
  measure: LossMeasure,
  own: readonly number[],
  live: readonly number[],
  labels: readonly number[],
): Estimate | Unmeasured {
  const one = influenced(measure, own, labels);
  const other = influenced(measure, live, labels);
  if ('lacks' in one) return one;
  if ('lacks' in other) return other;
  const value = one.value - other.value;
  const half = halfWidth(one.influence.map((x, i) => x - (other.influence[i] as number)));
  if (!Number.isFinite(half)) return { value, low: value, high: value };
  return { value, low: value - half, high: value + half };
}

/** Not finite where no double has the squares of the errors: what is as bad as that needs no interval. */
const halfWidth = (influence: Float64Array): number =>
  tQuantile(influence.length - 1) * Math.sqrt(varianceOf(influence) / influence.length);

/** Stands for a loss that no double has; JSON can say it, and so can four digits. */
const MOST = 1e308;
const held = (loss: number): number => Math.min(MOST, loss);

function influenced(
  measure: LossMeasure,
  scores: readonly number[],
  labels: readonly number[],
): Influenced | Unmeasured {
  const n = scores.length;
  if (n < LEAST) return { lacks: `there are ${n} rows, and ${measure} needs ${LEAST}` };
  const losses = Float64Array.from(scores, (score) =>
    measure === 'logLoss' ? score : measure === 'mae' ? Math.abs(score) : score * score,
  );
  const mean = held(losses.reduce((sum, loss) => sum + loss, 0) / n);
  switch (measure) {
    case 'logLoss':
    case 'mae':
      return { value: mean, loss: mean, influence: losses };
    case 'rmse': {
      const root = Math.sqrt(mean);
      // d√m = dm / 2√m
      return {
        value: root,
        loss: root,
        influence: losses.map((loss) => (root === 0 ? 0 : loss / (2 * root))),
      };
    }
    case 'r2': {
      const middle = labels.reduce((sum, label) => sum + label, 0) / n;
      const squares = Float64Array.from(labels, (label) => (label - middle) ** 2);
      const spread = squares.reduce((sum, square) => sum + square, 0) / n;
      // The mean of equal numbers may be rounded, and leave a spread that is none.
      if (spread === 0 || labels.every((label) => label === labels[0]))
        return { lacks: 'all labels are equal, so that there is nothing to explain' };
      if (!Number.isFinite(spread)) return { lacks: 'the squares of its labels are beyond all numbers' };
      const loss = held(mean / spread);
      const influence = losses.map((one, i) => -(one - loss * (squares[i] as number)) / spread);
      return { value: 1 - loss, loss, influence };
    }
  }
}
