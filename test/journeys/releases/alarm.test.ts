/**
 * After promotion, under traffic: an alarm calls, and the last good version is tried, or comes back at once.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { endOf, openShop, type Shop, until, WRITTEN, whole } from './shop.ts';
import { faultsOf, servedBy, type Traffic } from './traffic.ts';
import type { Behaviour } from './version.ts';

let aws: LocalAws;
let shop: Shop;
beforeAll(async () => {
  aws = await startAws({ speed: 30 });
});
afterEach(() => shop?.end());
afterAll(() => aws?.stop());

/** Version 2 was promoted over version 1 and does with hard requests what is told; so far there are none. */
async function promoted(
  service: string,
  hard: Behaviour,
): Promise<{ readonly on: Shop; readonly traffic: Traffic }> {
  shop = await openShop(aws, service);
  await shop.deploy({});
  const traffic = shop.traffic(20);
  await shop.deploy({ fingerprint: 'bad', hard });
  await shop.until('BAKING');
  // The schedule has its last pace: nobody makes it anew.
  await expect
    .poll(async () => (await shop.document()).schedule.told, WRITTEN)
    .toMatch(/^rate\(10 minutes\)/);
  await shop.stopSweep();
  await shop.stopTicks();
  return { on: shop, traffic };
}

/**
 * Waits for the alarm, and then for the first request that `version` got. With no schedule left, the alarm
 * itself is all that can have called the worker, and what it calls makes the whole way: nothing waits by
 * AWS's clock, so that the seconds are the same at any speed of it. They are few, and more on a busy machine.
 *
 * @returns milliseconds, of the real clock
 */
async function answersAfter(on: Shop, suffix: string, traffic: Traffic, version: string): Promise<number> {
  expect(await on.schedules()).toEqual([]);
  const isOn = async () => ((await on.alarm(suffix))?.StateValue === 'ALARM' ? Date.now() : undefined);
  const at = await until(`the alarm ${suffix}`, isOn);
  const first = async () =>
    traffic.outcomes.find(({ sent, version: by }) => sent > at - 1000 && by === version);
  const { sent } = await until(`a request to version ${version}`, first);
  await expect.poll(() => moverOf(on), WRITTEN).toContain('alarm');
  return sent - at;
}

/**
 * What the invocation wrote that made the first move away from version 2. Two may have promoted it: the
 * deploy's and a tick that came meanwhile; both tell the move.
 */
async function moverOf(on: Shop): Promise<readonly string[]> {
  const log = await on.log();
  const moves = log.filter(({ message }) => message === 'moved the alias');
  const promotion = moves.findIndex(({ to }) => to === 'version 2');
  const away = moves.slice(promotion).find(({ to }) => to !== 'version 2');
  return log
    .filter(({ function_request_id: id }) => id === away?.function_request_id)
    .map(({ message = '' }) => message);
}

describe('a version that goes bad after promotion', () => {
  it('gives half of the traffic to the last good one within seconds of the alarm, and all of it when the test says so', async () => {
    const { on, traffic } = await promoted('late', 'errs');
    const pager = await on.pager();
    traffic.hard(0.5);
    expect(await answersAfter(on, 'errors', traffic, '1')).toBeLessThan(30_000);
    const { reason, refused, rollbacks } = await on.until('ROLLED_BACK');
    expect(reason).toMatch(/^version 2 was rolled back to version 1: late-test-churn-errors: /);
    expect(refused).toMatchObject([{ fingerprint: 'bad', version: '2' }]);
    expect(rollbacks.length).toBe(1);
    await expect
      .poll(on.moves, WRITTEN)
      .toEqual(['version 1', 'version 2', 'version 2 (1: 50 %)', 'version 1']);
    await expect
      .poll(pager.subjects, WRITTEN)
      .toContainEqual('[page] churn: version 2 was rolled back, version 1 has all traffic');
    expect(servedBy(faultsOf(traffic.outcomes))).toEqual(['2']);

    // It is refused until somebody insists.
    expect(await on.deploy({ fingerprint: 'bad', hard: 'errs', factor: 2.5 })).toBe(
      'UPDATE_ROLLBACK_COMPLETE',
    );
    expect(await on.events()).toMatch(/is the same as version 2, which was rolled back .* --force/);
    expect(await endOf(on, traffic, ['2'])).toEqual({
      alias: whole('1'),
      phase: 'ROLLED_BACK',
      stable: '1',
      lost: [],
    });
  });

  it('and crashes at every request is replaced without a test', async () => {
    const { on, traffic } = await promoted('late-crash', 'throws');
    traffic.hard(1);
    expect(await answersAfter(on, 'crashes', traffic, '1')).toBeLessThan(30_000);
    const { reason, reversal } = await on.until('ROLLED_BACK');
    expect(reason).toMatch(
      /^version 2 was rolled back to version 1: it cannot answer: \d+ of \d+ \([\d.]+ %\) of its latest invocations crashed$/,
    );
    expect(reversal?.half).toBeUndefined();
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 2', 'version 1']);
    expect(servedBy(faultsOf(traffic.outcomes))).toEqual(['2']);
    expect(await endOf(on, traffic, ['2'])).toEqual({
      alias: whole('1'),
      phase: 'ROLLED_BACK',
      stable: '1',
      lost: [],
    });
  });
});

describe('a fault that both versions have', () => {
  it('restores the live version, pages, and leaves alarms alone for an hour', async () => {
    shop = await openShop(aws, 'both');
    await shop.deploy({ hard: 'errs' });
    const traffic = shop.traffic(20);
    await shop.deploy({ hard: 'errs', factor: 3 });
    await shop.until('BAKING');
    const pager = await shop.pager();
    // All of them: of a half, one release in a hundred finds more with the live version by chance.
    traffic.hard(1);
    await shop.until('REVERSING');
    const { quietUntil, refused } = await shop.until('BAKING');
    expect(Date.parse(quietUntil ?? '')).toBeGreaterThan(0);
    expect(refused).toEqual([]);
    await expect
      .poll(pager.subjects, WRITTEN)
      .toContainEqual(expect.stringContaining('version 2 keeps all traffic'));
    expect(await endOf(shop, traffic, ['1', '2'])).toEqual({
      alias: whole('2'),
      phase: 'BAKING',
      stable: '2',
      lost: [],
    });
  });
});
