/**
 * `SEARCH('{Namespace,Dimension} Property="value"', 'Statistic', 60)` of a dashboard.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
 */

const NAME = '(?:[\\w/]+|"[^"\']+")';
const SEARCH = new RegExp(`^SEARCH\\('\\{(${NAME}(?:,${NAME})*)\\}([^']*)', '([^']+)', (\\d+)\\)$`);
/** One property, exactly; what else the page allows is not emitted. */
const TERM = /^\s+(\w+|"[^"']+")="[^"']*"/;
const STATISTIC = /^(SampleCount|Average|Sum|Minimum|Maximum|IQM|(p|tm|wm|tc|ts)\d{1,2}(\.\d{1,10})?)$/;

/** @returns why CloudWatch refuses or misreads it; undefined of a right one */
export function searchFault(expression: string): string | undefined {
  const [, schema, terms = '', statistic = '', period] = SEARCH.exec(expression) ?? [];
  if (schema === undefined) return 'it is not of the form';
  if (!STATISTIC.test(statistic)) return `${statistic} is no statistic`;
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html
  if (Number(period) === 0 || Number(period) % 60 !== 0) return `${period} is no number of whole minutes`;
  const dimensions = schema.split(',').slice(1);
  let rest = terms;
  while (rest.trim() !== '') {
    const [found, property = ''] = TERM.exec(rest) ?? [];
    if (found === undefined) return `${rest.trim()} cannot be read`;
    if (property !== 'MetricName' && !dimensions.includes(property))
      return `${property} is not in the schema`;
    rest = rest.slice(found.length);
  }
  return undefined;
}
