/**
 * The worker's role without one of its actions, each in turn: somebody is told which, no more is exposed than
 * was planned, and once it is given back the release ends as it should.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DeleteAliasCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Release } from '../../../core/release/document/contract.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import type { Model } from '../../../plugins/models/declaration/model.ts';
import { releaseStatements } from '../../../plugins/models/plan/release/functions.ts';
import { modelNamed } from '../../fixtures/service.ts';
import { hostOf } from '../../local-aws/release-stack.ts';
import { holds, targets } from './scaling.ts';
import {
  AT_ONCE,
  CANARY,
  type Deploy,
  endOf,
  half,
  openShop,
  type Shop,
  until,
  WRITTEN,
  whole,
} from './shop.ts';
import type { Traffic } from './traffic.ts';
import { requestOf } from './version.ts';

/** Where a gate asks what it expects. */
const gate: NonNullable<Model['gate']> = { reference: 'elsewhere', tolerance: 1e-4 };

/**
 * As the plan emits them. Nobody could read a log that cannot be written, and the local AWS asks nobody for
 * keys.
 */
const actions = [
  ...new Set(
    releaseStatements({
      models: [modelNamed('churn', { ...holds(1), gate })],
      host: hostOf('denied'),
      options: {},
      zips: new Map(),
    }).flatMap(({ Action }) => Action as readonly string[]),
  ),
].filter((action) => !/^(logs|kms):/.test(action));

const ASKED = 3;
let factor = 2;

let aws: LocalAws;
let on: Shop;
/** The endpoint that is the reference answers as the version does whose gate asks it. */
const reference = createServer((_, response) =>
  response.end(JSON.stringify({ predictions: [ASKED * factor] })),
);
beforeAll(async () => {
  await new Promise<void>((resolve) => reference.listen(0, '127.0.0.1', resolve));
  const { port } = reference.address() as AddressInfo;
  aws = await startAws({ speed: 40, endpoints: { elsewhere: `http://127.0.0.1:${port}` } });
  on = await openShop(aws, 'denied');
  await on.deploy({});
});
afterAll(async () => {
  await on?.end();
  await aws?.stop();
  reference.close();
});

/**
 * What needs the action and shows that it is missing, while it is; then what ends well with it.
 *
 * @returns the last phase
 */
type Story = (action: string, traffic: Traffic) => Promise<Release['phase'] | undefined>;

/** The next version, all at once unless declared otherwise. */
const next = (deploy: Deploy = {}): Deploy => {
  factor += 1;
  return { factor, declares: holds(1), ...deploy };
};

/** Waits until the worker's log names the action. */
async function logged(action: string, from: number): Promise<void> {
  const since = async () => (await on.log()).slice(from);
  const found = async () =>
    (await since()).some((line) => JSON.stringify(line).includes(action)) ? true : undefined;
  const named = async () =>
    (await since()).map(({ message, phase, reason, verdict }) => [message, phase, reason, verdict].join(' '));
  await until(`${action} in the log`, found, undefined, named);
}

const deploys = async (deploy: Deploy): Promise<void> => {
  expect(await on.deploy(deploy), await on.events()).toBe('UPDATE_COMPLETE');
  await on.until('BAKING');
};

/** The deploy fails and says why. */
const refuses =
  (deploy: Deploy = {}): Story =>
  async (action) => {
    const before = await on.alias();
    await on.deny(action);
    expect(await on.deploy(next(deploy)), await on.events()).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await on.events()).toContain(action);
    expect(await on.alias()).toEqual(before);
    await on.deny(undefined);
    await deploys(next());
    return undefined;
  };

/** Versions that became live within a story, beside its last one. */
const ticked: string[] = [];

/**
 * The same. The tick that is there, of the release before, may take the request on before the worker gives it
 * up, and goes on with it as it was told: then the next one is deployed.
 */
const refusesUnticked: Story = async (action) => {
  await on.deny(action);
  for (let times = 1; ; times += 1) {
    const before = await on.alias();
    const ended = await on.deploy(next());
    if (ended === 'UPDATE_COMPLETE' && times < 8) {
      await on.until('BAKING');
      ticked.push(`version ${(await on.document()).highest}`);
      continue;
    }
    expect(ended, await on.events()).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await on.events()).toContain(action);
    expect(await on.alias()).toEqual(before);
    break;
  }
  await on.deny(undefined);
  await deploys(next());
  return undefined;
};

/** Not even the stack's rollback knows where it is. */
const sticks: Story = async (action) => {
  const before = await on.alias();
  await on.deny(action);
  expect(await on.deploy(next())).toBe('UPDATE_ROLLBACK_FAILED');
  expect(await on.events()).toContain(action);
  await on.deny(undefined);
  expect(await on.alias()).toEqual(before);
  expect(await on.goOn(), await on.events()).toBe('UPDATE_ROLLBACK_COMPLETE');
  await deploys(next());
  return undefined;
};

/** The deploy waits before any traffic, and goes on by itself. */
const waits =
  (deploy: Deploy = {}): Story =>
  async (action) => {
    const [before, from] = [await on.alias(), (await on.log()).length];
    await on.deny(action);
    const deployed = on.deploy(next(deploy));
    await logged(action, from);
    expect(await on.alias()).toEqual(before);
    await on.deny(undefined);
    expect(await deployed, await on.events()).toBe('UPDATE_COMPLETE');
    await on.until('BAKING');
    return undefined;
  };

/** The new version is live, and what is to be put in order afterwards waits. */
const tidies =
  (deploy: Deploy = {}, ends: Release['phase'] = 'BAKING'): Story =>
  async (action) => {
    const from = (await on.log()).length;
    await on.deny(action);
    expect(await on.deploy(next(deploy)), await on.events()).toBe('UPDATE_COMPLETE');
    await logged(action, from);
    const live = String((await on.document()).highest);
    await expect.poll(on.alias, WRITTEN).toEqual(whole(live));
    await on.deny(undefined);
    await on.until(ends);
    await on.tick();
    await expect.poll(() => targets(aws, on), WRITTEN).toEqual([expect.stringMatching(`^${live}:`)]);
    await expect.poll(async () => Object.keys(await on.provisioned()), WRITTEN).toEqual([live]);
    return ends;
  };

const NIGHT: Deploy = {
  declares: {
    concurrency: {
      provisioned: { min: 1, max: 4, target: 0.7 },
      schedule: [{ days: ['MON'], from: 0, to: 60, timezone: 'UTC', min: 1, max: 4 }],
    },
  },
};
const OVER: Deploy = { release: { ...AT_ONCE, rollbackWindow: 0 } };

const STORIES: Readonly<Record<string, Story>> = {
  'iam:CreateServiceLinkedRole': tidies(),
  'lambda:GetAlias': sticks,
  'lambda:CreateAlias': async (action, traffic) => {
    const from = (await on.log()).length;
    await traffic.pause();
    await on.deny(action);
    await on.lambda.send(new DeleteAliasCommand({ FunctionName: on.functionName, Name: 'live' }));
    await on.tick().catch(() => undefined);
    await logged(action, from);
    await on.deny(undefined);
    await on.tick();
    await expect.poll(on.alias, WRITTEN).toEqual(whole(String((await on.document()).highest)));
    traffic.rate(20);
    return undefined;
  },
  'lambda:UpdateAlias': waits(),
  'lambda:ListProvisionedConcurrencyConfigs': waits(),
  'lambda:ListVersionsByFunction': tidies(OVER, 'DONE'),
  'lambda:InvokeFunction': waits(),
  'lambda:GetProvisionedConcurrencyConfig': waits(),
  'lambda:DeleteProvisionedConcurrencyConfig': tidies(),
  'lambda:DeleteFunction': async (action, traffic) => {
    const before = await on.versions();
    await tidies(OVER, 'DONE')(action, traffic);
    await expect.poll(async () => (await on.versions()).length, WRITTEN).toBeLessThan(before.length + 1);
    return 'DONE';
  },
  'application-autoscaling:DeregisterScalableTarget': tidies(),
  's3:GetObject': refuses(),
  's3:PutObject': refuses(),
  's3:ListBucket': waits(),
  'scheduler:CreateSchedule': refusesUnticked,
  // Asked where the request has to wait: for instances that are ready when the worker looks it does not. The
  // tick that is there goes on as it was told before.
  'scheduler:UpdateSchedule': tidies({ init: 'lasts' }),
  'scheduler:DeleteSchedule': tidies(OVER, 'DONE'),
  'iam:PassRole': refusesUnticked,
  'cloudformation:DescribeStacks': waits(),
  'cloudwatch:GetMetricData': refuses({ release: { strategy: 'auto', steps: [{ weight: 50, bake: 600 }] } }),
  'cloudwatch:DescribeAlarms': async (action) => {
    await deploys(next());
    await on.tick();
    const before = await on.alias();
    await on.deny(action);
    const named = async () => ((await on.tick()).reason?.includes(action) ? true : undefined);
    await until('the tick to say so', named, undefined, on.tick);
    expect(await on.alias()).toEqual(before);
    await on.deny(undefined);
    await on.tick();
    await expect.poll(async () => (await on.document()).blind, WRITTEN).toBeUndefined();
    return undefined;
  },
  'sns:Publish': async (action) => {
    await on.deploy(next({ release: CANARY }));
    const { stable, candidate } = await on.until('JUDGING');
    const from = (await on.log()).length;
    await on.deny(action);
    await on.command('hold');
    await logged(action, from);
    expect(await on.alias()).toEqual(half(stable?.version ?? '', candidate?.version ?? ''));
    await on.deny(undefined);
    await on.command('resume');
    await on.command('promote');
    await expect.poll(async () => (await on.document()).notices, WRITTEN).toEqual([]);
    await on.until('BAKING');
    return undefined;
  },
  'sagemaker:InvokeEndpoint': waits({
    declares: { ...holds(1), gate },
    cases: `${JSON.stringify(requestOf(ASKED))}\n`,
  }),
  'lambda:PutProvisionedConcurrencyConfig': waits(),
  'lambda:GetFunctionConcurrency': waits(),
  'lambda:GetAccountSettings': waits(),
  'application-autoscaling:RegisterScalableTarget': tidies(),
  'application-autoscaling:PutScalingPolicy': tidies(),
  'application-autoscaling:PutScheduledAction': tidies(NIGHT),
  'application-autoscaling:DeleteScheduledAction': async (action) => {
    const deploy = next({ ...NIGHT, fingerprint: 'by-night' });
    await deploys(deploy);
    await on.tick();
    const from = (await on.log()).length;
    await on.deny(action);
    const deployed = on.deploy({ ...deploy, declares: holds(1) });
    await logged(action, from);
    await on.deny(undefined);
    expect(await deployed, await on.events()).toBe('UPDATE_COMPLETE');
    return undefined;
  },
  'application-autoscaling:DescribeScheduledActions': tidies(),
  'cloudwatch:PutMetricAlarm': tidies(),
  'cloudwatch:DeleteAlarms': tidies(),
};

/**
 * The role that scaling takes comes with an account's first target; without its alias there is no release any
 * more.
 */
const [FIRST, LAST] = ['iam:CreateServiceLinkedRole', 'lambda:DeleteAlias'];
const ordered = [FIRST, ...actions.filter((action) => action !== FIRST && action !== LAST)];

describe('without', () => {
  it('any action there is a story', () => {
    expect([...actions].sort()).toEqual([...Object.keys(STORIES), LAST].sort());
  });

  it.each(ordered)('%s it says so, exposes nobody, and ends well once it has it', async (action) => {
    const before = (await on.moves()).length;
    const { stable } = await on.document();
    const traffic = on.traffic(20);
    ticked.length = 0;
    const phase = (await STORIES[action]?.(action, traffic)) ?? 'BAKING';
    const live = String((await on.document()).highest);
    expect(await endOf(on, traffic)).toEqual({ alias: whole(live), phase, stable: live, lost: [] });
    const planned = [
      `version ${stable?.version}`,
      `version ${stable?.version} (${live}: 50 %)`,
      `version ${live}`,
      ...ticked,
    ];
    const moved = (await on.moves()).slice(before);
    expect(moved.filter((move) => !planned.includes(move))).toEqual([]);
  });

  it(`${LAST} the stack cannot be removed and says so, and can once it has it`, async () => {
    const traffic = on.traffic(20);
    const { highest, phase } = await on.document();
    await on.deny(LAST);
    expect(await on.remove()).toBe('DELETE_FAILED');
    expect(await on.events()).toContain(LAST);
    const live = String(highest);
    expect(await endOf(on, traffic)).toEqual({ alias: whole(live), phase, stable: live, lost: [] });
    await on.deny(undefined);
    expect(await on.remove()).toBe('DELETE_COMPLETE');
  });
});
