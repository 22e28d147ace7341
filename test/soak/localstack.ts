import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { CloudWatchClient, DescribeAlarmsCommand, GetDashboardCommand } from '@aws-sdk/client-cloudwatch';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Success } from '../../core/batch/job.ts';
import { readPeople } from '../../examples/demo/people.ts';
import { startTraffic, type Traffic } from '../../examples/demo/traffic.ts';
import { client } from '../../local-aws/deployed.ts';
import { localStackPython, startLocalStack } from '../../local-aws/localstack.ts';
import type { LocalAws } from '../../local-aws/start.ts';
import {
  type Deployment,
  deployService,
  everythingLeft,
  prepareService,
  type Service,
} from '../journeys/service.ts';
import { runWarm } from '../warm-sls.ts';
import { aliasInTemplate } from './localstack-alias.ts';

/**
 * Its clock is the real one, so everything is as short as may be: a step of a minute, windows of five.
 * Traffic comes from people under 35 only, from its first request on: two windows of it are an alarm, while
 * the releases go on.
 */
const SERVICE = `service: shop
plugins: [serverless-models]
provider: {name: aws}
custom: {models: {dashboard: true}}
models:
  churn:
    artifact: \${param:artifact, 'employment.onnx'}
    http: {auth: none}
    traffic: 10/s
    gate: {cases: cases.jsonl}
    release: {strategy: canary, steps: [{weight: 50, bake: 1m}], increase: 2%, maxWait: 6m}
    drift: {baseline: reference.csv, window: 5m}
    batch: {input: 's3://shop-rows/*.csv', output: 's3://shop-scored', create: true}
`;
const examples = join(import.meta.dirname, '..', '..', 'examples', 'employment');
const YOUNG = 35;
/** Requests a second. */
const RATE = 10;
/** Rows of the file that is scored. */
const ROWS = 500;
/** Buckets of batch stay, with the user's data. */
const KEPT = ['bucket shop-rows', 'bucket shop-scored'];
/** Ms of one command: a canary takes two to four minutes. */
const COMMAND_MS = 8 * 60_000;
/** Ms of a window of drift; and what must be left of one for the first deploy and a hundred rows. */
const [WINDOW_MS, LEFT_MS] = [5 * 60_000, 100_000];
/** Ms until drift is told: two windows must be over, and the monitor looks every five minutes. */
const DRIFT_MS = 15 * 60_000;

/** One service from its first deploy to its last trace, on LocalStack's community build. */
export async function localStackJourney(): Promise<string> {
  const [began, steps] = [performance.now(), [] as string[]];
  const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(0);
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const since = performance.now();
    const result = await work();
    steps.push(`${name} ${seconds(since)}`);
    console.error(`localstack: ${name}, ${seconds(since)} s (${seconds(began)} s in all)`);
    return result;
  };
  await step('install', () => localStackPython(console.error));
  const aws = await step('start', () => startLocalStack());
  const own = { ...client(aws.endpoint), forcePathStyle: true };
  const s3 = new S3Client(own);
  const cloudWatch = new CloudWatchClient(own);
  let traffic: Traffic | undefined;
  try {
    const left = WINDOW_MS - (Date.now() % WINDOW_MS);
    if (left < LEFT_MS) await step('wait for the next window', () => pause(left));
    const service = await step('deploy', () => deployed(aws));
    const people = readPeople(join(examples, 'reference.csv')).filter(({ AGEP = 0 }) => AGEP < YOUNG);
    await step('HTTP and invoke', () => ask(service));
    const dashboard = await cloudWatch.send(
      new GetDashboardCommand({ DashboardName: 'shop-dev-models-us-east-1' }),
    );
    if (dashboard.DashboardBody?.includes('${!') !== false) throw new Error('the dashboard has escapes left');
    const since = performance.now();
    traffic = startTraffic(
      client(aws.endpoint),
      { functionName: 'shop-dev-churn', name: 'live' },
      people,
      RATE,
    );

    const both = await Promise.allSettled([
      step('uncalled custom resource told, alias of a template moved', apart),
      step('canary promoted', () => release(service, 2, 0, /version 2 is live/)),
    ]);
    for (const one of both) if (one.status === 'rejected') throw one.reason;
    await step('canary rolled back', () =>
      release(service, 4, 1, /version 3, which was rolled back: errors: /),
    );
    await step('batch', () => batch(s3));
    await until('the alarm of drift', DRIFT_MS - (performance.now() - since), async () => {
      const AlarmNames = ['shop-dev-churn-drift-outputs'];
      const found = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames }));
      return found.MetricAlarms?.[0]?.StateValue === 'ALARM';
    });
    // The monitor judges a window some minutes after its end, and its alarm comes a window later.
    await until('the monitor names the column', DRIFT_MS - (performance.now() - since), () =>
      tells(service, ['drift', '--since', '2h'], /AGEP.* not as in the reference data/),
    );
    steps.push(`drift alarm and its column ${seconds(since)} after the first request`);
    await traffic.stop();
    const { outcomes } = traffic;
    const failed = outcomes.filter(({ failure }) => failure !== undefined);
    const wrong = failed.find(({ version }) => version !== '3');
    if (wrong !== undefined)
      throw new Error(`a request failed that was not the bad version's: ${JSON.stringify(wrong)}`);
    await says(service, ['history'], /rolled back/);
    await says(service, ['status'], /version 2/);
    await step('remove', () => service.remove());
    const things = (await everythingLeft(aws)).filter((thing) => !KEPT.includes(thing));
    if (things.length > 0) throw new Error(`left after remove: ${things.join(', ')}`);
    return `${steps.join(', ')} s; ${outcomes.length} requests, ${failed.length} failed, all of the version that was rolled back`;
  } catch (error) {
    // What went wrong first is told, and the end of its own log.
    const log = await readFile(aws.logFile, 'utf8').catch(() => '');
    console.error(
      log
        .split('\n')
        .filter((line) => / (?:WARN|ERROR) /.test(line))
        .slice(-40)
        .join('\n'),
    );
    throw error;
  } finally {
    await traffic?.stop();
    for (const one of [s3, cloudWatch]) one.destroy();
    await aws.stop();
  }
}

/**
 * On another one: as published, custom resources are reported as made, and not called, and `sls deploy` must
 * say so. What models have no use for is looked at there, too.
 */
async function apart(): Promise<void> {
  const aws = await startLocalStack({ without: ['custom_resources'] });
  try {
    await aliasInTemplate(aws);
    const yaml = `service: untold
plugins: [serverless-models]
provider: {name: aws}
models: {churn: {artifact: employment.onnx}}
`;
    const files = { 'employment.onnx': await readFile(join(examples, 'employment.onnx')) };
    const service = await prepareService({ yaml, files }, aws);
    const { code, stdout, stderr } = await service.sls('deploy');
    await rm(service.dir, { recursive: true, force: true });
    if (code !== 1 || !/\[MODELS_ALIAS_ABSENT\]/.test(stdout + stderr))
      throw new Error(`sls deploy without custom resources ended with ${code}:\n${stdout}${stderr}`);
  } finally {
    await aws.stop();
  }
}

async function deployed(aws: LocalAws): Promise<Service & Deployment> {
  const names = ['employment.onnx', 'cases.jsonl', 'reference.csv', 'versions/2.onnx', 'versions/4.onnx'];
  const files = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(examples, name))] as const)),
  );
  return deployService({ yaml: SERVICE, files }, aws, undefined, undefined, (command) =>
    runWarm({ ...command, timeout: COMMAND_MS }),
  );
}

/** The same people by HTTP and by invoke, with what Python's onnxruntime answers. */
async function ask(service: Deployment): Promise<void> {
  const known: {
    readonly request: unknown;
    readonly answer: {
      readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[];
    };
  } = JSON.parse(await readFile(join(examples, 'answers.json'), 'utf8'));
  const labels = (answer: unknown): string =>
    JSON.stringify((answer as typeof known.answer).outputs?.find(({ name }) => name === 'label')?.data);
  const expected = labels(known.answer);
  const body = JSON.stringify(known.request);
  const headers = { 'content-type': 'application/json' };
  const http = await fetch(`${service.http()}/v2/models/churn/infer`, { method: 'POST', body, headers });
  const { answer } = await service.invoke('churn', known.request);
  const ready = await fetch(`${service.http()}/v2/health/ready`);
  if (ready.status !== 200) throw new Error(`/v2/health/ready is ${ready.status}`);
  for (const found of [labels(await http.json()), labels(answer)])
    if (found !== expected) throw new Error(`labels ${found}, not ${expected}`);
}

/** Deploys another version of the model, and waits until its release has ended. */
async function release(service: Service, version: number, code: number, says: RegExp): Promise<void> {
  const artifact = `artifact=versions/${version}.onnx`;
  const ran = await service.sls('deploy', '--wait', '--param', artifact);
  const text = ran.stdout + ran.stderr;
  if (ran.code !== code || !says.test(text))
    throw new Error(`deploy of ${artifact} ended with ${ran.code}:\n${text}`);
}

async function batch(s3: S3Client): Promise<void> {
  const lines = (await readFile(join(examples, 'later.csv'), 'utf8')).split('\n').slice(0, ROWS + 1);
  await s3.send(new PutObjectCommand({ Bucket: 'shop-rows', Key: 'one.csv', Body: `${lines.join('\n')}\n` }));
  let success: string | undefined;
  await until('the file is scored', 120_000, async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'shop-scored' }));
    success = Contents.find(({ Key }) => Key?.endsWith('_SUCCESS.json'))?.Key;
    return success !== undefined;
  });
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'shop-scored', Key: success }));
  const { rows, errors }: Success = JSON.parse((await Body?.transformToString()) ?? '{}');
  if (rows !== ROWS || errors !== 0)
    throw new Error(`${rows} rows were scored, ${errors} of them with errors`);
}

async function tells(service: Service, args: readonly string[], what: RegExp): Promise<boolean> {
  return what.test((await service.sls('models', ...args)).stdout);
}

async function says(service: Service, args: readonly string[], what: RegExp): Promise<void> {
  const { code, stdout, stderr } = await service.sls('models', ...args);
  if (code !== 0 || !what.test(stdout))
    throw new Error(`sls models ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
}

async function until(what: string, patience: number, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patience;
  while (!(await isSo())) {
    if (performance.now() > end)
      throw new Error(`Expected within ${(patience / 1000).toFixed(0)} s: ${what}`);
    await pause(1000);
  }
}
