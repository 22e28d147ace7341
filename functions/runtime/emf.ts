import { METRICS } from '../../core/metrics/contract.ts';

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

/**
 * With the JSON log format and a level beyond INFO, Lambda drops what has no such level and no time of RFC
 * 3339: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html. Metrics are no
 * talk that one may turn off, so they then name the level that is asked for.
 */
export function levelOf({
  AWS_LAMBDA_LOG_FORMAT: format,
  AWS_LAMBDA_LOG_LEVEL: level = '',
}: NodeJS.ProcessEnv): string {
  return format === 'JSON' && /^(WARN|ERROR|FATAL)$/.test(level) ? `,"level":"${level}"` : '';
}

/**
 * Writes metrics of functions that are not asked for each request. Not by console, around whose lines Lambda
 * puts time, id and level: CloudWatch would find no metric in them, and no alarm would ever see one.
 *
 * @param lines in the embedded format, each with its newline
 */
export function writeMetrics(lines: string): void {
  const level = levelOf(process.env);
  const kept =
    level === '' ? lines : lines.replaceAll('}\n', `,"timestamp":"${new Date().toISOString()}"${level}}\n`);
  process.stdout.write(kept);
}
