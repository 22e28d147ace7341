/** What docs/batch.md says that jobs cost at CloudWatch, held against what a job counts and the price. */
import { expect, test } from 'vitest';
import { BATCH_METRICS } from '../../../core/batch/contract.ts';
import { PRICES } from '../../../plugins/models/plan/shared/prices.ts';
import { pages } from './pages.ts';

test('the metrics of a job that goes well are counted with what objects cost', () => {
  const { jobsFailed: _, jobsNotOwned: __, ...ofEach } = BATCH_METRICS;
  const dollars = (Object.keys(ofEach).length * PRICES.metric).toFixed(2);
  expect(pages.get('docs/batch.md')).toContain(
    `in every hour: $${dollars}\nfor the five of jobs that go well`,
  );
});
