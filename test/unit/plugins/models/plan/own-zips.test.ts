import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Model } from '../../../../../plugins/models/declaration/model.ts';
import { leftOut, zipOf } from '../../../../../plugins/models/plan/own-zips.ts';
import { withinService, zippedIn } from '../../../../../plugins/models/serverless.ts';
import { modelNamed } from '../../../../fixtures/service.ts';

const of = (declares: Partial<Model>): readonly string[] =>
  leftOut(
    [modelNamed('churn', { artifact: { reference: 's3://b/k' }, ...declares })],
    '/srv/cache',
    withinService({ serviceDir: '/srv/shop' }),
  );
const artifact = (path: string): Partial<Model> => ({ artifact: { reference: path, path } });

it('what lies outside of the service’s folder, or is that folder, needs no pattern', () => {
  for (const path of ['../churn.onnx', '/data/churn.onnx', '.', '../shop'])
    expect(of(artifact(path))).toEqual([]);
  expect(of({})).toEqual([]);
  expect(of(artifact('/srv/shop/m.onnx'))).toEqual(['!m.onnx', '!m.onnx/**', '!m.onnx.data', '!m.onnx_data']);
});

it('a link is left out by both of its names, where each lies in the service’s folder', async () => {
  const root = await mkdtemp(join(tmpdir(), 'own-zips-'));
  try {
    await mkdir(join(root, 'shop', 'data', '2026'), { recursive: true });
    await mkdir(join(root, 'shop', 'v3'));
    await writeFile(join(root, 'shop', 'data', '2026', 'rows.csv'), '');
    await writeFile(join(root, 'far.csv'), '');
    await symlink(join('2026', 'rows.csv'), join(root, 'shop', 'data', 'latest.csv'));
    await symlink(join('..', '..', 'far.csv'), join(root, 'shop', 'data', 'far.csv'));
    await symlink('v3', join(root, 'shop', 'current'));
    // Nor does it matter by which name the service's folder is known.
    await symlink('shop', join(root, 'linked'));
    for (const serviceDir of [join(root, 'shop'), join(root, 'linked')]) {
      const within = withinService({ serviceDir });
      expect(within('data/latest.csv')).toEqual(['data/latest.csv', 'data/2026/rows.csv']);
      expect(within('data/2026/rows.csv')).toEqual(['data/2026/rows.csv']);
      expect(within('data/far.csv')).toEqual(['data/far.csv']);
      expect(within('data/none.csv')).toEqual(['data/none.csv']);
      const churn = [modelNamed('churn', artifact('current'))];
      expect(leftOut(churn, '/srv/cache', within)).toEqual(
        ['current', 'v3'].flatMap((one) => ['', '/**', '.data', '_data'].map((part) => `!${one}${part}`)),
      );
    }
  } finally {
    await rm(root, { recursive: true });
  }
});

it('a name is taken to the letter', () => {
  const metric = { cases: 'data/l.csv', name: 'auc', label: 'label', onNoData: 'refuse' } as const;
  expect(of({ gate: { metric, tolerance: 0 } })).toEqual(['!data/l.csv']);
  expect(of({ gate: { cases: 'a [1] (b)!.jsonl', tolerance: 0 } })).toEqual(['!a \\[1\\] \\(b\\)\\!.jsonl']);
});

it('training data stay on this machine: they are hashed for the card, and packed nowhere', () => {
  expect(of({ card: { dataset: { file: 'data/train.csv' } } })).toEqual(['!data/train.csv']);
  expect(of({ card: { dataset: { file: '../train.csv' } } })).toEqual([]);
});

it('the cache has models and rows, too, and a build may keep it in the service’s folder', () => {
  const within = withinService({ serviceDir: '/srv/shop' });
  const churn = [modelNamed('churn', { artifact: { reference: 's3://b/k' } })];
  expect(leftOut(churn, '/srv/shop/.cache/models', within)).toEqual(['!.cache/models/**']);
});

it('a function’s zip lies beside those that the framework makes of the service and its layers', () => {
  const service = {
    service: 'shop',
    provider: {},
    package: {},
    functions: {},
    layers: { Words: { path: 'w' } },
  };
  const theirs = zippedIn({ service: service as never });
  expect(['shop', 'words', 'churn', 'constructor'].map((key) => zipOf(key, theirs))).toEqual([
    'shop.model.zip',
    'words.model.zip',
    'churn.zip',
    'constructor.zip',
  ]);
});
