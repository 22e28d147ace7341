import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Signal } from '../../core/drift/contract.ts';
import type { Datatype } from '../../core/tensor/contract.ts';
import { onnxFormat } from '../../plugins/models/artifact/onnx/format.ts';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import {
  type BaselineModel,
  type ShippedBaseline,
  shipBaseline,
} from '../../plugins/models/baseline/baseline.ts';
import { cacheFolder } from '../../plugins/models/disk/cache.ts';
import { signalsOf } from '../../plugins/models/plan/watch/metrics.ts';
import { prepare } from '../../plugins/models/ship/prepare.ts';
import { runPython } from '../python.ts';
import {
  FLOAT,
  INT64,
  node,
  modelOf as onnx,
  STRING,
  tensorInfo,
} from '../unit/plugins/models/artifact/onnx/onnx-writer.ts';
import { FIXTURES, modelOf, newService, problemOf } from './setup.ts';

const service = newService();
const EMPLOYMENT = join(import.meta.dirname, '..', '..', 'examples', 'employment');
const KEY = 'models.churn.drift.reference';

async function subjectOf(folder: string, artifact: string): Promise<BaselineModel> {
  const context = service.context({ serviceDir: folder });
  const { source, inspection } = await prepare(modelOf(artifact, { optimize: false }), context);
  return {
    digest: source.digest,
    graph: source.files[0]?.from ?? '',
    bytes: source.bytes,
    signature: inspection.signature,
    outputs: signalsOf(inspection.signature),
    runtime: await hostRuntime(),
    engine: onnxFormat.runtime,
  };
}
const ship = (path: string, subject: BaselineModel): Promise<ShippedBaseline> =>
  shipBaseline(KEY, path, subject, service.context());

type Parts = {
  readonly nulls: number;
  readonly phi: number;
  readonly counts: readonly number[];
  readonly knots?: readonly number[];
  readonly constants?: readonly number[];
  readonly edges?: readonly number[];
  readonly values?: readonly string[];
  readonly rare?: readonly string[];
};

/** To 1e-9, of the value where that is large. */
function close(actual: readonly number[], expected: readonly number[], what: string): void {
  expect(actual.length, what).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    const apart = Math.abs((actual[i] as number) - value);
    expect(apart, `${what} ${i}: ${actual[i]}, not ${value}`).toBeLessThan(
      1e-9 * Math.max(1, Math.abs(value)),
    );
  }
}

function compare(signals: readonly Signal[], python: Readonly<Record<string, Parts>>): void {
  expect(signals.map(({ label }) => label)).toEqual(Object.keys(python));
  for (const signal of signals) {
    const { label } = signal;
    const parts = python[label] as Parts;
    expect(signal, label).toMatchObject({ nulls: parts.nulls, counts: parts.counts });
    close([signal.phi], [parts.phi], `phi of ${label}`);
    if (signal.kind === 'category') {
      expect(signal, label).toMatchObject({ values: parts.values, rare: parts.rare });
      continue;
    }
    const { knots, edges, mean, sd, skew, spread } = signal;
    close(knots, parts.knots ?? [], `knots of ${label}`);
    close(edges, parts.edges ?? [], `edges of ${label}`);
    close([mean, sd, skew, spread], parts.constants ?? [], `constants of ${label}`);
  }
}

/** Numbers that are the same at every run: mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a baseline', () => {
  it.each([300, 1199, 5003])('of %i random rows is what numpy and scipy make of them', async (rows) => {
    const random = generator(rows);
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const columns: Readonly<Record<string, (i: number) => number | string>> = {
      normal,
      single: normal,
      skewed: () => Math.exp(2 * normal()),
      large: () => 1e12 + 1e6 * normal(),
      integers: () => Math.floor(random() * 12),
      single_levels: () => Math.floor(random() * 4) / 10,
      rounded: () => Math.round(normal() * 10) / 10,
      two: () => (random() < 0.2 ? 1 : 0),
      zeros: () => (random() < 0.97 ? 0 : normal()),
      trend: (i) => (4 * i) / rows + normal(),
      seasons: (i) => Math.sin(i / 200) * 3 + normal(),
      gaps: () => (random() < 0.1 ? '' : normal()),
      text: () => `t${Math.floor(15 * random() ** 2)}`,
      text_trend: (i) => (random() < 0.05 ? '' : random() < i / rows ? 'late' : 'early'),
    };
    const names = Object.keys(columns);
    const lines = Array.from({ length: rows }, (_, i) =>
      Object.values(columns)
        .map((of) => of(i))
        .join(),
    );
    const path = await service.write(`random-${rows}.csv`, `${names.join()}\n${lines.join('\n')}\n`);
    const datatype = (name: string): Datatype =>
      name.startsWith('text') ? 'BYTES' : name.startsWith('single') ? 'FP32' : 'FP64';
    const { baseline } = await ship(path, {
      digest: 'd',
      graph: '',
      bytes: 0,
      outputs: [],
      runtime: undefined,
      engine: onnxFormat.runtime,
      signature: {
        inputs: names.map((name) => ({ name, datatype: datatype(name), shape: [-1, 1] })),
        outputs: [],
        omitted: [],
      },
    });
    const python = await runPython(join(import.meta.dirname, 'baseline.py'), [path], { timeout: 280_000 });
    compare(baseline.signals, JSON.parse(python));
    const phi = Object.fromEntries(baseline.signals.map((signal) => [signal.name, signal.phi]));
    expect(Math.min(phi.trend ?? 0, phi.text_trend ?? 0)).toBeGreaterThan(3);
  });

  it('of the employment data has the columns’ and the answers’ quantiles, as numpy and ONNX Runtime in Python have', async () => {
    const subject = await subjectOf(EMPLOYMENT, 'employment.onnx');
    const path = join(EMPLOYMENT, 'reference.csv');
    const { baseline, facts, upload, notices } = await ship(path, subject);
    const python = await runPython(join(import.meta.dirname, 'baseline.py'), [path, subject.graph], {
      timeout: 280_000,
    });
    compare(baseline.signals, JSON.parse(python));
    expect(notices).toEqual([]);
    expect(facts).toMatchObject({ rows: 4000, source: baseline.source });
    expect(facts.signals.map(({ of }) => of)).toEqual([...Array(16).fill('input'), 'output', 'output']);
    expect((await readFile(upload.from)).length).toBe(facts.bytes);
    // Nothing of the rows is kept.
    const kept = await readdir(join(upload.from, '..'));
    expect(kept.filter((name) => !name.startsWith('.')).sort()).toEqual([
      'baseline.json',
      'columns.json',
      'notices.json',
    ]);
    // Again from nothing: the same bytes.
    await rm(cacheFolder('baselines'), { recursive: true });
    expect((await ship(path, subject)).facts).toEqual(facts);
  });

  it.each(['gbm.onnx', 'logreg.onnx', 'labels.onnx'])('of %s has class and confidence', async (artifact) => {
    const random = generator(1);
    const rows = Array.from({ length: 400 }, () => Array.from({ length: 30 }, () => random() * 20).join());
    const { baseline } = await ship(
      await service.write('classes.csv', `${rows.join('\n')}\n`),
      await subjectOf(FIXTURES, artifact),
    );
    expect(baseline.signals.slice(30)).toMatchObject([
      { name: 'label', of: 'output', kind: 'category', value: 'label', tensor: 'probabilities', column: 0 },
      { name: 'confidence', of: 'output', kind: 'numeric', value: 'confidence', nulls: 0 },
    ]);
    const [label] = baseline.signals.slice(30);
    expect(label?.kind === 'category' && [...label.values].sort()).toEqual(['0', '1']);
    expect(label?.counts.reduce((sum, count) => sum + count)).toBe(400);
    for (const signal of baseline.signals.slice(31))
      expect(signal.kind === 'numeric' && (signal.knots[0] ?? 0)).toBeGreaterThanOrEqual(0.5);
  });

  const negated = (elem: number, inner: readonly number[], first: number | string = 'n') => {
    const shape = [first, ...inner];
    return onnx({
      nodes: [node('Neg', ['x'], ['y'])],
      inputs: [tensorInfo('x', elem, shape)],
      outputs: [tensorInfo('y', elem, shape)],
    });
  };

  it.each<[string, Uint8Array | string, number]>([
    ['rows of a free number', negated(FLOAT, [1]), 1000],
    ['plain numbers', negated(FLOAT, []), 1000],
    ['one row at a time', negated(FLOAT, [1], 1), 1000],
    ['four rows at a time', negated(FLOAT, [1], 4), 1000],
    ['seven rows at a time, of which the last are too few', negated(FLOAT, [1], 7), 994],
    ['whole numbers', negated(INT64, [1]), 1000],
    ['half precision', negated(10, [1]), 1000],
    ['no dimension at all', 'scalar.onnx', 1000],
    [
      'free rows that it makes one of, and so is asked one by one',
      onnx({
        nodes: [node('ReduceMax', ['x'], ['y'])],
        inputs: [tensorInfo('x', FLOAT, ['n', 1])],
        outputs: [tensorInfo('y', FLOAT, ['n', 1])],
      }),
      1000,
    ],
  ])('has predictions of a model that takes %s', async (what, model, asked) => {
    const artifact = typeof model === 'string' ? model : 'model.onnx';
    if (typeof model !== 'string') await service.write(artifact, model);
    const subject = await subjectOf(typeof model === 'string' ? FIXTURES : service.at(), artifact);
    const values = Array.from({ length: 1000 }, (_, i) => (i * 7) % 1000);
    const path = await service.write('predictions.csv', `x\n${values.join('\n')}\n`);
    const { baseline } = await ship(path, subject);
    const [x, y] = baseline.signals;
    expect(y).toMatchObject({ name: 'prediction', value: 'prediction', nulls: 0 });
    expect(y?.rows).toBe(asked < 1000 ? asked : undefined);
    if (asked < 1000 || x?.kind !== 'numeric' || y?.kind !== 'numeric') return;
    const sign = /free rows that/.test(what) ? 1 : -1;
    const expected = sign === 1 ? x.knots : x.knots.map((knot) => -knot).reverse();
    close(y.knots, expected, 'knots');
  });

  it('leaves rows out of the run that lack an integer, and runs those that lack a float or a text', async () => {
    await service.write(
      'model.onnx',
      onnx({
        nodes: [node('Neg', ['i'], ['y']), node('Identity', ['t'], ['u']), node('Neg', ['x'], ['z'])],
        inputs: [
          tensorInfo('i', INT64, ['n', 1]),
          tensorInfo('t', STRING, ['n', 1]),
          tensorInfo('x', FLOAT, ['n', 1]),
        ],
        outputs: [
          tensorInfo('y', INT64, ['n', 1]),
          tensorInfo('u', STRING, ['n', 1]),
          tensorInfo('z', FLOAT, ['n', 1]),
        ],
      }),
    );
    const subject = await subjectOf(service.at(), 'model.onnx');
    const rows = Array.from({ length: 400 }, (_, i) =>
      [i % 10 === 0 ? '' : i, i % 8 === 1 ? '' : `t${i % 3}`, i % 4 === 3 ? '' : i].join(),
    );
    const path = await service.write('gaps.csv', `i,t,x\n${rows.join('\n')}\n`);
    const { baseline } = await ship(path, subject);
    expect(baseline.signals.map(({ label, nulls, rows }) => [label, nulls, rows])).toEqual([
      ['i', 40, undefined],
      ['t', 50, undefined],
      ['x', 100, undefined],
      // The 40 without an integer cannot be asked, and so lack no answer.
      ['prediction of y', 0, 360],
      ['prediction of z', 100, 360],
    ]);
  });

  it.each([
    [
      'takes more rows at a time than there are',
      FLOAT,
      512,
      '1',
      'it takes 512 rows at a time, and the reference has 400',
    ],
    [
      'takes an integer that no row has',
      INT64,
      'n',
      '',
      'each row of the reference lacks an integer that it takes',
    ],
  ] as const)('of a model that %s has no answers, and says why', async (_, type, first, cell, why) => {
    await service.write(
      'model.onnx',
      onnx({
        nodes: [node('Neg', ['x'], ['y']), node('Identity', ['t'], ['u'])],
        inputs: [tensorInfo('x', type, [first, 1]), tensorInfo('t', STRING, [first, 1])],
        outputs: [tensorInfo('y', type, [first, 1]), tensorInfo('u', STRING, [first, 1])],
      }),
    );
    const subject = await subjectOf(service.at(), 'model.onnx');
    const rows = Array.from({ length: 400 }, (_, i) => `${cell},t${i % 3}`);
    const path = await service.write('unasked.csv', `x,t\n${rows.join('\n')}\n`);
    const { baseline, notices } = await ship(path, subject);
    expect(baseline.signals.map(({ label, of }) => [label, of])).toEqual([
      ['x', 'input'],
      ['t', 'input'],
    ]);
    expect(notices).toContain(`The model’s answers are not watched: ${why}.`);
    expect(notices.filter((notice) => notice.startsWith('prediction'))).toEqual([]);
  });

  it('of a model that finds any number of things in a row has no answers, and says why', async () => {
    await service.write(
      'model.onnx',
      onnx({
        nodes: [node('Squeeze', ['x'], ['scores'])],
        inputs: [tensorInfo('x', FLOAT, [1, 4])],
        outputs: [tensorInfo('scores', FLOAT, ['found'])],
      }),
    );
    const subject = await subjectOf(service.at(), 'model.onnx');
    expect(subject.outputs).toMatchObject([{ kind: 'prediction', output: 'scores' }]);
    const path = await service.write('found.csv', `a,b,c,d\n${'1,2,3,4\n5,6,7,8\n'.repeat(200)}`);
    const { baseline, notices } = await ship(path, subject);
    expect(baseline.signals.map(({ label, of }) => [label, of])).toEqual(
      ['a', 'b', 'c', 'd'].map((label) => [label, 'input']),
    );
    expect(notices).toContain('The model’s answers are not watched: a row has several, or none.');
  });

  it('of a model whose outputs give no scores says so, with what they are', async () => {
    // As CatBoost's regressors: what is declared is another rank than what comes.
    await service.write(
      'model.onnx',
      onnx({
        nodes: [node('Neg', ['x'], ['predictions'])],
        inputs: [tensorInfo('x', FLOAT, ['n', 1])],
        outputs: [tensorInfo('predictions', FLOAT, ['n'])],
      }),
    );
    const path = await service.write('unscored.csv', `x\n${'1\n2\n'.repeat(200)}`);
    const { baseline, notices } = await ship(path, await subjectOf(service.at(), 'model.onnx'));
    expect(baseline.signals.map(({ of }) => of)).toEqual(['input']);
    expect(notices).toEqual([
      'The model’s answers are not watched, nor compared in a canary: no output has one number a row, [-1] or [-1, 1], nor columns of classes and a name like probabilities. It has predictions FP32 [-1, -1].',
    ]);
  });

  it('says why the model refuses its rows', async () => {
    const subject = await subjectOf(FIXTURES, 'grow.onnx');
    const path = await service.write('refused.csv', `size\n${'-1\n'.repeat(300)}`);
    expect(await problemOf(ship(path, subject))).toMatch(
      /^models\.churn\.drift\.reference: .*refused\.csv: The model refuses its rows: .*\. Give it rows .*\[MODELS_REFERENCE\]$/,
    );
  });

  it('of a machine without ONNX Runtime is of the inputs only, and says so', async () => {
    const subject = { ...(await subjectOf(FIXTURES, 'scalar.onnx')), runtime: undefined };
    const path = await service.write('inputs.csv', `x\n${'1\n2\n'.repeat(300)}`);
    const { baseline, notices } = await ship(path, subject);
    expect(baseline.signals.map(({ of }) => of)).toEqual(['input']);
    expect(notices).toEqual([
      'The model’s answers are not watched: ONNX Runtime has no build for this machine.',
    ]);
  });
});
