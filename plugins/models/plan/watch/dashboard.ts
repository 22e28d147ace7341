import { METRICS as BATCH } from '../../../../core/batch/contract.ts';
import { METRICS as OWN } from '../../../../core/metrics/contract.ts';
import { METRICS as WORKER } from '../../../../core/release/document/worker-contract.ts';
import type { Model } from '../../declaration/model.ts';
import { ALIAS, dashboardName } from '../../declaration/naming.ts';
import { nameOf } from '../../targets/lambda-zip/endpoint.ts';
import type { Resource } from '../cloudformation.ts';
import { driftGraph } from '../drift/graph.ts';
import type { Host } from '../host.ts';
import { allAlarms, type KnownFacts } from './alerts.ts';

/**
 * One dashboard a service, a band of graphs a model: what it is asked, how fast each version answers, which version answers, how
 * many instances that takes, and how far its data drifted. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
export function dashboardOf(models: readonly Model[], host: Host, facts: KnownFacts = new Map()): Resource {
  const bands = models.map((model) => bandOf(model, host, facts));
  const widgets: object[] = [];
  let top = 0;
  for (const { height, widgets: band } of bands) {
    widgets.push(...band.map((widget) => ({ ...widget, y: top + widget.y })));
    top += height;
  }
  return {
    Type: 'AWS::CloudWatch::Dashboard',
    Properties: {
      DashboardName: dashboardName(host.service, host.stage),
      // Alarms go by ARN, in which the account is.
      DashboardBody: { 'Fn::Sub': JSON.stringify({ periodOverride: 'inherit', widgets }) },
    },
  };
}

type Widget = {
  readonly type: 'text' | 'metric' | 'alarm';
  readonly x: number;
  /** From the top of the band. */
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: object;
};

/** Of 24 columns. */
const THIRD = 8;
const GRAPH_HEIGHT = 6;
const TEXT_HEIGHT = 1;
const ALARM_HEIGHT = 3;

/** Seconds of a point; CloudWatch takes longer ones where the span asks for it. */
const PERIOD = 60;

function bandOf(
  model: Model,
  host: Host,
  facts: KnownFacts,
): { readonly height: number; readonly widgets: readonly Widget[] } {
  const functionName = nameOf(model, host);
  const drift = driftGraph(model, facts.get(model.name)?.drift, host);
  const graphs = [
    ...[requests, latency, versions, instances, ...(model.batch === undefined ? [] : [batch])].map((graph) =>
      graph(model, functionName, host),
    ),
    ...(drift === undefined ? [] : [drift]),
  ];
  const ask = drift === undefined ? '' : `, \`sls models drift --model ${model.name}\``;
  const rows = Math.ceil(graphs.length / 3);
  return {
    height: TEXT_HEIGHT + rows * GRAPH_HEIGHT + ALARM_HEIGHT,
    widgets: [
      {
        type: 'text',
        x: 0,
        y: 0,
        width: 24,
        height: TEXT_HEIGHT,
        properties: { markdown: `## ${model.name} (${functionName}:${ALIAS}), \`sls models status\`${ask}` },
      },
      ...graphs.map(
        (properties, index): Widget => ({
          type: 'metric',
          x: (index % 3) * THIRD,
          y: TEXT_HEIGHT + Math.floor(index / 3) * GRAPH_HEIGHT,
          width: THIRD,
          height: GRAPH_HEIGHT,
          properties,
        }),
      ),
      {
        type: 'alarm',
        x: 0,
        y: TEXT_HEIGHT + rows * GRAPH_HEIGHT,
        width: 24,
        height: ALARM_HEIGHT,
        properties: {
          title: `Alarms of ${model.name}`,
          alarms: allAlarms(model, host, facts).map(
            ({ name }) =>
              `arn:\${AWS::Partition}:cloudwatch:\${AWS::Region}:\${AWS::AccountId}:alarm:${name}`,
          ),
        },
      },
    ],
  };
}

type Graph = (model: Model, functionName: string, host: Host) => object;

const requests: Graph = ({ name }, functionName, { region }) => ({
  title: `${name}: requests`,
  region,
  view: 'timeSeries',
  period: PERIOD,
  stat: 'Sum',
  metrics: [
    own(functionName, OWN.requests, { label: 'answered' }),
    own(functionName, OWN.errors, { label: 'failed', color: RED }),
    own(functionName, OWN.rejected, { label: 'refused', color: GREY }),
    ofAlias(functionName, 'Errors', { label: 'crashed', color: RED }),
    ofAlias(functionName, 'Throttles', { label: 'throttled', color: ORANGE }),
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
 * The shares are the weights as they were; the marks are how releases ended. They are points of metrics: a dashboard's own vertical
 * annotations are at times that stand in its body, which a release would have to write, and the next deploy would write away.
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
    own(functionName, WORKER.promoted, {
      label: 'promoted',
      color: GREEN,
      yAxis: 'right',
      stat: 'Sum',
      period: PERIOD,
    }),
    own(functionName, WORKER.failed, {
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
    ofFunction(functionName, 'ConcurrentExecutions', { label: 'at once', stat: 'Maximum' }),
    own(functionName, OWN.coldStart, { label: 'cold starts', stat: 'Sum', color: BLUE }),
    ...(concurrency?.provisioned === undefined
      ? []
      : [
          ofFunction(functionName, 'ProvisionedConcurrentExecutions', {
            label: 'warm ones in use',
            stat: 'Maximum',
          }),
          ofFunction(functionName, 'ProvisionedConcurrencySpilloverInvocations', {
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

const batch: Graph = ({ name }, functionName, { region }) => ({
  title: `${name}: rows from S3`,
  region,
  view: 'timeSeries',
  period: PERIOD,
  stat: 'Sum',
  metrics: [
    own(`${functionName}-batch`, BATCH.rows, { label: 'rows' }),
    own(`${functionName}-batch`, BATCH.rowErrors, { label: 'of them faulty', color: ORANGE }),
    own(`${functionName}-batch`, BATCH.jobsDone, { label: 'objects done', color: GREEN, yAxis: 'right' }),
    own(`${functionName}-batch`, BATCH.jobsFailed, { label: 'objects failed', color: RED, yAxis: 'right' }),
  ],
  yAxis: { right: { min: 0, showUnits: false } },
});

/** CloudWatch's own: they read in its light and in its dark theme. */
const RED = '#d62728';
const ORANGE = '#ff7f0e';
const GREEN = '#2ca02c';
const BLUE = '#1f77b4';
const GREY = '#7f7f7f';

/** A series' own dimension in its label; the mark keeps Fn::Sub from reading it. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html */
const dimensionIn = (dimension: string): string => `\${!PROP('Dim.${dimension}')}`;

type Line = readonly unknown[];

const own = (functionName: string, name: string, how: object): Line => [
  OWN.namespace,
  name,
  OWN.model,
  functionName,
  how,
];

const ofAlias = (functionName: string, name: string, how: object): Line => [
  'AWS/Lambda',
  name,
  'FunctionName',
  functionName,
  'Resource',
  `${functionName}:${ALIAS}`,
  how,
];

const ofFunction = (functionName: string, name: string, how: object): Line => [
  'AWS/Lambda',
  name,
  'FunctionName',
  functionName,
  how,
];
