import { DRIFT_METRICS as DRIFT, LEAST_ROWS } from '../../../../core/drift/contract.ts';
import { METRICS as OWN } from '../../../../core/metrics/contract.ts';
import type { Host } from '../../contracts/host.ts';
import { nameOf } from '../../contracts/host.ts';
import type { DriftFacts, DriftSignal, Model } from '../../declaration/model.ts';
import { countsOf } from './alarms.ts';
import { classSignals, nativeSignals } from './functions.ts';

/** A line of a graph: a metric or an expression, as a dashboard's body has it. */
type Line = readonly unknown[];

/**
 * Drift by signal, in σ/√φ: D = √(max(0, T−2)/ne) of the sums that the endpoint publishes, which is the size
 * that the monitor and `sls models drift` say, over √φ of whichever version was asked; that is what `effect`
 * is held against. Inputs that only the monitor sees are drawn by the largest of them, and classes by their
 * count. Rows without a value are taken for such that have not moved, as by the alarms. Nothing is drawn
 * where a point has too few rows to say anything.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
export function driftGraph(model: Model, facts: DriftFacts | undefined, host: Host): object | undefined {
  const { name, drift } = model;
  if (drift === undefined || facts === undefined) return undefined;
  const functionName = nameOf(model, host);
  const native = nativeSignals(facts);
  const inputs = native.filter(({ of }) => of === 'input');
  const outputs = native.filter(({ of }) => of === 'output');
  const metric = (metricName: string, how: object): Line => [
    OWN.namespace,
    metricName,
    OWN.model,
    functionName,
    how,
  ];
  const of = (id: string, metricName: string, stat: 'Sum' | 'SampleCount' = 'Sum'): Line =>
    metric(metricName, { id, stat, visible: false });
  const sizes = (
    signals: readonly DriftSignal[],
    side: DriftSignal['of'],
    prefix: string,
  ): readonly Line[] => {
    if (signals.length === 0) return [];
    const [n, r] = [`${prefix}_n`, `${prefix}_r`];
    return [
      ...countsOf(side).map(([id, name, stat]) => of(`${prefix}_${id}`, name, stat)),
      ...signals.flatMap(({ name: signal }, i): readonly Line[] => {
        const [a, b, x] = [`${prefix}a${i}`, `${prefix}b${i}`, `${prefix}x${i}`];
        return [
          of(a, `${DRIFT.score}${signal}_a`),
          of(b, `${DRIFT.score}${signal}_b`),
          // (T−2)/ne, ne = n²/(n+R²); a negative one has no root.
          [{ expression: `(${a}*${a}+${b}*${b}-2*(${n}+${r}*${r}))/(${n}*${n})`, id: x, visible: false }],
          // Divided by 0, a point is not drawn.
          [
            {
              expression: `(((${x}+ABS(${x}))/2)^0.5)/(${n}>=${LEAST_ROWS})`,
              id: `${prefix}d${i}`,
              label: signal,
            },
          ],
        ];
      }),
    ];
  };
  return {
    title: `${name}: drift by signal, σ/√φ`,
    region: host.region,
    view: 'timeSeries',
    period: drift.window,
    metrics: [
      ...sizes(inputs, 'input', 'i'),
      ...(facts.native
        ? []
        : [
            metric(DRIFT.max, { label: 'largest of the inputs, σ', stat: 'Maximum' }),
            metric(DRIFT.signals, { label: 'inputs that drifted', stat: 'Maximum', yAxis: 'right' }),
          ]),
      ...sizes(outputs, 'output', 'o'),
      ...(classSignals(facts).length === 0
        ? []
        : [
            metric(DRIFT.classes, {
              label: 'outputs whose classes drifted',
              stat: 'Maximum',
              yAxis: 'right',
            }),
          ]),
    ],
    yAxis: { left: { min: 0, showUnits: false }, right: { min: 0, showUnits: false } },
    annotations: { horizontal: [{ label: 'effect: less is no drift', value: drift.effect }] },
  };
}
