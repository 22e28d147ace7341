import { describe, expect, it } from 'vitest';
import type { AliasPort } from '../../../../core/ports/aws.ts';
import { CANARY, SETTINGS } from '../../../fakes/settings.ts';
import { FUNCTION, tick } from '../../../fakes/world.ts';
import { deploy, deployed, live, minute, minutes, promoted, until } from './traffic.ts';

/** Workers that are slower than others, hands on a held release, and what a version keeps of its own. */

/** A worker that stops at a point until it is told to go on, while others run. */
function pausedAt(at: string) {
  let [armed, arrived, goOn] = [false, () => {}, () => {}];
  const there = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const released = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  return {
    chaos: async (point: string): Promise<void> => {
      if (!armed || point !== at) return;
      armed = false;
      arrived();
      await released;
    },
    starts: async (work: () => Promise<unknown>): Promise<() => Promise<void>> => {
      armed = true;
      const done = work();
      await there;
      return async () => {
        goOn();
        await done;
      };
    },
  };
}

describe('a worker that read the document before another one gave its move up', () => {
  it.each([
    ['a canary', CANARY, { version: '3', weights: { 4: 0.05 } }],
    ['all at once', SETTINGS, { version: '4', weights: {} }],
  ])('exposes nobody: %s', async (_, settings, wanted) => {
    const slow = pausedAt('before get alias');
    const w = await live(settings, { chaos: slow.chaos });
    await deploy(w, '4', 'b', { settings });
    w.stack.state = 'done';
    // The first worker dies between the intent and the move.
    const aliases = w.world.aliases as { -readonly [key in keyof AliasPort]: AliasPort[key] };
    const { update } = aliases;
    aliases.update = async () => {
      throw new Error('killed');
    };
    await expect(w.send(tick())).rejects.toThrow('killed');
    aliases.update = update;
    expect(w.state()?.intent?.after).toEqual(wanted);

    const goesOn = await slow.starts(() => w.send(tick()));
    expect(await w.command('rollback')).toMatchObject({ done: true });
    await goesOn();
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', stable: { version: '3' } });
  });
});

describe('a worker that read the document before a deploy changed its capacity', () => {
  const warm = { ...SETTINGS, capacity: { provisioned: { min: 2, max: 4, target: 0.7 }, schedules: [] } };

  it('does not provide again what was given up', async () => {
    const slow = pausedAt('before list capacity');
    const w = await live(warm, { chaos: slow.chaos });
    expect(w.capacity.held(FUNCTION)).toEqual(['3']);
    const goesOn = await slow.starts(() => w.send(tick()));
    await deploy(w, '3', 'a', { settings: SETTINGS });
    expect(w.capacity.held(FUNCTION)).toEqual([]);
    await goesOn();
    expect(w.capacity.held(FUNCTION)).toEqual([]);
    expect(w.capacity.scalings.size).toBe(0);
  });
});

describe('a release that was held for longer than its step may take', () => {
  it('takes its step from the beginning when it is resumed', async () => {
    const settings = { ...CANARY, onNoData: 'rollback' } as const;
    const w = await deployed(settings);
    await minutes(w, 3);
    await w.command('hold');
    w.clock.now += 5 * 3600_000;
    await w.command('resume');
    await minutes(w, 3);
    expect(w.state()?.phase).toBe('JUDGING');
    await until(w, 'BAKING');
  });
});

describe('an alias that is deleted', () => {
  it('is made again at stable while a release is held, which takes its step again when it is resumed', async () => {
    const w = await deployed();
    await minutes(w, 3);
    await w.command('hold');
    w.aliases.byHand(FUNCTION, 'live', undefined);
    await minute(w);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()).toMatchObject({ phase: 'HELD', held: { from: 'SHIFTING', by: 'person' } });
    expect(w.notices.at(-1)?.subject).toContain('the alias live was deleted and is made again');
    await w.command('resume');
    await minutes(w, 2);
    expect(w.target()).toEqual({ version: '3', weights: { 4: 0.05 } });
    await until(w, 'BAKING');
  });
});

describe('a release that is held for somebody else’s hand', () => {
  it('leaves provisioned concurrency as it is, too', async () => {
    const settings = {
      ...CANARY,
      capacity: { provisioned: { min: 2, max: 4, target: 0.7 }, schedules: [] },
    };
    const w = await deployed(settings);
    await minutes(w, 3);
    await w.world.capacity.provide(FUNCTION, '6', 1);
    w.aliases.byHand(FUNCTION, 'live', { version: '6', weights: {} });
    await minutes(w, 3);
    expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'foreign' } });
    expect(w.capacity.held(FUNCTION)).toContain('6');
  });
});

describe('an objective that changes in mid-release', () => {
  it('is not what the version under way counts by', async () => {
    const at = (p95: number) => ({ ...CANARY, p95 });
    const w = await live(at(100));
    await deploy(w, '4', 'b', { settings: at(100) });
    // Another zip, the same behaviour: the version under way goes on.
    await deploy(w, '5', 'b', { before: '4', settings: at(200) });
    w.stack.state = 'done';
    await until(w, 'BAKING');
    expect(w.state()?.stable).toMatchObject({ version: '4', p95: 100 });
    await deploy(w, '6', 'c', { before: '5', settings: at(200) });
    w.stack.state = 'done';
    await minutes(w, 3);
    expect(w.state()).toMatchObject({ stable: { p95: 100 }, candidate: { version: '6', p95: 200 } });
    expect(w.state()?.basis?.slow).toBeUndefined();
  });
});

describe('a rollback to further back than the stable version', () => {
  it('refuses the stable version and the one that is being released', async () => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    await minutes(w, 3);
    expect(await w.command('rollback', { to: '3' })).toMatchObject({
      done: true,
      text: 'version 5 is withdrawn, and version 4 gives way to version 3',
    });
    await minute(w);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()?.refused.map(({ version }) => version)).toEqual(['5', '4']);
    expect(w.notices.at(-1)?.text).toContain('version 5 is withdrawn');
  });
});
