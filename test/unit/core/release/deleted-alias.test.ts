import { describe, expect, it } from 'vitest';
import { FUNCTION, LIVE, request, tick } from '../../../fakes/world.ts';
import { deploy, deployed, live, MINUTE, minute, minutes, promoted, until, type World } from './traffic.ts';

/**
 * Whoever makes a deleted alias again writes that down and pages: CloudFormation believes that its
 * permissions are there.
 */
const TOLD = '[page] churn: the alias live was deleted and is made again';
const told = (w: World): number => w.notices.filter(({ subject }) => subject === TOLD).length;
const remove = (w: World): void => w.aliases.byHand(FUNCTION, 'live', undefined);

describe('an alias that somebody deleted', () => {
  it('is made again by a tick', async () => {
    const w = await live();
    expect(w.state()?.remade).toBeUndefined();
    remove(w);
    await w.send(tick());
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()?.remade).toEqual({ at: expect.stringMatching(/^2026-01-01T/) });
    expect(told(w)).toBe(1);
    expect(w.notices.at(-1)?.text).toContain(
      '"sls models status --model churn --stage dev --region us-east-1" lists what is missing',
    );
  });

  it('is made again by the next deploy, before anything else', async () => {
    const w = await live();
    remove(w);
    await deploy(w, '4', 'b');
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()?.remade).toBeDefined();
    await minute(w);
    expect(told(w)).toBe(1);
  });

  it('is made again by the same version, deployed by force', async () => {
    const w = await live();
    remove(w);
    w.stack.state = 'busy';
    await w.send(request('Update', '3', 'a', { before: '3', forced: 'now' }));
    w.stack.state = 'done';
    await minutes(w, 2);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()?.remade).toBeDefined();
    expect(told(w)).toBe(1);
  });

  it.each(['DONE', 'BAKING', 'JUDGING'] as const)(
    'is not made again in %s where its stack is gone: its function is, too',
    async (phase) => {
      const w = phase === 'DONE' ? await live() : await deployed();
      if (phase !== 'DONE') await until(w, phase, { 3: 0.02, 4: 0.02 });
      remove(w);
      w.stack.state = 'gone';
      w.notices.length = 0;
      expect(await w.send(tick())).toMatchObject({ running: false });
      expect([w.alias(), w.state()?.remade, told(w)]).toEqual([undefined, undefined, 0]);
    },
  );

  it('is told of although its document is gone, too', async () => {
    const w = await live();
    remove(w);
    w.objects.objects.delete(LIVE);
    await deploy(w, '4', 'b');
    w.stack.state = 'done';
    await minute(w);
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(w.state()?.remade).toBeDefined();
  });

  it('is made again by a stack that rolls back', async () => {
    const w = await deployed();
    remove(w);
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '3', 'a', { before: '4' }));
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()?.remade).toBeDefined();
    w.stack.state = 'done';
    await minutes(w, 2);
    expect(told(w)).toBe(1);
  });

  it('is made again by a person who goes back', async () => {
    const w = await promoted();
    remove(w);
    await w.command('rollback');
    await minutes(w, 2);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()?.remade).toBeDefined();
    expect(told(w)).toBe(1);
  });

  it('is told of each time, and later releases do not forget it', async () => {
    const w = await live();
    remove(w);
    await w.send(tick());
    const first = w.state()?.remade?.at ?? '';
    await deploy(w, '4', 'b');
    await minute(w);
    expect(w.state()?.remade).toEqual({ at: first });
    remove(w);
    await w.send(tick());
    expect(told(w)).toBe(2);
    expect(Date.parse(w.state()?.remade?.at ?? '')).toBeGreaterThan(Date.parse(first));
    w.clock.now += MINUTE;
    remove(w);
    await deploy(w, '5', 'c');
    await minute(w);
    expect(told(w)).toBe(3);
  });
});

describe('an alias that is not there yet', () => {
  it('is nothing to tell of', async () => {
    const w = await live();
    expect(w.state()?.remade).toBeUndefined();
    expect(told(w)).toBe(0);
  });

  it('nor is one of a model that was removed and added again', async () => {
    const w = await live();
    remove(w);
    await w.send(tick());
    expect(w.state()?.remade).toBeDefined();
    w.stack.state = 'busy';
    await w.send(request('Delete', '3', 'a'));
    await w.send(request('Create', '4', 'b'));
    w.stack.state = 'done';
    await minutes(w, 2);
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(w.state()?.remade).toBeUndefined();
    expect(told(w)).toBe(1);
  });
});
