import { shareDifference, shareRight } from './accuracy.ts';
import { areaDifference, areaUnderCurve } from './auc.ts';
import type { Estimate, Label, Measure, Unmeasured } from './contract.ts';
import { lossDifference, lossOf } from './losses.ts';

/** What the scores of rows say of a version. @param scores as in `RowScores` */
export function estimateOf(
  name: Measure,
  scores: readonly number[],
  labels: readonly Label[],
): Estimate | Unmeasured {
  if (scores.length === 0) return { lacks: 'there is no row' };
  if (name === 'accuracy') return shareRight(scores);
  if (name === 'auc') return areaUnderCurve(scores, labels.map(isOfClass));
  return lossOf(name, scores, labels.map(Number));
}

/** Two versions on the same rows. */
export function differs(
  name: Measure,
  own: readonly number[],
  live: readonly number[],
  labels: readonly Label[],
): Estimate | Unmeasured {
  if (name === 'accuracy') return shareDifference(own, live);
  if (name === 'auc') return areaDifference(own, live, labels.map(isOfClass));
  return lossDifference(name, own, live, labels.map(Number));
}

/** The second of two classes is meant. */
const isOfClass = (label: Label): boolean => label === 1;
