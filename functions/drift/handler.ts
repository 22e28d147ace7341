import { Logger } from '@aws-lambda-powertools/logger';
import middy, { type MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { cloudWatchLogsClient } from '../../aws/clients/cloudwatch-logs.ts';
import { s3Client } from '../../aws/clients/s3.ts';
import { snsClient } from '../../aws/clients/sns.ts';
import { cloudWatchLogs } from '../../aws/log-lines.ts';
import { snsNotices } from '../../aws/notices.ts';
import { bucketObjects } from '../../aws/s3/objects.ts';
import { baselinesIn } from '../../core/drift/baselines.ts';
import type { Watched } from '../../core/drift/contract.ts';
import { driftDocuments } from '../../core/drift/documents.ts';
import { monitor } from '../../core/drift/monitor.ts';
import type { DriftWorld } from '../../core/drift/ports.ts';
import { placeOfScope, staged } from '../../core/release/command/text.ts';
import { WORKER_ENV } from '../../core/release/document/worker-contract.ts';
import { writeMetrics } from '../runtime/emf.ts';
import { registryEncryption } from '../runtime/encryption.ts';

const logger = new Logger({ serviceName: 'models-drift' });

const logging: MiddlewareObj<unknown, unknown, Error, Context> = {
  before: ({ context }) => logger.addContext(context),
  onError: ({ error }) => {
    logger.error('failed', { name: error?.name, reason: error?.message });
  },
};

/**
 * The drift monitor, on a schedule: what it is woken with says nothing.
 *
 * @param watched known when packaged, and too long for an environment
 */
export const createMonitor = (watched: readonly Watched[]) =>
  middy<unknown, unknown, Error, Context>()
    .use(logging)
    .handler((_event, context) => monitor(worldOf(context), watched));

/**
 * An answer that is lost is asked for again. The SDK itself waits five minutes for one, and for S3's for
 * good: a run, which has less, would end without a word.
 */
const requestHandler = { connectionTimeout: 5000, socketTimeout: 30_000 };
// The quota of FilterLogEvents is a few a second, which all that reads logs in the account shares.
const logs = cloudWatchLogs(cloudWatchLogsClient({ maxAttempts: 10, requestHandler }));
const s3 = s3Client({ encryption: registryEncryption(), requestHandler });
const sns = snsClient({ requestHandler });
let made: Pick<DriftWorld, 'documents' | 'baseline' | 'notify'> | undefined;

function worldOf(context: Context): DriftWorld {
  made ??= reached();
  return {
    ...made,
    logs,
    clock: Date.now,
    left: () => context.getRemainingTimeInMillis(),
    out: writeMetrics,
    log: (level, message, fields) => logger[level](message, { ...fields }),
  };
}

/** Registry and topic: kept by a warm instance, and the baselines with it. */
function reached(): Pick<DriftWorld, 'documents' | 'baseline' | 'notify'> {
  const objects = bucketObjects(s3, required(WORKER_ENV.bucket));
  const scope = required(WORKER_ENV.scope);
  const { stage, region } = placeOfScope(scope);
  const publish = snsNotices(sns, required(WORKER_ENV.topic));
  return {
    documents: driftDocuments(objects, scope),
    baseline: baselinesIn(objects, required(WORKER_ENV.files)),
    notify: (subject, text) => publish(subject, staged(text, stage, region)),
  };
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`the environment lacks ${name}`);
  return value;
}
