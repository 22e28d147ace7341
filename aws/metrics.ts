import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type GetMetricDataCommandOutput,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch';
import type { MetricsPort } from '../core/ports/aws.ts';
import { aliasMetric, type ExactMetric, ownErrors, type Series, sideMetrics, sidesOf } from './sides.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * Metrics in one request:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 */
const QUERIES = 500;

/**
 * How long CloudWatch keeps points of a period, in days, and the period in seconds. Asked for a shorter
 * period than it keeps, it answers with nothing, and without an error:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html
 */
const KEPT = [
  { days: 15, period: 60 },
  { days: 63, period: 300 },
  { days: 455, period: 3600 },
] as const;

/**
 * CloudWatch's sums.
 * @param clock milliseconds since the epoch: what is too old cannot be read
 */
export function cloudWatchMetrics(client: CloudWatchClient, clock: () => number = Date.now): MetricsPort {
  return {
    sides: async (functionName, alias, versions, from, to, signals) => {
      if (periodFor(clock() - from) !== 60)
        throw new RangeError(`Minutes are kept for ${KEPT[0].days} days, not since ${iso(from)}.`);
      const metrics = sideMetrics(functionName, alias, versions, signals);
      // CloudWatch refuses a time without length.
      return sidesOf(metrics, to > from ? await read(client, metrics, 60, from, to) : []);
    },
    rate: async (functionName, alias, from, to) => {
      const period = periodFor(clock() - from);
      const [start, end] = within(from, to, period);
      const metrics = [
        aliasMetric('Invocations', functionName, alias),
        aliasMetric('Errors', functionName, alias),
        ownErrors(functionName),
      ];
      const found = await read(client, metrics, period, start, end);
      const [requests = 0, crashes = 0, errors = 0] = found.map((series) =>
        [...series.values()].reduce((sum, value) => sum + value, 0),
      );
      return {
        perSecond: requests / ((end - start) / 1000),
        errorRate: requests > 0 ? Math.min(1, (crashes + errors) / requests) : 0,
      };
    },
  };
}

/** Seconds: the shortest period of which points so old (milliseconds) are kept. Throws where none is. */
export function periodFor(age: number): number {
  const kept = KEPT.find(({ days }) => age <= days * DAY);
  if (kept === undefined) throw new RangeError('CloudWatch keeps nothing for longer than 455 days.');
  return kept.period;
}

/** The whole periods between two times, in milliseconds. Throws where there is none. */
export function within(from: number, to: number, period: number): readonly [number, number] {
  const length = period * 1000;
  const [start, end] = [Math.ceil(from / length) * length, Math.floor(to / length) * length];
  if (end <= start) throw new RangeError(`No whole ${period} s lie between ${iso(from)} and ${iso(to)}.`);
  return [start, end];
}

/**
 * Sums of metrics by period, in the order of the metrics; points that start in [from, to).
 * @throws unless every one of them was read whole: a part of the points would look like fewer requests or
 * fewer errors
 */
async function read(
  client: CloudWatchClient,
  metrics: readonly ExactMetric[],
  period: number,
  from: number,
  to: number,
): Promise<readonly Series[]> {
  const found = metrics.map(() => new Map<number, number>());
  for (let first = 0; first < metrics.length; first += QUERIES) {
    const queries = metrics
      .slice(first, first + QUERIES)
      .map((metric, index) => query(metric, first + index, period));
    const status = new Map<string, string>();
    let NextToken: string | undefined;
    do {
      const page: GetMetricDataCommandOutput = await client.send(
        new GetMetricDataCommand({
          MetricDataQueries: queries,
          StartTime: new Date(from),
          EndTime: new Date(to),
          ScanBy: 'TimestampAscending',
          NextToken,
        }),
      );
      // The message is about the request as a whole, for example "Maximum number of allowed metrics
      // exceeded"; the rest is answered all the same.
      const [message] = page.Messages ?? [];
      if (message) throw new Error(`CloudWatch did not read all: ${message.Code}: ${message.Value}`);
      for (const { Id = '', StatusCode = '', Timestamps = [], Values = [] } of page.MetricDataResults ?? []) {
        // A metric goes on over several pages as PartialData, or InternalError; its last word counts.
        status.set(Id, StatusCode);
        Timestamps.forEach((at, index) => {
          const value = Values[index];
          if (value !== undefined) found[Number(Id.slice(1))]?.set(at.getTime(), value);
        });
      }
      NextToken = page.NextToken;
    } while (NextToken);
    for (const { Id = '', MetricStat } of queries)
      if (status.get(Id) !== 'Complete')
        throw new Error(
          `CloudWatch did not read ${MetricStat?.Metric?.MetricName} whole: ${status.get(Id) ?? 'no answer'}`,
        );
  }
  return found;
}

const query = (
  { namespace, name, dimensions }: ExactMetric,
  index: number,
  period: number,
): MetricDataQuery => ({
  Id: `m${index}`,
  MetricStat: {
    Metric: {
      Namespace: namespace,
      MetricName: name,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
    },
    Period: period,
    Stat: 'Sum',
  },
});

const iso = (at: number): string => new Date(at).toISOString();
