/** Each key of `models:` and `custom.models:` is told once, in `declaration/keys/`, and told whole. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { at } from '../../../../../plugins/models/declaration/issues.ts';
import { key } from '../../../../../plugins/models/declaration/keys/key.ts';
import { flag, map, text } from '../../../../../plugins/models/declaration/keys/kinds.ts';
import { type Option, options, optionsOfService } from '../../../../../plugins/models/declaration/options.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { declaration, serviceOptions } from '../../../../../plugins/models/declaration/schema.ts';

const folder = fileURLToPath(new URL('../../../../../plugins/models/', import.meta.url));
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, code: readFileSync(join(folder, file), 'utf8') }));

/** What is called anything. */
const METRIC = 'auc';

/** Every key that there is, with a value that is right. */
const WRITTEN = {
  artifact: 'a.onnx',
  signed: {
    ...{ key: 'k.pub', ca: 'c.pem', subject: 'CN=a', file: 'a.sig' },
    ...{ identity: 'ann@example.com', issuer: 'https://accounts.example.com', root: 'r.json' },
  },
  card: {
    dataset: { file: 'a.csv', name: 'a', sha256: 'a'.repeat(64) },
    metrics: { [METRIC]: { value: 0.9, on: 'a', min: 0.8 } },
    base: 'a',
    licence: 'MIT',
    task: 'classification',
    owner: 'a',
  },
  package: 'image',
  image: { base: `registry.example/a@sha256:${'b'.repeat(64)}`, repository: 'a/b' },
  memory: 2000,
  timeout: 20,
  architecture: 'arm64',
  optimize: false,
  columns: ['a'],
  missing: 'nan',
  finite: true,
  http: { auth: { authorizer: 'jwt' }, path: '/v1', throttle: { rate: 1, burst: 1 } },
  function: {},
  iam: { statements: [], managedPolicies: [] },
  traffic: '5/s',
  concurrency: {
    provisioned: { min: 1, max: 2, target: 0.5 },
    reserved: 4,
    batch: 2,
    schedule: [{ days: 'daily', from: '08:00', to: '09:00', timezone: 'UTC', min: 1, max: 2 }],
  },
  latency: { p95: 100 },
  gate: {
    cases: 'c.jsonl',
    reference: 'sagemaker:a',
    tolerance: 0,
    metric: {
      cases: 'l.csv',
      name: 'accuracy',
      label: 'y',
      output: 'label',
      classes: ['a', 'b'],
      min: 0.5,
      max: 0.5,
      worseThanLive: '1%',
      onNoData: 'refuse',
    },
    load: { rate: 1, duration: '30s' },
  },
  release: {
    strategy: 'canary',
    steps: [{ weight: 5, bake: '10m' }],
    minRequests: 1,
    increase: '1%',
    maxWait: '1h',
    onNoData: 'hold',
    rollbackWindow: '1h',
    dryRun: true,
  },
  drift: {
    baseline: 'r.csv',
    window: '1h',
    budget: 1,
    effect: 0.1,
    sample: '10%',
    outputs: { expectedShift: 0.1 },
  },
  batch: [
    {
      input: 's3://incoming/a/',
      output: 's3://scored/a/',
      format: 'csv',
      outputFormat: 'csv',
      tolerate: '1%',
      ids: ['a'],
      join: 'input',
      emit: ['a'],
      missing: 'nan',
      drift: true,
      create: true,
    },
  ],
  audit: { predictions: true, retention: 30, kmsKey: { Ref: 'Key' } },
  needs: { update: 'weekly', privacy: 'central', budget: 50, payload: '20KB', burst: 3 },
};
const SERVICE = {
  alerts: 'ops@example.com',
  registry: { bucket: 'my-models' },
  dashboard: true,
  mlflow: { uri: 'https://mlflow.example.com', alias: 'production', secret: { Ref: 'Secret' } },
};

const KEYS: readonly (readonly [string, Option, object])[] = [
  ...options().map((option) => [`models.churn.${option.key}`, option, WRITTEN] as const),
  ...optionsOfService().map((option) => [`custom.models.${option.key}`, option, SERVICE] as const),
];
const pathOf = ({ key }: Option): readonly PropertyKey[] =>
  key
    .replace('<name>', METRIC)
    .split('.')
    .flatMap((name) => (name.endsWith('[]') ? [name.slice(0, -2), 0] : [name]));

/** The same with another value at one key. */
function changed(written: object, option: Option, value: unknown): object {
  const copy = structuredClone(written);
  const path = pathOf(option);
  Object.assign(at(copy, path.slice(0, -1)) as object, { [path.at(-1) ?? '']: value });
  return copy;
}

const problemsOf = (name: string, written: object) =>
  parseModels(
    { churn: name.startsWith('models.') ? written : { artifact: 'a.onnx' } },
    { options: name.startsWith('models.') ? {} : written },
  ).problems;

const WRONG = [{ nothing: 1 }, [], [[]], '', '¿', -1, 1e9, 0.5, 'true', true, [{}]];

describe.each(KEYS)('%s', (name, option, written) => {
  it('is written in the example that these tests take', () => {
    expect(at(written, pathOf(option))).toBeDefined();
  });

  it('has a description, a sentence or two', () => {
    expect(option.description).toMatch(/^\S.*[.?…]$/s);
    if (option.fix !== undefined) expect(option.fix).toMatch(/^Write .*\.$/s);
  });

  it('has a fix that tells what to write, whatever was written instead', () => {
    const found = WRONG.flatMap((value) => problemsOf(name, changed(written, option, value)));
    if (!/^models\.churn\.(function|iam\.managedPolicies)$/.test(name))
      expect(
        found.some(({ key: where }) =>
          where.startsWith(name.replaceAll('[]', '.0').replace('metrics.<name>', `metrics.${METRIC}`)),
        ),
      ).toBe(true);
    for (const { fix } of found) expect(fix).not.toContain('the form that is expected');
  });

  it('has a unit if it is a number in the model, and else has none', () => {
    const values = written === WRITTEN ? declaration.parse(written) : serviceOptions.parse(written);
    expect(option.unit !== undefined).toBe(typeof at(values, pathOf(option)) === 'number');
  });

  it('is told once', () => {
    const { description, fix } = option;
    const texts = [description.replace(/ A plain number is (seconds|percent: `1` is `1%`)\.$/, ''), fix];
    for (const words of texts) {
      if (words === undefined) continue;
      const told = sources.flatMap(({ file, code }) =>
        Array.from({ length: code.split(`'${words}'`).length - 1 }, () => file),
      );
      expect(told.length, `${words} in ${told.join(', ')}`).toBeLessThan(2);
      for (const file of told) expect(file).toMatch(/^declaration\/keys\//);
    }
    expect(KEYS.filter(([other]) => other === name)).toHaveLength(1);
  });
});

it('nothing is told without a description: the compiler refuses it', () => {
  // @ts-expect-error: no description
  const silent = () => key(text, { required: true });
  // @ts-expect-error: a default that may not be written
  const wrong = () => key(map({ a: key(flag, { description: 'A.' }) }), { description: 'B.', default: 1 });
  expect([silent, wrong]).toHaveLength(2);
});

it('only keys/ says what a value may be, and what the model has of it', () => {
  const types =
    /\bz\.(string|number|int|boolean|enum|literal|union|array|record|object|strictObject|preprocess)\(/;
  const outside = sources.filter(
    ({ file, code }) => !file.startsWith('declaration/keys/') && types.test(code),
  );
  expect(outside.map(({ file }) => file)).toEqual([]);
  // What is spelled out in the model's file is what is found out later, no part of the model itself.
  const model = sources.find(({ file }) => file === 'declaration/model.ts')?.code ?? '';
  expect([...model.matchAll(/^export type (\w+) = \{/gm)].map(([, name]) => name)).toEqual([
    'Facts',
    'DriftFacts',
    'DriftSignal',
    'ImageFacts',
    'LayerFacts',
  ]);
});
