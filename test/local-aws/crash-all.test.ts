import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { GetAliasCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Release } from '../../core/release/document/contract.ts';
import type { AliasTarget } from '../../core/release/document/parts-contract.ts';
import { isEnd } from '../../core/release/state/predicates.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { BUCKET, GROUP, makeModel, SCOPE, surroundings } from './crash/cloud.ts';
import { ALL_AT_ONCE, CANARY } from './crash/paths.ts';
import { type Deploy, template } from './crash/template.ts';
import { counted } from './crash/traffic.ts';
import { makeFunction } from './lambda.ts';
import { workerBundle } from './worker-bundle.ts';

const MINUTE = 60_000;
const NAME = 'killed';
const WORKER = 'crash-worker';

let aws: LocalAws;
let clients: ReturnType<typeof clientsOf>;
let worker: string;
let follower: ChildProcess;

const clientsOf = (endpoint: string) => ({
  cloudFormation: new CloudFormationClient(client(endpoint)),
  cloudWatch: new CloudWatchClient(client(endpoint)),
  lambda: new LambdaClient(client(endpoint)),
  s3: new S3Client({ ...client(endpoint), forcePathStyle: true }),
  scheduler: new SchedulerClient(client(endpoint)),
});

beforeAll(async () => {
  // Half a minute of its clock in a second: a worker that starts on a busy machine still answers
  // CloudFormation in time.
  aws = await startAws({ speed: 30, auth: false });
  clients = clientsOf(aws.endpoint);
  await makeModel(aws, clients.lambda, NAME, 2);
  worker = await makeFunction(aws, {
    name: WORKER,
    code: await workerBundle(),
    timeout: 300,
    variables: await surroundings(aws),
  });
});
afterAll(async () => {
  follower?.kill('SIGKILL');
  for (const one of Object.values(clients ?? {})) one.destroy();
  await aws?.stop();
});

async function deploy(deploy: Deploy): Promise<void> {
  const options = {
    StackName: NAME,
    TemplateBody: template({ ...deploy, teller: worker, functionName: NAME, model: NAME }),
  };
  const { cloudFormation } = clients;
  await (deploy.version === '1'
    ? cloudFormation.send(new CreateStackCommand(options))
    : cloudFormation.send(new UpdateStackCommand(options)));
  for (;;) {
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: NAME }));
    const status = Stacks?.[0]?.StackStatus ?? '';
    if (/(CREATE|UPDATE)_COMPLETE$/.test(status) && !status.includes('ROLLBACK')) return;
    if (!status.endsWith('_IN_PROGRESS')) throw new Error(`the stack is ${status}`);
    await pause(50);
  }
}
async function alias(): Promise<AliasTarget> {
  const { FunctionVersion = '', RoutingConfig } = await clients.lambda.send(
    new GetAliasCommand({ FunctionName: NAME, Name: 'live' }),
  );
  return { version: FunctionVersion, weights: RoutingConfig?.AdditionalVersionWeights ?? {} };
}
async function document(): Promise<Release> {
  const Key = `${SCOPE}releases/${NAME}/live.json`;
  const found = await clients.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return JSON.parse((await found.Body?.transformToString()) ?? '');
}

/** Milliseconds of the local AWS’s clock. */
function clock(): number {
  const [speed, epoch] = [Number(aws.env.MODELS_AWS_SPEED), Number(aws.env.MODELS_AWS_EPOCH)];
  return epoch + (Date.now() - epoch) * speed;
}

/** Ticks the release as `sls deploy --wait` does, in a process of its own. Resolves once it has an answer. */
async function follow(): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'crash', 'follower.ts');
  const child = fork(script, [aws.endpoint, WORKER, NAME, 'live']);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the command that waits ended with ${code} before it had an answer`);
  });
  await Promise.race([once(child, 'message'), ended]);
  return child;
}

/** SIGKILL to the command that waits and to every Lambda environment there is. @returns how many died */
async function killAll(): Promise<number> {
  follower.kill('SIGKILL');
  const { pid } = (await (await fetch(`${aws.endpoint}/_local-aws`)).json()) as { readonly pid: number };
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(pid)]);
  const environments = stdout.trim().split('\n').map(Number);
  for (const one of environments) process.kill(one, 'SIGKILL');
  return environments.length;
}

/**
 * AWS itself does not die; all that is ours may: the Lambda environments of the worker and of the models, and
 * the command that waits. What is left is a document, an alias and a schedule, and from these alone it goes
 * on.
 */
describe('everything is killed in the middle of a canary', () => {
  it('and the release ends as it should, by itself', async () => {
    await deploy({ version: '1', settings: { ...ALL_AT_ONCE, rollbackWindow: 0 } });
    expect(await alias()).toEqual({ version: '1', weights: {} });
    // A worker that starts on a busy machine may miss five minutes of this clock, which are ten seconds.
    await deploy({ version: '2', settings: { ...CANARY, maxWait: 3600, rollbackWindow: 0 } });
    follower = await follow();

    const steps = CANARY.steps.map(({ weight }) => weight / 100);
    const killed: number[] = [];
    const history: string[] = [];
    let counting = Math.floor(clock() / MINUTE) * MINUTE;
    for (let now = await document(); !isEnd(now.phase); now = await document()) {
      if (now.phase === 'HELD') throw new Error(`nobody resumes it: ${JSON.stringify(now)}`);
      const at = await alias();
      const weight = at.weights['2'] ?? 0;
      const target = JSON.stringify(at);
      if (history.at(-1) !== target) history.push(target);
      const traffic = { perMinute: 1000, errors: {}, crashes: {} };
      for (; counting + MINUTE <= clock(); counting += MINUTE)
        for (const put of counted(NAME, at, traffic, counting, 1)) await clients.cloudWatch.send(put);
      // Once at each weight.
      if (weight === steps[killed.length]) {
        if (killed.length === 0) expect(follower.exitCode, 'the command that waits').toBeNull();
        killed.push(await killAll());
      }
      await pause(100);
    }

    const ended = await document();
    expect(ended.phase, JSON.stringify(ended)).toBe('DONE');
    // The last move may have come between two looks.
    const last = JSON.stringify(await alias());
    if (history.at(-1) !== last) history.push(last);
    expect(killed.map((count) => count > 0)).toEqual([true, true]);
    expect(history).toEqual(
      [
        { version: '1', weights: {} },
        { version: '1', weights: { 2: 0.1 } },
        { version: '1', weights: { 2: 0.5 } },
        { version: '2', weights: {} },
      ]
        .map((at) => JSON.stringify(at))
        .slice(-history.length),
    );
    expect(await alias()).toEqual({ version: '2', weights: {} });
    // The schedule ends itself at a tick that finds nothing more to do.
    const left = async () =>
      (await clients.scheduler.send(new ListSchedulesCommand({ GroupName: GROUP }))).Schedules;
    await expect.poll(left).toEqual([]);
  });
});
