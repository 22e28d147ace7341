import type { AwsConfig } from '../core/ports/config.ts';
import { metricPoints } from './metric-points.ts';
import { aliasMetric } from './sides.ts';

/** Invocations through an alias, of all versions: points by the start of their period. */
export type AliasTraffic = {
  /** Milliseconds since the epoch → requests; a period without one is not there. */
  readonly requests: ReadonlyMap<number, number>;
  /** Milliseconds of all requests of a period together, INIT not counted. */
  readonly busy: ReadonlyMap<number, number>;
};

/** @param from, @param to milliseconds since the epoch; the period in seconds */
export async function aliasTraffic(
  aws: AwsConfig,
  functionName: string,
  alias: string,
  span: { readonly from: number; readonly to: number; readonly period: number },
): Promise<AliasTraffic> {
  const { namespace, dimensions, name } = aliasMetric('Invocations', functionName, alias);
  const wanted = { namespace, dimensions, statistic: 'Sum' };
  const found = await metricPoints(
    aws,
    [
      { ...wanted, id: 'requests', metric: name },
      { ...wanted, id: 'busy', metric: 'Duration' },
    ],
    span,
  );
  return { requests: found.get('requests') ?? new Map(), busy: found.get('busy') ?? new Map() };
}
