/**
 * A deploy that gives a function another name is a first release of another function. Where the stack rolls
 * back, the one from before serves on, and CloudFormation asks for nothing but the deletion of the new alias.
 */
import { describe, expect, it } from 'vitest';
import { FUNCTION, request } from '../../../fakes/world.ts';
import { statusIn } from './seen.ts';
import { deployed, minute, minutes, promoted, type World } from './traffic.ts';

const GOOD = { 3: 0.02, 4: 0.02 };

/** The deploy, its failure, and what the stack cleans up then. */
async function failed(w: World, changes: object = {}): Promise<void> {
  w.stack.state = 'busy';
  w.aliases.publish('renamed', '1');
  await w.send(request('Update', '1', 'z', { functionName: 'renamed', before: '4' }));
  expect(w.state()).toMatchObject({ functionName: 'renamed', phase: 'DONE' });
  w.stack.state = 'done';
  const physicalId = 'renamed:live';
  await w.send(request('Delete', '1', 'z', { functionName: 'renamed', physicalId, ...changes }));
  expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: physicalId });
  expect(w.aliases.at('renamed', 'live')).toBeUndefined();
}

describe('a deploy that renames a function and fails', () => {
  it('leaves the live version watched, and its way back', async () => {
    const w = await promoted();
    await failed(w);
    await minute(w, GOOD);
    expect(w.state()).toMatchObject({ functionName: FUNCTION, phase: 'BAKING', stable: { version: '4' } });
    expect(w.schedules.size).toBe(1);
    const { level, summary } = await statusIn(w);
    expect([level, summary]).toEqual(['ok', 'Version 4 has all traffic.']);
    expect(await w.command('rollback')).toMatchObject({ done: true, tick: { version: '3' } });
    expect(w.unsound).toEqual([]);
  });

  it('takes the weight of a release away that it took the place of', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    expect(w.target()).toEqual({ version: '3', weights: { 4: 0.05 } });
    await failed(w);
    await minute(w, GOOD);
    expect(w.state()).toMatchObject({ functionName: FUNCTION, phase: 'ABORTED', refused: [] });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.unsound).toEqual([]);
  });

  it('is over where the function from before is gone, too, and where the stack goes', async () => {
    const gone = await promoted();
    gone.aliases.byHand(FUNCTION, 'live', undefined);
    await failed(gone);
    expect(gone.state()).toMatchObject({ functionName: 'renamed' });

    const removed = await promoted();
    removed.stack.state = 'busy';
    removed.aliases.publish('renamed', '1');
    await removed.send(request('Update', '1', 'z', { functionName: 'renamed', before: '4' }));
    const before = removed.state();
    await removed.send(request('Delete', '1', 'z', { functionName: 'renamed', physicalId: 'renamed:live' }));
    expect(removed.state()).toMatchObject({ functionName: 'renamed', release: before?.release });
  });

  it('is cleaned up also where nothing of it can be written', async () => {
    let isDenied = false;
    const w = await promoted(undefined, {
      chaos: async (point) => {
        if (isDenied && /before (create|replace) /.test(point)) throw new Error('AccessDenied');
      },
    });
    w.stack.state = 'busy';
    w.aliases.publish('renamed', '1');
    await w.send(request('Update', '1', 'z', { functionName: 'renamed', before: '4' }));
    w.stack.state = 'done';
    isDenied = true;
    await w.send(request('Delete', '1', 'z', { functionName: 'renamed', physicalId: 'renamed:live' }));
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
  });
});

it('a model that a deploy takes out brings nothing back', async () => {
  const w = await promoted();
  const before = w.state();
  await w.send(request('Delete', '4', 'b'));
  expect(w.state()).toMatchObject({ phase: before?.phase, release: before?.release });
});
