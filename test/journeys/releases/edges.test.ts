/** The table of edges in the release’s design, under traffic: what a deploy meets. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { AT_ONCE, CANARY, endOf, half, openShop, type Shop, until, WRITTEN, whole } from './shop.ts';
import { faultsOf, servedBy } from './traffic.ts';
import { caseOf } from './version.ts';

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

describe('a gate that fails', () => {
  it('in the first deploy leaves nothing, and the same artifact is deployed after the cure', async () => {
    const on = await open('first-gate');
    expect(await on.deploy({ fingerprint: 'a', cases: caseOf(3, 7) })).toBe('ROLLBACK_COMPLETE');
    expect(await on.events()).toMatch(/the gate failed: Case 1 of 1 failed/);
    await expect(on.alias()).rejects.toThrow(/not found/i);
    // Its worker takes it away once CloudFormation is answered.
    await expect.poll(on.schedules, WRITTEN).toEqual([]);

    expect(await on.deploy({ fingerprint: 'a', cases: caseOf(3, 6) }), await on.events()).toBe(
      'CREATE_COMPLETE',
    );
    expect(await endOf(on, on.traffic(20))).toEqual({
      alias: whole('1'),
      phase: 'DONE',
      stable: '1',
      lost: [],
    });
  });

  it('in an update exposes nobody, and nothing is refused later', async () => {
    const on = await open('gate');
    await on.deploy({ fingerprint: 'a', cases: caseOf(3, 6) });
    const traffic = on.traffic(10);
    expect(await on.deploy({ fingerprint: 'b', factor: 3, cases: caseOf(3, 6) })).toBe(
      'UPDATE_ROLLBACK_COMPLETE',
    );
    expect(await on.events()).toMatch(/the gate failed: Case 1 of 1 failed/);
    expect(await on.versions()).toEqual(['1']);
    await expect.poll(() => servedBy(traffic.outcomes), WRITTEN).toEqual(['1']);

    expect(await on.deploy({ fingerprint: 'b', factor: 3, cases: caseOf(3, 9) }), await on.events()).toBe(
      'UPDATE_COMPLETE',
    );
    await on.until('BAKING');
    expect(await endOf(on, traffic)).toEqual({ alias: whole('3'), phase: 'BAKING', stable: '3', lost: [] });
  });
});

describe('a stack that is in progress', () => {
  it('keeps the weight down, whoever ticks or commands', async () => {
    const on = await open('busy');
    await on.deploy({});
    const traffic = on.traffic(10);
    const held = await on.holdTail();
    const deployed = on.deploy({ release: CANARY, tail: held.tail });
    await on.until('SHIFTING');
    expect(await on.tick()).toMatchObject({ phase: 'SHIFTING', reason: 'the stack is still in progress' });
    expect(await on.command('promote')).toMatchObject({
      done: false,
      refused: 'the stack is still in progress',
    });
    await expect.poll(() => servedBy(traffic.outcomes), WRITTEN).toEqual(['1']);
    await held.end('SUCCESS');
    expect(await deployed, await on.events()).toBe('UPDATE_COMPLETE');
    await on.until('JUDGING');
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 1 (2: 50 %)']);
    const end = { alias: half('1', '2'), phase: 'JUDGING', stable: '1', lost: [] };
    expect(await endOf(on, traffic)).toEqual(end);
  });

  it('does not keep a version that crashes', async () => {
    const on = await open('busy-crash');
    await on.deploy({});
    await on.deploy({ fingerprint: 'bad', hard: 'throws', release: CANARY });
    await on.until('JUDGING');
    const traffic = on.traffic(12);
    const held = await on.holdTail();
    const busy = on.deploy({
      fingerprint: 'bad',
      hard: 'throws',
      release: { ...CANARY, maxWait: 3600 },
      tail: held.tail,
    });
    await until('the stack’s update', async () =>
      (await on.document()).settings.maxWait === 3600 ? true : undefined,
    );
    traffic.hard(1);
    const { reason } = await on.until('ROLLED_BACK');
    // A look that comes minutes late finds as many errors as the judge needs, too.
    expect(reason).toMatch(/^version 2 was rolled back: (it cannot answer|errors): /);
    expect(await on.isBusy()).toBe(true);
    await held.end('SUCCESS');
    expect(await busy).toBe('UPDATE_COMPLETE');
    expect(servedBy(faultsOf(traffic.outcomes))).toEqual(['2']);
    expect(await endOf(on, traffic, ['2'])).toEqual({
      alias: whole('1'),
      phase: 'ROLLED_BACK',
      stable: '1',
      lost: [],
    });
  });

  it('promotes all at once when it is done', async () => {
    const on = await open('at-once');
    await on.deploy({});
    const traffic = on.traffic(10);
    const held = await on.holdTail();
    const deployed = on.deploy({ release: AT_ONCE, tail: held.tail });
    await on.until('PROMOTING');
    await on.tick();
    expect(await on.alias()).toEqual(whole('1'));
    await held.end('SUCCESS');
    await deployed;
    expect(await on.tick()).toMatchObject({ phase: 'BAKING', version: '2' });
    expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'BAKING', stable: '2', lost: [] });
  });
});

describe('a stack that rolls back after the alias was done', () => {
  it.each([
    ['was promoted inside the resource', 'same', AT_ONCE, ['version 1', 'version 2', 'version 1']],
    ['waited for the stack', 'other', CANARY, ['version 1', 'version 1']],
  ])(
    'has all traffic on the version before, where the new one %s',
    async (_, fingerprint, release, moves) => {
      const on = await open(`back-${fingerprint}`);
      await on.deploy({ fingerprint: 'same' });
      const traffic = on.traffic(10);
      // The next version may be live sooner than a tenth of a second.
      await expect.poll(() => servedBy(traffic.outcomes), WRITTEN).toEqual(['1']);
      const held = await on.holdTail();
      const deployed = on.deploy({ fingerprint, factor: 3, release, tail: held.tail });
      const live = moves.includes('version 2') ? ['1', '2'] : ['1'];
      await expect.poll(() => servedBy(traffic.outcomes), WRITTEN).toEqual(live);
      await held.end('FAILED');
      expect(await deployed).toBe('UPDATE_ROLLBACK_COMPLETE');
      // CloudFormation is answered first.
      await expect.poll(on.schedules, WRITTEN).toEqual([]);
      expect(await on.versions()).toEqual(['1']);
      await expect.poll(on.moves, WRITTEN).toEqual(moves);
      expect(servedBy(traffic.outcomes)).toEqual(live);
      expect(await endOf(on, traffic)).toEqual({
        alias: whole('1'),
        phase: 'ABORTED',
        stable: '1',
        lost: [],
      });
    },
  );
});

describe('a deploy in mid-release', () => {
  it.each(['SHIFTING', 'JUDGING', 'HELD'] as const)(
    'in %s supersedes it: weight 0, the same stable',
    async (phase) => {
      const on = await open(`over-${phase.toLowerCase()}`);
      await on.deploy({});
      const traffic = on.traffic(10);
      const held = await on.holdTail();
      const deployed = on.deploy({ factor: 3, release: CANARY, tail: held.tail });
      await on.until('SHIFTING');
      // It waits for the stack, and nobody comes to tell it that the stack is done.
      if (phase === 'SHIFTING') {
        await on.stopSweep();
        await on.stopTicks();
      }
      await held.end('SUCCESS');
      expect(await deployed, await on.events()).toBe('UPDATE_COMPLETE');
      if (phase !== 'SHIFTING') await on.until('JUDGING');
      if (phase === 'HELD') expect(await on.command('hold')).toMatchObject({ done: true });
      expect(await on.document()).toMatchObject({ phase, candidate: { version: '2' } });
      await on.deploy({ factor: 4, release: CANARY, tail: held.tail });
      await on.until('JUDGING');
      const shown = phase === 'SHIFTING' ? [] : ['version 1 (2: 50 %)', 'version 1'];
      await expect.poll(on.moves, WRITTEN).toEqual(['version 1', ...shown, 'version 1 (3: 50 %)']);
      const [before] = (await on.keys()).filter((key) => /^releases\/churn\/2\S+\.json$/.test(key)).slice(-1);
      expect(JSON.parse(await on.text(on.scope + before))).toMatchObject({
        phase: 'SUPERSEDED',
        candidate: { version: '2' },
      });
      const end = { alias: half('1', '3'), phase: 'JUDGING', stable: '1', lost: [] };
      expect(await endOf(on, traffic)).toEqual(end);
    },
  );

  it('in BAKING makes the live version stable, and the one before it stays the last good one until promotion', async () => {
    const on = await open('baking');
    await on.deploy({});
    const traffic = on.traffic(10);
    await on.deploy({ factor: 3 });
    await on.until('BAKING');
    await on.deploy({ factor: 4, release: CANARY });
    await on.until('JUDGING');
    expect(await on.document()).toMatchObject({
      stable: { version: '2' },
      lives: [{ version: '2' }, { version: '1' }],
    });
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 2', 'version 2 (3: 50 %)']);
    await on.command('promote');
    await on.until('BAKING');
    await on.command('rollback');
    expect(await endOf(on, traffic)).toEqual({
      alias: whole('2'),
      phase: 'ROLLED_BACK',
      stable: '2',
      lost: [],
    });
  });

  it('of which the model is no part lets it go on', async () => {
    const on = await open('beside');
    await on.deploy({});
    const traffic = on.traffic(10);
    await on.deploy({ fingerprint: 'b', factor: 3, release: CANARY });
    const before = await on.until('JUDGING');
    const tail = { name: 'Other', seconds: 1, status: 'SUCCESS' } as const;
    expect(await on.deploy({ fingerprint: 'b', factor: 3, release: CANARY, tail })).toBe('UPDATE_COMPLETE');
    expect(await on.document()).toMatchObject({ release: before.release, shifts: before.shifts });
    const end = { alias: half('1', '2'), phase: 'JUDGING', stable: '1', lost: [] };
    expect(await endOf(on, traffic)).toEqual(end);
  });
});
