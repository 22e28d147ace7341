import { METRICS as OWN } from '../../../../core/metrics/contract.ts';
import type { Json } from '../../contracts/cloudformation.ts';

/** What the alarms of drift ask CloudWatch for. */

export const math = (id: string, expression: string, shown = false): Json => ({
  Id: id,
  Expression: expression,
  Label: id,
  ReturnData: shown,
});

export const stat = (
  id: string,
  functionName: string,
  name: string,
  period: number,
  statistic: 'Sum' | 'SampleCount' | 'Maximum',
  shown = false,
): Json => ({
  Id: id,
  MetricStat: {
    Metric: {
      Namespace: OWN.namespace,
      MetricName: name,
      Dimensions: [{ Name: OWN.model, Value: functionName }],
    },
    Period: period,
    Stat: statistic,
  },
  ReturnData: shown,
});

/** A run that ends before it can count its failure, for want of time or memory, is counted by Lambda. */
export const killedRuns = (monitor: string): Json => ({
  Id: 'killed',
  MetricStat: {
    Metric: {
      Namespace: 'AWS/Lambda',
      MetricName: 'Errors',
      Dimensions: [{ Name: 'FunctionName', Value: monitor }],
    },
    Period: 3600,
    Stat: 'Sum',
  },
  ReturnData: false,
});
