import { METRICS as OWN } from '../../../../core/metrics/contract.ts';
import type { Host } from '../../contracts/host.ts';
import type { Model } from '../../declaration/model.ts';
import { ALIAS } from '../../declaration/naming.ts';

/** What graphs of several features are drawn with. */

export type Graph = (model: Model, functionName: string, host: Host) => object;

/** Seconds of a point; CloudWatch takes longer ones where the span asks for it. */
export const PERIOD = 60;

/** CloudWatch's own: they read in its light and in its dark theme. */
export const RED = '#d62728';
export const ORANGE = '#ff7f0e';
export const GREEN = '#2ca02c';
export const BLUE = '#1f77b4';
export const GREY = '#7f7f7f';

/** What the dashboard's Fn::Sub makes of `${D}`. */
export const DOLLAR = { D: '$' };

/**
 * A series' own dimension in its label. Its dollar sign comes from a variable: `${!PROP(…)}`, Fn::Sub's own
 * escape, is read as a reference by emulators.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html
 */
export const dimensionIn = (dimension: string): string => `\${D}{PROP('Dim.${dimension}')}`;

type Line = readonly unknown[];

export const ownLine = (functionName: string, name: string, how: object): Line => [
  OWN.namespace,
  name,
  OWN.model,
  functionName,
  how,
];

export const aliasLine = (functionName: string, name: string, how: object): Line => [
  'AWS/Lambda',
  name,
  'FunctionName',
  functionName,
  'Resource',
  `${functionName}:${ALIAS}`,
  how,
];

export const functionLine = (functionName: string, name: string, how: object): Line => [
  'AWS/Lambda',
  name,
  'FunctionName',
  functionName,
  how,
];
