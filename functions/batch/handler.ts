import { Logger } from '@aws-lambda-powertools/logger';
import middy, { type MiddlewareObj } from '@middy/core';
import type { Context, SQSEvent } from 'aws-lambda';
import { s3Client } from '../../aws/clients/s3.ts';
import { sqsClient } from '../../aws/clients/sqs.ts';
import { stepFunctionsClient } from '../../aws/clients/step-functions.ts';
import { executions } from '../../aws/executions.ts';
import { sqsQueue } from '../../aws/queue.ts';
import { headOf, objectSource } from '../../aws/s3/input-object.ts';
import { bucketFiles } from '../../aws/s3/output-store.ts';
import {
  BATCH_ENV,
  type BatchManifest,
  type FinishEvent,
  type PartEvent,
  SIZES,
} from '../../core/batch/contract.ts';
import type { Job } from '../../core/batch/job.ts';
import { runOf } from '../../core/batch/model.ts';
import { parseOwner } from '../../core/batch/owner.ts';
import type { BatchWorld } from '../../core/batch/ports.ts';
import { finishLargeJob, receiveMessage, scorePart } from '../../core/batch/receive.ts';
import type { Manifest } from '../../core/endpoint/contract.ts';
import { metricLine } from '../../core/metrics/line.ts';
import type { AnyTransform } from '../../core/protocol/transform.ts';
import { writeMetrics } from '../runtime/emf.ts';
import { openSession } from '../runtime/session.ts';
import { driftWriter } from './drift-writer.ts';
import { givenUpFor } from './reason.ts';
import { dealWith } from './records.ts';

/** A message, or what the state machine asks. */
type Event = SQSEvent | PartEvent<Job> | FinishEvent<Job>;

/**
 * Loads the model, then gives the Lambda handler of its jobs. The generated entry awaits it, as the
 * endpoint's does.
 * @param batch known when packaged
 */
export async function createBatch(manifest: Manifest, batch: BatchManifest, transform: AnyTransform = {}) {
  const logger = new Logger({ serviceName: manifest.model });
  const session = await openSession(manifest, process.env);
  // Slow answers are given up and asked for again: an invocation has 15 minutes.
  const s3 = s3Client({
    maxAttempts: 8,
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
  });
  const sfn = stepFunctionsClient({ maxAttempts: 8 });
  const queue = sqsQueue(sqsClient(), required(BATCH_ENV.queue), required(BATCH_ENV.failed));
  const functionName = required('AWS_LAMBDA_FUNCTION_NAME');
  const version = required('AWS_LAMBDA_FUNCTION_VERSION');
  const parts = executions(sfn, required(BATCH_ENV.machine), version);
  const owner = parseOwner(required(BATCH_ENV.owner));
  // It names the level by itself.
  const seen =
    manifest.drift &&
    driftWriter(manifest, required(BATCH_ENV.endpoint), process.env, (lines) => {
      process.stdout.write(lines);
    });
  const run = runOf(manifest, session, transform, seen);

  const worldOf = (context: Context): BatchWorld => ({
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
    ...parts,
    left: () => context.getRemainingTimeInMillis(),
    clock: Date.now,
    count: (metrics) => writeMetrics(metricLine(functionName, Date.now(), metrics)),
    log: (level, message, fields) => logger[level](message, { ...fields }),
  });

  const logging: MiddlewareObj<Event, unknown, Error, Context> = {
    before: ({ context }) => logger.addContext(context),
    onError: ({ error }) => {
      logger.error('failed', { reason: givenUpFor(error) });
    },
  };
  return middy<Event, unknown, Error, Context>({ timeoutEarlyInMillis: 0 })
    .use(logging)
    .handler(async (event, context) => {
      const world = worldOf(context);
      if ('part' in event) return scorePart(world, event.job, event.part);
      if ('finish' in event) return finishLargeJob(world, event.finish);
      for (const record of event.Records)
        await dealWith(record, (message) => receiveMessage(world, message), queue, world.log);
      return undefined;
    });
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`the environment lacks ${name}`);
  return value;
}
