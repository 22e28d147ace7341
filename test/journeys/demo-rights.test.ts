/**
 * The demo service, by users with the policies of docs/deploy-policy.md and no more: deployed, released to
 * the end and taken back, its files scored, looked at, removed. What CloudFormation does is done in the
 * deployer’s name.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Success } from '../../core/batch/job.ts';
import { clientFor, liveOf } from '../../examples/demo/client.ts';
import { isNative, readPeople, requestAbout } from '../../examples/demo/people.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { repository } from '../serving/endpoint.ts';
import { startTraffic, type Traffic } from './releases/traffic.ts';
import { everythingLeft, prepareService, type Ran, type Service } from './service.ts';
import { documented, makeUser, type User } from './user.ts';

/**
 * A minute of metrics takes five seconds. Faster, a busy machine could not gate a version in the time that
 * CloudFormation waits.
 */
const SPEED = 12;
const RATE = 40;
const FILES = [
  'employment.onnx',
  'versions/2.onnx',
  'versions/4.onnx',
  'cases.jsonl',
  'reference.csv',
  'later.csv',
];
const [ROWS, SCORED] = ['employment-demo-rows', 'employment-demo-scored'];
const names = { SERVICE: 'employment', ROWS, SCORED, 'MADE-BY-THE-STACK': 'employment-demo-*' };
const policy = documented('Deployment', names);
/** Whose the output of batch is. */
const outputs = documented('arn:aws:s3:::SCORED', names);
const artifact = (version: number): readonly string[] => [
  '--param',
  `artifact=examples/employment/versions/${version}.onnx`,
];

let aws: LocalAws;
let before: readonly string[];
let service: Service;
let [ci, oncall, scorer]: User[] = [];
let s3: S3Client;
let traffic: Traffic | undefined;
beforeAll(async () => {
  aws = await startAws({ speed: SPEED });
  before = await everythingLeft(aws);
  s3 = new S3Client({ ...clientFor(aws.endpoint), forcePathStyle: true });
  [ci, oncall, scorer] = await Promise.all(['ci', 'oncall', 'scorer'].map((name) => makeUser(aws, name)));
  const read = (path: string) => readFile(join(repository, path));
  const paths = FILES.map((name) => `examples/employment/${name}`);
  const files = Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await read(path)])));
  const yaml = (await read('serverless.yml')).toString();
  service = await prepareService(
    { yaml: yaml.replace('./plugins/models/plugin.ts', 'serverless-models'), files },
    { ...aws, env: ci?.env ?? {} },
  );
});
afterAll(async () => {
  await traffic?.stop();
  s3?.destroy();
  await aws?.stop();
});

const as = (user: User | undefined, ...args: readonly string[]): Promise<Ran> =>
  service.slsAs(user?.env ?? {}, ...args);
const live = (): Promise<string> => liveOf(clientFor(aws.endpoint), 'employment-dev-employment', 'live');

/** The statement `ReadTraffic`: test/journeys/deploy-rights.test.ts. */
test.each([
  ['Deployment', 'cloudformation:DescribeStackResource'],
  ['Validation', 'cloudformation:ValidateTemplate'],
  ['Functions', 'lambda:GetAlias'],
  // What CloudFormation makes before the alias, whose gate takes a while.
  ['Layers', 'lambda:PublishLayerVersion'],
  ['Roles', 'iam:CreateRole'],
  ['LogGroups', 'logs:CreateLogGroup'],
  ['LogGroupList', 'logs:DescribeLogGroups'],
  ['Schedules', 'scheduler:CreateScheduleGroup'],
  ['Rules', 'events:PutRule'],
  ['BatchQueues', 'sqs:CreateQueue'],
  ['BatchMachines', 'states:CreateStateMachine'],
])('without the statement %s it is not deployed', async (sid, action) => {
  const less = policy.filter(({ Sid }) => Sid !== sid);
  expect(less).toHaveLength(policy.length - 1);
  await ci?.may([...less, ...outputs]);
  await service.rests();
  const { code, stdout, stderr } = await as(ci, 'deploy');
  expect(code, stdout + stderr).toBe(1);
  expect(stdout + stderr).toContain(`is not authorized to perform: ${action}`);
});

test('the policy deploys it', async () => {
  await ci?.may([...policy, ...outputs]);
  await service.deploy();
  expect(await live()).toBe('version 1');
});

test('and releases a version that is promoted', async () => {
  const reference = join(repository, 'examples', 'employment', 'reference.csv');
  const requests = readPeople(reference).filter(isNative).map(requestAbout);
  let asked = 0;
  // A prime stride visits everyone, in an order that has nothing to do with the file's.
  const next = () => requests[(asked++ * 1009) % requests.length];
  traffic = startTraffic(aws.endpoint, 'employment-dev-employment', RATE, next);
  const { code, stdout, stderr } = await as(ci, 'deploy', '--wait', ...artifact(2));
  expect(code, stdout + stderr).toBe(0);
  expect(await live()).toBe('version 2');
});

test('and one that is rolled back', async () => {
  const { code, stdout, stderr } = await as(ci, 'deploy', '--wait', ...artifact(4));
  expect(code, stdout + stderr).toBe(1);
  expect(stdout + stderr).toContain('the same as version 3, which was rolled back: errors');
  expect(await live()).toBe('version 2');
  await traffic?.stop();
});

test('rows are scored, by themselves and as somebody asks who may do that alone', async () => {
  const Body = await readFile(join(repository, 'examples', 'employment', 'later.csv'));
  await s3.send(new PutObjectCommand({ Bucket: ROWS, Key: 'later.csv', Body }));
  const done = async (): Promise<string | undefined> => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: SCORED }));
    return Contents.map(({ Key }) => Key).find((key) => key?.endsWith('/_SUCCESS.json'));
  };
  await expect.poll(done, { timeout: 150_000 }).toBeDefined();
  const { Body: text } = await s3.send(new GetObjectCommand({ Bucket: SCORED, Key: await done() }));
  const success: Success = JSON.parse((await text?.transformToString()) ?? '');
  expect(success).toMatchObject({ rows: 4000, errors: 0, version: '2' });

  await scorer?.may(documented('Ask', names));
  const asked = ['models', 'batch', '--input', `s3://${ROWS}/later.csv`, '--wait'];
  const { code, stdout, stderr } = await as(scorer, ...asked);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/^1 object scored \(1 of them before\): 4,000 rows, 0 of them faulty/m);
});

test('who is on call sees it and steers it', async () => {
  await oncall?.may(documented('Steer', names));
  for (const args of [['status'], ['history'], ['drift'], ['plan']]) {
    const { code, stdout, stderr } = await as(oncall, 'models', ...args);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout + stderr).not.toMatch(/not authorized|AccessDenied/);
  }
  const { code, stdout, stderr } = await as(oncall, 'models', 'rollback', '--to', '1');
  expect(code, stdout + stderr).toBe(0);
  expect(await live()).toBe('version 1');
});

test('the policy removes it, and nothing is left but the buckets that are kept', async () => {
  await service.remove();
  const left = (await everythingLeft(aws)).filter((thing) => !before.includes(thing));
  expect(left.filter((thing) => !thing.includes('employment-demo-'))).toEqual([]);
});
