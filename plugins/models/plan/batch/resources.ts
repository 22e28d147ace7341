import { BATCH_TIMEOUT, type Entry, OBJECT_TRIES } from '../../../../core/batch/contract.ts';
import { placeDigest } from '../../../../core/batch/place.ts';
import {
  BUCKET_EVENTS,
  type BucketEventsProperties,
} from '../../../../core/release/document/worker-contract.ts';
import { arn, getAtt, type Json, kept, type Resource } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import { takesAllOf } from '../../declaration/batch-rules.ts';
import { placeOf } from '../../declaration/keys/units.ts';
import type { Model } from '../../declaration/model.ts';
import { batchLogicalId, bucketLogicalId, functionLogicalId, RELEASE } from '../../declaration/naming.ts';
import type { Problem } from '../../problems/errors.ts';
import { bucketArn } from '../iam/s3-arns.ts';
import { type BatchModel, batching, batchName } from './functions.ts';
import { machineResources } from './machine.ts';

type Resources = Readonly<Record<string, Resource>>;

/**
 * What brings objects to the batch functions: buckets and their events, a rule an entry, a queue and a state
 * machine a model.
 */
export function batchResources(models: readonly Model[], host: Host): Resources {
  const all = batching(models);
  return {
    ...bucketResources(all, host),
    ...Object.assign(
      {},
      ...all.map((model) => ({
        ...queueResources(model, host),
        ...ruleResources(model),
        ...machineResources(model, host),
      })),
    ),
  };
}

/** Seconds, as long as SQS keeps anything. */
const RETENTION = 14 * 86_400;

function queueResources(model: BatchModel, host: Host): Resources {
  const id = (what: string): string => batchLogicalId(model.name, what);
  const name = batchName(model, host);
  const queue = (QueueName: string, properties: Json): Resource => ({
    Type: 'AWS::SQS::Queue',
    Properties: { QueueName, MessageRetentionPeriod: RETENTION, SqsManagedSseEnabled: true, ...properties },
  });
  const queues = [getAtt(id('Queue'), 'Arn'), getAtt(id('FailedQueue'), 'Arn')];
  return {
    [id('Queue')]: queue(name, {
      // Six times the function's, as AWS asks for:
      // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      VisibilityTimeout: 6 * BATCH_TIMEOUT,
      RedrivePolicy: { deadLetterTargetArn: getAtt(id('FailedQueue'), 'Arn'), maxReceiveCount: OBJECT_TRIES },
    }),
    [id('FailedQueue')]: queue(`${name}-failed`, {}),
    [id('QueuePolicy')]: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: id('Queue') }, { Ref: id('FailedQueue') }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'events.amazonaws.com' },
              Action: ['sqs:SendMessage'],
              Resource: queues,
              // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
              // Any of this account's: a policy that named its rules would come after them, and what a rule
              // may not send is lost, in queues that take a minute to know.
              // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
              Condition: { ArnLike: { 'aws:SourceArn': arn('events', 'rule/*') } },
            },
          ],
        },
      },
    },
  };
}

/** By what it takes: an entry that is written before it, or moved, leaves it as it is, and loses no event. */
export const ruleId = ({ name }: Model, input: Entry['input']): string =>
  batchLogicalId(name, `Rule${placeDigest(input)}`);

/**
 * Inputs that have a rule. An object that two rules brought would be scored twice at once, and once only be
 * written: what is a part of another entry's comes by that one's.
 */
export const ruledInputs = ({ batch }: BatchModel): readonly Entry['input'][] =>
  batch.entries
    .map(({ input }) => input)
    .filter((input, _, all) => !all.some((other) => other !== input && takesAllOf(other, input)));

/**
 * The event goes on as it is: what matches which entry, the function sees for itself, with the entries that
 * it has then.
 */
function ruleResources(model: BatchModel): Resources {
  const id = (what: string): string => batchLogicalId(model.name, what);
  return Object.fromEntries(
    ruledInputs(model).map((input): [string, Resource] => [
      ruleId(model, input),
      {
        Type: 'AWS::Events::Rule',
        DependsOn: id('QueuePolicy'),
        Properties: {
          Description: `Objects for ${model.name}: ${placeOf(input)}`.slice(0, 512),
          EventPattern: eventPattern(input),
          Targets: [
            {
              Id: 'queue',
              Arn: getAtt(id('Queue'), 'Arn'),
              // What the queue did not take in a day.
              DeadLetterConfig: { Arn: getAtt(id('FailedQueue'), 'Arn') },
            },
          ],
        },
      },
    ]),
  );
}

/**
 * S3's event: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html; prefix and wildcard, and
 * what a backslash does there:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export function eventPattern({ bucket, prefix, suffix }: Entry['input']): Json {
  const escaped = (text: string): string => text.replace(/[\\*]/g, '\\$&');
  const key =
    suffix === ''
      ? prefix === ''
        ? undefined
        : { prefix }
      : { wildcard: `${escaped(prefix)}*${escaped(suffix)}` };
  return {
    source: ['aws.s3'],
    'detail-type': ['Object Created'],
    detail: { bucket: { name: [bucket] }, ...(key && { object: { key: [key] } }) },
  };
}

/** Seconds that CloudFormation waits for a bucket's events. */
const BUCKET_TIMEOUT = 120;

/** Buckets that the stack does not make, and that must tell of their objects. */
export function watchedBuckets(models: readonly Model[]): readonly string[] {
  const made = new Set(madeBuckets(models));
  return inputBuckets(models).filter((bucket) => !made.has(bucket));
}

const inputBuckets = (models: readonly Model[]): readonly string[] => [
  ...new Set(batching(models).flatMap(({ batch }) => batch.entries.map(({ input }) => input.bucket))),
];

export const madeBuckets = (models: readonly Model[]): readonly string[] => [
  ...new Set(batching(models).flatMap(({ batch }) => batch.create)),
];

/** S3 takes a name once: a bucket that the service's own resources make, too, fails the stack. */
export const bucketProblems = (models: readonly Model[], { buckets = {} }: Host): readonly Problem[] =>
  batching(models).flatMap(({ name, batch }) =>
    batch.create
      .filter((bucket) => Object.hasOwn(buckets, bucket))
      .map((bucket) => ({
        code: 'MODELS_BATCH',
        key: `models.${name}.batch`,
        value: bucket,
        message: `makes the bucket ${bucket} (\`create\`), and so does ${buckets[bucket]} in the service’s own resources.`,
        fix: 'Leave one of them out: a bucket of the service’s own needs no `create`.',
      })),
  );

function bucketResources(models: readonly BatchModel[], host: Host): Resources {
  const inputs = inputBuckets(models);
  return {
    ...Object.fromEntries(
      watchedBuckets(models).map((bucket) => [bucketLogicalId(bucket, 'Events'), bucketEvents(bucket, host)]),
    ),
    ...Object.assign({}, ...madeBuckets(models).map((bucket) => madeBucket(bucket, inputs.includes(bucket)))),
  };
}

/**
 * EventBridge is switched on once a bucket, by the release worker: a bucket that is not the stack's has one
 * configuration for all.
 */
function bucketEvents(bucket: string, host: Host): Resource {
  const properties: { readonly [key in keyof BucketEventsProperties]: unknown } = {
    ServiceToken: getAtt(functionLogicalId(RELEASE), 'Arn'),
    ServiceTimeout: BUCKET_TIMEOUT,
    Bucket: bucket,
  };
  const own = host.buckets?.[bucket];
  return {
    Type: BUCKET_EVENTS,
    // The service makes it by itself, in this stack.
    ...(own !== undefined && { DependsOn: own }),
    Properties: properties,
  };
}

/** Kept when the stack goes: it holds what people put there, which is to be read by TLS alone then, too. */
function madeBucket(bucket: string, isInput: boolean): Resources {
  const id = bucketLogicalId(bucket, 'Bucket');
  return {
    [id]: kept({
      Type: 'AWS::S3::Bucket',
      Properties: {
        BucketName: bucket,
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        ...(isInput && {
          NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
        }),
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      },
    }),
    [`${id}Policy`]: kept({
      Type: 'AWS::S3::BucketPolicy',
      Properties: {
        Bucket: { Ref: id },
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Deny',
              Principal: '*',
              Action: ['s3:*'],
              Resource: [bucketArn({ Ref: id }), { 'Fn::Join': ['/', [bucketArn({ Ref: id }), '*']] }],
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            },
          ],
        },
      },
    }),
  };
}
