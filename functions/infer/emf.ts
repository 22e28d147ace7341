import { METRICS } from './contract.ts';

/** A directive takes so many metrics: CloudWatch drops the line of one that has more. */
const MOST_METRICS = 100;

/**
 * Directives of CloudWatch's embedded metric format, as members of their array; as many as the names need.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function directivesOf(names: readonly string[], dimensions: readonly (readonly string[])[]): string {
  const directives: string[] = [];
  for (let start = 0; start < names.length; start += MOST_METRICS) {
    const metrics = names
      .slice(start, start + MOST_METRICS)
      .map((name) => (name === METRICS.latency ? { Name: name, Unit: 'Milliseconds' } : { Name: name }));
    directives.push(
      JSON.stringify({ Namespace: METRICS.namespace, Dimensions: dimensions, Metrics: metrics }),
    );
  }
  return directives.join();
}
