import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { SIZES } from '../../../core/batch/contract.ts';
import type { Success } from '../../../core/batch/job.ts';
import type { Latest } from '../../../core/batch/latest.ts';
import { finding, type RunCheck } from '../check.ts';
import { bucketsOf } from '../names.ts';
import type { Scene } from '../scene.ts';
import { until } from '../wait.ts';

const SMALL = 50;
const LATER = join(import.meta.dirname, '..', '..', '..', 'examples', 'employment', 'later.csv');
const PATIENCE = 1500;
/**
 * Seconds from which on a new bucket's events come: around five minutes, and one more.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html
 */
const LISTENS = 360;

export const batch: RunCheck = {
  name: 'batch',
  bullet: 'that S3, EventBridge, SQS and Step Functions bring objects',
  says: 'S3 sends an event for each new object, EventBridge brings it to the queue that a rule names, at least once, and a Distributed Map runs its parts.',
  page: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html',
  minutes: 65,
  use: {
    s3Write: 200,
    s3Read: 500,
    event: 10,
    queueRequest: 1000,
    transition: 200,
    lambdaRequest: 50,
    lambdaGbSecond: 2000,
  },
  run: async (scene) => {
    const Prefix = bucketsOf(scene.name).rows;
    const { Buckets: [made] = [] } = await scene.clients.s3.send(new ListBucketsCommand({ Prefix }));
    const listens = (made?.CreationDate?.getTime() ?? Date.now()) + LISTENS * 1000;
    await pause(Math.max(0, listens - Date.now()), undefined, { signal: scene.signal });
    const [header = '', ...rows] = (await readFile(LATER, 'utf8')).trim().split('\n');
    const small = await scored(scene, 'small.csv', `${[header, ...rows.slice(0, SMALL)].join('\n')}\n`);
    const block = `${rows.join('\n')}\n`;
    const times = Math.ceil((SIZES.whole * 1.02) / block.length);
    const large = await scored(scene, 'large.csv', `${header}\n${block.repeat(times)}`);
    const due = [SMALL, times * rows.length];
    const isWhole = [small, large].every(({ success }, i) => success.rows === due[i] && success.errors === 0);
    const text = [small, large].map(
      ({ success, seconds, bytes }) =>
        `${success.rows} rows (${(bytes / 1e6).toFixed(1)} MB, ${success.files.length} files) ${seconds.toFixed(0)} s after the upload`,
    );
    return finding(
      isWhole && large.success.files.length > 1,
      `By the queue: ${text[0]}; by Step Functions: ${text[1]}; each row once: ${isWhole ? 'yes' : `no, ${due.join(' and ')} were expected`}.`,
    );
  },
};

async function scored({ name, clients: { s3 }, signal }: Scene, Key: string, Body: string) {
  const { rows, scored: Bucket } = bucketsOf(name);
  const text = async (key: string): Promise<string> =>
    (await (await s3.send(new GetObjectCommand({ Bucket, Key: key }))).Body?.transformToString()) ?? '';
  await s3.send(new PutObjectCommand({ Bucket: rows, Key, Body }));
  const since = Date.now();
  const latest = await until(`${Key} is scored`, { patience: PATIENCE, every: 2, signal }, () =>
    text(`employment/latest/${Key}.json`).catch((error: Error) => {
      if (error.name === 'NoSuchKey') return undefined;
      throw error;
    }),
  );
  const seconds = (Date.now() - since) / 1000;
  const { job } = JSON.parse(latest) as Latest;
  const success = JSON.parse(await text(`${job.replace(`s3://${Bucket}/`, '')}_SUCCESS.json`)) as Success;
  return { success, seconds, bytes: Buffer.byteLength(Body) };
}
