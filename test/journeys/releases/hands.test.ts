/**
 * The table of edges in the release’s design, under traffic: hands on the alias, a registry that cannot be
 * read, dead releases.
 */
import { DeleteAliasCommand } from '@aws-sdk/client-lambda';
import { GetScheduleCommand, ListSchedulesCommand } from '@aws-sdk/client-scheduler';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TickEvent } from '../../../core/release/document/worker-contract.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { sweepName } from '../../../plugins/models/declaration/naming.ts';
import { CANARY, endOf, half, openShop, type Shop, until, WRITTEN, whole } from './shop.ts';
import type { Traffic } from './traffic.ts';

let aws: LocalAws;
let shop: Shop;
beforeAll(async () => {
  aws = await startAws({ speed: 20 });
});
afterEach(() => shop?.end());
afterAll(() => aws?.stop());

/** Version 2 has half of the traffic beside version 1. */
async function canary(service: string): Promise<{ readonly on: Shop; readonly traffic: Traffic }> {
  shop = await openShop(aws, service);
  await shop.deploy({});
  const traffic = shop.traffic(10);
  await shop.deploy({ factor: 3, release: CANARY });
  await shop.until('JUDGING');
  return { on: shop, traffic };
}

describe('an alias moved by somebody else in mid-release', () => {
  it('is held and not touched; somebody is paged; the next deploy goes on from there', async () => {
    const { on, traffic } = await canary('foreign');
    const pager = await on.pager();
    await on.byHand('2', { '1': 0.1 });
    const { reason } = await on.until('HELD');
    expect(reason).toContain('points to version 2 (1: 10 %), which this release did not do');
    expect(await on.alias()).toEqual({ version: '2', weights: { '1': 0.1 } });
    await expect
      .poll(pager.subjects, WRITTEN)
      .toContainEqual(expect.stringMatching(/^\[page\] churn: .*held/));

    await on.deploy({ factor: 4, release: CANARY });
    await on.until('JUDGING');
    const end = { alias: half('1', '3'), phase: 'JUDGING', stable: '1', lost: [] };
    expect(await endOf(on, traffic)).toEqual(end);
  });
});

describe('an alias deleted manually in mid-release', () => {
  it('is made again at stable, takes its step again, and its permissions are somebody’s page', async () => {
    const { on, traffic } = await canary('deleted');
    const pager = await on.pager();
    await on.lambda.send(new DeleteAliasCommand({ FunctionName: on.functionName, Name: 'live' }));
    await expect
      .poll(on.moves, WRITTEN)
      .toEqual(['version 1', 'version 1 (2: 50 %)', 'version 1', 'version 1 (2: 50 %)']);
    await on.until('JUDGING');
    await expect
      .poll(pager.texts, WRITTEN)
      .toContainEqual(expect.stringContaining('lists what is missing, with the commands'));
    const { lost, ...end } = await endOf(on, traffic);
    expect(end).toEqual({ alias: half('1', '2'), phase: 'JUDGING', stable: '1' });
    // Nobody can answer where there is no alias; nothing else was lost.
    expect(lost.filter((failure) => !/^ResourceNotFoundException/.test(failure))).toEqual([]);
  });
});

describe('a registry that cannot be read', () => {
  it('raises no weight, alarms after three ticks, and past the deadline takes the weight away', async () => {
    const { on, traffic } = await canary('unreadable');
    const { Schedules = [] } = await on.scheduler.send(new ListSchedulesCommand({}));
    const { Name = '', GroupName = '' } = Schedules.find(({ Name }) => Name !== sweepName) ?? {};
    const { Target } = await on.scheduler.send(new GetScheduleCommand({ Name, GroupName }));
    const { tick }: TickEvent = JSON.parse(Target?.Input ?? '');
    expect(tick).toMatchObject({ stable: '1', deadline: expect.any(String) });

    await on.deny('s3:GetObject');
    const alarmed = async () => ((await on.alarm('release'))?.StateValue === 'ALARM' ? true : undefined);
    await until('the alarm', alarmed);
    expect(await on.tick()).toMatchObject({
      phase: 'UNKNOWN',
      running: true,
      reason: expect.stringContaining('s3:GetObject'),
    });
    expect(await on.alias()).toEqual(half('1', '2'));
    // As if the hours had passed that the schedule and the document know of.
    const deadline = new Date(0).toISOString();
    await on.edit({ deadline });
    await on.ask({ tick: { ...tick, deadline } });
    expect(await on.alias()).toEqual(whole('1'));
    expect(await on.document()).toMatchObject({ phase: 'JUDGING', deadline });

    // Nobody need say anything: the schedule still ticks.
    await on.deny(undefined);
    const { reason, refused } = await on.until('ROLLED_BACK');
    expect(reason).toMatch(
      /^version 2 was rolled back: the deadline passed while the registry could not be read/,
    );
    expect(refused).toMatchObject([{ version: '2' }]);
    await expect.poll(on.schedules, WRITTEN).toEqual([]);
    const end = { alias: whole('1'), phase: 'ROLLED_BACK', stable: '1', lost: [] };
    expect(await endOf(on, traffic)).toEqual(end);
  });
});

describe('the deadline', () => {
  it('rolls a dead release back', async () => {
    const { on, traffic } = await canary('dead');
    await on.edit({ deadline: new Date(0).toISOString() });
    const { reason } = await on.until('ROLLED_BACK');
    expect(reason).toContain('the deadline 1970-01-01T00:00:00.000Z passed before the release ended');
    expect(await endOf(on, traffic)).toEqual({
      alias: whole('1'),
      phase: 'ROLLED_BACK',
      stable: '1',
      lost: [],
    });
  });

  it('is none of a held release: its weight is frozen, judging goes on, and it pages once a day', async () => {
    const { on, traffic } = await canary('held');
    const pager = await on.pager();
    await on.command('hold', { reason: 'lunch' });
    const { judgements, held } = await on.document();
    const yesterday = new Date(Date.parse(held?.at ?? '') - 25 * 3_600_000).toISOString();
    await on.edit({
      deadline: new Date(0).toISOString(),
      ...(held && { held: { ...held, at: yesterday, pagedAt: yesterday } }),
    });
    await expect
      .poll(pager.subjects, WRITTEN)
      .toContainEqual(expect.stringMatching(/^\[page\] churn: .*held/));
    const looked = async () => {
      const now = (await on.document()).judgements;
      return now.at(-1)?.at !== judgements.at(-1)?.at ? now : undefined;
    };
    await until('another look', looked);
    expect(pager.subjects().filter((subject) => /^\[page\]/.test(subject)).length).toBe(1);
    const end = { alias: half('1', '2'), phase: 'HELD', stable: '1', lost: [] };
    expect(await endOf(on, traffic)).toEqual(end);
  });
});
