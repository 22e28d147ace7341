/**
 * Metric math in JavaScript, whose operators it shares but for the power. Where a metric has no point,
 * neither has what is made of it; FILL is the exception.
 * @param known values by id; undefined for one without a point
 * @returns undefined for no point; throws where an id is not known
 */
export function evaluated(
  expression: string,
  known: Readonly<Record<string, number | undefined>>,
): number | undefined {
  const used = expression.match(/\b[a-z]\w*\b/g) ?? [];
  const unknown = used.filter((name) => !Object.hasOwn(known, name));
  if (unknown.length > 0) throw new Error(`${expression} has ${unknown.join()}, which nothing declares.`);
  if (used.some((name) => known[name] === undefined && !expression.includes(`FILL(${name},`)))
    return undefined;
  const names = Object.keys(known);
  const run = new Function('ABS', 'FILL', 'IF', ...names, `return +(${expression.replaceAll('^', '**')})`);
  const fill = (value: number | undefined, other: number): number => value ?? other;
  const choose = (is: boolean, one: number, other: number): number => (is ? one : other);
  const value: number = run(Math.abs, fill, choose, ...names.map((name) => known[name]));
  return Number.isFinite(value) ? value : undefined;
}

/** A metric's statistics in a period. */
export type Point = Readonly<Record<string, number | undefined>>;

type Query = {
  readonly Id: string;
  readonly Expression?: string;
  readonly MetricStat?: { readonly Metric: { readonly MetricName: string }; readonly Stat: string };
};

/** All that the queries of an alarm say of one period, by id. @param metrics by name, then by statistic */
export function alarmValues(
  queries: readonly object[],
  metrics: Readonly<Record<string, Point>>,
): Readonly<Record<string, number | undefined>> {
  const known: Record<string, number | undefined> = {};
  for (const { Id, Expression, MetricStat } of queries as readonly Query[])
    known[Id] =
      Expression === undefined
        ? metrics[MetricStat?.Metric.MetricName ?? '']?.[MetricStat?.Stat ?? '']
        : evaluated(Expression, known);
  return known;
}
