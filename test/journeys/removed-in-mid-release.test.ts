/**
 * `sls remove` in the middle of a canary under traffic: the release is aborted first, then the stack goes,
 * and with it everything.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Release } from '../../core/release/document/contract.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, REGION, startAws } from '../../local-aws/start.ts';
import { ACCOUNT } from '../local-aws/lambda.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Between, standBetween } from './between.ts';
import { everythingLeft, prepareService, type Service } from './service.ts';

const NAMED = 'team-models';
/** A canary that nothing ends while we look: its step has neither the time nor the requests. */
const yaml = (service: string, memory: number, registry = ''): string => `service: ${service}
plugins: [serverless-models]
provider: {name: aws}
${registry}
models:
  churn:
    artifact: add.onnx
    memory: ${memory}
    release: {strategy: canary, minRequests: 100000, steps: [{weight: 50, bake: 1d}]}
`;
const registry = `custom: {models: {registry: {bucket: ${NAMED}}}}`;
const REQUEST = JSON.stringify({
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] },
    { name: 'b', datatype: 'FP32', shape: [1, 1], data: [1] },
  ],
});

let aws: LocalAws;
let between: Between;
let s3: S3Client;
let before: string[];
let files: Record<string, Uint8Array>;
beforeAll(async () => {
  files = { 'add.onnx': await readFile(join(fixtures, 'add.onnx')) };
  aws = await startAws({ speed: 10 });
  between = await standBetween(aws);
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: NAMED }));
  before = await everythingLeft(aws);
});
afterAll(async () => {
  s3?.destroy();
  between?.close();
  await aws?.stop();
});

type Outcome = { readonly version: string } | { readonly failure: string; readonly at: number };

/** Asks the alias until it is told to stop. */
function ask(functionName: string) {
  const lambda = new LambdaClient({ ...client(aws.endpoint), maxAttempts: 1 });
  const outcomes: Outcome[] = [];
  let over = false;
  const running = (async () => {
    while (!over) {
      const outcome = await lambda
        .send(new InvokeCommand({ FunctionName: functionName, Qualifier: 'live', Payload: REQUEST }))
        .then(
          ({ ExecutedVersion = '', FunctionError, Payload }): Outcome =>
            FunctionError === undefined
              ? { version: ExecutedVersion }
              : { failure: Payload?.transformToString() ?? '', at: Date.now() },
          (error: Error): Outcome => ({ failure: error.name, at: Date.now() }),
        );
      outcomes.push(outcome);
      await new Promise((done) => setTimeout(done, 20));
    }
    lambda.destroy();
  })();
  return {
    outcomes,
    stop: () => {
      over = true;
      return running;
    },
  };
}

/** Version 2 has half of the traffic beside version 1. */
async function canary(name: string, more = ''): Promise<Service> {
  const service = await prepareService({ yaml: yaml(name, 1024, more), files }, between.aws);
  await service.deploy();
  await service.deploy(yaml(name, 1088, more));
  const { stdout } = await service.sls('models', 'status', '--json');
  expect(JSON.parse(stdout)).toMatchObject([{ phase: 'JUDGING' }]);
  return service;
}

/**
 * Removes it under traffic.
 *
 * @returns calls that change something, in order, and what `look` saw when the stack's turn came
 */
async function removed<T>(service: Service, look: () => Promise<T>) {
  const asking = ask(`${service.stack}-churn`);
  await expect
    .poll(() => new Set(asking.outcomes.map((one) => ('version' in one ? one.version : one.failure))), {
      timeout: 90_000,
    })
    .toEqual(new Set(['1', '2']));
  const from = between.calls.length;
  let deleting = Number.POSITIVE_INFINITY;
  const seen: T[] = [];
  between.before(async (call) => {
    if (call !== 'POST DeleteStack') return;
    seen.push(await look());
    deleting = Date.now();
  });
  await service.remove();
  between.before(async () => {});
  const failed = () => asking.outcomes.flatMap((one) => ('failure' in one ? [one] : []));
  // Until the stack goes everyone is answered; then there is nobody to ask.
  await expect.poll(failed, { timeout: 90_000 }).not.toEqual([]);
  await asking.stop();
  const failures = failed();
  expect(failures.filter(({ at }) => at < deleting)).toEqual([]);
  expect(new Set(failures.map(({ failure }) => failure))).toEqual(new Set(['ResourceNotFoundException']));
  const changes = between.calls
    .slice(from)
    .filter((call) => /^(PUT|DELETE|POST (\/\S*\?delete|Delete))/.test(call));
  return { changes, seen: seen[0] };
}

const scope = (service: string): string => `models/${ACCOUNT}/${REGION}/${service}/dev/`;
/** Key → ETag and time of writing. */
async function objects(Bucket: string): Promise<Readonly<Record<string, string>>> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  return Object.fromEntries(
    Contents.map(({ Key = '', ETag, LastModified }) => [Key, `${ETag} ${LastModified?.toISOString()}`]),
  );
}
async function document(Bucket: string, Key: string): Promise<Release> {
  const found = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return JSON.parse((await found.Body?.transformToString()) ?? '');
}
/** The stack's own one aside. */
const schedules = async (): Promise<readonly string[]> =>
  (await everythingLeft(aws)).filter((thing) => /^schedule (?!group )(?!.*\/sweep$)/.test(thing));

test('a service that is protected against it loses nothing, and its canary is judged on', async () => {
  const protection = 'provider: {name: aws, deletionProtection: true}';
  const text = (memory: number) => yaml('guarded', memory).replace('provider: {name: aws}', protection);
  const service = await prepareService({ yaml: text(1024), files }, between.aws);
  await service.deploy();
  await service.deploy(text(1088));
  const bucket = 'guarded-dev-serverlessdeploymentbucket';
  const [found] = (await everythingLeft(aws)).filter((thing) => thing.startsWith(`bucket ${bucket}`));
  const name = found?.slice('bucket '.length) ?? '';
  const keys = Object.keys(await objects(name));
  const { code, stdout: told, stderr } = await service.sls('remove');
  expect([code, told + stderr]).toEqual([1, expect.stringContaining('[MODELS_PROTECTED]')]);
  expect(Object.keys(await objects(name))).toEqual(keys);
  const { stdout } = await service.sls('models', 'status', '--json');
  expect(JSON.parse(stdout)).toMatchObject([{ phase: 'JUDGING' }]);
  await service.deploy(text(1088).replace('true', 'false'));
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});

test('the document, then its schedule, then the registry, then the stack; nothing is left', async () => {
  const service = await canary('unnamed');
  expect(await schedules()).toHaveLength(1);
  const { changes, seen } = await removed(service, schedules);
  expect(seen).toEqual([]);
  const [first = '', second = '', third = ''] = changes;
  expect(first).toMatch(
    /^PUT \/unnamed-dev-serverlessdeploymentbucket-\w+\/models\/.*\/releases\/churn\/live\.json$/,
  );
  expect(second).toMatch(/^DELETE \/schedules\/unnamed-dev-churn/);
  expect(third).toMatch(/^POST \/unnamed-dev-serverlessdeploymentbucket-\w+\/?\?delete/);
  expect(changes.at(-1)).toBe('POST DeleteStack');
  expect(await everythingLeft(aws)).toEqual(before);
});

test('a registry that the service names keeps its documents, and nothing is written once the stack goes', async () => {
  const service = await canary('named', registry);
  // Another name of the stack is no way to it: the framework itself calls that a removal.
  const [objectsBefore, schedulesBefore] = [await objects(NAMED), await schedules()];
  const elsewhere = 'provider: {name: aws, stackName: named-elsewhere}';
  const file = join(service.dir, 'serverless.yml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('provider: {name: aws}', elsewhere));
  const wrong = await service.sls('remove');
  expect([wrong.code, wrong.stdout + wrong.stderr]).toEqual([
    1,
    expect.stringMatching(
      /provider\.stackName.*named-elsewhere.*named-dev-models-release[\s\S]*\[MODELS_NOT_DEPLOYED\]/,
    ),
  ]);
  expect(await schedules()).toEqual(schedulesBefore);
  expect(Object.keys(await objects(NAMED))).toEqual(expect.arrayContaining(Object.keys(objectsBefore)));
  await writeFile(file, text);
  const release = await document(NAMED, `${scope('named')}releases/churn/live.json`);
  const { changes, seen } = await removed(service, async () => ({
    schedules: await schedules(),
    objects: await objects(NAMED),
  }));
  expect(changes.slice(0, 2)).toEqual([
    `PUT /${NAMED}/${scope('named')}releases/churn/live.json`,
    expect.stringMatching(/^DELETE \/schedules\/named-dev-churn/),
  ]);
  expect(seen?.schedules).toEqual([]);
  // A tick that was under way may finish what it wrote; nothing new is begun.
  expect(Object.keys(await objects(NAMED))).toEqual(Object.keys(seen?.objects ?? {}));
  expect(await document(NAMED, `${scope('named')}releases/churn/live.json`)).toMatchObject({
    release: release.release,
    phase: 'ABORTED',
    reason: 'the service is being removed',
    stable: { version: '1' },
    candidate: { version: '2' },
  });
  expect(await everythingLeft(aws)).toEqual(before);
});

test('the next deploy archives what it finds there, and is a first release', async () => {
  const old = await document(NAMED, `${scope('named')}releases/churn/live.json`);
  const service = await prepareService({ yaml: yaml('named', 1088, registry), files }, between.aws);
  const { invoke } = await service.deploy();
  expect(await invoke('churn', JSON.parse(REQUEST))).toMatchObject({ version: '1', error: undefined });
  const now = await document(NAMED, `${scope('named')}releases/churn/live.json`);
  expect(now.release).not.toBe(old.release);
  expect(now).toMatchObject({ phase: 'DONE', stable: { version: '1' }, refused: [] });
  const kept = Object.keys(await objects(NAMED)).filter(
    (key) => key.endsWith(`-${old.release}.json`) && !key.includes('/gate-'),
  );
  expect(kept).toHaveLength(1);
  expect(await document(NAMED, kept[0] ?? '')).toMatchObject({ release: old.release, phase: 'ABORTED' });
  const { stdout } = await service.sls('models', 'history');
  expect(stdout).toMatch(/first version 1 .*promoted[\s\S]*version 1 → 2 .*given up/);
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
