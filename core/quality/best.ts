import type { Estimate, Label, Measure, Unmeasured } from './contract.ts';
import { estimateOf } from './measure.ts';

/** What a version without a fault would have on rows with these labels. */
export const best = (name: Measure, labels: readonly Label[]): Estimate | Unmeasured =>
  estimateOf(
    name,
    labels.map((label) => (name === 'accuracy' ? 1 : name === 'auc' ? Number(label) : 0)),
    labels,
  );
