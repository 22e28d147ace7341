import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPython } from '../python.ts';
import { type Manifest, writtenManifests } from './cases.ts';
import { REFUSED, TAKEN, withFault } from './faults.ts';
import { ruleFaults } from './rules.ts';

/** Kinds that are not Kubernetes’ own: their schemas come with who defines them. */
const OTHERS = ['ScaledObject', 'Kustomization'];

const written = await writtenManifests();
/** The objects of each model. */
const groups = [...new Set([...written.keys()].map((path) => path.split('/')[0] ?? ''))].map(
  (name) =>
    [name, [...written].flatMap(([path, object]) => (path.startsWith(`${name}/`) ? [object] : []))] as const,
);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'export-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the schemas of Kubernetes 1.37 say of each: nothing, or what is wrong. */
async function schemaFaults(objects: readonly Manifest[]): Promise<readonly string[]> {
  const into = await mkdtemp(join(folder, 'objects-'));
  const files = objects.map((_, index) => join(into, `${index}.yaml`));
  await Promise.all(objects.map((object, index) => writeFile(files[index] ?? '', JSON.stringify(object))));
  const args = ['kubernetes_validate', '--strict', '--kubernetes-version', '1.37', ...files];
  const said = await runPython('-m', args, { timeout: 280_000 }).catch(
    (error: Error & { stdout?: string }) => error.stdout ?? error.message,
  );
  const lines = said.split('\n');
  return files.map((file, index) => {
    const line = lines.find((one) => one.includes(` ${file} `)) ?? 'nothing is said of it';
    const isOther = OTHERS.includes(objects[index]?.kind ?? '') && line.includes('find schema for kind');
    return line.startsWith('INFO') || isOther ? '' : line;
  });
}

it('there is something to look at', () => {
  const kinds = new Set([...written.values()].map(({ kind }) => kind));
  expect(groups.length).toBeGreaterThan(2);
  expect([...kinds].sort()).toEqual([
    'Deployment',
    'HorizontalPodAutoscaler',
    'Kustomization',
    'NetworkPolicy',
    'PodDisruptionBudget',
    ...['ScaledObject', 'Service'],
  ]);
});

it('every object keeps Kubernetes’ schemas, with no key that they do not know', async () => {
  const objects = [...written.values()];
  expect((await schemaFaults(objects)).filter(Boolean)).toEqual([]);
});

it.each(groups)('%s: what schemas let pass is right, too', (_, objects) => {
  expect(ruleFaults(objects)).toEqual([]);
});

it.each(groups)('%s: one model is scaled by one object', (_, objects) => {
  const scaling = objects.filter(({ kind }) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind));
  expect(scaling.length).toBe(1);
});

it.each(groups)('%s: the list has each file, and no other', (name, objects) => {
  const list = objects.find(({ kind }) => kind === 'Kustomization');
  const files = [...written.keys()]
    .filter((path) => path.startsWith(`${name}/`))
    .map((path) => path.split('/')[1]);
  const listed = (list?.resources ?? []) as string[];
  expect([...listed, 'kustomization.yaml'].sort()).toEqual(files.sort());
});

describe('seeded faults', () => {
  /** Objects of a model that has one of that kind, with the fault; and the faulty one. */
  const seeded = [...REFUSED, ...TAKEN].map((fault) => {
    const [, objects = []] = groups.find(([, all]) => all.some(({ kind }) => kind === fault.kind)) ?? [];
    const all = objects.map((object) => (object.kind === fault.kind ? withFault(object, fault) : object));
    return { fault, all, faulty: all.find(({ kind }) => kind === fault.kind) };
  });

  it('every kind of object has two at least that an API server refuses', () => {
    for (const kind of new Set(REFUSED.map((fault) => fault.kind)))
      expect(REFUSED.filter((fault) => fault.kind === kind).length, kind).toBeGreaterThan(1);
    expect(REFUSED.length).toBeGreaterThan(11);
  });

  let bySchema: readonly string[] = [];
  beforeAll(async () => {
    bySchema = await schemaFaults(seeded.map(({ faulty }) => faulty ?? { kind: 'none' }));
  });

  it.each(seeded.map(({ fault, all }, index) => [fault.kind, fault.name, all, index] as const))(
    '%s: %s is found',
    (_kind, _name, all, index) => {
      const found = [bySchema[index], ...ruleFaults(all)].filter(Boolean);
      expect(found).not.toEqual([]);
    },
  );
});
