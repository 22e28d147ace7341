import { staged, withOption } from '../../../../core/release/command/text.ts';
import { ALARMS } from '../../../../core/release/document/worker-contract.ts';
import type { Alarm, AlarmKind, Metric, Watch } from '../../contracts/alarm.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import { nameOf } from '../../contracts/host.ts';
import type { Model } from '../../declaration/model.ts';
import { alarmLogicalId, alarmName } from '../../declaration/naming.ts';

/** An alarm of each kind that the model has something for. @param actions ARNs of topics */
export function alarmsOfKinds(
  kinds: readonly AlarmKind[],
  model: Model,
  host: Host,
  actions: readonly unknown[] = [],
): readonly Alarm[] {
  const functionName = nameOf(model, host);
  return kinds.flatMap((kind) => {
    const watch = kind.watch(model, functionName);
    if (watch === undefined) return [];
    const name = alarmName(functionName, ALARMS[kind.suffix]);
    return [
      {
        kind,
        name,
        logicalId: alarmLogicalId(model.name, kind.suffix),
        metrics: Object.keys(watch.metrics).length,
        resource: {
          Type: 'AWS::CloudWatch::Alarm',
          ...(watch.lives !== undefined && { DependsOn: watch.lives.from }),
          Properties: {
            AlarmName: name,
            AlarmDescription: staged(
              `${kind.what}: ${kind.when(model.latency?.p95 ?? '', watch.of)}. ${advised(kind, model)} (${model.name}, ${host.service}-${host.stage})`,
              host.stage,
              host.region,
            ),
            AlarmActions: actions,
            ...watched(watch),
            ComparisonOperator: 'GreaterThanThreshold',
            Threshold: watch.above,
            EvaluationPeriods: watch.of,
            DatapointsToAlarm: watch.periods,
            // No requests, no points: that is no fault.
            TreatMissingData: watch.lives === undefined ? 'notBreaching' : 'breaching',
          },
        },
      },
    ];
  });
}

/** A service of several models is asked nothing without one. */
const advised = ({ advice, alone = advice }: AlarmKind, { name, release }: Model): string =>
  (release.dryRun || release.rollbackWindow === 0 ? alone : advice).replace(
    /`(sls models [^`]*)`/g,
    (_, command: string) => `\`${withOption(command, 'model', name)}\``,
  );

function watched({ metrics, expression, period }: Watch): Json {
  const entries = Object.entries(metrics);
  if (expression !== undefined) {
    return {
      Metrics: [
        ...entries.map(([id, metric]) => ({
          Id: id,
          MetricStat: {
            Metric: {
              Namespace: metric.namespace,
              MetricName: metric.name,
              Dimensions: dimensionsOf(metric),
            },
            Period: period,
            Stat: metric.stat,
          },
          ReturnData: false,
        })),
        { Id: 'watched', Expression: expression, Label: 'watched', ReturnData: true },
      ],
    };
  }
  const [metric] = Object.values(metrics);
  return metric === undefined
    ? {}
    : {
        Namespace: metric.namespace,
        MetricName: metric.name,
        Dimensions: dimensionsOf(metric),
        Statistic: metric.stat,
        Period: period,
      };
}

const dimensionsOf = ({ dimensions }: Metric) =>
  Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
