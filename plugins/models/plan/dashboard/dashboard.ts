import { isObject } from '../../../../core/json/is-object.ts';
import { staged } from '../../../../core/release/command/text.ts';
import type { Resource } from '../../contracts/cloudformation.ts';
import type { Compiled, Feature, Fold, Known } from '../../contracts/feature.ts';
import type { Host } from '../../contracts/host.ts';
import { nameOf } from '../../contracts/host.ts';
import type { Model } from '../../declaration/model.ts';
import { ALIAS, DASHBOARD, dashboardName } from '../../declaration/naming.ts';
import { DOLLAR } from './lines.ts';

/**
 * One dashboard a service, a band of graphs a model: what it is asked, how fast each version answers, which
 * version answers, how many instances that takes, and how far its data drifted.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
export function dashboardOf(models: readonly Model[], host: Host, fold: Fold, known: Known): Resource {
  const bands = models.map((model) => bandOf(model, host, fold, known));
  const widgets: object[] = [];
  let top = 0;
  for (const { height, widgets: band } of bands) {
    widgets.push(...band.map((widget) => ({ ...widget, y: top + widget.y })));
    top += height;
  }
  return {
    Type: 'AWS::CloudWatch::Dashboard',
    Properties: {
      DashboardName: nameIn(host),
      // Alarms go by ARN, in which the account is.
      DashboardBody: { 'Fn::Sub': [JSON.stringify({ periodOverride: 'inherit', widgets }), DOLLAR] },
    },
  };
}

const nameIn = ({ service, stage, region }: Host): string => dashboardName(service, stage, region);

/**
 * A dashboard that was named without its region keeps that name: by another one it would be another
 * dashboard, whose address nobody has, and which the policy of who deploys may not name.
 *
 * @param resources of the template that is about to be deployed
 * @param deployed resources of the deployed one
 */
export function keptDashboard(resources: Compiled, deployed: Compiled, { service, stage }: Host): Compiled {
  const [next, last] = [resources, deployed].map((one) => one[DASHBOARD]?.Properties);
  const earlier = `${service}-${stage}-models`;
  if (!isObject(next) || !isObject(last) || last.DashboardName !== earlier) return {};
  return { [DASHBOARD]: { ...resources[DASHBOARD], Properties: { ...next, DashboardName: earlier } } };
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

/** A third of the 24 columns that a dashboard has. */
const THIRD = 8;
const GRAPH_HEIGHT = 6;
const TEXT_HEIGHT = 2;
const ALARM_HEIGHT = 3;

function bandOf(
  model: Model,
  host: Host,
  fold: Fold,
  known: Known,
): { readonly height: number; readonly widgets: readonly Widget[] } {
  const functionName = nameOf(model, host);
  const graphs = fold.graphs(model);
  const asks = known.get(model.name)?.drift !== undefined;
  const ask = asks ? `, \`sls models drift --model ${model.name}\`` : '';
  // Whoever looks at it may be in any folder.
  const commands = staged(`\`sls models status\`${ask}`, host.stage, host.region);
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
        properties: { markdown: `## ${model.name} (${functionName}:${ALIAS})\n${commands}` },
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
          alarms: fold
            .alarms(model)
            .map(
              ({ name }) =>
                `arn:\${AWS::Partition}:cloudwatch:\${AWS::Region}:\${AWS::AccountId}:alarm:${name}`,
            ),
        },
      },
    ],
  };
}

export const dashboardFeature: Feature = {
  name: 'dashboard',
  resources: ({ models, host, options }, endpoints, fold) =>
    options.dashboard
      ? {
          [DASHBOARD]: dashboardOf(
            models,
            host,
            fold,
            new Map(endpoints.map(({ model, facts }) => [model.name, facts])),
          ),
        }
      : {},
  claims: ({ host }) => [{ what: 'dashboard', name: nameIn(host), resources: [DASHBOARD] }],
};
