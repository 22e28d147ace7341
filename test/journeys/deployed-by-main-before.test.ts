/**
 * The demo service, deployed by main before: this version takes it over, and the older worker a release of
 * this version.
 */
import { cp, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DeleteRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { GetAliasCommand, LambdaClient, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Release } from '../../core/release/document/contract.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import type { Past } from '../../plugins/models/releases/history/past.ts';
import { zipped } from '../local-aws/release-stack.ts';
import { packagedBefore, pluginBefore, versionBefore } from '../older/version-before.ts';
import { type Deployment, leadTo, prepareService, type Service } from './service.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const employment = join(root, 'examples', 'employment');
const SCOPE = 'models/000000000000/us-east-1/employment/dev/';
const [ROWS, SCORED] = ['employment-demo-rows', 'employment-demo-scored'];
/** Rows of a request, requests at a time, and the pause after each, in milliseconds of the real clock. */
const [PEOPLE, SENDERS, PAUSE] = [20, 2, 120];
/** The demo's steps, and ones for which this test has the time and the traffic. */
const STEPS = /steps: \[.*\]/;
const SHORT = 'steps: [{ weight: 50, bake: 2m }]\n      minRequests: 20\n      increase: 50%';
/** A log is complete when the invocation is over that writes it. */
const WRITTEN = { timeout: 90_000, interval: 100 };
/** The batch job comes as far as its rows, and not to its end. */
const UNENDED = {
  Effect: 'Deny',
  Action: 's3:PutObject',
  Resource: `arn:aws:s3:::${SCORED}/*/_SUCCESS.json`,
};

let aws: LocalAws;
let service: Service;
let stack: Deployment;
let yaml: string;
let s3: S3Client;
let lambda: LambdaClient;
let iam: IAMClient;
let traffic: { stop(): Promise<readonly string[]> } | undefined;

beforeAll(async () => {
  // Faster, a busy machine could not gate a version in the time that CloudFormation waits.
  aws = await startAws({ speed: 10 });
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  lambda = new LambdaClient(client(aws.endpoint));
  iam = new IAMClient(client(aws.endpoint));
  const demo = await readFile(join(root, 'serverless.yml'), 'utf8');
  yaml = demo.replace('./plugins/models/plugin.ts', 'serverless-models');
  service = await prepareService({ yaml }, aws);
  await cp(employment, join(service.dir, 'examples', 'employment'), { recursive: true });
  await sls('package');
  await packagedBefore(join(service.dir, '.serverless'), join(service.dir, 'before'));
  await leadTo(service.dir, await pluginBefore(join(service.dir, 'older')));
  stack = await service.deploy(undefined, '--package', 'before');
  await leadTo(service.dir);
  traffic = await people();
});
afterAll(async () => {
  await traffic?.stop();
  for (const one of [s3, lambda, iam]) one?.destroy();
  await aws?.stop();
  if (service !== undefined) await rm(service.dir, { recursive: true });
});

async function sls(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await service.sls(...args);
  expect(code, stdout + stderr).toBe(0);
  return stdout;
}

/** Asks without an end about people of the reference data. @returns what was not answered, once stopped */
async function people(): Promise<{ stop(): Promise<readonly string[]> }> {
  const reference = await readFile(join(employment, 'reference.csv'), 'utf8');
  const [header = [], ...rows] = reference
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const failed: string[] = [];
  let [next, isOver] = [0, false];
  const sends = async (): Promise<void> => {
    while (!isOver) {
      const asked = Array.from({ length: PEOPLE }, () => rows[(next++ * 1009) % rows.length] ?? []);
      const inputs = header.map((name, column) => ({
        name,
        shape: [PEOPLE, 1],
        datatype: name === 'AGEP' ? 'FP32' : 'INT64',
        data: asked.map((row) => Number(row[column])),
      }));
      const { answer } = await stack.invoke('employment', { inputs });
      if (!Array.isArray((answer as { outputs?: unknown }).outputs)) failed.push(JSON.stringify(answer));
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  };
  const work = Array.from({ length: SENDERS }, sends);
  return {
    stop: async () => {
      isOver = true;
      await Promise.all(work);
      return failed;
    },
  };
}

const physical = (id: string): string => stack.resources.find((one) => one.id === id)?.physical ?? '';
async function text(Bucket: string, Key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return (await Body?.transformToString()) ?? '';
}
async function objects(Bucket: string, Prefix = '') {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Contents;
}
const release = async (): Promise<Release> =>
  JSON.parse(await text(physical('ServerlessDeploymentBucket'), `${SCOPE}releases/employment/live.json`));
async function alias() {
  const FunctionName = 'employment-dev-employment';
  const { FunctionVersion: version, RoutingConfig } = await lambda.send(
    new GetAliasCommand({ FunctionName, Name: 'live' }),
  );
  return { version, weights: RoutingConfig?.AdditionalVersionWeights ?? {} };
}
/** Where the worker has put the alias, oldest first. */
async function moves(): Promise<readonly string[]> {
  const lines = (await stack.logs('models-release')).filter((line) => line.startsWith('{'));
  return lines
    .map((line): Record<string, string> => JSON.parse(line))
    .filter(({ message, written }) => message === 'moved the alias' && written === 'ok')
    .map(({ to = '' }) => to);
}
const until = (phase: string) =>
  expect.poll(async () => (await release()).phase, { timeout: 150_000, interval: 50 }).toBe(phase);
async function history(): Promise<readonly Past[]> {
  return JSON.parse(await sls('models', 'history', '--json')).employment;
}

type Told = { readonly from: string; readonly to: string; readonly rows: number };
/**
 * The documents of drift windows as they are, by key. The monitor is called as its schedule calls it, and
 * earlier.
 */
async function windows(): Promise<ReadonlyMap<string, string>> {
  await stack.invoke('models-drift', {}, '');
  const bucket = physical('ServerlessDeploymentBucket');
  const keys = (await objects(bucket, `${SCOPE}drift/employment/`)).map(({ Key = '' }) => Key);
  return new Map(await Promise.all(keys.map(async (key) => [key, await text(bucket, key)] as const)));
}
const told = (found: ReadonlyMap<string, string>): readonly Told[] =>
  [...found.values()].map((one): Told => JSON.parse(one));
/** Waits for a window that ends later, with enough rows to be judged. */
const windowAfter = (time: number) =>
  expect
    .poll(async () => told(await windows()).some(({ to, rows }) => Date.parse(to) > time && rows >= 100), {
      timeout: 150_000,
      interval: 250,
    })
    .toBe(true);

/** What main before has left: of its history, windows and batch job. */
let first: readonly Past[];
let older: ReadonlyMap<string, string>;
let begun: Awaited<ReturnType<typeof objects>>;
const denied = () => ({ RoleName: physical('EmploymentDashbatchModelsRole'), PolicyName: 'unended' });

async function jobEnds(): Promise<void> {
  await iam.send(new DeleteRolePolicyCommand(denied()));
  expect(begun.map(({ Key }) => Key)).not.toContainEqual(expect.stringMatching(/_SUCCESS\.json$/));
  const ended = await sls('models', 'batch', '--input', `s3://${ROWS}/may.csv`, '--wait');
  expect(ended).toMatch(/^1 object scored.*: 4,000 rows, 0 of them faulty/m);
  const scored = await objects(SCORED);
  // What the older version had written is a part of it, as it was.
  expect(scored).toEqual(expect.arrayContaining(begun));
  const success = scored.find(({ Key }) => Key?.endsWith('/_SUCCESS.json'))?.Key ?? '';
  const files = [{ key: begun.find(({ Key }) => Key?.includes('/part-'))?.Key, rows: 4000 }];
  expect(JSON.parse(await text(SCORED, success))).toMatchObject({ rows: 4000, errors: 0, files });
}

it('what main before has deployed is taken over, and no release starts', async () => {
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [UNENDED] });
  await iam.send(new PutRolePolicyCommand({ ...denied(), PolicyDocument }));
  const Body = await readFile(join(employment, 'later.csv'));
  await s3.send(new PutObjectCommand({ Bucket: ROWS, Key: 'may.csv', Body }));
  const part = expect.objectContaining({ Key: expect.stringMatching(/\/part-00000\.csv$/) });
  await expect.poll(() => objects(SCORED), { timeout: 150_000 }).toContainEqual(part);
  [first] = await Promise.all([history(), windowAfter(0)]);
  older = await windows();
  begun = await objects(SCORED);
  const before = await release();
  expect(before).toMatchObject({ phase: 'DONE', stable: { version: '1' } });

  const { printed } = await service.deploy();
  expect(printed.stderr).toContain('employment: version 2 is live');
  const after = await release();
  // The handler is another one, and its model and configuration are not: no gate, no weight and no look at
  // it.
  expect(after).toMatchObject({
    phase: 'DONE',
    promote: 'now',
    stable: { ...before.stable, version: '2', batch: { version: '2' } },
    lives: [{ version: '2' }, { version: '1' }],
    shifts: [],
    judgements: [],
  });
  expect(after.gate).toBeUndefined();
  expect(await alias()).toEqual({ version: '2', weights: {} });
  await expect.poll(moves, WRITTEN).toEqual(['version 1', 'version 2']);
});

it('a release of this version goes on under the older worker; a batch job that was begun ends, history and drift windows have no gap', async () => {
  const changed = ['--param', 'artifact=examples/employment/versions/2.onnx'];
  const job = jobEnds();
  // It is awaited at the end: what it takes is no time of the release, whose step is short.
  job.catch(() => {});
  await service.deploy(yaml.replace(STEPS, SHORT), ...changed);
  await until('JUDGING');
  const { worker } = await versionBefore();
  const FunctionName = 'employment-dev-models-release';
  await lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await zipped('handler.mjs', worker) }),
  );
  const { release: id, phase } = await release();
  expect(phase).toBe('JUDGING');
  await until('BAKING');
  expect(await release()).toMatchObject({
    release: id,
    stable: { version: '3' },
    judgements: [{ verdict: 'pass' }],
  });
  expect(await alias()).toEqual({ version: '3', weights: {} });
  const gone = ['version 1', 'version 2', 'version 2 (3: 50 %)', 'version 3'];
  await expect.poll(moves, WRITTEN).toEqual(gone);

  await job;
  const last = Math.max(...told(older).map(({ to }) => Date.parse(to)));
  const [pasts] = await Promise.all([history(), windowAfter(last)]);
  expect(pasts.map(({ to }) => to)).toEqual(['3', '2', '1']);
  expect(pasts.slice(2)).toEqual(first);
  const all = await windows();
  for (const [key, was] of older) expect(all.get(key)).toBe(was);
  const spans = told(all);
  expect(spans.slice(1).map(({ from }) => from)).toEqual(spans.slice(0, -1).map(({ to }) => to));
  expect(await traffic?.stop()).toEqual([]);
});
