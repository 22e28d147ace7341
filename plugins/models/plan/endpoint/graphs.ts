import { METRICS as OWN } from '../../../../core/metrics/contract.ts';
import { WORKER_METRICS as WORKER } from '../../../../core/release/document/worker-contract.ts';
import { ALIAS } from '../../declaration/naming.ts';
import {
  aliasLine,
  BLUE,
  dimensionIn,
  functionLine,
  GREEN,
  GREY,
  type Graph,
  ORANGE,
  ownLine,
  PERIOD,
  RED,
} from '../dashboard/lines.ts';

const requests: Graph = ({ name }, functionName, { region }) => ({
  title: `${name}: requests`,
  region,
  view: 'timeSeries',
  period: PERIOD,
  stat: 'Sum',
  metrics: [
    ownLine(functionName, OWN.requests, { label: 'answered' }),
    ownLine(functionName, OWN.errors, { label: 'failed', color: RED }),
    ownLine(functionName, OWN.rejected, { label: 'refused', color: GREY }),
    aliasLine(functionName, 'Errors', { label: 'crashed', color: RED }),
    aliasLine(functionName, 'Throttles', { label: 'throttled', color: ORANGE }),
  ],
});

const latency: Graph = ({ name, latency: objective }, functionName, { region }) => ({
  title: `${name}: milliseconds in the handler, by version`,
  region,
  view: 'timeSeries',
  metrics: ['p50', 'p95', 'p99'].map((percentile) => [
    {
      expression: `SEARCH('{${OWN.namespace},${OWN.model},${OWN.version}} MetricName="${OWN.latency}" ${OWN.model}="${functionName}"', '${percentile}', ${PERIOD})`,
      id: percentile,
      label: `${percentile} of ${dimensionIn(OWN.version)}`,
    },
  ]),
  yAxis: { left: { min: 0, showUnits: false } },
  ...(objective && {
    annotations: { horizontal: [{ label: 'objective of p95', value: objective.p95, color: RED }] },
  }),
});

/**
 * The shares are the weights as they were; the marks are how releases ended. They are points of metrics: a
 * dashboard's own vertical annotations are at times that stand in its body, which a release would have to
 * write, and the next deploy would write away.
 */
const versions: Graph = ({ name }, functionName, { region }) => ({
  title: `${name}: which version answers, and how releases end`,
  region,
  view: 'timeSeries',
  stacked: true,
  metrics: [
    [
      {
        expression: `SEARCH('{AWS/Lambda,ExecutedVersion,FunctionName,Resource} MetricName="Invocations" FunctionName="${functionName}" Resource="${functionName}:${ALIAS}"', 'Sum', ${PERIOD})`,
        id: 'share',
        label: `version ${dimensionIn('ExecutedVersion')}`,
      },
    ],
    ownLine(functionName, WORKER.promoted, {
      label: 'promoted',
      color: GREEN,
      yAxis: 'right',
      stat: 'Sum',
      period: PERIOD,
    }),
    ownLine(functionName, WORKER.failed, {
      label: 'rolled back or failed',
      color: RED,
      yAxis: 'right',
      stat: 'Sum',
      period: PERIOD,
    }),
  ],
  yAxis: { right: { min: 0, max: 2, showUnits: false } },
});

const instances: Graph = ({ name, concurrency }, functionName, { region }) => ({
  title: `${name}: instances`,
  region,
  view: 'timeSeries',
  period: PERIOD,
  metrics: [
    functionLine(functionName, 'ConcurrentExecutions', { label: 'at once', stat: 'Maximum' }),
    ownLine(functionName, OWN.coldStart, { label: 'cold starts', stat: 'Sum', color: BLUE }),
    ...(concurrency?.provisioned === undefined
      ? []
      : [
          functionLine(functionName, 'ProvisionedConcurrentExecutions', {
            label: 'warm ones in use',
            stat: 'Maximum',
          }),
          functionLine(functionName, 'ProvisionedConcurrencySpilloverInvocations', {
            label: 'spilled over',
            stat: 'Sum',
            color: ORANGE,
          }),
        ]),
  ],
  ...(concurrency?.reserved !== undefined && {
    annotations: { horizontal: [{ label: 'reserved', value: concurrency.reserved, color: RED }] },
  }),
});

/**
 * What it is asked, how fast each version answers, which version answers, and how many instances that takes.
 */
export const ENDPOINT_GRAPHS: readonly Graph[] = [requests, latency, versions, instances];
