import { METRICS as ENDPOINT } from './contract.ts';

/**
 * A log line in CloudWatch's embedded format, by `[Model]`; without a value, none:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 * @param at milliseconds since the epoch; CloudWatch takes what is up to two weeks old
 */
export function metricLine(
  functionName: string,
  at: number,
  values: Readonly<Record<string, number | undefined>>,
): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const directive = {
    Namespace: ENDPOINT.namespace,
    Dimensions: [[ENDPOINT.model]],
    Metrics: given.map(([Name]) => ({ Name })),
  };
  const line = { [ENDPOINT.model]: functionName, ...Object.fromEntries(given) };
  return `${JSON.stringify({ _aws: { Timestamp: at, CloudWatchMetrics: [directive] }, ...line })}\n`;
}
