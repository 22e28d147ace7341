/** Deploys that fail half-way, change little, or come again, under traffic. */
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { CANARY, endOf, half, openShop, type Shop, WRITTEN, whole } from './shop.ts';
import { servedBy } from './traffic.ts';

let aws: LocalAws;
let shop: Shop;
beforeAll(async () => {
  aws = await startAws({ speed: 20 });
});
afterEach(() => shop?.end());
afterAll(() => aws?.stop());

const open = async (service: string): Promise<Shop> => {
  shop = await openShop(aws, service);
  return shop;
};

describe('a stack that fails', () => {
  it.each([
    ['before the version', { before: 'versions' }, '2', []],
    ['between version and alias', { before: 'aliases' }, '3', []],
    // The alias is asked to go back, too, and writes that in any case.
    ['after the alias', {}, '3', ['version 1']],
  ] as const)(
    '%s leaves the version before serving all through, and is deployed again',
    async (at, where, retried, back) => {
      const on = await open(`fails-${at.split(' ')[0]}`);
      await on.deploy({ fingerprint: 'a' });
      const traffic = on.traffic(10);
      const next = { fingerprint: 'b', factor: 3, release: CANARY };
      const tail = { name: 'Broken', seconds: 1, status: 'FAILED', ...where } as const;
      expect(await on.deploy({ ...next, tail })).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(await on.events()).toMatch(/Broken \w+_FAILED asked to/);
      expect(await on.alias()).toEqual(whole('1'));
      expect(await on.versions()).toEqual(['1']);
      // CloudFormation is answered first.
      await expect.poll(on.schedules, WRITTEN).toEqual([]);
      expect(await on.document()).toMatchObject({ stable: { version: '1', fingerprint: 'a' }, refused: [] });
      await expect.poll(() => servedBy(traffic.outcomes), WRITTEN).toEqual(['1']);

      expect(await on.deploy(next), await on.events()).toBe('UPDATE_COMPLETE');
      await on.until('JUDGING');
      await expect.poll(on.moves, WRITTEN).toEqual(['version 1', ...back, `version 1 (${retried}: 50 %)`]);
      const end = { alias: half('1', retried), phase: 'JUDGING', stable: '1', lost: [] };
      expect(await endOf(on, traffic)).toEqual(end);
    },
  );
});

describe('a deploy that changes memory alone', () => {
  it('is an ordinary release', async () => {
    const on = await open('memory');
    await on.deploy({ fingerprint: 'small' });
    const traffic = on.traffic(10);
    await on.deploy({ fingerprint: 'large', declares: { memory: 512 }, release: CANARY });
    expect(await on.until('JUDGING')).toMatchObject({
      stable: { version: '1', fingerprint: 'small' },
      candidate: { version: '2', fingerprint: 'large' },
      gate: { verdict: 'pass' },
    });
    const memory = async (Qualifier: string) => {
      const { functionName: FunctionName, lambda } = on;
      return (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }))).MemorySize;
    };
    expect([await memory('1'), await memory('2')]).toEqual([256, 512]);
    await on.command('promote');
    await on.until('BAKING');
    expect(await memory('live')).toBe(512);
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 1 (2: 50 %)', 'version 2']);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'BAKING', stable: '2', lost: [] });
  });
});

/** What AWS, and with it the framework, says to a template that is the same. */
const NOTHING = /No updates are to be performed/;

describe('a deploy of what is not live', () => {
  it('because it was rolled back is refused, and released again by force', async () => {
    const on = await open('by-force');
    await on.deploy({ fingerprint: 'a' });
    const traffic = on.traffic(10);
    const b = { fingerprint: 'b', factor: 3 };
    await on.deploy(b);
    await on.until('BAKING');
    await on.command('rollback', { reason: 'odd answers' });
    const { refused, reason } = await on.until('ROLLED_BACK');
    expect(refused).toMatchObject([{ fingerprint: 'b', version: '2' }]);

    await expect(on.deploy(b)).rejects.toThrow(NOTHING);
    expect(await on.tick()).toMatchObject({ phase: 'ROLLED_BACK', version: '1', reason });
    expect(reason).toMatch(/^version 2 was rolled back to version 1: asked for by .*: odd answers$/);
    // Built again, it is another version that behaves the same.
    expect(await on.deploy({ ...b, factor: 3.5 })).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await on.events()).toMatch(
      /nothing was changed: version 3 of churn is the same as version 2, which was rolled back .*odd answers; .*"sls deploy --force --stage test --region us-east-1"/,
    );
    expect(await on.document()).toMatchObject({ phase: 'ROLLED_BACK', refused });
    expect(await on.alias()).toEqual(whole('1'));

    expect(await on.deploy({ ...b, forced: true }), await on.events()).toBe('UPDATE_COMPLETE');
    expect((await on.until('BAKING')).refused).toEqual([]);
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 2', 'version 1', 'version 2']);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'BAKING', stable: '2', lost: [] });
  });

  it('because somebody moved the alias says so, touches nothing, and releases it by force', async () => {
    const on = await open('moved');
    const release = { strategy: 'allAtOnce', steps: [], rollbackWindow: 0 } as const;
    await on.deploy({ fingerprint: 'a', release });
    const traffic = on.traffic(10);
    const b = { fingerprint: 'b', factor: 3, release };
    await on.deploy(b);
    const before = await on.until('DONE');
    await on.byHand('1');

    await expect(on.deploy(b)).rejects.toThrow(NOTHING);
    expect(await on.tick()).toMatchObject({
      phase: 'DONE',
      running: false,
      version: '1',
      reason: expect.stringMatching(
        /^the release ended with version 2 live, and the alias was moved since; /,
      ),
    });
    expect(await on.alias()).toEqual(whole('1'));
    expect((await on.document()).release).toBe(before.release);

    expect(await on.deploy({ ...b, forced: true }), await on.events()).toBe('UPDATE_COMPLETE');
    const { release: id } = await on.until('DONE');
    expect(id).not.toBe(before.release);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'DONE', stable: '2', lost: [] });
  });
});
