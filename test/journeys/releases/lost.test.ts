/**
 * What nobody ticks, or nobody knows of any more, under traffic: a document or a schedule that somebody
 * deleted.
 */
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { BUCKET } from '../../local-aws/release-stack.ts';
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

/**
 * The alarm that misses sweeps is off. The local AWS evaluates an alarm in the very moment in which it is
 * made, before the worker's lines are taken.
 */
const quiet = (on: Shop): Promise<void> =>
  expect.poll(async () => (await on.alarm('release'))?.StateValue, WRITTEN).toBe('OK');

it('a deleted live.json in mid-release takes the weight away and pages', async () => {
  const { on, traffic } = await canary('forgotten');
  const pager = await on.pager();
  await on.s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: `${on.scope}releases/churn/live.json` }));
  await expect.poll(on.alias, WRITTEN).toEqual(whole('1'));
  await expect.poll(pager.subjects, WRITTEN).toContain('[page] churn: its release document is gone');
  expect(pager.texts()).toContainEqual(expect.stringContaining('version 1 has all traffic again'));
  await expect.poll(on.schedules, WRITTEN).toEqual([]);
  expect(await on.tick()).toMatchObject({ phase: 'NONE', version: '1', running: false });

  // What is deployed next is compared with what is live.
  await on.deploy({ factor: 4, release: CANARY });
  await on.until('JUDGING');
  const end = { alias: half('1', '3'), phase: 'JUDGING', stable: '1', lost: [] };
  expect(await endOf(on, traffic)).toEqual(end);
});

it('a deleted schedule is put back', async () => {
  const { on, traffic } = await canary('untold');
  await quiet(on);
  await on.stopTicks();
  const { judgements } = await on.document();
  // By the stack's own schedule, every 15 minutes of this clock.
  await until('the schedule', async () => ((await on.schedules()).length === 1 ? true : undefined));
  await until('another look', async () => {
    const looked = (await on.document()).judgements;
    return looked.at(-1)?.at === judgements.at(-1)?.at ? undefined : looked;
  });
  const end = { alias: half('1', '2'), phase: 'JUDGING', stable: '1', lost: [] };
  expect(await endOf(on, traffic)).toEqual(end);
});

it('weights that nobody looks at turn the alarm on', async () => {
  const { on, traffic } = await canary('unattended');
  await quiet(on);
  await on.deny('scheduler:CreateSchedule');
  await on.stopTicks();
  await until('the alarm', async () =>
    (await on.alarm('release'))?.StateValue === 'ALARM' ? true : undefined,
  );
  const told = (await on.log()).filter(
    ({ message }) => message === 'nobody looks at the weights of an alias',
  );
  expect(told.length).toBeGreaterThan(0);
  await on.deny(undefined);
  await until('the schedule', async () => ((await on.schedules()).length === 1 ? true : undefined));
  const end = { alias: half('1', '2'), phase: 'JUDGING', stable: '1', lost: [] };
  expect(await endOf(on, traffic)).toEqual(end);
}, 600_000);
