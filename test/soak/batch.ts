import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Success } from '../../core/batch/job.ts';
import type { Latest } from '../../core/batch/latest.ts';
import { client } from '../../local-aws/deployed.ts';
import { startAws } from '../../local-aws/start.ts';
import { type Deployment, deployService } from '../journeys/service.ts';

export type Size = {
  /** Small ones: of 1 to 50 rows. */
  readonly objects: number;
  /** Size of the large one. */
  readonly bytes: number;
};
export const BATCH: Size = { objects: 10_000, bytes: 2e9 };
/** The large one is still large: beyond what one invocation takes. */
export const HUNDREDTH_OF_BATCH: Size = { objects: BATCH.objects / 100, bytes: 80e6 };

const SERVICE = `service: soak
plugins: [serverless-models]
provider: {name: aws}
models:
  churn:
    artifact: employment.onnx
    batch: {input: 's3://soak-rows/*.csv', output: 's3://soak-scored', emit: [label], tolerate: 0%, create: true}
`;
const employment = join(import.meta.dirname, '..', '..', 'examples', 'employment');

/** Requests at once. */
const AT_ONCE = 16;
/** Bytes of an upload's part. */
const PIECE = 64 * 1024 ** 2;
/** Most that memory may grow from the third quarter of the invocations to the last. */
const FLAT = 1.2;
/**
 * Invocations, of small objects and of parts, below which growth says nothing: V8 lets the young generation
 * of each of the five processes grow, up to three times its `--max-semi-space-size`, until a thousand
 * invocations or so have been through it.
 */
const LEAST = { small: 10_000, parts: 40 };
/** Milliseconds without anything new after which something must have been lost. */
const PATIENCE = 300_000;

/**
 * Many small objects and a large one, scored by a service that the real `sls deploy` put on a local AWS.
 * Every row must be there, once, and memory must not grow with the number of objects or of parts.
 */
export async function batchSoak({ objects, bytes }: Size): Promise<string> {
  const aws = await startAws();
  const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  try {
    const [header = '', ...rows] = (await readFile(join(employment, 'later.csv'), 'utf8')).trim().split('\n');
    const files = { 'employment.onnx': await readFile(join(employment, 'employment.onnx')) };
    const service = await deployService({ yaml: SERVICE, files }, aws);
    try {
      const due = new Map<string, number>();
      const began = performance.now();
      await eachOf(objects, async (i) => {
        const count = (i % 50) + 1;
        const some = Array.from({ length: count }, (_, k) => rows[(i + k) % rows.length]);
        await s3.send(
          new PutObjectCommand({
            Bucket: 'soak-rows',
            Key: `${i}.csv`,
            Body: [header, ...some, ''].join('\n'),
          }),
        );
        due.set(`${i}.csv`, count);
      });
      await scored(s3, due.size);
      const small = (performance.now() - began) / 1000;
      const memoryOfSmall = growth(await memoryOfRuns(service), LEAST.small);

      const before = performance.now();
      const count = await uploadLarge(s3, `${header}\n`, `${rows.join('\n')}\n`, rows.length, bytes);
      due.set('large.csv', count);
      await scored(s3, due.size);
      const large = (performance.now() - before) / 1000;
      const all = await memoryOfRuns(service);
      const memoryOfLarge = growth(all.slice(objects), LEAST.parts);

      const parts = await verify(s3, due);
      const left = await service.sls('models', 'batch', '--status');
      if (!left.stdout.includes('churn: 0 waiting, 0 at work, 0 failed'))
        throw new Error(`something is left: ${left.stdout}${left.stderr}`);
      const total = [...due.values()].reduce((sum, one) => sum + one, 0);
      await service.remove();
      return [
        `${objects} objects in ${small.toFixed(0)} s (${memoryOfSmall})`,
        `${(bytes / 1e9).toFixed(2)} GB in ${large.toFixed(0)} s and ${parts} parts (${memoryOfLarge})`,
        `${total} rows, each once`,
      ].join('; ');
    } catch (error) {
      // What went wrong first is told, and the end of AWS's own log.
      console.error((await readFile(aws.logFile, 'utf8')).slice(-4000));
      await service.remove().catch(() => {});
      throw error;
    }
  } finally {
    s3.destroy();
    await aws.stop();
  }
}

async function eachOf(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** The rows again and again, up to so many bytes. @returns how many rows */
async function uploadLarge(
  s3: S3Client,
  header: string,
  block: string,
  rows: number,
  bytes: number,
): Promise<number> {
  const object = { Bucket: 'soak-rows', Key: 'large.csv' };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
  const blocks = Math.ceil(PIECE / block.length);
  const body = Buffer.from(block.repeat(blocks));
  const pieces = Math.ceil(bytes / body.length);
  const Parts = [];
  for (let PartNumber = 1; PartNumber <= pieces; PartNumber++) {
    const Body = PartNumber === 1 ? Buffer.concat([Buffer.from(header), body]) : body;
    const { ETag } = await s3.send(new UploadPartCommand({ ...object, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
  return pieces * blocks * rows;
}

async function keysOf(s3: S3Client, Prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page: ListObjectsV2CommandOutput = await s3.send(
      new ListObjectsV2Command({ Bucket: 'soak-scored', Prefix, ContinuationToken }),
    );
    keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  return keys;
}

/** Waits until so many objects are scored. @throws where nothing comes any more */
async function scored(s3: S3Client, count: number): Promise<void> {
  for (let [seen, since] = [0, Date.now()]; ; ) {
    const there = (await keysOf(s3, 'churn/latest/')).length;
    if (there >= count) return;
    const sign = (await keysOf(s3, 'churn@')).length;
    if (sign > seen) [seen, since] = [sign, Date.now()];
    if (Date.now() - since > PATIENCE)
      throw new Error(`${there} of ${count} objects are scored, and no more come`);
    console.error(`${there} of ${count} objects, ${sign} files`);
    await pause(5_000);
  }
}

/** MB in use at the end of each invocation of the batch function, in their order. */
export async function memoryOfRuns({ logs }: Deployment): Promise<readonly number[]> {
  const lines = await logs('churn-batch');
  return lines.flatMap((line) => {
    const found = /^REPORT .*Max Memory Used: (\d+) MB/m.exec(line)?.[1];
    return found === undefined ? [] : [Number(found)];
  });
}

/** @throws where memory grew; of fewer than `least` invocations it is told only */
function growth(memory: readonly number[], least: number): string {
  const count = memory.length;
  const most = (from: number, to: number): number =>
    Math.max(...memory.slice(Math.floor(count * from), Math.max(1, Math.ceil(count * to))));
  const [early, late] = [most(0.5, 0.75), most(0.75, 1)];
  if (count >= least && !(late <= early * FLAT))
    throw new Error(`memory grew from ${early} to ${late} MB in ${count} invocations`);
  return `memory ${early} MB in the third quarter of ${count} invocations, ${late} MB in the last`;
}

/** @returns the large object's parts; @throws where a row is missing, or there twice */
async function verify(s3: S3Client, due: ReadonlyMap<string, number>): Promise<number> {
  const text = async (Key: string): Promise<string> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'soak-scored', Key }));
    return (await Body?.transformToString()) ?? '';
  };
  const keys = [...due.keys()];
  let parts = 0;
  await eachOf(keys.length, async (i) => {
    const key = keys[i] as string;
    const latest: Latest = JSON.parse(await text(`churn/latest/${key}.json`));
    const folder = latest.job.replace('s3://soak-scored/', '');
    const success: Success = JSON.parse(await text(`${folder}_SUCCESS.json`));
    if (success.rows !== due.get(key) || success.errors > 0)
      throw new Error(`${key}: ${success.rows} rows (${success.errors} faulty) of ${due.get(key)}`);
    if (key === 'large.csv') parts = success.files.length;
    let row = 0;
    for (const part of success.files) {
      const lines = (await text(part.key)).split('\n');
      if (lines[0] !== 'row,label' || lines.at(-1) !== '') throw new Error(`${part.key} is no whole file`);
      for (const line of lines.slice(1, -1)) {
        row += 1;
        if (!line.startsWith(`${row},`)) throw new Error(`${part.key}: row ${row} is ${line}`);
      }
    }
    if (row !== due.get(key)) throw new Error(`${key}: ${row} rows are written of ${due.get(key)}`);
  });
  return parts;
}
