import { DRIFT_METRICS as DRIFT, LEAST_ROWS } from '../../../../core/drift/contract.ts';
import { normalQuantile } from '../../../../core/drift/statistics/normal.ts';
import { staged } from '../../../../core/release/command/text.ts';
import { ALARMS } from '../../../../core/release/document/worker-contract.ts';
import { plainText } from '../../../../core/text/plain.ts';
import type { Alarm } from '../../contracts/alarm.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import { nameOf } from '../../contracts/host.ts';
import { written } from '../../declaration/keys/units.ts';
import type { Drift, DriftFacts, DriftSignal, Model } from '../../declaration/model.ts';
import { alarmLogicalId, alarmName, DRIFT as DRIFT_FUNCTION, lambdaName } from '../../declaration/naming.ts';
import { alphaOf } from './budget.ts';
import { classSignals, nativeBudget, nativeSignals, seenByScores } from './functions.ts';
import { killedRuns, math, stat } from './queries.ts';

/**
 * Alarms of drift. They tell people; nothing is rolled back by them, since the version before would see the
 * same inputs. The statistic and its threshold: docs/drift.md. Two windows by the clock in a row must be
 * beyond it.
 */

/** Windows in a row. */
const WINDOWS = 2;

/** @param actions ARNs of topics */
export function driftAlarms(
  model: Model,
  facts: DriftFacts,
  host: Host,
  actions: readonly unknown[] = [],
): readonly Alarm[] {
  const { drift } = model;
  if (drift === undefined) return [];
  const functionName = nameOf(model, host);
  const native = nativeSignals(facts);
  const inputs = (facts.native ? native : facts.signals).filter((signal) => signal.of === 'input');
  const outputs = native.filter((signal) => signal.of === 'output');
  const classes = classSignals(facts);
  const differ = (what: string, signals: readonly DriftSignal[], seen = seenByScores(signals)): string =>
    `${what} (${ending(drift.baseline)}) by more than ${drift.effect} σ, in ${WINDOWS} windows of ${written(drift.window)} in a row. Watched: ${seen.length === 0 ? 'none, since each has one value only in the reference' : shortened(seen.map(({ label }) => label))}. Nothing is rolled back. \`sls models drift --model ${model.name}\` shows which, and how.`;
  const alarm = (
    suffix: 'drift' | 'outputs' | 'classes' | 'monitor',
    about: string,
    watch: Definition,
  ): Alarm => {
    const name = alarmName(functionName, ALARMS[suffix]);
    return {
      name,
      logicalId: alarmLogicalId(model.name, suffix),
      metrics: watch.Metrics.filter((one) => 'MetricStat' in one).length,
      resource: {
        Type: 'AWS::CloudWatch::Alarm',
        Properties: {
          AlarmName: name,
          AlarmDescription: described(
            staged(`${about} (${host.service}-${host.stage})`, host.stage, host.region),
          ),
          AlarmActions: actions,
          ComparisonOperator: 'GreaterThanThreshold',
          Threshold: 0,
          // No requests, no points: that is no drift.
          TreatMissingData: 'notBreaching',
          ...watch,
        },
      },
    };
  };
  return [
    ...(inputs.length === 0
      ? []
      : [
          alarm(
            'drift',
            differ(
              'The inputs differ from the reference data',
              inputs,
              facts.native ? seenByScores(inputs) : inputs,
            ),
            facts.native
              ? mathAlarm({ ...model, drift }, facts, inputs, functionName)
              : counted(DRIFT.signals, functionName, drift.window),
          ),
        ]),
    ...(outputs.length === 0
      ? []
      : [
          alarm(
            'outputs',
            differ('The answers differ from those to the reference data', outputs),
            mathAlarm({ ...model, drift }, facts, outputs, functionName),
          ),
        ]),
    ...(classes.length === 0
      ? []
      : [
          alarm(
            'classes',
            differ('The shares of the classes differ from those of the reference data', classes),
            counted(DRIFT.classes, functionName, drift.window),
          ),
        ]),
    alarm(
      'monitor',
      `The monitor of drift failed, or could not read log, baseline or registry, or not tell of drift, in ${UNREADABLE} runs in an hour. See \`sls logs -f ${DRIFT_FUNCTION}\`; windows that it missed are judged once it can.`,
      {
        Metrics: [
          stat('unreadable', functionName, DRIFT.unreadable, 3600, 'Sum'),
          killedRuns(lambdaName(host.service, host.stage, DRIFT_FUNCTION)),
          math('watched', 'FILL(unreadable,0)+FILL(killed,0)', true),
        ],
        Threshold: UNREADABLE - 1,
        EvaluationPeriods: 1,
        DatapointsToAlarm: 1,
      },
    ),
  ];
}

/** Runs of the monitor in an hour that fail. */
const UNREADABLE = 3;

/**
 * What the monitor counts is of two windows already. It comes some minutes after a window's end, so the alarm
 * looks back over two of its points and stays on while either counts.
 */
const counted = (
  metric: typeof DRIFT.signals | typeof DRIFT.classes,
  functionName: string,
  period: number,
): Definition => ({
  Metrics: [stat('watched', functionName, metric, period, 'Maximum', true)],
  EvaluationPeriods: 2,
  DatapointsToAlarm: 1,
});

/** What the alarms' constants follow from. */
type Declared = Pick<Model, 'traffic'> & { readonly drift: Drift };

type Definition = {
  readonly Metrics: readonly Json[];
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly EvaluationWindow?: Json;
  readonly Threshold?: number;
};

/**
 * How many signals' statistics are beyond their threshold. Its numbers follow from what is declared alone.
 * All that is of a reference is in the metrics (`METRICS.score`), since the live version need not be the
 * declared one, nor the only one:
 *
 *   v  the variance of a sum, at most: n, and R² by the references' own error. With one version, n²/v is
 *   n·m/(n+m) and R²/v n/(n+m);
 *      with several it is no less than theirs together, however much their references have in common
 *   g  −2 ln α, for what two windows share
 *
 * @param signals of one side. What a version does not publish has not moved: the others are watched all the
 * same
 */
function mathAlarm(
  model: Declared,
  facts: DriftFacts,
  signals: readonly DriftSignal[],
  functionName: string,
): Definition {
  const { window: period, effect } = model.drift;
  const alpha = alphaOf(nativeBudget(model, facts));
  const limit = constant(-2 * Math.log(alpha));
  const z = constant(-normalQuantile(alpha));
  const squared = effect * effect;
  const statistics = signals.map((_, i) => `(FILL(a${i},0)^2+FILL(b${i},0)^2>c*v)`);
  return {
    Metrics: [
      ...countsOf(signals[0]?.of ?? 'input').map(([id, name, statistic]) =>
        stat(id, functionName, name, period, statistic),
      ),
      ...signals.flatMap(({ name }, i) => [
        stat(`a${i}`, functionName, `${DRIFT.score}${name}_a`, period, 'Sum'),
        stat(`b${i}`, functionName, `${DRIFT.score}${name}_b`, period, 'Sum'),
      ]),
      math('v', 'n+r*r'),
      math('e', 'n*n/v'),
      math('f', `2+${constant(squared)}*e+${z}*(4+${constant(4 * squared)}*e)^0.5`),
      math('g', `${limit}*(1+r*r/v)`),
      math('c', 'IF(f>g,f,g)'),
      math('watched', `IF(n>=${LEAST_ROWS},${statistics.join('+')},0)`, true),
    ],
    EvaluationPeriods: WINDOWS,
    DatapointsToAlarm: WINDOWS,
    // A window that slides would test the same rows again and again.
    EvaluationWindow: { WallClockWindow: { Timezone: 'UTC' } },
  };
}

/** What the sums of a side are over, n, and what their references' own error adds, R. */
export const countsOf = (
  of: DriftSignal['of'],
): readonly (readonly [id: 'n' | 'r', name: string, statistic: 'Sum' | 'SampleCount'])[] =>
  of === 'input'
    ? [
        ['n', DRIFT.rows, 'Sum'],
        ['r', DRIFT.rowsNoise, 'Sum'],
      ]
    : [
        ['n', DRIFT.answers, 'SampleCount'],
        ['r', DRIFT.answers, 'Sum'],
      ];

/**
 * Ten digits: more than any statistic deserves, and the same text on every machine. Without an exponent, of
 * which metric math says nothing:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
function constant(value: number): string {
  const text = String(Number(value.toPrecision(10)));
  return text.includes('e') ? value.toFixed(20).replace(/\.?0+$/, '') : text;
}

/**
 * Characters of a description:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
const LONGEST = 1024;
const LONGEST_PLACE = 160;

const described = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** The end of a path says more than its beginning. */
const ending = (place: string): string =>
  place.length > LONGEST_PLACE ? `…${place.slice(1 - LONGEST_PLACE)}` : place;

/** Names for a description. Whoever wrote the reference may have written anything into them. */
function shortened(labels: readonly string[]): string {
  const shown = labels
    .slice(0, 8)
    .map(plainText)
    .map((label) => (label.length > 40 ? `${label.slice(0, 39)}…` : label));
  return labels.length > shown.length
    ? `${shown.join(', ')} and ${labels.length - shown.length} more`
    : shown.join(', ');
}
