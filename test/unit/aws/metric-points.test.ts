/** Points of several metrics by their ids, whole or not at all. */
import type { GetMetricDataOutput } from '@aws-sdk/client-cloudwatch';
import { expect, it } from 'vitest';
import { wholePoints } from '../../../aws/metric-points.ts';

const MINUTE = 60_000;
async function* pagesOf(given: readonly GetMetricDataOutput[]) {
  yield* given;
}
const read = (given: readonly GetMetricDataOutput[]) => wholePoints(pagesOf(given));
const part = (StatusCode: 'Complete' | 'InternalError' | 'PartialData' | 'Forbidden', minute: number) => ({
  Id: 'requests',
  StatusCode,
  Timestamps: [new Date(minute * MINUTE)],
  Values: [minute],
});

it('come over several pages, of which the last one ends a metric', async () => {
  const found = await read([
    { MetricDataResults: [part('PartialData', 1)], NextToken: 'more' },
    { MetricDataResults: [part('InternalError', 2)], NextToken: 'more still' },
    { MetricDataResults: [part('Complete', 3)] },
  ]);
  expect([...(found.get('requests') ?? [])]).toEqual([1, 2, 3].map((minute) => [minute * MINUTE, minute]));
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataResult.html
it.each(['InternalError', 'PartialData', 'Forbidden'] as const)(
  'are no answer where some are missing (%s): fewer requests would be planned for than there were',
  async (status) => {
    await expect(read([{ MetricDataResults: [part(status, 1)] }])).rejects.toThrow(
      `CloudWatch did not read requests whole: ${status}`,
    );
  },
);

it('are no answer where CloudWatch says that it did not read all', async () => {
  const Messages = [{ Code: 'ArithmeticError', Value: 'said' }];
  await expect(read([{ Messages, MetricDataResults: [part('Complete', 1)] }])).rejects.toThrow(
    'CloudWatch did not read all: ArithmeticError: said',
  );
});
