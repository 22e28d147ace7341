import { type MetricDatum, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { METRICS } from '../../../core/metrics/contract.ts';
import type { AliasTarget } from '../../../core/release/document/parts-contract.ts';

const MINUTE = 60_000;

/** Requests a minute, and which share of a version's requests errs or crashes. */
export type Traffic = {
  readonly perMinute: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly crashes: Readonly<Record<string, number>>;
};

/**
 * What Lambda and the endpoint count in some minutes, of each version as the alias splits. Nothing for one
 * version alone that does not crash: nobody reads it.
 */
export function counted(
  functionName: string,
  { version, weights }: AliasTarget,
  { perMinute, errors, crashes }: Traffic,
  now: number,
  minutes: number,
): readonly PutMetricDataCommand[] {
  const others = Object.entries(weights);
  if (perMinute === 0 || (others.length === 0 && (crashes[version] ?? 0) === 0)) return [];
  const rest = 1 - others.reduce((sum, [, weight]) => sum + weight, 0);
  const start = Math.floor(now / MINUTE) * MINUTE;
  const lambda: MetricDatum[] = [];
  const own: MetricDatum[] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    const Timestamp = new Date(start + minute * MINUTE);
    for (const [of, share] of [[version, rest] as const, ...others]) {
      const n = Math.round(perMinute * share);
      const crashed = Math.round(n * (crashes[of] ?? 0));
      const failed = Math.round((n - crashed) * (errors[of] ?? 0));
      const by = (dimensions: Readonly<Record<string, string>>) => (MetricName: string, Value: number) => ({
        MetricName,
        Value,
        Timestamp,
        Dimensions: Object.entries(dimensions).map(([name, value]) => ({ Name: name, Value: value })),
      });
      const seen = by({ FunctionName: functionName, Resource: `${functionName}:live`, ExecutedVersion: of });
      lambda.push(seen('Invocations', n), seen('Errors', crashed));
      const told = by({ [METRICS.model]: functionName, [METRICS.version]: of });
      own.push(told(METRICS.requests, n - crashed), told(METRICS.errors, failed));
    }
  }
  const put = (Namespace: string, MetricData: MetricDatum[]) =>
    new PutMetricDataCommand({ Namespace, MetricData });
  return [put('AWS/Lambda', lambda), put(METRICS.namespace, own)];
}
