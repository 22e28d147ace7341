import { METRICS as DRIFT } from '../../../functions/drift/contract.ts';
import { METRICS as OWN } from '../../../functions/infer/contract.ts';
import type { DriftFacts, DriftSignal, Model } from '../model.ts';
import { classSignals, nativeSignals } from './drift.ts';
import { constant } from './drift-alarms.ts';
import { LEAST_ROWS } from './drift-budget.ts';
import { nameOf } from './endpoint.ts';
import type { Host } from './host.ts';

/** A line of a graph: a metric or an expression, as a dashboard's body has it. */
type Line = readonly unknown[];

/**
 * Drift by signal, in σ: D = √(max(0, T−2φ)/ne) of the sums that the endpoint publishes, as the monitor and `sls models drift` say it;
 * of inputs that only the monitor sees, its largest, and of classes its count. Rows without a value are taken for such that have not moved, as by the alarms. Nothing is drawn where a point has too
 * few rows to say anything.
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
  const sum = (id: string, metricName: string): Line =>
    metric(metricName, { id, stat: 'Sum', visible: false });
  const sizes = (signals: readonly DriftSignal[], rows: string, prefix: string): readonly Line[] =>
    signals.flatMap(({ name: signal, phi, m }, i) => {
      const [a, b, x] = [`${prefix}a${i}`, `${prefix}b${i}`, `${prefix}x${i}`];
      const e = `(${rows}*${m}/(${rows}+${m}))`;
      return [
        sum(a, `${DRIFT.score}${signal}_a`),
        sum(b, `${DRIFT.score}${signal}_b`),
        // (T−2φ)/ne; of a negative one there is no root.
        [
          {
            expression: `(${a}*${a}+${b}*${b})/(${rows}*${rows})-${constant(2 * phi)}/${e}`,
            id: x,
            visible: false,
          },
        ],
        // Divided by 0, a point is not drawn.
        [
          {
            expression: `(((${x}+ABS(${x}))/2)^0.5)/(${rows}>=${LEAST_ROWS})`,
            id: `${prefix}d${i}`,
            label: signal,
          },
        ],
      ];
    });
  return {
    title: `${name}: drift by signal, σ`,
    region: host.region,
    view: 'timeSeries',
    period: drift.window,
    metrics: [
      ...(inputs.length === 0 ? [] : [sum('rows', DRIFT.rows), ...sizes(inputs, 'rows', 'i')]),
      ...(facts.native
        ? []
        : [
            metric(DRIFT.max, { label: 'largest of the inputs', stat: 'Maximum' }),
            metric(DRIFT.signals, { label: 'inputs that drifted', stat: 'Maximum', yAxis: 'right' }),
          ]),
      ...(outputs.length === 0 ? [] : [sum('scored', DRIFT.scored), ...sizes(outputs, 'scored', 'o')]),
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
