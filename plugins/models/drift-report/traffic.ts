import { CloudWatchClient, type MetricDataQuery, paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import { METRICS as OWN } from '../../../core/endpoint/contract.ts';
import type { AwsConfig } from '../commands/command.ts';

/** What CloudWatch knows of a model's traffic, point by point. */
export type Traffic = {
  /** Milliseconds: the start of each period, ascending, without a gap. */
  readonly times: readonly number[];
  /** Seconds. */
  readonly period: number;
  readonly requests: readonly (number | undefined)[];
  readonly errors: readonly (number | undefined)[];
  readonly rejected: readonly (number | undefined)[];
  /** Milliseconds in the handler. */
  readonly p50: readonly (number | undefined)[];
  readonly p95: readonly (number | undefined)[];
  readonly p99: readonly (number | undefined)[];
};

const WANTED = {
  requests: [OWN.requests, 'Sum'],
  errors: [OWN.errors, 'Sum'],
  rejected: [OWN.rejected, 'Sum'],
  p50: [OWN.latency, 'p50'],
  p95: [OWN.latency, 'p95'],
  p99: [OWN.latency, 'p99'],
} as const;

/** Points of a chart: more would be finer than a pixel. */
const POINTS = 300;

/** Periods that CloudWatch keeps for the times in question: minutes for 15 days, five minutes for 63. */
const periodFor = (span: number): number =>
  [60, 300, 3600, 86_400].find((period) => span / (period * 1000) <= POINTS) ?? 86_400;

/** @param from milliseconds; @param to milliseconds */
export async function readTraffic(
  aws: AwsConfig,
  functionName: string,
  from: number,
  to: number,
): Promise<Traffic> {
  const period = periodFor(to - from);
  const [start, end] = [Math.floor(from / (period * 1000)), Math.ceil(to / (period * 1000))];
  const times = Array.from({ length: end - start }, (_, i) => (start + i) * period * 1000);
  const queries = Object.entries(WANTED).map(
    ([Id, [MetricName, Stat]]): MetricDataQuery => ({
      Id,
      MetricStat: {
        Metric: {
          Namespace: OWN.namespace,
          MetricName,
          Dimensions: [{ Name: OWN.model, Value: functionName }],
        },
        Period: period,
        Stat,
      },
    }),
  );
  const client = new CloudWatchClient(aws);
  const found = new Map<string, Map<number, number>>();
  try {
    const pages = paginateGetMetricData(
      { client },
      {
        MetricDataQueries: queries,
        StartTime: new Date(start * period * 1000),
        EndTime: new Date(end * period * 1000),
      },
    );
    for await (const { MetricDataResults = [] } of pages)
      for (const { Id = '', Timestamps = [], Values = [] } of MetricDataResults) {
        const points = found.get(Id) ?? new Map<number, number>();
        for (const [i, at] of Timestamps.entries()) points.set(at.getTime(), Values[i] ?? 0);
        found.set(Id, points);
      }
  } finally {
    client.destroy();
  }
  const course = (id: keyof typeof WANTED): readonly (number | undefined)[] =>
    times.map((at) => found.get(id)?.get(at));
  const asked = course('requests');
  // Where something was asked, what is not there is 0: it is published when it happens only.
  const counted = (id: 'errors' | 'rejected'): readonly (number | undefined)[] =>
    course(id).map((value, i) => value ?? (asked[i] === undefined ? undefined : 0));
  return {
    times,
    period,
    requests: asked,
    errors: counted('errors'),
    rejected: counted('rejected'),
    p50: course('p50'),
    p95: course('p95'),
    p99: course('p99'),
  };
}
