/** Candidates and live versions that go bad for a part of their requests, under load. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { CANARY, endOf, half, openShop, type Shop, until, WRITTEN, whole } from './shop.ts';
import { faultsOf, servedBy } from './traffic.ts';

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
const alarmed = (on: Shop, suffix: string): Promise<true> =>
  until(`the alarm ${suffix}`, async () =>
    (await on.alarm(suffix))?.StateValue === 'ALARM' ? true : undefined,
  );

describe('a candidate', () => {
  // Half of few requests may be hard by chance where a quarter is: another reason, it cannot answer.
  it('that crashes at an eighth of its requests is rolled back, and nobody else’s request fails', async () => {
    const on = await open('crashes');
    await on.deploy({});
    const traffic = on.traffic(30);
    await on.deploy({ hard: 'throws', release: CANARY });
    await on.until('JUDGING');
    traffic.hard(1 / 8);
    const { reason, judgements } = await on.until('ROLLED_BACK');
    expect(reason).toMatch(/^version 2 was rolled back: errors: \d+ of \d+ \([\d.]+ %\)/);
    expect(judgements.at(-1)).toMatchObject({ verdict: 'fail' });
    expect(servedBy(faultsOf(traffic.outcomes))).toEqual(['2']);
    const end = { alias: whole('1'), phase: 'ROLLED_BACK', stable: '1', lost: [] };
    expect(await endOf(on, traffic, ['2'])).toEqual(end);
  });

  it('that is slower than its objective at a third of its requests is rolled back, though each is answered', async () => {
    const on = await open('slow');
    // Far above what any request takes, and what a hard one adds is far above this.
    const p95 = 200;
    const declares = { latency: { p95 }, timeout: 60 };
    await on.deploy({ p95, declares });
    const traffic = on.traffic(20);
    await on.deploy({ hard: 'lags', p95, declares, release: CANARY });
    await on.until('JUDGING');
    traffic.hard(1 / 3);
    const { reason, judgements } = await on.until('ROLLED_BACK');
    expect(reason).toMatch(/^version 2 was rolled back: latency: \d+ of \d+ \([\d.]+ %\)/);
    const slow = judgements.at(-1)?.signals.filter(({ verdict }) => verdict === 'fail');
    expect(slow?.map(({ signal }) => signal)).toEqual(['slow']);
    const end = { alias: whole('1'), phase: 'ROLLED_BACK', stable: '1', lost: [] };
    expect(await endOf(on, traffic, [])).toEqual(end);
  });
});

describe('a live version', () => {
  it('that is the third in a day to go bad is left alone, and somebody is paged', async () => {
    const on = await open('third');
    await on.deploy({});
    const traffic = on.traffic(20);
    const pager = await on.pager();
    for (const version of ['2', '3']) {
      traffic.hard(0);
      await on.deploy({ hard: 'throws', factor: Number(version) });
      await on.until('BAKING');
      traffic.hard(1);
      await on.until('ROLLED_BACK');
      expect(await on.alias()).toEqual(whole('1'));
      await until('the alarm to go off', async () =>
        (await on.alarm('crashes'))?.StateValue === 'OK' ? true : undefined,
      );
    }
    traffic.hard(0);
    await on.deploy({ hard: 'throws', factor: 4 });
    await on.until('BAKING');
    expect((await on.document()).rollbacks).toHaveLength(2);
    traffic.hard(1);
    const { held, reason } = await on.until('HELD');
    expect(held).toMatchObject({ by: 'limit', from: 'BAKING' });
    expect(reason).toMatch(/-crashes came on, and there were 2 automatic rollbacks in 24 hours already$/);
    await expect.poll(pager.subjects, WRITTEN).toContain('[page] churn: the release is held');
    await alarmed(on, 'release');
    expect(await on.alias()).toEqual(whole('4'));
    // A person brings the last good one back.
    expect(await on.command('rollback')).toMatchObject({ done: true });
    const end = { alias: whole('1'), phase: 'ROLLED_BACK', stable: '1', lost: [] };
    expect(await endOf(on, traffic, ['2', '3', '4'])).toEqual(end);
  });
});

describe('a registry that can be read and not written, in a canary', () => {
  it('alarms, past the deadline takes the weight away, and the release is rolled back once it can be written', async () => {
    const on = await open('unwritable');
    await on.deploy({});
    const traffic = on.traffic(20);
    await on.deploy({ hard: 'errs', release: CANARY });
    await on.until('JUDGING');
    await on.deny('s3:PutObject');
    traffic.hard(0.5);
    await alarmed(on, 'release');
    expect(await on.alias()).toEqual(half('1', '2'));
    // As if the hours had passed.
    await on.edit({ deadline: new Date(0).toISOString() });
    await expect.poll(on.alias, WRITTEN).toEqual(whole('1'));
    await expect(on.tick()).rejects.toThrow('s3:PutObject');
    expect(await on.document()).toMatchObject({ phase: 'JUDGING' });
    await on.deny(undefined);
    const { reason } = await on.until('ROLLED_BACK');
    expect(reason).toMatch(/the deadline passed while the registry could not be read or written/);
    const end = { alias: whole('1'), phase: 'ROLLED_BACK', stable: '1', lost: [] };
    expect(await endOf(on, traffic, ['2'])).toEqual(end);
  });
});
