import { Logger } from '@aws-lambda-powertools/logger';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy, { type MiddlewareObj } from '@middy/core';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Manifest } from '../infer/contract.ts';
import { openSession } from '../infer/session.ts';
import type { AnyTransform } from '../infer/transform.ts';
import { errorName, errorStatus, messageOf } from '../shared/aws/errors.ts';
import { placeOf } from '../shared/log.ts';
import { metricLine } from '../shared/metric-line.ts';
import {
  ATTRIBUTES,
  type BatchManifest,
  ENV,
  type FinishEvent,
  KEYS,
  type PartEvent,
  SIZES,
  TRIES,
} from './contract.ts';
import { driftWriter } from './drift.ts';
import { bucketFiles } from './folder.ts';
import type { Job } from './job.ts';
import { runOf } from './model.ts';
import { headOf, objectSource } from './object.ts';
import { parseOwner } from './owner.ts';
import { sqsQueue } from './queue.ts';
import { finishJob, type Message, receive, scorePart } from './receive.ts';
import { running, spread } from './spread.ts';
import type { World } from './world.ts';

/** A message, or what the state machine asks. */
type Event = SQSEvent | PartEvent<Job> | FinishEvent<Job>;

/** Seconds after which a message comes again that could not be dealt with: by the times that it came. */
const LATER = [30, 120, 600, 1800];

/**
 * Loads the model, then gives the Lambda handler of its jobs. The generated entry awaits it, as the endpoint's does.
 * @param batch known when packaged
 */
export async function createBatch(manifest: Manifest, batch: BatchManifest, transform: AnyTransform = {}) {
  const logger = new Logger({ serviceName: manifest.model });
  const session = await openSession(manifest, process.env);
  // Slow answers are given up and asked for again: an invocation has 15 minutes.
  const s3 = new S3Client({
    maxAttempts: 8,
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
  });
  const sfn = new SFNClient({ maxAttempts: 8 });
  const queue = sqsQueue(new SQSClient({}), required(ENV.queue), required(ENV.failed));
  const functionName = required('AWS_LAMBDA_FUNCTION_NAME');
  const version = required('AWS_LAMBDA_FUNCTION_VERSION');
  const machine = required(ENV.machine);
  const owner = parseOwner(required(ENV.owner));
  // Not by console, around whose lines Lambda puts time, id and level: CloudWatch would find no metric in them.
  const out = (lines: string): void => {
    process.stdout.write(lines);
  };
  const seen = manifest.drift && driftWriter(manifest, required(ENV.endpoint), process.env, out);
  const run = runOf(manifest, session, transform, seen);

  const worldOf = (context: Context): World => ({
    manifest,
    entries: batch.entries,
    owner,
    version,
    run,
    sizes: SIZES,
    head: (object) => headOf(s3, object),
    source: (object, head) => objectSource(s3, object, head),
    files: (bucket) => bucketFiles(s3, bucket),
    queue,
    running: ({ prefix }) => running(sfn, machine, hashOf(prefix)),
    spread: (job, { bucket, prefix }) => {
      const plan = { bucket, key: `${prefix}${KEYS.plan}` };
      return spread(sfn, machine, hashOf(prefix), { version, job, plan, results: `${prefix}${KEYS.map}` });
    },
    left: () => context.getRemainingTimeInMillis(),
    clock: Date.now,
    count: (metrics) => out(metricLine(functionName, Date.now(), metrics)),
    log: (level, message, fields) => logger[level](message, { ...fields }),
  });

  const logging: MiddlewareObj<Event, unknown, Error, Context> = {
    before: ({ context }) => logger.addContext(context),
    onError: ({ error }) => {
      logger.error('failed', { reason: reasonOf(error) });
    },
  };
  return middy<Event, unknown, Error, Context>({ timeoutEarlyInMillis: 0 })
    .use(logging)
    .handler(async (event, context) => {
      const world = worldOf(context);
      if ('part' in event) return scorePart(world, event.job, event.part);
      if ('finish' in event) return finishJob(world, event.finish);
      for (const record of event.Records) {
        try {
          await receive(world, { body: record.body, ...againOf(record) });
        } catch (error) {
          const times = Number(record.attributes.ApproximateReceiveCount);
          if (times >= TRIES) {
            // The last one says why: SQS itself would put the message aside without a word.
            await queue.fail(record.body, { code: 'GAVE_UP', reason: reasonOf(error) });
            logger.error('A message is given up.', { reason: reasonOf(error), times });
            continue;
          }
          await queue.later(record.receiptHandle, LATER[Math.min(times, LATER.length) - 1] as number);
          throw error;
        }
      }
      return undefined;
    });
}

function againOf({ messageAttributes }: SQSRecord): Omit<Message, 'body'> {
  const said = messageAttributes[ATTRIBUTES.again]?.stringValue;
  const isTime = said !== undefined && !Number.isNaN(Date.parse(said));
  return { again: said !== undefined, ...(isTime && { since: said }) };
}

/** AWS names actions and resources; another error's message could hold what was read. */
const reasonOf = (error: unknown): string =>
  errorStatus(error) === undefined ? placeOf(error) : `${errorName(error)}: ${messageOf(error)}`;

/** The job's own part of its folder: hexadecimal, 64 characters. */
const hashOf = (prefix: string): string => prefix.split('/').at(-2) ?? '';

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`the environment lacks ${name}`);
  return value;
}
