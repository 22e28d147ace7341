/** A deploy without batch that fails: what the versions before had of batch is there again. */
import { expect, it } from 'vitest';
import { CANARY } from '../../../fakes/settings.ts';
import { BATCH, FUNCTION, fakeWorld, request } from '../../../fakes/world.ts';
import { deploy, minutes, rollBack, until, type World } from './traffic.ts';

const batchOf = (world: World) => world.aliases.at(BATCH, 'live')?.version;

/** Version 4 is live and watched, version 3 is the last good one; both have batch. */
async function watched(): Promise<World> {
  const world = fakeWorld();
  for (const version of ['3', '4', '5', '6']) world.aliases.publish(FUNCTION, version);
  for (const version of ['13', '14', '16']) world.aliases.publish(BATCH, version);
  await world.send(request('Create', '3', 'a', { settings: CANARY, batch: '13' }));
  world.stack.state = 'done';
  await deploy(world, '4', 'b', { batch: '14' });
  world.stack.state = 'done';
  await until(world, 'BAKING', { 3: 0.01, 4: 0.01 });
  expect(batchOf(world)).toBe('14');
  return world;
}

it('a rollback after it brings both functions back to the last good version', async () => {
  const world = await watched();
  await deploy(world, '5', 'c');
  expect(world.state()?.unbatched).toMatchObject({ 3: { version: '13' } });
  await rollBack(world, '4', 'b', '5');
  world.stack.state = 'done';
  await minutes(world, 5);
  expect(world.state()?.unbatched).toBeUndefined();
  expect(world.state()?.lives.find(({ version }) => version === '3')?.batch?.version).toBe('13');
  await world.command('rollback');
  await minutes(world, 5);
  expect(world.target()).toMatchObject({ version: '3' });
  expect(batchOf(world)).toBe('13');
});

it('where it succeeds, a batch function that is made later is not taken for that of before', async () => {
  const world = await watched();
  await deploy(world, '5', 'c');
  world.stack.state = 'done';
  await until(world, 'BAKING', { 4: 0.01, 5: 0.01 });
  await deploy(world, '6', 'd', { batch: '16' });
  expect(world.state()?.unbatched).toBeUndefined();
  for (const { version, batch } of world.state()?.lives ?? []) expect(batch, version).toBeUndefined();
});

it('in mid-canary, the stable version has it again, too, also once another one has been live', async () => {
  const world = await watched();
  await deploy(world, '5', 'c', { before: '4', batch: '16' });
  world.stack.state = 'done';
  await until(world, 'JUDGING', { 4: 0.01, 5: 0.01 });
  await deploy(world, '5', 'c', { before: '5' });
  world.stack.state = 'rollingBack';
  await world.send(request('Update', '5', 'c', { before: '5', settings: CANARY, batch: '16' }));
  world.stack.state = 'done';
  expect(world.state()).toMatchObject({
    stable: { version: '4', batch: { version: '14' } },
    candidate: { version: '5', batch: { version: '16' } },
  });
  await deploy(world, '6', 'd', { before: '5', batch: '13' });
  world.stack.state = 'done';
  await until(world, 'BAKING', { 4: 0.01, 6: 0.01 });
  expect(batchOf(world)).toBe('13');
  await world.command('rollback');
  expect(world.target()).toMatchObject({ version: '4' });
  expect(batchOf(world)).toBe('14');
});
