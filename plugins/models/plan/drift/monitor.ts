import { MONITOR_EVERY, MONITOR_TIMEOUT, type Watched } from '../../../../core/drift/contract.ts';
import { WORKER_ENV } from '../../../../core/release/document/worker-contract.ts';
import { allow, arn, type Resource, type Statement } from '../../contracts/cloudformation.ts';
import { type FunctionDefinition, type Host, nameOf, providerRole } from '../../contracts/host.ts';
import type { Facts, Model, ServiceOptions } from '../../declaration/model.ts';
import { DRIFT, HANDLER, lambdaName, RUNTIME, roleLogicalId } from '../../declaration/naming.ts';
import type { Problem } from '../../problems/errors.ts';
import { batchName } from '../batch/functions.ts';
import { logGroupOf } from '../iam/permissions.ts';
import { roleOf, statementsOf } from '../iam/role.ts';
import { bucketArn, objects } from '../iam/s3-arns.ts';
import {
  bucketOf,
  encryptionEnvironment,
  FILES_PREFIX,
  registryKeyStatements,
  scopeOf,
} from '../shared/registry-place.ts';
import { noticeStatements, noticesTopic } from '../watch/alerts.ts';
import { monitorRate } from './functions.ts';

/**
 * The monitor of drift: counts the endpoints' lines of each window, keeps what it finds in the registry,
 * publishes what alarms read, and tells the alerts topic which columns drifted. One a service, where any
 * model declares `drift`.
 */

/**
 * Lines are counted as they are read, so memory does not follow traffic; with half a vCPU a busy day takes
 * minutes.
 */
const SETTINGS = { memorySize: 1024, timeout: MONITOR_TIMEOUT } as const;

/** A window is looked at within five minutes of its end, and again until it is recorded. */
const RATE = `rate(${MONITOR_EVERY / 60} minutes)`;

export const drifting = (models: readonly Model[]): readonly (Model & Required<Pick<Model, 'drift'>>)[] =>
  models.filter((model): model is Model & Required<Pick<Model, 'drift'>> => model.drift !== undefined);

/** Undefined where no model declares `drift`. */
export function monitorFunction(
  models: readonly Model[],
  host: Host,
  options: ServiceOptions,
  zip?: string,
): FunctionDefinition | undefined {
  if (drifting(models).length === 0) return undefined;
  return {
    name: lambdaName(host.service, host.stage, DRIFT),
    handler: HANDLER,
    runtime: RUNTIME,
    ...SETTINGS,
    versionFunction: false,
    events: [{ schedule: RATE }],
    // It calls AWS only; a VPC or other people's layers would get in its way.
    ...(host.provider.vpc !== undefined && { vpc: false }),
    ...(host.provider.layers !== undefined && { layers: [] }),
    ...(providerRole(host.provider) === undefined && { role: roleLogicalId(DRIFT) }),
    environment: {
      [WORKER_ENV.bucket]: bucketOf(host, options),
      [WORKER_ENV.scope]: scopeOf(host),
      [WORKER_ENV.files]: FILES_PREFIX,
      [WORKER_ENV.topic]: noticesTopic(options, host),
      ...encryptionEnvironment(host, options),
    },
    ...(zip !== undefined && { package: { individually: true, artifact: zip } }),
  };
}

/** Log groups of its endpoint and of its batch function. */
const groupsOf = (model: Model, host: Host): readonly string[] =>
  [nameOf(model, host), ...(model.batch === undefined ? [] : [batchName(model, host)])].map((name) =>
    logGroupOf(model.function, host.provider, name),
  );

/**
 * A line says of which baseline it is, not of which model: in a log of two models the busier one would be
 * judged for both.
 */
export function monitorProblems(models: readonly Model[], host: Host): readonly Problem[] {
  const first = new Map<string, Model>();
  return drifting(models).flatMap((model): Problem[] => {
    const groups = groupsOf(model, host);
    const taken = groups.find((group) => first.has(group));
    for (const group of groups) if (!first.has(group)) first.set(group, model);
    if (taken === undefined) return [];
    return [
      {
        code: 'MODELS_INVALID_VALUE',
        key: `models.${model.name}.drift`,
        value: model.drift.baseline,
        message: `is for rows of one model, but its log goes to ${taken}, as models.${first.get(taken)?.name}’s does, and both have \`drift\`.`,
        fix: 'Give one of them a log group of its own with `function.logs.logGroup`, or leave `drift` out of it.',
      },
    ];
  });
}

/**
 * What the monitor's role must allow: these endpoints' logs, baselines by content, its own documents, and
 * notices.
 */
export function monitorStatements(
  models: readonly Model[],
  host: Host,
  options: ServiceOptions,
): readonly Statement[] {
  const bucket = bucketOf(host, options);
  const groups = drifting(models).flatMap((model) => groupsOf(model, host));
  return statementsOf(
    monitorFunction(models, host, options) ?? {},
    lambdaName(host.service, host.stage, DRIFT),
    host,
    [
      // With `:*`, as for all calls but those for tags:
      // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
      allow(
        ['logs:FilterLogEvents'],
        [...new Set(groups)].map((group) => arn('logs', `log-group:${group}:*`)),
      ),
      allow(['s3:GetObject'], [objects(bucket, FILES_PREFIX)]),
      allow(['s3:GetObject', 's3:PutObject'], [objects(bucket, scopeOf(host, 'drift/'))]),
      ...registryKeyStatements(host, options, ['kms:Decrypt', 'kms:GenerateDataKey']),
      // Only with it S3 tells a missing document from a forbidden one.
      allow(['s3:ListBucket'], [bucketArn(bucket)]),
      ...noticeStatements(options, host),
    ],
  );
}

export const monitorRole = (models: readonly Model[], host: Host, options: ServiceOptions): Resource =>
  roleOf({}, host, monitorStatements(models, host, options));

/** What the monitor watches: built into it when packaged. */
export function monitorManifest(
  models: readonly Model[],
  host: Host,
  facts: ReadonlyMap<string, Pick<Facts, 'drift'>>,
): readonly Watched[] {
  return drifting(models).flatMap((model): Watched[] => {
    const found = facts.get(model.name)?.drift;
    if (found === undefined) return [];
    const { drift } = model;
    return [
      {
        model: model.name,
        functionName: nameOf(model, host),
        logGroup: logGroupOf(model.function, host.provider, nameOf(model, host)),
        ...(model.batch !== undefined && {
          batchLogGroup: logGroupOf(model.function, host.provider, batchName(model, host)),
        }),
        window: drift.window,
        q: monitorRate(model, found),
        effect: drift.effect,
      },
    ];
  });
}
