/** Versions of the batch function: which stay, and when the others go, with their images. */
import { describe, expect, it } from 'vitest';
import type { Release } from '../../../../core/release/document/contract.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { BATCH, FUNCTION, fakeWorld, LIVE, request, tick } from '../../../fakes/world.ts';
import { deploy, MINUTE, minute, type World } from './traffic.ts';

const SETTINGS = { ...CANARY, steps: [], rollbackWindow: 0 };
const HOUR = 60 * MINUTE;
const IMAGE = { repository: 'shop-dev-models', base: `r.example/n@sha256:${'b'.repeat(64)}` };

const published = (w: World, name = BATCH): readonly string[] =>
  [...w.aliases.published(name)].sort((a, b) => Number(a) - Number(b));
const listed = (w: World): readonly string[] | undefined => w.state()?.batches?.map(({ version }) => version);

/** Versions `first` to `last` one after another, each with the batch version of ten times its number. */
async function release(w: World, first: number, last: number, image = false): Promise<void> {
  for (let version = first; version <= last; version += 1) {
    const batch = `${10 * version}`;
    const tag = `v-${version}`;
    w.aliases.publish(FUNCTION, `${version}`);
    w.aliases.publish(BATCH, batch);
    if (image) w.images.add(`${IMAGE.repository}:${tag}`);
    const changes = {
      ...{ settings: SETTINGS, batch },
      ...(image && { image: JSON.stringify({ ...IMAGE, tag }) }),
    };
    w.stack.state = 'busy';
    if (version === 1) await w.send(request('Create', '1', 'f1', changes));
    else await deploy(w, `${version}`, `f${version}`, { before: `${version - 1}`, ...changes });
    w.stack.state = 'done';
    await minute(w);
    expect(w.state()?.phase).toBe('DONE');
  }
}
async function released(last: number, options: Parameters<typeof fakeWorld>[0] = {}): Promise<World> {
  const w = fakeWorld(options);
  await release(w, 1, last);
  return w;
}
/** A canary of a version, with the batch version of ten times its number, that a person withdraws. */
async function withdrawn(w: World, version: number, before: number): Promise<void> {
  const batch = `${10 * version}`;
  w.aliases.publish(FUNCTION, `${version}`);
  w.aliases.publish(BATCH, batch);
  await deploy(w, `${version}`, `f${version}`, { settings: CANARY, before: `${before}`, batch });
  w.stack.state = 'done';
  await minute(w);
  await w.command('rollback');
}
/** A tick so much later. */
async function later(w: World, milliseconds: number): Promise<void> {
  w.clock.now += milliseconds;
  await w.send(tick());
}
/** The document as a worker from before the list left it. */
function asBefore(w: World): void {
  const found = w.objects.objects.get(LIVE);
  if (found === undefined) throw new Error('no document');
  const { batches: _, ...older } = JSON.parse(found.text) as Release;
  w.objects.objects.set(LIVE, { ...found, text: JSON.stringify(older) });
}

describe('versions of the batch function', () => {
  it('are five, and older ones go an hour after nobody needs them', async () => {
    const w = await released(8);
    expect(published(w)).toHaveLength(8);
    // The last one to become unneeded has been so for a minute.
    await later(w, HOUR - 2 * MINUTE);
    expect(published(w)).toContain('30');
    await later(w, 2 * MINUTE);
    expect(published(w)).toEqual(['40', '50', '60', '70', '80']);
    expect(listed(w)).toEqual(published(w));
    const { rev } = w.state() ?? {};
    await later(w, 10 * HOUR);
    expect(w.state()?.rev).toBe(rev);
  });

  it('stay while an execution of the state machine runs, and for an hour after somebody looked', async () => {
    const w = await released(7);
    w.busy.add(BATCH);
    await later(w, 2 * HOUR);
    expect(published(w)).toHaveLength(7);
    w.busy.delete(BATCH);
    await later(w, HOUR - MINUTE);
    expect(published(w)).toHaveLength(7);
    await later(w, MINUTE);
    expect(published(w)).toEqual(['30', '40', '50', '60', '70']);
  });

  it('stay while nobody can tell whether one runs, which keeps no release back', async () => {
    const w = await released(7, {
      chaos: async (point) => {
        if (point === 'before list executions') throw new Error('AccessDenied');
      },
    });
    await later(w, 2 * HOUR);
    expect(published(w)).toHaveLength(7);
    expect(w.log).toContainEqual({
      level: 'warn',
      message: 'a version of batch, or its image, could not be removed',
      fields: { functionName: BATCH, version: '10', reason: 'AccessDenied' },
    });
    await release(w, 8, 8);
    expect(w.aliases.at(BATCH, 'live')?.version).toBe('80');
  });

  it('stay while an operation of the stack runs: it may go back to one', async () => {
    const w = await released(7);
    w.stack.state = 'busy';
    await later(w, 2 * HOUR);
    expect(published(w)).toHaveLength(7);
  });

  it('stay where an alias that nobody expects needs one', async () => {
    const w = await released(7);
    w.aliases.byHand(BATCH, 'mine', { version: '10', weights: {} });
    await later(w, 2 * HOUR);
    expect(published(w)).toEqual(['10', '30', '40', '50', '60', '70']);
    w.aliases.byHand(BATCH, 'mine', undefined);
    await later(w, HOUR);
    expect(published(w)).toEqual(['30', '40', '50', '60', '70']);
  });

  it('that are asked for again are needed again', async () => {
    const w = await released(7);
    expect(w.state()?.batches?.[0]).toMatchObject({ version: '10', unneeded: expect.any(String) });
    // Only the batch function changed, to what it was.
    w.stack.state = 'busy';
    await w.send(request('Update', '7', 'f7', { before: '7', settings: SETTINGS, batch: '10' }));
    w.stack.state = 'done';
    await later(w, 2 * HOUR);
    // That of a version which `rollback --to` may name, too.
    expect(published(w)).toEqual(['10', '30', '40', '50', '60', '70']);
    expect(w.aliases.at(BATCH, 'live')?.version).toBe('10');
  });

  it('come back with each endpoint version that they came with', async () => {
    const w = await released(6);
    await withdrawn(w, 7, 6);
    await minute(w);
    // Memory alone is changed: Lambda publishes no new version of batch.
    w.aliases.publish(FUNCTION, '8');
    w.stack.state = 'busy';
    await deploy(w, '8', 'f8', { settings: SETTINGS, before: '7', batch: '70' });
    w.stack.state = 'done';
    await minute(w);
    await release(w, 9, 9);
    expect(w.aliases.at(BATCH, 'live')?.version).toBe('90');

    expect(await w.command('rollback', { to: '7' })).toMatchObject({
      text: expect.not.stringContaining('batch'),
    });
    await minute(w);
    await minute(w);
    expect([w.aliases.at(FUNCTION, 'live')?.version, w.aliases.at(BATCH, 'live')?.version]).toEqual([
      '7',
      '70',
    ]);
  });

  it('that are not known of the version that a person names stay, and the answer says so', async () => {
    const w = await released(2);
    await withdrawn(w, 3, 2);
    await minute(w);
    asBefore(w);
    expect(await w.command('rollback', { to: '3' })).toMatchObject({
      text: 'version 2 gives way to version 3; batch stays at its version 20, since none is known that came with version 3',
    });
  });

  it('that a rollback would bring back stay, however many were asked for since', async () => {
    const w = await released(1);
    for (let version = 2; version <= 9; version += 1) await withdrawn(w, version, 1);
    await later(w, 2 * HOUR);
    expect(w.aliases.at(BATCH, 'live')?.version).toBe('10');
    expect(published(w)).toEqual(['10', '50', '60', '70', '80', '90']);
  });

  it('that `rollback --to` may name stay, also where only the batch function changed since', async () => {
    const w = await released(3);
    for (let batch = 31; batch <= 37; batch += 1) {
      w.aliases.publish(BATCH, `${batch}`);
      w.stack.state = 'busy';
      await w.send(request('Update', '3', 'f3', { before: '3', settings: SETTINGS, batch: `${batch}` }));
      w.stack.state = 'done';
      await later(w, 2 * HOUR);
    }
    await later(w, 2 * HOUR);
    expect(published(w)).toEqual(['10', '20', '33', '34', '35', '36', '37']);
    await w.command('rollback', { to: '1' });
    expect(w.target()).toEqual({ version: '1', weights: {} });
    expect(w.aliases.at(BATCH, 'live')?.version).toBe('10');
    await w.command('rollback', { to: '3' });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.aliases.at(BATCH, 'live')?.version).toBe('37');
  });

  it('come and go with batch: a function that is made later has others under the same numbers', async () => {
    const w = await released(7);
    w.stack.state = 'busy';
    w.aliases.publish(FUNCTION, '8');
    await deploy(w, '8', 'f8', { before: '7', settings: SETTINGS });
    expect(listed(w)).toBeUndefined();
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '7', 'f7', { before: '8', settings: SETTINGS, batch: '70' }));
    w.stack.state = 'done';
    await later(w, MINUTE);
    await later(w, 2 * HOUR);
    expect(w.aliases.at(BATCH, 'live')?.version).toBe('70');
    expect(published(w)).toContain('70');
  });

  it('that a worker which kept no list released are known by what was live', async () => {
    const w = await released(7);
    asBefore(w);
    await later(w, 2 * HOUR);
    expect(published(w)).toHaveLength(7);
    await release(w, 8, 10);
    await later(w, HOUR);
    // The first two had left the document before there was a list.
    expect(published(w)).toEqual(['10', '20', '60', '70', '80', '90', '100']);
    expect(listed(w)).toEqual(['60', '70', '80', '90', '100']);
  });
});

describe('an image', () => {
  /** Where a batch version runs from what the endpoint’s version runs from. */
  async function imaged(options: Parameters<typeof fakeWorld>[0] = {}): Promise<World> {
    const w = fakeWorld(options);
    const { digests } = w.world.versions;
    const versions = {
      ...w.world.versions,
      digests: async (name: string) =>
        name === BATCH
          ? new Map(
              [...(await digests(name)).keys()].map((version) => [
                version,
                `sha256:${`${Number(version) / 10}`.padStart(64, '0')}`,
              ]),
            )
          : digests(name),
    };
    Object.assign(w.world, { versions });
    await release(w, 1, 8, true);
    return w;
  }
  const tags = (w: World): readonly string[] => [...w.images].map((name) => name.split(':')[1] ?? '').sort();

  it('goes with the last version that runs from it, of the endpoint or of batch', async () => {
    const w = await imaged();
    expect(published(w, FUNCTION)).toEqual(['4', '5', '6', '7', '8']);
    expect(tags(w)).toHaveLength(8);
    await later(w, HOUR);
    expect(tags(w)).toEqual(['v-4', 'v-5', 'v-6', 'v-7', 'v-8']);
  });

  it('goes also where the worker died before it did', async () => {
    let dies = false;
    const w = await imaged({
      chaos: async (point) => {
        if (dies && point === 'before delete image') throw new Error('killed');
      },
    });
    dies = true;
    await later(w, HOUR);
    expect(published(w)).toEqual(['40', '50', '60', '70', '80']);
    expect(tags(w)).toHaveLength(8);
    dies = false;
    await later(w, HOUR);
    expect(tags(w)).toEqual(['v-4', 'v-5', 'v-6', 'v-7', 'v-8']);
  });

  it('of which nobody knows the digest stays while there are batch versions', async () => {
    const w = fakeWorld({
      chaos: async (point) => {
        if (point === 'before digests of versions') throw new Error('AccessDenied');
      },
    });
    await release(w, 1, 7, true);
    await later(w, HOUR);
    expect(published(w)).toEqual(['30', '40', '50', '60', '70']);
    expect(tags(w)).toHaveLength(7);
  });
});

describe('a worker that is overtaken', () => {
  /** Two hours after seven releases a tick has read the document when this happens. */
  async function overtaken(what: (w: World) => Promise<unknown>): Promise<World> {
    let happens: typeof what | undefined;
    const w: World = await released(7, {
      chaos: async (point) => {
        if (point !== 'before get alias') return;
        const due = happens;
        happens = undefined;
        await due?.(w);
      },
    });
    happens = what;
    await later(w, 2 * HOUR);
    return w;
  }

  it('deletes nothing that was asked for meanwhile', async () => {
    const w = await overtaken(async (w) => {
      // After the tick has read that the stack is done.
      await new Promise(setImmediate);
      w.aliases.publish(FUNCTION, '8');
      await deploy(w, '8', 'f8', { before: '7', settings: CANARY, batch: '10' });
    });
    expect(w.state()?.candidate?.batch?.version).toBe('10');
    expect(published(w)).toContain('10');
  });

  it('puts the alias of batch back where it belongs', async () => {
    const w = await overtaken(async (w) => {
      w.stack.state = 'busy';
      await w.send(request('Update', '7', 'f7', { before: '7', settings: SETTINGS, batch: '10' }));
      w.stack.state = 'done';
    });
    expect(w.schedules.size).toBe(0);
    expect(w.aliases.at(BATCH, 'live')?.version).toBe('10');
  });
});
