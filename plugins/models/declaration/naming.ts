/** Every id that we make up, in one place. */
import type { Architecture } from './model.ts';

/** The one alias that clients call. */
export const ALIAS = 'live';

/** Keys of our own functions in the service; no model may start with `models-`. */
export const CATALOG = 'models-catalog';
export const RELEASE = 'models-release';
export const DRIFT = 'models-drift';
/** What `sls models tune` makes and removes has this in its name. */
export const TUNE = 'models-tune';

/**
 * Logical id of the schedule that sweeps over all releases, and EventBridge Scheduler's name of it in the
 * stack's group.
 */
export const SWEEP = 'ModelsSweep';
export const sweepName = 'sweep';

/** The framework's handler string of every function of ours: `handler.mjs`, export `handler`. */
export const HANDLER = 'handler.handler';
export const RUNTIME = 'nodejs24.x';

/** A model's batch function: its key beside the model's, and its handler in the same zip. */
export const batchKey = (model: string): string => `${model}-batch`;
export const BATCH_HANDLER = 'batch.handler';

/** How the framework writes a function's key in logical ids: `churn-v2` → `ChurnDashv2`. */
export function normalized(key: string): string {
  const name = key.replaceAll('-', 'Dash').replaceAll('_', 'Underscore');
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/**
 * The same without case, which logical ids of routes lose, too: keys that differ in nothing else would
 * overwrite each other.
 */
export const folded = (key: string): string => normalized(key).toLowerCase();

/** The framework's logical id of the function `key`. */
export const functionLogicalId = (key: string): string => `${normalized(key)}LambdaFunction`;

/** The framework's logical id of that function's log group. */
export const logGroupLogicalId = (key: string): string => `${normalized(key)}LogGroup`;

export const roleLogicalId = (key: string): string => `${normalized(key)}ModelsRole`;

export const aliasLogicalId = (key: string): string => `${normalized(key)}LiveAlias`;

export const layerLogicalId = (architecture: Architecture): string =>
  `ModelsOnnxruntime${architecture === 'arm64' ? 'Arm64' : 'X8664'}LambdaLayer`;

/** Logical id of the topic that alarms and notices go to, and SNS's name of it. */
export const ALERTS = 'ModelsAlerts';
export const alertsTopic = (service: string, stage: string): string => `${service}-${stage}-models-alerts`;

/**
 * CloudWatch's name of the dashboard. Dashboards are of an account, not of a region, and the service may be
 * deployed to several:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudwatch-dashboard.html
 */
export const dashboardName = (service: string, stage: string, region: string): string =>
  `${service}-${stage}-models-${region}`;

/** Logical id of the dashboard. */
export const DASHBOARD = 'ModelsDashboard';

/** Logical ids of what a model's batch function has around it: `Queue`, `Machine`. */
export const batchLogicalId = (model: string, what: string): string =>
  `${normalized(batchKey(model))}${what}`;

/** Logical id of what belongs to a bucket: names of buckets have small letters, digits, dashes and dots. */
export const bucketLogicalId = (bucket: string, what: string): string =>
  `Models${normalized(bucket).replaceAll('.', 'Dot')}${what}`;

/** CloudWatch's name of an alarm. */
export const alarmName = (functionName: string, suffix: string): string => `${functionName}-${suffix}`;

export const alarmLogicalId = (key: string, suffix: string): string =>
  `${normalized(key)}${normalized(suffix)}Alarm`;

/** The framework's stage of the HTTP API, and the log group of its accesses. */
export const HTTP_STAGE = 'HttpApiStage';
export const HTTP_LOG = 'HttpApiLogGroup';

/**
 * The framework's logical id of a route, for example `POST /v2/models/churn/infer`: case and most signs are
 * lost in it.
 */
export function routeLogicalId(routeKey: string): string {
  const parts = routeKey.split('/').map((part) => {
    const plain = part
      .toLowerCase()
      .replaceAll('-', 'Dash')
      .replace(/\{(.*)\}/g, '$1Var')
      .replace(/[^0-9A-Za-z]/g, '');
    return plain.charAt(0).toUpperCase() + plain.slice(1);
  });
  return `HttpApiRoute${parts.join('')}`;
}

/** Lambda's name of the function `key`, as the framework makes it. */
export const lambdaName = (service: string, stage: string, key: string): string =>
  `${service}-${stage}-${key}`;
