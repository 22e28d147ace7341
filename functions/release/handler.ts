import { Logger } from '@aws-lambda-powertools/logger';
import middy, { type MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { cloudWatchAlarms } from '../../aws/alarms.ts';
import { putAnswer } from '../../aws/answers.ts';
import { autoScalingClient } from '../../aws/clients/auto-scaling.ts';
import { cloudFormationClient } from '../../aws/clients/cloudformation.ts';
import { cloudWatchClient } from '../../aws/clients/cloudwatch.ts';
import { ecrClient } from '../../aws/clients/ecr.ts';
import { lambdaClient } from '../../aws/clients/lambda.ts';
import { s3Client } from '../../aws/clients/s3.ts';
import { sageMakerRuntimeClient } from '../../aws/clients/sagemaker-runtime.ts';
import { schedulerClient } from '../../aws/clients/scheduler.ts';
import { secretsManagerClient } from '../../aws/clients/secrets-manager.ts';
import { snsClient } from '../../aws/clients/sns.ts';
import { stepFunctionsClient } from '../../aws/clients/step-functions.ts';
import { ecrImages } from '../../aws/ecr/images.ts';
import { lambdaAliases } from '../../aws/lambda/aliases.ts';
import { provisionedCapacity } from '../../aws/lambda/capacity.ts';
import { lambdaInvoke } from '../../aws/lambda/invoke.ts';
import { lambdaVersions } from '../../aws/lambda/versions.ts';
import { cloudWatchMetrics } from '../../aws/metrics.ts';
import { snsNotices } from '../../aws/notices.ts';
import { sagemakerReference } from '../../aws/reference.ts';
import { bucketEvents } from '../../aws/s3/bucket-events.ts';
import { bucketObjects } from '../../aws/s3/objects.ts';
import { scheduler } from '../../aws/schedules.ts';
import { secretsManager } from '../../aws/secrets.ts';
import { cloudFormationStacks } from '../../aws/stacks.ts';
import { stateMachines } from '../../aws/state-machines.ts';
import { runGate } from '../../core/gate/gate.ts';
import { gateFile } from '../../core/gate/gate-file.ts';
import { METRICS as ENDPOINT } from '../../core/metrics/contract.ts';
import { addressIn } from '../../core/origin/address.ts';
import type { ObjectPort } from '../../core/ports/aws.ts';
import type { MlflowPort } from '../../core/ports/mlflow.ts';
import { registry } from '../../core/registry/registry.ts';
import { placeOfScope } from '../../core/release/command/text.ts';
import { WORKER_ENV } from '../../core/release/document/worker-contract.ts';
import type { GatePort, World } from '../../core/release/ports.ts';
import { receiveRequest } from '../../core/release/receive.ts';
import { writeMetrics } from '../runtime/emf.ts';
import { registryEncryption } from '../runtime/encryption.ts';
import { headersBy, mlflowRegistry } from './mlflow.ts';

const logger = new Logger({ serviceName: 'models-release' });

/** Only what the engine says is logged: an event holds CloudFormation's answer URL, which is a credential. */
const logging: MiddlewareObj<unknown, unknown, Error, Context> = {
  before: ({ context }) => logger.addContext(context),
  onError: ({ error }) => {
    logger.error('failed', { name: error?.name, reason: error?.message });
  },
};

/**
 * The release worker: requests of `Custom::ModelAlias`, ticks, commands, and alarms from the alerts topic.
 */
export const handler = middy<unknown, unknown, Error, Context>()
  .use(logging)
  .handler((event, context) => receiveRequest(worldOf(context), required(WORKER_ENV.scheduleGroup), event));

const lambda = lambdaClient();
const s3 = s3Client({ encryption: registryEncryption() });
const aliases = lambdaAliases(lambda);
const versions = lambdaVersions(lambda);
const invoke = lambdaInvoke(lambda);
const schedules = scheduler(schedulerClient());
const stacks = cloudFormationStacks(cloudFormationClient(), (reason) =>
  logger.warn('the stack cannot be read', { reason }),
);
const capacity = whenAsked(() => provisionedCapacity(lambda, autoScalingClient()));
const cloudWatch = whenAsked(() => ({ client: cloudWatchClient() }));
const metrics = whenAsked(() => cloudWatchMetrics(cloudWatch.client));
const alarms = whenAsked(() => cloudWatchAlarms(cloudWatch.client));
const images = whenAsked(() => ecrImages(ecrClient()));
const sfn = whenAsked(() => ({ client: stepFunctionsClient() }));
const reference = whenAsked(() => sagemakerReference(sageMakerRuntimeClient()));
const sns = whenAsked(() => ({ client: snsClient() }));
const clock = Date.now;
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * What is made when it is first asked, and with it its package of the SDK is loaded: a fifth of a start. It
 * is for what a start may never ask; all else is loaded before the first event, with a whole processor.
 */
function whenAsked<Port extends object>(make: () => Port): Port {
  let made: Port | undefined;
  const get = (_: Port, name: string | symbol): unknown => {
    made ??= make();
    return Reflect.get(made, name);
  };
  return new Proxy({} as Port, { get });
}

function worldOf(context: Context): World {
  const topic = required(WORKER_ENV.topic);
  const objects = bucketObjects(s3, required(WORKER_ENV.bucket));
  const mlflow = mlflowOf(process.env[WORKER_ENV.mlflowUri], process.env[WORKER_ENV.mlflowAlias]);
  return {
    registry: registry(objects, required(WORKER_ENV.scope)),
    ...placeOfScope(required(WORKER_ENV.scope)),
    aliases,
    versions,
    images,
    machines: { isBusy: (name) => stateMachines(sfn.client, context.invokedFunctionArn).isBusy(name) },
    capacity,
    schedules,
    stacks,
    metrics,
    alarms,
    gate: gateOf(objects, required(WORKER_ENV.files)),
    notify: (...notice) => snsNotices(sns.client, topic)(...notice),
    bucketEvents: bucketEvents(s3),
    answer: putAnswer,
    ...(mlflow && { mlflow }),
    clock,
    left: () => context.getRemainingTimeInMillis(),
    pause,
    count,
    worker: { arn: unqualified(context.invokedFunctionArn), scheduleRole: required(WORKER_ENV.scheduleRole) },
    log: (level, message, fields) => logger[level](message, { ...fields }),
  };
}

/** Seconds in which a secret is there or is not: a release waits for neither. */
const SECRET = { maxAttempts: 2, requestHandler: { connectionTimeout: 1000, socketTimeout: 2000 } };

function mlflowOf(uri: string | undefined, alias: string | undefined): MlflowPort | undefined {
  if (!uri || !alias) return undefined;
  const read = secretsManager((region) => secretsManagerClient({ region, ...SECRET }));
  const headers = headersBy(process.env[WORKER_ENV.mlflowSecret] || undefined, read);
  return mlflowRegistry({ at: addressIn(uri), alias, headers });
}

/** The gate with its case file and labelled rows, which are in the registry by their content. */
function gateOf(objects: ObjectPort, files: string): GatePort {
  const read = async (sha256: string | undefined, what: string): Promise<string | undefined> =>
    sha256 === undefined ? undefined : gateFile(objects, files, sha256, what);
  return async ({ live, scores, ...ask }) => {
    const { cases, metric } = ask.settings.gate ?? {};
    const text = await read(cases?.sha256, 'case file');
    const rows = await read(metric?.cases.sha256, 'file of labelled rows');
    return runGate(
      { clock, pause, invoke, reference },
      {
        ...ask,
        casesText: text && first(text, ask.most),
        metric: rows === undefined ? undefined : { text: rows, live, scores },
      },
    );
  };
}

/** @returns the first lines of a text */
const first = (text: string, lines: number | undefined): string =>
  lines === undefined ? text : text.split('\n', lines).join('\n');

/**
 * One count, in CloudWatch's embedded format:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
function count(metric: string, functionName: string, at = clock()): void {
  const directive = {
    Namespace: ENDPOINT.namespace,
    Dimensions: [[ENDPOINT.model]],
    Metrics: [{ Name: metric, Unit: 'Count' }],
  };
  const line = { [ENDPOINT.model]: functionName, [metric]: 1 };
  const document = { _aws: { Timestamp: at, CloudWatchMetrics: [directive] }, ...line };
  writeMetrics(`${JSON.stringify(document)}\n`);
}

/** `arn:aws:lambda:<region>:<account>:function:<name>`, without a version or alias. */
const unqualified = (arn: string): string => arn.split(':').slice(0, 7).join(':');

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`the environment lacks ${name}`);
  return value;
}
