import type { Scores, Side } from '../core/judge/contract.ts';
import { METRICS } from '../core/metrics/contract.ts';

/** A metric with exactly its dimensions; CloudWatch adds nothing up over others. */
export type ExactMetric = {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
};

/** A metric of one version, and what it is in a `Side`. */
export type SideMetric = ExactMetric & {
  readonly version: string;
  readonly of:
    | { readonly count: 'invocations' | 'crashes' | 'requests' | 'errors' | 'rejected' | 'coldStarts' }
    | { readonly slow: number }
    | { readonly output: string; readonly score: keyof Scores };
};

/** A metric's sums by the start of their period, in milliseconds. */
export type Series = ReadonlyMap<number, number>;

/**
 * Invocations through an alias, of all versions. `Resource` is written so:
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
 */
export const aliasMetric = (
  name: 'Invocations' | 'Errors',
  functionName: string,
  alias: string,
): ExactMetric => ({
  namespace: 'AWS/Lambda',
  name,
  dimensions: { FunctionName: functionName, Resource: `${functionName}:${alias}` },
});

/** What the endpoint itself counts as failed, over all versions. */
export const ownErrors = (functionName: string): ExactMetric => ({
  namespace: METRICS.namespace,
  name: METRICS.errors,
  dimensions: { [METRICS.model]: functionName },
});

/** All that is to be read for the sides of a release, version by version. */
export function sideMetrics(
  functionName: string,
  alias: string,
  versions: readonly string[],
  signals: readonly string[],
): readonly SideMetric[] {
  return versions.flatMap((version): SideMetric[] => {
    const byAlias = (name: 'Invocations' | 'Errors'): ExactMetric => {
      const metric = aliasMetric(name, functionName, alias);
      return { ...metric, dimensions: { ...metric.dimensions, ExecutedVersion: version } };
    };
    const own = (name: string): ExactMetric => ({
      namespace: METRICS.namespace,
      name,
      dimensions: { [METRICS.model]: functionName, [METRICS.version]: version },
    });
    return [
      { ...byAlias('Invocations'), version, of: { count: 'invocations' } },
      { ...byAlias('Errors'), version, of: { count: 'crashes' } },
      { ...own(METRICS.requests), version, of: { count: 'requests' } },
      { ...own(METRICS.errors), version, of: { count: 'errors' } },
      { ...own(METRICS.rejected), version, of: { count: 'rejected' } },
      { ...own(METRICS.coldStart), version, of: { count: 'coldStarts' } },
      ...METRICS.slow.map((name, slow): SideMetric => ({ ...own(name), version, of: { slow } })),
      ...signals.flatMap((output) =>
        METRICS.scores.map(
          (score): SideMetric => ({
            ...own(`${METRICS.output}${output}_${score}`),
            version,
            of: { output, score },
          }),
        ),
      ),
    ];
  });
}

/**
 * What was read, by version and minute. A count without a point stays absent; of the slow counts and of a
 * signal's scores, which are published together, those without one are 0 where another has one.
 * @param series by the index of `metrics`
 */
export function sidesOf(
  metrics: readonly SideMetric[],
  series: readonly Series[],
): ReadonlyMap<string, ReadonlyMap<number, Side>> {
  const sides = new Map<string, Map<number, Side>>();
  metrics.forEach(({ version, of }, index) => {
    const minutes = sides.get(version) ?? new Map<number, Side>();
    sides.set(version, minutes);
    for (const [minute, value] of series[index] ?? [])
      minutes.set(minute, withValue(minutes.get(minute) ?? {}, of, value));
  });
  return sides;
}

function withValue(side: Side, of: SideMetric['of'], value: number): Side {
  if ('count' in of) return { ...side, [of.count]: value };
  if ('slow' in of) {
    const [a, b, c, d] = (side.slow ?? [0, 0, 0, 0]).map((old, edge) => (edge === of.slow ? value : old));
    return { ...side, slow: [a ?? 0, b ?? 0, c ?? 0, d ?? 0] };
  }
  const scores = side.outputs?.[of.output] ?? { a: 0, b: 0, aa: 0, bb: 0, ab: 0 };
  return { ...side, outputs: { ...side.outputs, [of.output]: { ...scores, [of.score]: value } } };
}
