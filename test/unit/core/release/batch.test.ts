import { describe, expect, it } from 'vitest';
import { CANARY } from '../../../fakes/settings.ts';
import { BATCH, FUNCTION, fakeWorld, request } from '../../../fakes/world.ts';
import { deploy, due, MINUTE, minutes, rollBack, until, type World } from './traffic.ts';

const GOOD = { 3: 0.01, 4: 0.01 };
const batchOf = (w: World) => w.aliases.at(BATCH, 'live')?.version;

async function live(options: Parameters<typeof fakeWorld>[0] = {}): Promise<World> {
  const w = fakeWorld(options);
  for (const version of ['3', '4', '5']) w.aliases.publish(FUNCTION, version);
  for (const version of ['13', '14', '15']) w.aliases.publish(BATCH, version);
  await w.send(request('Create', '3', 'a', { settings: CANARY, batch: '13' }));
  return w;
}

async function canary(): Promise<World> {
  const w = await live();
  w.stack.state = 'done';
  await deploy(w, '4', 'b', { batch: '14' });
  w.stack.state = 'done';
  return w;
}

describe('the alias of batch', () => {
  it('is there before CloudFormation is answered: what starts jobs is made next', async () => {
    const points: string[] = [];
    const w = await live({
      chaos: async (point) => {
        points.push(point);
      },
    });
    expect(w.answers).toMatchObject([{ Status: 'SUCCESS' }]);
    expect(batchOf(w)).toBe('13');
    expect(points.lastIndexOf('after create alias')).toBeLessThan(points.indexOf('before answer'));
    expect(points.filter((point) => point === 'after create alias')).toHaveLength(2);
  });

  it('stays while a canary has some of the traffic, and moves once it has all', async () => {
    const w = await canary();
    await until(w, 'JUDGING', GOOD);
    expect(w.target()?.weights).not.toEqual({});
    expect(batchOf(w)).toBe('13');
    await until(w, 'BAKING', GOOD);
    expect(batchOf(w)).toBe('14');
  });

  it('is there where batch is declared together with a changed model, once its gate has passed', async () => {
    const w = fakeWorld();
    for (const version of ['3', '4']) w.aliases.publish(FUNCTION, version);
    w.aliases.publish(BATCH, '14');
    await w.send(request('Create', '3', 'a', { settings: CANARY }));
    w.stack.state = 'done';
    await deploy(w, '4', 'b', { batch: '14' });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(batchOf(w)).toBe('14');
    w.stack.state = 'done';
    await until(w, 'BAKING', GOOD);
    expect(batchOf(w)).toBe('14');
  });

  it('leaves a first version with batch that was rolled back once the next candidate takes traffic', async () => {
    const w = fakeWorld();
    for (const version of ['3', '4', '5']) w.aliases.publish(FUNCTION, version);
    for (const version of ['14', '15']) w.aliases.publish(BATCH, version);
    await w.send(request('Create', '3', 'a', { settings: CANARY }));
    w.stack.state = 'done';
    await deploy(w, '4', 'b', { batch: '14' });
    w.stack.state = 'done';
    await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.5 });
    await minutes(w, 2, { 3: 0.01 });
    expect(batchOf(w)).toBe('14');
    expect(w.notices.at(-1)?.text).toContain(
      'a version that was rolled back still scores jobs, until the next',
    );
    await deploy(w, '5', 'c', { batch: '15' });
    // The stack may roll back still, and version 15 with it.
    expect(batchOf(w)).toBe('14');
    w.stack.state = 'done';
    await until(w, 'JUDGING', { 3: 0.01, 5: 0.01 });
    await minutes(w, 1, { 3: 0.01, 5: 0.01 });
    expect(batchOf(w)).toBe('15');
    await until(w, 'ROLLED_BACK', { 3: 0.01, 5: 0.5 });
    await minutes(w, 2, { 3: 0.01 });
    expect(batchOf(w)).toBe('15');
  });

  it('never moves for a candidate that is rolled back', async () => {
    const w = await canary();
    await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.5 });
    expect(w.aliases.history.filter(({ key }) => key === `${BATCH}:live`)).toHaveLength(1);
  });

  it('goes back with a rollback after promotion', async () => {
    const w = await canary();
    await until(w, 'BAKING', GOOD);
    await w.command('rollback');
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(batchOf(w)).toBe('13');
  });

  it('is back before a stack that rolls back deletes the newer version', async () => {
    const w = await live();
    w.stack.state = 'done';
    // The same behaviour: promoted inside the resource.
    await deploy(w, '4', 'a', { batch: '14' });
    expect(batchOf(w)).toBe('14');
    await rollBack(w, '3', 'a', '4');
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(batchOf(w)).toBe('13');
  });

  it('follows where only the batch function has changed', async () => {
    const w = await live();
    w.stack.state = 'busy';
    await w.send(request('Update', '3', 'a', { before: '3', settings: CANARY, batch: '15' }));
    expect(batchOf(w)).toBe('15');
  });

  it('comes back with a version as it was last, also where its batch function changed after its release', async () => {
    const w = await live();
    w.stack.state = 'busy';
    await w.send(request('Update', '3', 'a', { before: '3', settings: CANARY, batch: '15' }));
    w.stack.state = 'done';
    await deploy(w, '4', 'b', { batch: '14' });
    w.stack.state = 'done';
    await until(w, 'BAKING', GOOD);
    expect(batchOf(w)).toBe('14');
    await w.command('rollback');
    expect(w.target()?.version).toBe('3');
    expect(batchOf(w)).toBe('15');
  });

  it.each([
    ['by settings alone', {}],
    ['by a deploy that asks for the candidate anew', { again: '2026-01-01T00:30:00.000Z' }],
  ])('follows a candidate whose batch function changed while it was on its way, %s', async (_, changes) => {
    const w = await canary();
    await until(w, 'JUDGING', GOOD);
    w.stack.state = 'busy';
    await w.send(request('Update', '4', 'b', { before: '4', settings: CANARY, batch: '15', ...changes }));
    expect(batchOf(w)).toBe('13');
    w.stack.state = 'done';
    await until(w, 'BAKING', GOOD);
    expect(batchOf(w)).toBe('15');
  });

  it('goes by the template again where a deploy that changed it for a candidate fails', async () => {
    const w = await canary();
    await until(w, 'JUDGING', GOOD);
    w.stack.state = 'busy';
    await w.send(request('Update', '4', 'b', { before: '4', settings: CANARY, batch: '15' }));
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '4', 'b', { before: '4', settings: CANARY, batch: '14' }));
    w.stack.state = 'done';
    await until(w, 'BAKING', GOOD);
    expect(batchOf(w)).toBe('14');
  });

  it('is there for what starts jobs where batch is declared while a candidate is on its way', async () => {
    const w = fakeWorld();
    for (const version of ['3', '4']) w.aliases.publish(FUNCTION, version);
    w.aliases.publish(BATCH, '14');
    await w.send(request('Create', '3', 'a', { settings: CANARY }));
    w.stack.state = 'done';
    await deploy(w, '4', 'b');
    w.stack.state = 'done';
    await until(w, 'JUDGING', GOOD);
    w.stack.state = 'busy';
    await w.send(request('Update', '4', 'b', { before: '4', settings: CANARY, batch: '14' }));
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(batchOf(w)).toBe('14');
  });

  it('is put right where somebody moved it, or it is gone', async () => {
    const w = await canary();
    w.aliases.byHand(BATCH, 'live', undefined);
    await minutes(w, 1, GOOD);
    expect(batchOf(w)).toBe('13');
    w.aliases.byHand(BATCH, 'live', { version: '15', weights: {} });
    await minutes(w, 1, GOOD);
    expect(batchOf(w)).toBe('13');
  });

  it('that cannot be made fails a first deploy in time, with the reason', async () => {
    const w = fakeWorld();
    w.aliases.publish(FUNCTION, '3');
    w.aliases.publish(BATCH, '12');
    await w.send(request('Create', '3', 'a', { settings: CANARY, batch: '13' })).catch(() => undefined);
    for (let done = 0; done < 9; done += 1) await minutes(w, 1).catch(() => undefined);
    expect(w.answers).toMatchObject([
      { Status: 'FAILED', Reason: expect.stringContaining(`the alias of ${BATCH}: Function not found`) },
    ]);
    expect(w.counted).toContain('ReleaseUnreadable');
  });

  it('that cannot be moved leaves no stack stuck that rolls back', async () => {
    const w = await live();
    w.stack.state = 'done';
    await deploy(w, '4', 'a', { batch: '14' });
    w.aliases.unpublish(BATCH, '13');
    await rollBack(w, '3', 'a', '4').catch(() => undefined);
    expect(w.answers).toHaveLength(2);
    // Up to a minute before CloudFormation’s own limit somebody may put it right.
    for (let done = 0; done < 9; done += 1) await minutes(w, 1).catch(() => undefined);
    expect(w.answers.slice(2)).toMatchObject([{ Status: 'SUCCESS' }]);
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('keeps the tick alive until it is in its place', async () => {
    const w = await canary();
    w.aliases.unpublish(BATCH, '14');
    await until(w, 'BAKING', GOOD);
    await minutes(w, 24 * 60 + 30);
    expect(w.state()?.phase).toBe('DONE');
    expect(batchOf(w)).toBe('13');
    expect(w.schedules.size).toBe(1);
    expect(w.counted).toContain('ReleaseUnreadable');
    w.aliases.publish(BATCH, '14');
    w.clock.now += MINUTE;
    await due(w);
    expect(batchOf(w)).toBe('14');
    expect(w.schedules.size).toBe(0);
  });

  describe('of a model whose `batch` a deploy takes away', () => {
    /** Version 4 has no batch; CloudFormation deletes the function of version 3 once the stack is done. */
    async function without(): Promise<World> {
      const w = await live();
      w.stack.state = 'done';
      await deploy(w, '4', 'b');
      w.stack.state = 'done';
      w.aliases.byHand(BATCH, 'live', undefined);
      for (const version of ['13', '14', '15']) w.aliases.unpublish(BATCH, version);
      w.counted.length = 0;
      return w;
    }
    const isQuiet = (w: World): void => {
      expect(w.counted).not.toContain('ReleaseUnreadable');
      expect(w.schedules.size).toBe(0);
    };

    it('is missed neither by its canary nor by who takes that back', async () => {
      const w = await without();
      await until(w, 'JUDGING', GOOD);
      await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.5 });
      await minutes(w, 24 * 60 + 30);
      expect(w.target()).toEqual({ version: '3', weights: {} });
      isQuiet(w);
    });

    it('is missed neither after its promotion nor after a rollback from there', async () => {
      const w = await without();
      await until(w, 'BAKING', GOOD);
      await w.command('rollback');
      expect(w.target()).toEqual({ version: '3', weights: {} });
      await minutes(w, 24 * 60 + 30);
      isQuiet(w);
    });

    it('is made by the next version with batch, whatever number its own has then', async () => {
      const w = await without();
      await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.5 });
      w.aliases.publish(BATCH, '1');
      await deploy(w, '5', 'c', { batch: '1' });
      expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
      expect(batchOf(w)).toBe('1');
    });

    it('stays where the stack rolls back', async () => {
      const w = await live();
      w.stack.state = 'done';
      await deploy(w, '4', 'b');
      await rollBack(w, '3', 'a', '4');
      expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
      expect(w.state()?.stable?.batch).toEqual({ functionName: BATCH, version: '13' });
      expect(batchOf(w)).toBe('13');
    });
  });

  it('goes with the model', async () => {
    const w = await live();
    await w.send(request('Delete', '3', 'a', { batch: '13' }));
    expect(batchOf(w)).toBeUndefined();
    expect(w.target()).toBeUndefined();
  });
});
