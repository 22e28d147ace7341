import { METRICS as OWN } from '../../../../core/metrics/contract.ts';
import type { Metric } from '../../contracts/alarm.ts';
import { ALIAS } from '../../declaration/naming.ts';

/** Metrics that alarms of several features watch. */

/**
 * What the alias was asked, whichever version answered:
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
 */
export const ofAlias = (functionName: string, name: string): Metric => ({
  namespace: 'AWS/Lambda',
  name,
  dimensions: { FunctionName: functionName, Resource: `${functionName}:${ALIAS}` },
  stat: 'Sum',
});

/**
 * A metric of the function: provisioned concurrency is on versions, and the template does not know which one
 * is live.
 */
export const ofFunction = (functionName: string, name: string, stat: Metric['stat']): Metric => ({
  namespace: 'AWS/Lambda',
  name,
  dimensions: { FunctionName: functionName },
  stat,
});

/** Counted by the model itself, and by the worker for it. */
export const ownMetric = (functionName: string, name: string): Metric => ({
  namespace: OWN.namespace,
  name,
  dimensions: { [OWN.model]: functionName },
  stat: 'Sum',
});
