import type { Resource } from '../../contracts/cloudformation.ts';
import type { ExportGiven } from '../shared/given.ts';
import { alarmPrefix, variantDimensions } from './names.ts';

/** Percent of a minute’s requests, as on Lambda. */
const ERRORS = 1;

type ExportedAlarm = {
  readonly logicalId: string;
  /** Seconds from the first bad request until it goes off. */
  readonly window: number;
  readonly resource: Resource;
};

/** The alarms that take a deployment back: those of an endpoint on Lambda, by SageMaker’s numbers. */
export function endpointAlarms(given: ExportGiven): readonly ExportedAlarm[] {
  const { latency } = given.model;
  return [errors(given), ...(latency === undefined ? [] : [slowness(given, latency.p95)])];
}

/** https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html */
function errors(given: ExportGiven): ExportedAlarm {
  const sum = (Id: string, MetricName: string) => ({
    Id,
    ReturnData: false,
    MetricStat: {
      Metric: { Namespace: 'AWS/SageMaker', MetricName, Dimensions: variantDimensions(given) },
      Period: 60,
      Stat: 'Sum',
    },
  });
  return {
    logicalId: 'ErrorsAlarm',
    window: 300,
    resource: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: `${alarmPrefix(given)}errors`,
        AlarmDescription: `The model fails at requests: more than ${ERRORS} % of a minute's, in 3 of 5 minutes. Read the endpoint's log for what fails.`,
        Metrics: [
          { Id: 'share', Expression: '100 * FILL(errors, 0) / requests', ReturnData: true },
          sum('errors', 'Invocation5XXErrors'),
          sum('requests', 'Invocations'),
        ],
        ComparisonOperator: 'GreaterThanThreshold',
        Threshold: ERRORS,
        EvaluationPeriods: 5,
        DatapointsToAlarm: 3,
        TreatMissingData: 'notBreaching',
        AlarmActions: TOPIC,
        OKActions: TOPIC,
      },
    },
  };
}

/** @param p95 milliseconds; `ModelLatency` is in microseconds */
function slowness(given: ExportGiven, p95: number): ExportedAlarm {
  return {
    logicalId: 'LatencyAlarm',
    window: 900,
    resource: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: `${alarmPrefix(given)}latency`,
        AlarmDescription: `The model misses its latency objective: of five minutes more than 5 % take longer than ${p95} ms, in 2 of 3. Look for larger inputs, then for memory.`,
        Namespace: 'AWS/SageMaker',
        MetricName: 'ModelLatency',
        Dimensions: variantDimensions(given),
        Unit: 'Microseconds',
        ExtendedStatistic: 'p95',
        EvaluateLowSampleCountPercentile: 'ignore',
        ComparisonOperator: 'GreaterThanThreshold',
        Threshold: p95 * 1000,
        Period: 300,
        EvaluationPeriods: 3,
        DatapointsToAlarm: 2,
        TreatMissingData: 'notBreaching',
        AlarmActions: TOPIC,
        OKActions: TOPIC,
      },
    },
  };
}

const TOPIC = [{ 'Fn::If': ['IsTold', { Ref: 'AlertsTopic' }, { Ref: 'AWS::NoValue' }] }];
