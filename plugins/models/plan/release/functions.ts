import { asciiJson } from '../../../../core/json/ascii.ts';
import { boundedOrigin } from '../../../../core/origin/origin.ts';
import {
  type AliasProperties,
  RESOURCE_TYPE,
  SERVICE_TIMEOUT,
  SWEEP_EVERY,
  type SweepEvent,
  WORKER_ENV,
  WORKER_TIMEOUT,
} from '../../../../core/release/document/worker-contract.ts';
import {
  allow,
  arn,
  getAtt,
  type Json,
  type Resource,
  type Statement,
} from '../../contracts/cloudformation.ts';
import type { Resources } from '../../contracts/feature.ts';
import { type FunctionDefinition, type Host, providerRole } from '../../contracts/host.ts';
import type { Endpoint, ReleaseInput } from '../../contracts/input.ts';
import {
  ALIAS,
  functionLogicalId,
  HANDLER,
  lambdaName,
  RELEASE,
  RUNTIME,
  roleLogicalId,
  SWEEP,
  sweepName,
} from '../../declaration/naming.ts';
import { targetOf } from '../../targets/targets.ts';
import { roleOf, statementsOf } from '../iam/role.ts';
import { versionImage } from '../image/version-image.ts';
import { bucketOf, encryptionEnvironment, FILES_PREFIX, scopeOf } from '../shared/registry-place.ts';
import { noticesTopic } from '../watch/alerts.ts';
import { mlflowEnvironment } from './mlflow.ts';
import { serviceTimeout, settingsOf } from './settings.ts';
import { workerStatements } from './worker-policy.ts';

export const GROUP = 'ModelsScheduleGroup';
export const SCHEDULE_ROLE = 'ModelsScheduleRole';

/**
 * Five minutes, since a gate's load must fit into one run. The time limit bounds how long a worker that lost
 * its release can still act.
 */
const SETTINGS = { memorySize: 512, timeout: WORKER_TIMEOUT } as const;

/** Lambda’s name of the release worker. */
export const workerName = (host: Host): string => lambdaName(host.service, host.stage, RELEASE);

/** The release worker, as the framework reads functions. */
export function releaseFunctions({
  models,
  host,
  options,
  zips,
}: ReleaseInput): Readonly<Record<string, FunctionDefinition>> {
  if (models.length === 0) return {};
  const zip = zips.get(RELEASE);
  const worker: FunctionDefinition = {
    name: workerName(host),
    handler: HANDLER,
    runtime: RUNTIME,
    ...SETTINGS,
    // The resource's ServiceToken is the function itself: a version's ARN would change, and with it every
    // alias.
    versionFunction: false,
    // It calls AWS only; a VPC or other people's layers would get in its way.
    ...(host.provider.vpc !== undefined && { vpc: false }),
    ...(host.provider.layers !== undefined && { layers: [] }),
    ...(providerRole(host.provider) === undefined && { role: roleLogicalId(RELEASE) }),
    environment: {
      [WORKER_ENV.bucket]: bucketOf(host, options),
      [WORKER_ENV.scope]: scopeOf(host),
      [WORKER_ENV.scheduleGroup]: { Ref: GROUP },
      [WORKER_ENV.scheduleRole]: scheduleRole(host),
      [WORKER_ENV.topic]: noticesTopic(options, host),
      [WORKER_ENV.files]: FILES_PREFIX,
      ...encryptionEnvironment(host, options),
      ...mlflowEnvironment(options),
    },
    ...(zip !== undefined && { package: { individually: true, artifact: zip } }),
  };
  return { [RELEASE]: worker };
}

/** The worker's role, what ticks a release, and an alias a model. */
export function releaseResources(input: ReleaseInput, endpoints: readonly Endpoint[]): Resources {
  const { models, host } = input;
  if (models.length === 0) return {};
  const own = providerRole(host.provider) === undefined;
  return {
    [GROUP]: { Type: 'AWS::Scheduler::ScheduleGroup', Properties: {} },
    [SWEEP]: sweepOf(
      host,
      endpoints.map((endpoint) => endpoint.aliasLogicalId),
    ),
    ...(own && {
      [SCHEDULE_ROLE]: scheduleRoleOf(host),
      [roleLogicalId(RELEASE)]: roleOf({}, host, releaseStatements(input)),
    }),
    ...Object.fromEntries(endpoints.map((endpoint) => [endpoint.aliasLogicalId, aliasOf(endpoint, host)])),
  };
}

/**
 * What looks after the schedules of the releases. It comes after the aliases and before the alarms that miss
 * it: without a start it runs at once, and then finds them:
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based
 */
function sweepOf(host: Host, aliases: readonly string[]): Resource {
  const input: SweepEvent = { sweep: true };
  return {
    Type: 'AWS::Scheduler::Schedule',
    ...(aliases.length > 0 && { DependsOn: aliases }),
    Properties: {
      Name: sweepName,
      GroupName: { Ref: GROUP },
      ScheduleExpression: `rate(${SWEEP_EVERY / 60} minutes)`,
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: getAtt(functionLogicalId(RELEASE), 'Arn'),
        RoleArn: scheduleRole(host),
        Input: JSON.stringify(input),
        // What one misses, the next one finds.
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
      },
    },
  };
}

/**
 * Literals wherever the value is known when packaged: what is resolved at deploy cannot be compared before
 * it.
 */
function aliasOf(of: Endpoint, host: Host): Resource {
  const { model, facts, layer, versionLogicalId, functionLogicalId: endpoint, fingerprint, batch } = of;
  const image = versionImage(of, host);
  const properties: { readonly [key in keyof AliasProperties]: unknown } = {
    ServiceToken: getAtt(functionLogicalId(RELEASE), 'Arn'),
    ServiceTimeout: serviceTimeout(model, facts, SERVICE_TIMEOUT),
    FunctionName: { Ref: endpoint },
    Alias: ALIAS,
    Model: model.name,
    Version: getAtt(versionLogicalId, 'Version'),
    Fingerprint: fingerprint,
    Identity: facts.identity,
    Layer: targetOf(model).identity({ facts, ...(layer && { layer }) }),
    Source: facts.source,
    ...(image && { Image: JSON.stringify(image) }),
    ...(facts.origin && { Origin: asciiJson(boundedOrigin(facts.origin)) }),
    ...(model.card && facts.card && { Card: asciiJson(facts.card.card) }),
    ...(facts.promoted && { Promoted: asciiJson(facts.promoted) }),
    Settings: JSON.stringify(settingsOf(model, facts)),
    ...(batch !== undefined && {
      Batch: {
        FunctionName: { Ref: batch.functionLogicalId },
        Version: getAtt(batch.versionLogicalId, 'Version'),
      },
    }),
  };
  return { Type: RESOURCE_TYPE, Properties: properties };
}

/**
 * What the worker's role must allow: for its own role, or for a person to add to the one that the service
 * names.
 */
export function releaseStatements(input: ReleaseInput): readonly Json[] {
  const { host, options } = input;
  const worker = releaseFunctions(input)[RELEASE] ?? {};
  return [
    ...statementsOf(worker, workerName(host), host),
    ...workerStatements(input, {
      bucket: bucketOf(host, options),
      scope: scopeOf(host),
      scheduleGroup: GROUP,
      scheduleRole: scheduleRole(host),
    }),
  ];
}

/** What a role must allow in which EventBridge Scheduler ticks, and sweeps. */
export const tickStatement = (host: Host): Statement =>
  allow(['lambda:InvokeFunction'], [arn('lambda', `function:${workerName(host)}`)]);

/** The role in which EventBridge Scheduler ticks: invoking the worker, for schedules of this group only. */
function scheduleRoleOf(host: Host): Resource {
  const role = roleOf({}, host, [tickStatement(host)]);
  const trust = {
    Effect: 'Allow',
    Principal: { Service: ['scheduler.amazonaws.com'] },
    Action: ['sts:AssumeRole'],
    // Else another account's scheduler could be made to use it:
    // https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    Condition: {
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' }, 'aws:SourceArn': getAtt(GROUP, 'Arn') },
    },
  };
  return {
    ...role,
    Properties: {
      ...role.Properties,
      AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [trust] },
    },
  };
}

/** ARN of the role for schedules: ours, or the one that the service names for everything. */
function scheduleRole(host: Host): unknown {
  const named = providerRole(host.provider);
  if (named === undefined) return getAtt(SCHEDULE_ROLE, 'Arn');
  return typeof named === 'string' && !named.startsWith('arn:') ? getAtt(named, 'Arn') : named;
}
