import { type GetMetricDataOutput, paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import type { AwsConfig } from '../core/ports/config.ts';
import { cloudWatchClient } from './clients/cloudwatch.ts';

/** One metric in one statistic, for example `Sum` or `p95`. */
export type WantedMetric = {
  /** Names the metric in the answer; begins with a small letter. */
  readonly id: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
};

/**
 * @param times milliseconds since the epoch; the period in seconds
 * @returns by id: values by the start of their period, in milliseconds; a period without a value is not there
 * @throws unless all were read
 */
export async function metricPoints(
  aws: AwsConfig,
  wanted: readonly WantedMetric[],
  { from, to, period }: { readonly from: number; readonly to: number; readonly period: number },
): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
  const client = cloudWatchClient(aws);
  const queries = wanted.map(({ id, namespace, metric, dimensions, statistic }) => ({
    Id: id,
    MetricStat: {
      Metric: {
        Namespace: namespace,
        MetricName: metric,
        Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      },
      Period: period,
      Stat: statistic,
    },
  }));
  try {
    const pages = paginateGetMetricData(
      { client },
      { MetricDataQueries: queries, StartTime: new Date(from), EndTime: new Date(to) },
    );
    return await wholePoints(pages);
  } finally {
    client.destroy();
  }
}

/** @throws unless the pages have all of each metric: a part of them would look like fewer requests */
export async function wholePoints(
  pages: AsyncIterable<Pick<GetMetricDataOutput, 'MetricDataResults' | 'Messages'>>,
): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
  const found = new Map<string, Map<number, number>>();
  // A metric goes on over several pages; its last word counts.
  const status = new Map<string, string>();
  for await (const { MetricDataResults = [], Messages: [message] = [] } of pages) {
    if (message) throw new Error(`CloudWatch did not read all: ${message.Code}: ${message.Value}`);
    for (const { Id = '', StatusCode = '', Timestamps = [], Values = [] } of MetricDataResults) {
      status.set(Id, StatusCode);
      const points = found.get(Id) ?? new Map<number, number>();
      for (const [i, at] of Timestamps.entries()) points.set(at.getTime(), Values[i] ?? 0);
      found.set(Id, points);
    }
  }
  for (const [id, last] of status)
    if (last !== 'Complete') throw new Error(`CloudWatch did not read ${id} whole: ${last}`);
  return found;
}
