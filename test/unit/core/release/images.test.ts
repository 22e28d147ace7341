/** A version that runs from an image: what is recorded of it, and when its image goes. */
import { expect, it } from 'vitest';
import type { VersionRecord } from '../../../../core/release/document/history-contract.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION, fakeWorld, request, SCOPE } from '../../../fakes/world.ts';
import { deploy, minute, type World } from './traffic.ts';

const BASE = `registry.example/lambda/nodejs@sha256:${'b'.repeat(64)}`;
const SETTINGS = { ...CANARY, steps: [], rollbackWindow: 0 };
const image = (tag: string, repository = 'shop-dev-models'): string =>
  JSON.stringify({ repository, tag, base: BASE });
const record = (w: World, version: number): VersionRecord =>
  JSON.parse(w.objects.objects.get(`${SCOPE}versions/churn/${version}.json`)?.text ?? '{}');

/** Versions 1 to `last` one after another, each from the image of the tag. */
async function released(
  last: number,
  tagOf: (version: number) => string | undefined,
  options: Parameters<typeof fakeWorld>[0] = {},
): Promise<World> {
  const w = fakeWorld(options);
  for (let version = 1; version <= last; version += 1) {
    const tag = tagOf(version);
    const changes = {
      settings: SETTINGS,
      ...(tag !== undefined && { image: image(tag) }),
    };
    if (tag !== undefined) w.images.add(`shop-dev-models:${tag}`);
    w.aliases.publish(FUNCTION, String(version));
    if (version === 1) await w.send(request('Create', '1', 'f1', changes));
    else await deploy(w, String(version), `f${version}`, { before: String(version - 1), ...changes });
    w.stack.state = 'done';
    await minute(w);
  }
  return w;
}
const left = (w: World): readonly string[] => [...w.images].map((name) => name.split(':')[1] ?? '');

it('the record has repository, tag, base and the digest that Lambda published', async () => {
  const w = await released(1, () => 'v-one');
  expect(record(w, 1).image).toEqual({
    repository: 'shop-dev-models',
    tag: 'v-one',
    base: BASE,
    digest: `sha256:${'1'.padStart(64, '0')}`,
  });
});

it('a zip has none of it, and what is no image in the request is none', async () => {
  const w = await released(1, () => undefined);
  expect(record(w, 1)).not.toHaveProperty('image');
  for (const broken of ['{', '[]', JSON.stringify({ repository: 'r', tag: 't' })]) {
    const other = fakeWorld();
    other.aliases.publish(FUNCTION, '1');
    await other.send(request('Create', '1', 'f', { settings: SETTINGS, image: broken }));
    expect(record(other, 1)).toMatchObject({ version: '1' });
    expect(record(other, 1)).not.toHaveProperty('image');
  }
});

it('a digest that cannot be read keeps no release back', async () => {
  const w = await released(1, () => 'v-one', {
    chaos: async (point) => {
      if (point === 'before digests of versions') throw new Error('AccessDenied');
    },
  });
  expect(record(w, 1).image).toEqual({ repository: 'shop-dev-models', tag: 'v-one', base: BASE });
  expect(w.alias()?.version).toBe('1');
});

it('the image of a version that is pruned goes, those of the kept ones stay', async () => {
  const w = await released(9, (version) => `v-${version}`);
  const kept = [...w.aliases.published(FUNCTION)].map((version) => `v-${version}`);
  expect(kept.sort()).toEqual(['v-5', 'v-6', 'v-7', 'v-8', 'v-9']);
  expect(left(w).toSorted()).toEqual(kept.sort());
});

it('an image that a kept version runs from, too, stays', async () => {
  const w = await released(9, (version) => (version === 2 || version === 6 ? 'v-twice' : `v-${version}`));
  expect(left(w)).toContain('v-twice');
  expect(left(w)).not.toContain('v-3');
});

it('an image that cannot be deleted keeps nothing back, and its version is gone all the same', async () => {
  const w = await released(7, (version) => `v-${version}`, {
    chaos: async (point) => {
      if (point === 'before delete image') throw new Error('AccessDenied');
    },
  });
  expect(left(w)).toHaveLength(7);
  expect(w.aliases.published(FUNCTION).has('1')).toBe(false);
  expect(w.log).toContainEqual({
    level: 'warn',
    message: 'the image of a version could not be removed',
    fields: { version: '1', reason: 'AccessDenied' },
  });
  expect(w.alias()?.version).toBe('7');
});

it('a version that cannot be deleted keeps its image', async () => {
  const w = await released(7, (version) => `v-${version}`, {
    chaos: async (point) => {
      if (point === 'before delete version') throw new Error('it is in use');
    },
  });
  expect(left(w)).toHaveLength(7);
});
