/** Candidates that die, err, or get no requests, under traffic. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { CANARY, endOf, half, openShop, type Shop, until, WRITTEN, whole } from './shop.ts';
import { faultsOf, servedBy } from './traffic.ts';
import type { Behaviour } from './version.ts';

let aws: LocalAws;
let shop: Shop;
beforeAll(async () => {
  aws = await startAws({ speed: 30 });
});
afterEach(() => shop?.end());
afterAll(() => aws?.stop());

const open = async (service: string): Promise<Shop> => {
  shop = await openShop(aws, service);
  return shop;
};

describe('a candidate that dies', () => {
  it.each([
    ['by timeout', 'hangs', { timeout: 5 }],
    ['by memory', 'eats memory', { memory: 128 }],
    ['by exception', 'throws', {}],
  ] as const)(
    '%s loses its traffic, and nobody else’s request fails',
    async (_, hard: Behaviour, declares) => {
      const on = await open(`dies-${hard.replace(' ', '-')}`);
      await on.deploy({ declares });
      const traffic = on.traffic(6);
      await on.deploy({ hard, declares, release: CANARY });
      await on.until('JUDGING');
      traffic.hard(1);
      const { reason, refused } = await on.until('ROLLED_BACK');
      expect(reason).toMatch(
        /^version 2 was rolled back: (it cannot answer: .*, 0 of \d+ \(0 %\) of the stable|errors: \d+ of \d+ \([\d.]+ %\) of the candidate)/,
      );
      expect(refused).toMatchObject([{ version: '2' }]);
      expect(servedBy(faultsOf(traffic.outcomes))).toEqual(['2']);
      await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 1 (2: 50 %)', 'version 1']);
      expect(await endOf(on, traffic, ['2'])).toEqual({
        alias: whole('1'),
        phase: 'ROLLED_BACK',
        stable: '1',
        lost: [],
      });
    },
  );

  it('at init never gets traffic, and the next deploy is as any other', async () => {
    const on = await open('dies-at-init');
    await on.deploy({});
    const traffic = on.traffic(10);
    expect(await on.deploy({ init: 'fails', release: CANARY })).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await on.events()).toMatch(/the gate failed: It does not start: .*it does not start/);
    await expect.poll(() => servedBy(traffic.outcomes), WRITTEN).toEqual(['1']);
    expect(await on.alias()).toEqual(whole('1'));
    expect(await on.deploy({ factor: 3 }), await on.events()).toBe('UPDATE_COMPLETE');
    await on.until('BAKING');
    expect(await endOf(on, traffic)).toEqual({ alias: whole('3'), phase: 'BAKING', stable: '3', lost: [] });
  });
});

describe('a candidate that answers with errors', () => {
  it('is rolled back by the judge', async () => {
    const on = await open('errs');
    await on.deploy({});
    const pager = await on.pager();
    const traffic = on.traffic(20);
    await on.deploy({ hard: 'errs', release: CANARY });
    await on.until('JUDGING');
    traffic.hard(0.5);
    const { judgements } = await on.until('ROLLED_BACK');
    expect(judgements.at(-1)).toMatchObject({ verdict: 'fail' });
    expect(servedBy(faultsOf(traffic.outcomes))).toEqual(['2']);
    await expect.poll(pager.texts, WRITTEN).toContainEqual(expect.stringMatching(/\nWhy: errors: /));
    expect(await endOf(on, traffic, ['2'])).toEqual({
      alias: whole('1'),
      phase: 'ROLLED_BACK',
      stable: '1',
      lost: [],
    });
  });

  it('is rolled back also while a person holds it', async () => {
    const on = await open('errs-held');
    await on.deploy({});
    const traffic = on.traffic(20);
    await on.deploy({ hard: 'errs', release: CANARY });
    await on.until('JUDGING');
    await on.command('hold');
    traffic.hard(0.5);
    await on.until('ROLLED_BACK');
    expect(await endOf(on, traffic, ['2'])).toEqual({
      alias: whole('1'),
      phase: 'ROLLED_BACK',
      stable: '1',
      lost: [],
    });
  });

  it('is only told of in a dry run', async () => {
    const on = await open('errs-dry');
    await on.deploy({});
    const pager = await on.pager();
    const traffic = on.traffic(20);
    // Three times what the judge takes: past it, an undecided step would be told as that.
    const steps = [{ weight: 50, bake: 900 }];
    traffic.hard(0.5);
    await on.deploy({ hard: 'errs', release: { ...CANARY, steps, dryRun: true } });
    await on.until('BAKING');
    await expect
      .poll(pager.subjects, WRITTEN)
      .toContain('churn: dry run: version 2 would have been rolled back');
    traffic.hard(0);
    expect(await endOf(on, traffic, ['2'])).toEqual({
      alias: whole('2'),
      phase: 'BAKING',
      stable: '2',
      lost: [],
    });
  });
});

describe('a candidate that passes', () => {
  it('goes through its steps to the end of its watch, and no request fails', async () => {
    const on = await open('passes');
    await on.deploy({});
    const traffic = on.traffic(30);
    const steps = [
      { weight: 25, bake: 60 },
      { weight: 50, bake: 60 },
    ];
    await on.deploy({
      factor: 3,
      release: { ...CANARY, steps, minRequests: 10, increase: 1, rollbackWindow: 120 },
    });
    await on.until('DONE');
    await expect
      .poll(on.moves, WRITTEN)
      .toEqual(['version 1', 'version 1 (2: 25 %)', 'version 1 (2: 50 %)', 'version 2']);
    expect(faultsOf(traffic.outcomes)).toEqual([]);
    // The end is written down first.
    await expect.poll(on.schedules, WRITTEN).toEqual([]);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'DONE', stable: '2', lost: [] });
  });
});

describe('a candidate without requests', () => {
  it('is held with its weight, not promoted and not rolled back', async () => {
    const on = await open('quiet');
    await on.deploy({});
    const pager = await on.pager();
    await on.deploy({ factor: 3, release: { ...CANARY, steps: [{ weight: 50, bake: 60 }], maxWait: 60 } });
    const { reason, held } = await on.until('HELD');
    expect(held?.by).toBe('nodata');
    expect(reason).toMatch(/^step 1 could not be judged within its time and 60 s more: /);
    expect((await on.alarm('errors'))?.StateValue).not.toBe('ALARM');
    await expect
      .poll(pager.subjects, WRITTEN)
      .toContainEqual(expect.stringMatching(/^\[page\] churn: .*held/));
    const alarmed = async () => ((await on.alarm('release'))?.StateValue === 'ALARM' ? true : undefined);
    await until('the alarm', alarmed);
    const end = { alias: half('1', '2'), phase: 'HELD', stable: '1', lost: [] };
    expect(await endOf(on, on.traffic(20))).toEqual(end);
  });
});
