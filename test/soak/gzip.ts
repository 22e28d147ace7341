import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Success } from '../../core/batch/job.ts';
import type { Latest } from '../../core/batch/latest.ts';
import { client } from '../../local-aws/deployed.ts';
import { startAws } from '../../local-aws/start.ts';
import { deployService } from '../journeys/service.ts';
import { memoryOfRuns } from './batch.ts';

/** Bytes once unpacked; packed they are a gigabyte. */
export const UNPACKED = 4.25e9;

const SERVICE = `service: packed
plugins: [serverless-models]
provider: {name: aws}
models:
  churn:
    artifact: employment.onnx
    batch: {input: 's3://packed-rows/*.csv.gz', output: 's3://packed-scored', emit: [label], tolerate: 1%, create: true}
`;
const employment = join(import.meta.dirname, '..', '..', 'examples', 'employment');
const KEY = 'large.csv.gz';
/** Bytes of an upload's part. */
const PIECE = 64 * 1024 ** 2;
/** One in so many copies of the rows has a row that no model takes. */
const EVERY = 100;
/** Which row of it, from 0. */
const FAULTY = 17;
/**
 * Milliseconds without a new file after which something must have been lost: Lambda ends a run after fifteen
 * minutes.
 */
const PATIENCE = 1_000_000;

/**
 * One object of a gigabyte of gzip, which nobody can enter but at its start, scored by a service that the
 * real `sls deploy` put on a local AWS. Each row must be there, once, in order, and equal rows must have
 * equal answers; each faulty one is listed with its line.
 */
export async function gzipSoak(unpacked: number): Promise<string> {
  const aws = await startAws();
  const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  try {
    const [header = '', ...rows] = (await readFile(join(employment, 'later.csv'), 'utf8')).trim().split('\n');
    const files = { 'employment.onnx': await readFile(join(employment, 'employment.onnx')) };
    const service = await deployService({ yaml: SERVICE, files }, aws);
    try {
      const whole = `${rows.join('\n')}\n`;
      const broken = `${rows.map((row, i) => (i === FAULTY ? `old${row}` : row)).join('\n')}\n`;
      const blocks = Math.ceil(unpacked / whole.length);
      const isBroken = (block: number): boolean => block % EVERY === EVERY - 1;
      const text = function* (): Iterable<string> {
        yield `${header}\n`;
        for (let block = 0; block < blocks; block++) yield isBroken(block) ? broken : whole;
      };
      const bytes = await upload(s3, Readable.from(text()).pipe(createGzip({ level: 1 })));
      const began = performance.now();
      const success = await scored(s3);
      const seconds = (performance.now() - began) / 1000;
      const faulty = Array.from({ length: blocks }, (_, block) => block)
        .filter(isBroken)
        .map((block) => block * rows.length + FAULTY + 1);
      await verify(s3, success, blocks * rows.length, rows.length, faulty);
      const runs = await memoryOfRuns(service);
      const left = await service.sls('models', 'batch', '--status');
      if (!left.stdout.includes('churn: 0 waiting, 0 at work, 0 failed'))
        throw new Error(`something is left: ${left.stdout}${left.stderr}`);
      return `${(bytes / 1e9).toFixed(2)} GB, ${(unpacked / 1e9).toFixed(2)} GB unpacked, in ${seconds.toFixed(0)} s, ${runs.length} run${runs.length === 1 ? '' : 's'} and ${success.files.length} files, ${Math.max(...runs)} MB of memory; ${success.rows} rows, ${success.errors} of them faulty, each once`;
    } finally {
      await service.remove();
    }
  } finally {
    s3.destroy();
    await aws.stop();
  }
}

/** @returns bytes that were uploaded */
async function upload(s3: S3Client, packed: AsyncIterable<Buffer>): Promise<number> {
  const object = { Bucket: 'packed-rows', Key: KEY };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
  const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
  let [bytes, waiting]: [number, Buffer[]] = [0, []];
  const send = async (): Promise<void> => {
    const PartNumber = Parts.length + 1;
    const Body = Buffer.concat(waiting);
    const { ETag } = await s3.send(new UploadPartCommand({ ...object, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
    waiting = [];
    bytes += Body.length;
  };
  let size = 0;
  for await (const chunk of packed) {
    waiting.push(chunk);
    size += chunk.length;
    if (size < PIECE) continue;
    await send();
    size = 0;
  }
  await send();
  await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
  return bytes;
}

async function textOf(s3: S3Client, Key: string): Promise<string | undefined> {
  const found = await s3
    .send(new GetObjectCommand({ Bucket: 'packed-scored', Key }))
    .catch((error: Error) => (error.name === 'NoSuchKey' ? undefined : Promise.reject(error)));
  return found?.Body?.transformToString();
}

/** Waits until the object is scored. @throws where nothing comes any more */
async function scored(s3: S3Client): Promise<Success> {
  for (let [last, since] = ['', Date.now()]; ; ) {
    const latest = await textOf(s3, `churn/latest/${KEY}.json`);
    if (latest !== undefined) {
      const { job }: Latest = JSON.parse(latest);
      return JSON.parse((await textOf(s3, `${job.replace('s3://packed-scored/', '')}_SUCCESS.json`)) ?? '');
    }
    // Behind what was there: keys of files are in their order.
    const asked = { Bucket: 'packed-scored', Prefix: 'churn@', ...(last !== '' && { StartAfter: last }) };
    const { Contents = [] } = await s3.send(new ListObjectsV2Command(asked));
    const newest = Contents.map(({ Key = '' }) => Key).findLast((key) => key.includes('/part-'));
    if (newest !== undefined) {
      [last, since] = [newest, Date.now()];
      console.error(newest.slice(newest.lastIndexOf('/') + 1));
    }
    if (Date.now() - since > PATIENCE) throw new Error(`no file came after ${last}`);
    await pause(5_000);
  }
}

/**
 * @param period rows after which the same come again
 * @throws where a row is missing, wrong, or there twice
 */
async function verify(
  s3: S3Client,
  success: Success,
  due: number,
  period: number,
  faulty: readonly number[],
): Promise<void> {
  const isFaulty = new Set(faulty);
  const answers = new Map<number, string>();
  const errors: { row: number; line: number }[] = [];
  let row = 0;
  for (const { key, errorsKey } of success.files) {
    const lines = ((await textOf(s3, key)) ?? '').split('\n');
    if (lines[0] !== 'row,label' || lines.at(-1) !== '') throw new Error(`${key} is no whole file`);
    for (const line of lines.slice(1, -1)) {
      row += 1;
      while (isFaulty.has(row)) row += 1;
      const comma = line.indexOf(',');
      const answer = answers.get((row - 1) % period) ?? line.slice(comma);
      answers.set((row - 1) % period, answer);
      if (line.slice(0, comma) !== String(row) || line.slice(comma) !== answer)
        throw new Error(`${key}: row ${row} is ${line}`);
    }
    if (errorsKey === undefined) continue;
    for (const line of ((await textOf(s3, errorsKey)) ?? '').trim().split('\n'))
      errors.push(JSON.parse(line));
  }
  if (success.rows !== due || row !== due)
    throw new Error(`${row} rows of ${due} are written, ${success.rows} are reported`);
  if (JSON.stringify(errors.map((error) => error.row)) !== JSON.stringify(faulty))
    throw new Error(`${errors.length} rows are listed as faulty, not ${faulty.length}`);
  const wrong = errors.find((error) => error.line !== error.row + 1);
  if (wrong !== undefined) throw new Error(`row ${wrong.row} is reported at line ${wrong.line}`);
}
