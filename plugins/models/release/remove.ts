import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DeleteObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type ObjectIdentifier,
  S3Client,
} from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import {
  REGISTRY_PREFIX,
  type Release,
  type TickAnswer,
  type TickEvent,
} from '../../functions/release/contract.ts';
import { bucketObjects } from '../../functions/shared/aws/objects.ts';
import { scheduler } from '../../functions/shared/aws/schedules.ts';
import { registry } from '../../functions/shared/registry.ts';
import { ALIAS } from './naming.ts';

/** What `sls deploy` and `sls remove` do about releases from this side. */

type AwsConfig = {
  readonly region: string;
  readonly credentials?: () => Promise<{
    accessKeyId: string;
    secretAccessKey: string;
    sessionToken?: string;
  }>;
};
type Progress = (text: string | undefined) => void;

/** A model and its Lambda function's name. */
export type Target = { readonly model: string; readonly functionName: string };

/** Milliseconds between two ticks of a release that waits, and until we leave it to its schedule. */
const PAUSE = 2000;
const LIMIT = 5 * 60_000;

/** Releases that are ticked at a time. */
const PARALLEL = 5;

/**
 * Ticks the releases of these models until each has come to its end, which is how a deploy need not wait for the
 * schedule. A release that takes longer goes on without us.
 *
 * @param worker name of the release worker's function
 * @returns where each release stands, in the order of `targets`; `running` where it was left to its schedule
 * @throws Error where the worker cannot be invoked or fails three times in a row
 */
export async function tickUntilDone(
  aws: AwsConfig,
  worker: string,
  targets: readonly Target[],
  progress: Progress,
  { pause = PAUSE, limit = LIMIT }: { readonly pause?: number; readonly limit?: number } = {},
): Promise<readonly TickAnswer[]> {
  const lambda = new LambdaClient(aws);
  const end = Date.now() + limit;
  const answers: TickAnswer[] = [];
  const one = async ({ model, functionName }: Target): Promise<TickAnswer> => {
    for (;;) {
      const answer = await tick(lambda, worker, { tick: { model, functionName, alias: ALIAS } });
      if (!answer.running || Date.now() >= end) return answer;
      progress(`Releasing ${model}: ${answer.reason ?? answer.phase.toLowerCase()}`);
      await sleep(pause);
    }
  };
  try {
    for (let first = 0; first < targets.length; first += PARALLEL) {
      answers.push(...(await Promise.all(targets.slice(first, first + PARALLEL).map(one))));
    }
  } finally {
    progress(undefined);
    lambda.destroy();
  }
  return answers;
}

async function tick(lambda: LambdaClient, worker: string, event: TickEvent): Promise<TickAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const { Payload, FunctionError } = await lambda.send(
      new InvokeCommand({ FunctionName: worker, Payload: new TextEncoder().encode(JSON.stringify(event)) }),
    );
    const text = new TextDecoder().decode(Payload);
    if (FunctionError === undefined) return JSON.parse(text) as TickAnswer;
    // A tick may be repeated at any time; what it could not do, the next one does.
    if (attempt === 3) throw new Error(`the release worker ${worker} failed: ${reasonOf(text)}`);
    await sleep(500 * attempt);
  }
}

/** Lambda's own words for a failed function. */
function reasonOf(payload: string): string {
  try {
    const { errorMessage } = JSON.parse(payload) as { readonly errorMessage?: unknown };
    return typeof errorMessage === 'string' ? errorMessage : payload;
  } catch {
    return payload;
  }
}

/** One line for people about where a release stands, and whether what was deployed is what answers. */
export function releaseLine({ model, phase, running, version, candidate, reason }: TickAnswer): {
  readonly good: boolean;
  readonly text: string;
} {
  const at = version === undefined ? 'has no alias' : `version ${version} is live`;
  if (phase === 'DONE')
    return { good: true, text: `${model}: ${at}${reason === undefined ? '' : ` (${reason})`}` };
  const why = reason === undefined ? '' : `: ${reason}`;
  if (running)
    return {
      good: true,
      text: `${model}: ${at}; the release${candidate === undefined ? '' : ` of version ${candidate}`} goes on${why}`,
    };
  return {
    good: false,
    text: `${model}: ${at}; ${phase === 'NONE' ? 'no release is recorded' : `the release is ${phase.toLowerCase()}`}${why}`,
  };
}

/** Key prefix of a service and stage in a registry. */
export const registryScope = (account: string, region: string, service: string, stage: string): string =>
  `${REGISTRY_PREFIX}${account}/${region}/${service}/${stage}/`;

/**
 * Before `sls remove`: ends every release of this service, so that no worker acts while the stack goes: the document
 * first, then its schedule. A document of a newer schema is left to the stack, whose schedule group goes with it.
 */
export async function abortReleases(aws: AwsConfig, bucket: string, scope: string): Promise<void> {
  const s3 = new S3Client(aws);
  const schedules = new SchedulerClient(aws);
  const documents = registry(bucketObjects(s3, bucket), scope);
  try {
    const prefix = `${scope}releases/`;
    const keys = (await keysBelow(s3, bucket, prefix)).filter((key) => key.endsWith('/live.json'));
    for (const model of keys.map((key) => key.slice(prefix.length, -'/live.json'.length))) {
      for (let written = 'changed'; written === 'changed'; ) {
        const found = await documents.release(model);
        if (found?.release === undefined) break;
        written = isOver(found.release) ? 'ok' : await documents.move(aborted(found.release), found.etag);
        if (written === 'ok') await scheduler(schedules).remove(found.release.schedule);
      }
    }
  } finally {
    s3.destroy();
    schedules.destroy();
  }
}

const isOver = ({ phase, intent }: Release): boolean => phase !== 'PROMOTING' && intent === undefined;

function aborted({ intent: _, ...release }: Release): Release {
  const updatedAt = new Date(Math.max(Date.now(), Date.parse(release.updatedAt))).toISOString();
  return {
    ...release,
    phase: 'ABORTED',
    reason: 'the service is being removed',
    rev: release.rev + 1,
    updatedAt,
  };
}

/**
 * Before `sls remove` of a service whose registry is its deployment bucket: deletes what is ours there, old versions
 * of objects included, since CloudFormation deletes only an empty bucket. Files are shared by content, so they go only
 * when no other service is left in the bucket. Never called for a registry that the service names.
 */
export async function emptyRegistry(
  aws: AwsConfig,
  bucket: string,
  scope: string,
  progress: Progress = () => {},
): Promise<void> {
  const s3 = new S3Client(aws);
  try {
    await deleteBelow(s3, bucket, scope, progress);
    const { CommonPrefixes } = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: REGISTRY_PREFIX, Delimiter: '/' }),
    );
    const files = `${REGISTRY_PREFIX}files/`;
    if ((CommonPrefixes ?? []).every(({ Prefix }) => Prefix === files))
      await deleteBelow(s3, bucket, files, progress);
  } catch (error) {
    // A first deploy that failed may have got no further than this.
    if (!(error instanceof Error) || error.name !== 'NoSuchBucket') throw error;
  } finally {
    progress(undefined);
    s3.destroy();
  }
}

/** Deletes every version of every object below `prefix`; a page has 1000, and so has a request to delete. */
async function deleteBelow(s3: S3Client, bucket: string, prefix: string, progress: Progress): Promise<void> {
  let deleted = 0;
  let [key, version]: (string | undefined)[] = [];
  do {
    const page: ListObjectVersionsCommandOutput = await s3.send(
      new ListObjectVersionsCommand({
        Bucket: bucket,
        Prefix: prefix,
        KeyMarker: key,
        VersionIdMarker: version,
      }),
    );
    const found: ObjectIdentifier[] = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(
      ({ Key, VersionId }) => ({ Key, VersionId }),
    );
    if (found.length > 0) {
      const { Errors } = await s3.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: found, Quiet: true } }),
      );
      const [failed] = Errors ?? [];
      if (failed !== undefined)
        throw new Error(`s3://${bucket}/${failed.Key} cannot be deleted: ${failed.Message ?? failed.Code}`);
      deleted += found.length;
      progress(`Emptying the registry: ${deleted} objects`);
    }
    [key, version] = page.IsTruncated ? [page.NextKeyMarker, page.NextVersionIdMarker] : [];
  } while (key !== undefined);
}

async function keysBelow(s3: S3Client, bucket: string, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  try {
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
      );
      keys.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''));
      token = page.NextContinuationToken;
    } while (token !== undefined);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'NoSuchBucket') throw error;
  }
  return keys;
}

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
