import { BATCH_ENV, BATCH_TIMEOUT, type BatchManifest, OWNER_FILE } from '../../../../core/batch/contract.ts';
import { isObject } from '../../../../core/json/is-object.ts';
import {
  allow,
  arn,
  getAtt,
  type Json,
  type Resource,
  type Statement,
} from '../../contracts/cloudformation.ts';
import type { FunctionDefinition, Host } from '../../contracts/host.ts';
import { hasNamedRole, nameOf } from '../../contracts/host.ts';
import type { Built } from '../../contracts/input.ts';
import type { Batch, Facts, Model, ServiceOptions } from '../../declaration/model.ts';
import { batchKey, batchLogicalId, roleLogicalId } from '../../declaration/naming.ts';
import { targetOf } from '../../targets/targets.ts';
import { roleOf, statementsOf } from '../iam/role.ts';
import { bucketArn, objectsIn, unique } from '../iam/s3-arns.ts';

/**
 * The second function of a model with `batch`: the endpoint's zip, settings and memory, another handler, a
 * role and an alias of its own. It takes objects from the model's queue, and the parts of large ones from the
 * state machine.
 */

export type BatchModel = Model & { readonly batch: Batch };

export const batching = (models: readonly Model[]): readonly BatchModel[] =>
  models.filter((model): model is BatchModel => model.batch !== undefined);

/** Lambda's name of the batch function, and that of queue and state machine. */
export const batchName = (model: Model, host: Host): string => `${nameOf(model, host)}-batch`;

/** SQS’s name of the queue that keeps what failed. */
export const failedName = (model: Model, host: Host): string => `${batchName(model, host)}-failed`;

/** Whose the batch function is, as its environment has it. */
const ownerOf = ({ service, stage }: Host): Json => ({
  'Fn::Sub': `\${AWS::AccountId}/\${AWS::Region}/${service}/${stage}`,
});

/** MB at least: a part, the rows that it becomes and what is written of it must fit beside the model. */
const LEAST_MEMORY = 1024;

export const batchMemory = ({ memory }: Model): number => Math.max(memory, LEAST_MEMORY);

/** What of `function` is about who calls the endpoint, and how often. */
const OF_ENDPOINT: readonly string[] = [
  ...['name', 'description', 'events', 'url', 'onError', 'destinations', 'reservedConcurrency'],
  ...['maximumRetryAttempts', 'maximumEventAge'],
];

/** Batch functions by key, as the framework reads functions. */
export function batchFunctions(
  models: readonly Model[],
  host: Host,
  options: ServiceOptions,
  built: ReadonlyMap<string, Built>,
): Readonly<Record<string, FunctionDefinition>> {
  return Object.fromEntries(
    batching(models).map((model) => [
      batchKey(model.name),
      batchFunction(model, host, options, built.get(model.name)),
    ]),
  );
}

function batchFunction(
  model: BatchModel,
  host: Host,
  options: ServiceOptions,
  built: Built | undefined,
): FunctionDefinition {
  const { name, batch } = model;
  const given = Object.fromEntries(
    Object.entries(model.function).filter(([key]) => !OF_ENDPOINT.includes(key)),
  );
  const made = targetOf(model).properties(model, host, options, built, 'batch');
  return {
    ...given,
    name: batchName(model, host),
    memorySize: batchMemory(model),
    timeout: BATCH_TIMEOUT,
    architecture: model.architecture,
    versionFunction: true,
    events: [
      {
        sqs: {
          arn: getAtt(batchLogicalId(name, 'Queue'), 'Arn'),
          // One object a run: it has all the time there is, and fails alone.
          batchSize: 1,
          maximumConcurrency: batch.concurrency,
          functionResponseType: 'ReportBatchItemFailures',
        },
      },
    ],
    ...(!hasNamedRole(model, host) && { role: roleLogicalId(batchKey(name)) }),
    ...made,
    environment: {
      ...(isObject(made.environment) && made.environment),
      [BATCH_ENV.queue]: { Ref: batchLogicalId(name, 'Queue') },
      [BATCH_ENV.failed]: { Ref: batchLogicalId(name, 'FailedQueue') },
      [BATCH_ENV.machine]: { Ref: batchLogicalId(name, 'Machine') },
      [BATCH_ENV.owner]: ownerOf(host),
      ...(model.drift !== undefined && { [BATCH_ENV.endpoint]: nameOf(model, host) }),
    },
  };
}

/**
 * What the batch function's role must allow, for its own one, or for a person to add to the one that the
 * service names.
 */
export function batchStatements(
  model: BatchModel,
  host: Host,
  options: ServiceOptions,
  facts?: Facts,
): readonly Statement[] {
  const name = batchName(model, host);
  const definition = batchFunction(model, host, options, undefined);
  return statementsOf(definition, name, host, [
    ...targetOf(model).statements(facts, host, options),
    ...placeStatements(model),
    allow(['sqs:SendMessage', 'sqs:ChangeMessageVisibility'], [arn('sqs', name)]),
    allow(['sqs:SendMessage'], [arn('sqs', failedName(model, host))]),
    allow(['states:StartExecution', 'states:ListExecutions'], [arn('states', `stateMachine:${name}`)]),
    allow(['states:DescribeExecution'], [arn('states', `execution:${name}:*`)]),
  ]);
}

/** Where it reads objects and writes answers. */
export function placeStatements({ name, batch: { entries } }: BatchModel): readonly Statement[] {
  const inputs = entries.map(({ input }) => objectsIn(input.bucket, input.prefix, '*', input.suffix));
  const jobs = entries.map(({ output }) => objectsIn(output.bucket, `${output.prefix}${name}@`));
  const latest = entries.flatMap(({ output }) => [
    objectsIn(output.bucket, `${output.prefix}${name}/latest/`),
    objectsIn(output.bucket, `${output.prefix}${name}/${OWNER_FILE}`, ''),
  ]);
  const buckets = new Set(entries.flatMap(({ input, output }) => [input.bucket, output.bucket]));
  return [
    allow(['s3:GetObject', 's3:GetObjectVersion'], unique(inputs)),
    allow(['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], unique(jobs)),
    allow(['s3:GetObject', 's3:PutObject'], unique(latest)),
    // Only with it S3 tells a missing object from a forbidden one; a condition on the prefix would not hold
    // there.
    allow(['s3:ListBucket'], [...buckets].map(bucketArn)),
  ];
}

export function batchRole(model: BatchModel, host: Host, options: ServiceOptions, facts: Facts): Resource {
  const statements = [
    ...batchStatements(model, host, options, facts),
    ...(model.iam.statements as readonly Statement[]),
  ];
  return roleOf(model.function, host, statements, model.iam.managedPolicies);
}

/** What is built into `batch.mjs`. */
export const batchManifest = ({ entries }: Batch): BatchManifest => ({ entries });
