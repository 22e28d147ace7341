import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import {
  ChangeMessageVisibilityCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import {
  ATTRIBUTES,
  BATCH_ENV,
  type BatchManifest,
  type ExecutionInput,
} from '../../../core/batch/contract.ts';
import type { Job } from '../../../core/batch/job.ts';
import type { Manifest } from '../../../core/endpoint/contract.ts';
import type { Part } from '../../../core/tabular/cells/contract.ts';
import { local } from '../../../local-aws/aws-python.ts';
import { client } from '../../../local-aws/deployed.ts';
import type { LocalAws } from '../../../local-aws/start.ts';
import { hostRuntime } from '../../../plugins/models/artifact/onnx/runtime.ts';
import { ownFile } from '../../../plugins/models/disk/own-file.ts';
import { bundle, importPath } from '../../../plugins/models/ship/bundle.ts';
import { FLOAT, modelOf, node, tensorInfo } from '../../unit/plugins/models/artifact/onnx/onnx-writer.ts';
import { type Invoked, workers } from '../crash/workers.ts';
import { makeRole } from '../lambda.ts';
import { counts, makeQueue, receive } from '../queue.ts';
import { type Between, between, type Fault } from './between.ts';

/** Most of each row is blanks that are none of its values: a row a megabyte. */
const BLANKS = ' '.repeat(1024 ** 2);

/** Rows of two numbers in JSONL, every seventh of which is none. */
export const content = (rows: number): string =>
  Array.from({ length: rows }, (_, i) => `{"x":[${i % 7 === 3 ? '"old"' : i},${i / 4}]${BLANKS}}\n`).join('');

export type Outcome = {
  /**
   * By what follows the job's folder: text, of JSON without what depends on when and how often it was tried,
   * and its metadata.
   */
  readonly files: Readonly<Record<string, unknown>>;
  /** Codes of what was put into the queue of failures. */
  readonly failures: readonly string[];
  readonly requests: readonly string[];
  readonly deaths: number;
  /** What invocations failed with, and how often a message was then put off. */
  readonly errors: readonly string[];
  readonly putOff: number;
};

export type Rig = {
  /**
   * An object is uploaded and its event told until it is taken, parts are run and tried again by the map, all
   * by a process that is killed where `faultOf` says so.
   */
  readonly play: (body: string | Uint8Array, faultOf: Parameters<Between['watch']>[0]) => Promise<Outcome>;
  readonly close: () => Promise<void>;
};

const MANIFEST: Manifest = {
  schema: 1,
  model: 'twice',
  identity: '0123456789abcdef'.repeat(4),
  signature: {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
    omitted: [],
  },
  opset: 20,
  file: 'model.onnx',
  remote: [],
};

/** Tries of a message and of a part before somebody gives them up. */
const TRIES = 3;

/**
 * The batch function, bundled as it is deployed, in processes of ours beside an AWS; a queue and a map that
 * are played manually.
 */
export async function rig(aws: LocalAws, name: string, tolerate = 1): Promise<Rig> {
  const settings = client(aws.endpoint);
  const [s3, sqs, sfn] = [
    new S3Client({ ...settings, forcePathStyle: true }),
    new SQSClient(settings),
    new SFNClient(settings),
  ];
  const [input, output, kept] = [`${name}-in`, `${name}-out`, `${name}-kept`];
  for (const Bucket of [input, output, kept]) await s3.send(new CreateBucketCommand({ Bucket }));
  const queue = await makeQueue(sqs, `${name}-queue`, { VisibilityTimeout: '0' });
  const failed = await makeQueue(sqs, `${name}-failed`);
  // Its executions end at once: what they would run is run here, from their input.
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({
      name,
      roleArn: await makeRole(aws, name, [], 'states'),
      definition: JSON.stringify({ StartAt: 'None', States: { None: { Type: 'Pass', End: true } } }),
    }),
  );
  const proxy = await between(aws.endpoint);
  const dir = await mkdtemp(join(local, 'batch-'));
  const batch: BatchManifest = {
    entries: [
      {
        input: { bucket: input, prefix: '', suffix: '' },
        output: { bucket: output, prefix: '' },
        format: 'jsonl',
        outputFormat: 'jsonl',
        tolerate,
        ids: [],
        join: false,
        emit: [],
      },
    ],
  };
  await writeFile(join(dir, 'model.onnx'), MODEL);
  const source = `import { createBatch } from ${importPath(ownFile('functions/batch/handler'))};
    export const handler = await createBatch(${JSON.stringify(MANIFEST)}, ${JSON.stringify(batch)});`;
  await writeFile(join(dir, 'handler.mjs'), await bundle(source, dir, 'models'));
  const through = (url: string): string => url.replace(/^https?:\/\/[^/]+/, proxy.url);
  const env = {
    ...aws.env,
    AWS_ENDPOINT_URL: proxy.url,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '7',
    LAMBDA_TASK_ROOT: dir,
    NODE_PATH: (await hostRuntime()) ?? '',
    NODE_COMPILE_CACHE: dir,
    [BATCH_ENV.queue]: through(queue.url),
    [BATCH_ENV.failed]: through(failed.url),
    [BATCH_ENV.machine]: stateMachineArn ?? '',
    [BATCH_ENV.owner]: '000000000000/us-east-1/rig/test',
  };
  const processes = workers(join(dir, 'handler.mjs'), '', env, join(dir, 'log.txt'));

  /** Invokes until it lives and does not fail, as often as the queue and the map do. */
  const insist = async (event: () => Promise<unknown>, log: Invoked[]): Promise<void> => {
    for (let tries = 0; tries < TRIES; tries++) {
      const came = await processes.invoke(await event(), Date.now());
      log.push(came);
      if (came !== 'died' && !('error' in came)) return;
    }
  };
  const executions = async (): Promise<ExecutionInput<Job>[]> => {
    const listed = await sfn.send(new ListExecutionsCommand({ stateMachineArn }));
    const described = (listed.executions ?? []).map(({ executionArn }) =>
      sfn.send(new DescribeExecutionCommand({ executionArn })),
    );
    return (await Promise.all(described)).map((one) => JSON.parse(one.input ?? '{}'));
  };
  const text = async (Key: string): Promise<string> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: output, Key }));
    return (await Body?.transformToString()) ?? '';
  };
  const uploaded = new Map<string | Uint8Array, string>();
  let count = 0;
  return {
    play: async (body, faultOf) => {
      // Uploaded once, then copied: the job's folder is of the key, and each run has its own.
      const key = `object-${++count}`;
      const from = uploaded.get(body) ?? key;
      if (from === key) await s3.send(new PutObjectCommand({ Bucket: kept, Key: key, Body: body }));
      uploaded.set(body, from);
      const copied = await s3.send(
        new CopyObjectCommand({ Bucket: input, Key: key, CopySource: `${kept}/${from}` }),
      );
      const etag = copied.CopyObjectResult?.ETag?.replaceAll('"', '');
      const detail = { bucket: { name: input }, object: { key, etag, sequencer: '10' } };
      const MessageBody = JSON.stringify({ source: 'aws.s3', detail });
      await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody }));
      let [times, putOff] = [0, 0];
      let ReceiptHandle: string | undefined;
      const record = async () => {
        // Whoever failed has put it off; this time has passed.
        const [, hidden] = await counts(sqs, queue);
        putOff += hidden;
        if (hidden > 0)
          await sqs.send(
            new ChangeMessageVisibilityCommand({ QueueUrl: queue.url, ReceiptHandle, VisibilityTimeout: 0 }),
          );
        const { Messages: [message] = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: queue.url, MessageAttributeNames: ['All'] }),
        );
        if (message === undefined) throw new Error('the message is not there');
        ReceiptHandle = message.ReceiptHandle;
        const attributes = { ApproximateReceiveCount: String(++times) };
        return {
          Records: [{ body: message.Body, receiptHandle: ReceiptHandle, attributes, messageAttributes: {} }],
        };
      };
      const log: Invoked[] = [];
      proxy.watch(faultOf, processes.kill);
      await insist(record, log);
      for (const { job, plan } of (await executions()).filter((one) => one.job.object.key === key)) {
        const parts: Part[] = JSON.parse(await text(plan.key));
        for (const part of parts) await insist(async () => ({ job, part }), log);
        await insist(async () => ({ finish: job }), log);
      }
      const requests = [...proxy.requests];
      proxy.watch(() => undefined, processes.kill);
      await receive(sqs, queue, 1, 0);
      await s3.send(new DeleteObjectCommand({ Bucket: input, Key: key }));
      const messages = await receive(sqs, failed, 100, 0);
      return {
        files: await written(key),
        failures: messages.map(
          ({ MessageAttributes }) => MessageAttributes?.[ATTRIBUTES.code]?.StringValue ?? '',
        ),
        requests: requests.map((request) =>
          request.replace(/object-\d+/, 'KEY').replace(/[0-9a-f]{64}/, 'HASH'),
        ),
        deaths: log.filter((one) => one === 'died').length,
        errors: log.flatMap((one) => (one !== 'died' && 'error' in one ? [one.error] : [])),
        putOff,
      };
    },
    close: async () => {
      processes.close();
      proxy.close();
      for (const one of [s3, sqs, sfn]) one.destroy();
      await rm(dir, { recursive: true, force: true });
    },
  };

  /** What the runs so far have written and nobody has looked at: only this run's. */
  async function written(key: string): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: output }));
    for (const { Key = '' } of Contents) {
      const whole = (await text(Key)).replaceAll(key, 'KEY').replace(/[0-9a-f]{64}\//g, 'HASH/');
      const { Metadata } = await s3.send(new HeadObjectCommand({ Bucket: output, Key }));
      const { ms: _, writer: __, ...metadata } = Metadata ?? {};
      const short = Key.replace(key, 'KEY').replace(/[0-9a-f]{64}\//, 'HASH/');
      found[short] = [/\.json$/.test(Key) ? steady(whole) : whole, metadata];
      await s3.send(new DeleteObjectCommand({ Bucket: output, Key }));
    }
    return found;
  }
}

const VARIES = /^(startedAt|finishedAt|failedAt|modified|ms)$/;
const steady = (text: string): unknown =>
  JSON.parse(text, (key, value) => (VARIES.test(key) ? undefined : value));

/** Each number twice. */
const MODEL = modelOf({
  nodes: [node('Add', ['x', 'x'], ['y'])],
  inputs: [tensorInfo('x', FLOAT, ['n', 2])],
  outputs: [tensorInfo('y', FLOAT, ['n', 2])],
});

/** Kills the process before AWS sees its n-th request. */
export const dieAt =
  (n: number) =>
  (_: unknown, number: number): Fault | undefined =>
    number === n ? 'die' : undefined;
