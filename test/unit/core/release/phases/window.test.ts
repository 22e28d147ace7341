import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../../core/release/document/settings-contract.ts';
import { CANARY } from '../../../../fakes/settings.ts';
import { request } from '../../../../fakes/world.ts';
import { alarm, DAY, deploy, deployed, MINUTE, minute, minutes, promoted, type World } from '../traffic.ts';

/** `rollbackWindow` changed while the live version is watched. */

const HOURS = 60 * MINUTE;
const until = (w: World): number =>
  (Date.parse(w.state()?.watch?.until ?? '') - Date.parse(w.state()?.watch?.since ?? '')) / HOURS;
const hours = (count: number): Settings => ({ ...CANARY, rollbackWindow: count * 3600 });

/** A deploy of what is live, with this window. */
async function change(w: World, window: number, more: Parameters<typeof deploy>[3] = {}): Promise<void> {
  await deploy(w, '4', 'b', { before: '4', settings: hours(window), ...more });
  expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
  w.stack.state = 'done';
  await minute(w);
}

describe('a rollbackWindow that changes while the live version is watched', () => {
  it('ends at the new time, counted from the promotion: shorter, then longer', async () => {
    const w = await promoted();
    await minutes(w, 90);
    await change(w, 2);
    expect([w.state()?.phase, until(w)]).toEqual(['BAKING', 2]);
    await change(w, 48);
    expect([w.state()?.phase, until(w)]).toEqual(['BAKING', 48]);
    w.clock.now += 40 * HOURS;
    await alarm(w);
    expect(w.state()?.phase).toBe('REVERSING');
  });

  it.each([
    ['0', 0, {}],
    ['one that is over already', 1, {}],
    ['0, by force', 0, { forced: 'now' }],
  ])('ends it at once: %s', async (_, window, more) => {
    const w = await promoted();
    await minutes(w, 90);
    await change(w, window, more);
    expect(w.state()?.phase).toBe('DONE');
    expect(w.schedules.size).toBe(0);
    await alarm(w);
    expect(w.state()?.phase).toBe('DONE');
    expect(w.target()).toEqual({ version: '4', weights: {} });
  });

  it('brings back no watch that is over', async () => {
    for (const end of [
      (w: World) => change(w, 0),
      async (w: World) => {
        w.clock.now += DAY;
        await minute(w);
      },
    ]) {
      const w = await promoted();
      await end(w);
      expect(w.state()?.phase).toBe('DONE');
      await change(w, 96);
      await alarm(w);
      expect(w.state()?.phase).toBe('DONE');
      expect(w.schedules.size).toBe(0);
    }
  });

  it.each([
    ['0', 0, {}, undefined],
    ['one that is over already', 1, {}, undefined],
    ['0, by force', 0, { forced: '2026-01-01T02:00:00.000Z' }, '2026-01-01T02:00:00.000Z'],
    ['a longer one', 48, {}, undefined],
  ])(
    'is what it was once the deploy that changed it has failed: %s',
    async (_, window, more, forcedBefore) => {
      const w = await promoted();
      await minutes(w, 90);
      await change(w, window, more);
      w.stack.state = 'rollingBack';
      const before = { before: '4', settings: CANARY, ...(forcedBefore && { forcedBefore }) };
      await w.send(request('Update', '4', 'b', before));
      w.stack.state = 'done';
      await minute(w);
      expect([until(w), w.schedules.size]).toEqual([24, 1]);
      await alarm(w);
      expect(w.state()?.phase).toBe('REVERSING');
    },
  );

  it('stays over where its time is, whatever deploy fails', async () => {
    const w = await promoted();
    await change(w, 2);
    w.clock.now += DAY;
    await minute(w);
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '4', 'b', { before: '4', settings: CANARY }));
    w.stack.state = 'done';
    await minute(w);
    await alarm(w);
    expect([w.state()?.phase, w.schedules.size]).toEqual(['DONE', 0]);
  });

  it('begins none that never was', async () => {
    const w = await deployed(hours(0));
    await w.command('promote');
    await minute(w);
    expect(w.state()?.phase).toBe('DONE');
    await change(w, 24);
    await alarm(w);
    expect(w.state()).toMatchObject({ phase: 'DONE' });
    expect(w.state()?.watch).toBeUndefined();
  });

  it('is the candidate’s while one is on its way; the live version’s watch stays', async () => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4', settings: CANARY });
    w.stack.state = 'done';
    await minutes(w, 2);
    await deploy(w, '5', 'c', { before: '5', settings: hours(0) });
    w.stack.state = 'done';
    await minute(w);
    expect([w.state()?.phase, until(w)]).toEqual(['JUDGING', 24]);
  });

  it('ends the watch after a candidate was withdrawn, too', async () => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4', settings: CANARY });
    w.stack.state = 'done';
    await minutes(w, 2);
    await w.command('rollback');
    await minutes(w, 1);
    expect(w.schedules.size).toBe(1);
    await deploy(w, '5', 'c', { before: '5', settings: hours(0) });
    w.stack.state = 'done';
    await minute(w);
    await alarm(w);
    expect(w.state()?.phase).toBe('ROLLED_BACK');
    expect(w.schedules.size).toBe(0);
    expect(w.target()).toEqual({ version: '4', weights: {} });
  });

  it('is followed by a version that behaves alike', async () => {
    for (const [window, phase] of [
      [0, 'DONE'],
      [48, 'BAKING'],
    ] as const) {
      const w = await promoted();
      await deploy(w, '5', 'b', { before: '4', settings: hours(window) });
      w.stack.state = 'done';
      await minute(w);
      expect([w.state()?.stable?.version, w.state()?.phase]).toEqual(['5', phase]);
      if (window > 0) expect(until(w)).toBe(window);
    }
  });

  it('lets a test that is under way come to its verdict', async () => {
    const w = await promoted();
    await alarm(w);
    await change(w, 0);
    expect([w.state()?.phase, w.alias()?.weights]).toEqual(['REVERSING', { '3': 0.5 }]);
    await minutes(w, 15, { 3: 0.3, 4: 0.3 });
    expect([w.state()?.phase, w.target()]).toEqual(['DONE', { version: '4', weights: {} }]);
    expect(w.schedules.size).toBe(0);
  });

  it('of 0 ends what waits for a person because there were too many automatic rollbacks', async () => {
    const w = await promoted();
    const state = w.state();
    const twice = [w.clock.now - 2, w.clock.now - 1].map((at) => new Date(at).toISOString());
    await w.world.registry.move(
      { ...(state as NonNullable<typeof state>), rollbacks: twice },
      (await w.world.registry.release('churn'))?.etag,
    );
    await alarm(w);
    expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'limit' } });
    await change(w, 48);
    expect(w.state()?.phase).toBe('HELD');
    await change(w, 0);
    expect(w.state()?.phase).toBe('DONE');
    expect(w.state()?.held).toBeUndefined();
  });
});
