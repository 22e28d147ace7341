import { metricPoints } from '../../../aws/metric-points.ts';
import { METRICS as OWN } from '../../../core/metrics/contract.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';

/** What CloudWatch knows of a model's traffic, point by point. */
export type TrafficPoints = {
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
): Promise<TrafficPoints> {
  const period = periodFor(to - from);
  const [start, end] = [Math.floor(from / (period * 1000)), Math.ceil(to / (period * 1000))];
  const times = Array.from({ length: end - start }, (_, i) => (start + i) * period * 1000);
  const wanted = Object.entries(WANTED).map(([id, [metric, statistic]]) => ({
    id,
    namespace: OWN.namespace,
    metric,
    dimensions: { [OWN.model]: functionName },
    statistic,
  }));
  const found = await metricPoints(aws, wanted, {
    from: start * period * 1000,
    to: end * period * 1000,
    period,
  });
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
