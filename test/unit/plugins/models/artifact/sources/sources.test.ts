/**
 * The contract of the seam `ArtifactSource`, as far as it is pure; the rest is in test/ship/artifact-
 * sources.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { ARTIFACT_SOURCES, sourceOf } from '../../../../../../plugins/models/artifact/sources/sources.ts';
import {
  ARTIFACT_FIX,
  ARTIFACT_FORMS,
  artifactOf,
} from '../../../../../../plugins/models/declaration/keys/artifact.ts';
import { frameworkSchema, optionTable } from '../../../../../../plugins/models/declaration/options.ts';
import { parseModels } from '../../../../../../plugins/models/declaration/parse.ts';

const problemsOf = (artifact: unknown) => parseModels({ churn: { artifact } }).problems;

describe.each(ARTIFACT_SOURCES.map((source) => [source.scheme, source] as const))('%s', (scheme, source) => {
  it('is asked by its scheme, which is no drive of Windows', () => {
    expect(scheme).toMatch(/^[a-z][a-z0-9]+$/);
    expect(sourceOf(`${scheme}:x/y`)).toBe(source);
  });

  it('says what may be written, to the docs, the schema and the fix', () => {
    expect(source.forms.length).toBeGreaterThan(0);
    const [required] = problemsOf('');
    for (const { shown, write } of source.forms) {
      // Several are told as a list.
      for (const words of [shown, write]) expect(words).not.toMatch(/, |\.$/);
      const pattern = new RegExp(shown.replace(/[.*/]/g, '\\$&'), 'i');
      expect(ARTIFACT_FORMS).toMatch(pattern);
      expect(optionTable()).toMatch(pattern);
      expect(JSON.stringify(frameworkSchema('models'))).toMatch(pattern);
      expect(required?.fix).toContain(write);
    }
  });

  it.each(['x', '', '//', '//bucket', '//bucket/key', '//bucket/folder/', 'a:b', 'a/../b'])(
    'says the same of the same reference, and refuses it with a fix or not at all: %j',
    (rest) => {
      const reference = `${scheme}:${rest}`;
      const fault = source.fault(reference);
      expect(source.fault(reference)).toEqual(fault);
      expect(source.path(reference)).toBe(source.path(reference));
      expect(problemsOf(reference)).toEqual(
        fault === undefined
          ? []
          : [{ code: 'MODELS_INVALID_VALUE', key: 'models.churn.artifact', value: reference, ...fault }],
      );
      if (fault !== undefined)
        expect([fault.message, fault.fix].every((text) => text.endsWith('.'))).toBe(true);
    },
  );
});

const REFERENCES = ['models:/churn@champion', 'sagemaker:churn@approved', 's3://bucket/key'];

it.each(REFERENCES)('a character that nobody sees is refused, wherever it stands: %s', (reference) => {
  expect(problemsOf(reference)).toEqual([]);
  for (const unseen of ['\n', '\u200B', '\u202E', '\uFEFF', '\u{E0041}'])
    for (const place of [11, 14, reference.length])
      expect(problemsOf(`${reference.slice(0, place)}${unseen}${reference.slice(place)}`)).toMatchObject([
        { message: expect.stringMatching(/^has a character that nobody sees, U\+/) },
      ]);
  expect(problemsOf(`${reference}\u200B`)[0]?.message).toBe(
    `has a character that nobody sees, U+200B, as its character ${reference.length + 1}.`,
  );
});

describe('what begins as an address, and is of no source, is no path that is looked for', () => {
  it.each([
    ['runs:/0a1b2c/model', 'runs:'],
    ['mlflow-artifacts:/1/models', 'mlflow-artifacts:'],
    ['https://hub.example/org/repo/resolve/main/x.onnx', 'https:'],
    ['gs://bucket/x.onnx', 'gs:'],
    ['arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/3', 'arn:'],
  ])('%s', (reference, scheme) => {
    expect(problemsOf(reference)).toEqual([
      {
        code: 'MODELS_INVALID_VALUE',
        key: 'models.churn.artifact',
        value: reference,
        message: `begins with ${scheme}, and artifacts are read from no such place.`,
        fix: ARTIFACT_FIX,
      },
    ]);
  });
  it.each(['Models:/churn@champion', 'S3://bucket/key', 'HF://org/repo'])('%s', (reference) => {
    const [scheme = ''] = reference.split('/');
    expect(problemsOf(reference)).toMatchObject([{ fix: `Write ${scheme.toLowerCase()} in small letters.` }]);
  });
  it.each([
    ['file:///models/a.onnx', '/models/a.onnx'],
    ['file://localhost/models/a.onnx', '/models/a.onnx'],
    ['file://models/a.onnx', 'models/a.onnx'],
    ['File:/models/a.onnx', '/models/a.onnx'],
    ['file://', 'a path'],
  ])('%s', (reference, path) => {
    expect(problemsOf(reference)).toMatchObject([
      { message: expect.stringMatching(/^begins with file:, which no path does\.$/i), fix: `Write ${path}.` },
    ]);
  });
  it.each(['C:\\models\\a.onnx', 'C:/models/a.onnx', 'a:b.onnx', 'v1.2/model.onnx'])(
    '%s is a path',
    (path) => {
      expect(problemsOf(path)).toEqual([]);
    },
  );
});

it('an alias of MLflow is of letters of any script, as MLflow takes it', () => {
  for (const alias of ['größe', '冠軍', 'a_b-3']) expect(problemsOf(`models:/churn@${alias}`)).toEqual([]);
  for (const alias of ['a b', 'a/b', 'a.b', '😀'])
    expect(problemsOf(`models:/churn@${alias}`)).toHaveLength(1);
});

it('a logged model of MLflow is told to be registered: its URI is what logging returns', () => {
  const logged = `models:/m-${'0a1b2c3d'.repeat(4)}`;
  expect(problemsOf(logged)).toMatchObject([
    {
      message: 'names a logged model, which is no version of a registered one.',
      fix: expect.stringContaining(`\`mlflow.register_model("${logged}", name)\``),
    },
  ]);
  // A registered model may be called so.
  expect(problemsOf(`${logged}/3`)).toEqual([]);
});

it.each([
  ['models:/churn', 'Write `models:/churn@champion` with an alias, or `models:/churn/3` with a number.'],
  ['models:churn@a', 'Write `models:/churn@champion` with an alias, or `models:/churn/3` with a number.'],
  ['models://churn/1', 'Write `models:/churn@champion` with an alias, or `models:/churn/3` with a number.'],
  [
    'sagemaker:churn',
    'Write `sagemaker:churn@approved`, or `sagemaker:churn/7` with a number; the group may be an ARN.',
  ],
])('the fix for %s names what was meant', (reference, fix) => {
  expect(problemsOf(reference)).toMatchObject([{ fix }]);
});

it('sources have a scheme each', () => {
  const schemes = ARTIFACT_SOURCES.map(({ scheme }) => scheme);
  expect(new Set(schemes).size).toBe(schemes.length);
});

it('what begins with no scheme of theirs is a path', () => {
  for (const path of [
    'churn.onnx',
    'models/',
    '../a.onnx',
    'C:\\models\\a.onnx',
    'S3://bucket/key',
    'http://x/y',
  ])
    expect(artifactOf(path)).toEqual({ reference: path, path });
  expect(artifactOf('s3://bucket/key')).toEqual({ reference: 's3://bucket/key' });
});

it('what may be written is told in these words', () => {
  expect(ARTIFACT_FORMS).toBe(
    'An `.onnx` file, a folder with `model.onnx` and its external data, `s3://bucket/key`, `models:/name@alias` or `models:/name/3` of MLflow, `sagemaker:group@approved` or `sagemaker:group/7` of SageMaker’s Model Registry, or `hf://org/repo@<commit>/path.onnx` of Hugging Face.',
  );
  expect(ARTIFACT_FIX).toBe(
    'Write the path of an .onnx file, of a folder with model.onnx, s3://bucket/key, models:/name@alias of MLflow, sagemaker:group@approved of SageMaker’s Model Registry, or hf://org/repo@<40 digits of a commit>/path.onnx of Hugging Face.',
  );
  expect(problemsOf('s3://bucket')).toEqual([
    {
      code: 'MODELS_INVALID_VALUE',
      key: 'models.churn.artifact',
      value: 's3://bucket',
      message: 'names no object.',
      fix: 'Write `s3://bucket/key`.',
    },
  ]);
});

describe('a group of SageMaker', () => {
  const arn = 'arn:aws:sagemaker:eu-central-1:123456789012:model-package-group/churn';
  it.each(['churn@approved', 'churn/7', `${arn}@approved`, `${arn}/12`, 'a-1/1'])('%s', (reference) => {
    expect(problemsOf(`sagemaker:${reference}`)).toEqual([]);
  });
  it.each([
    ['churn', 'names no version of a group of models.'],
    ['churn/0', 'names no version of a group of models.'],
    ['churn/', 'names no version of a group of models.'],
    ['churn_1/1', 'names no version of a group of models.'],
    ['-churn/1', 'names no version of a group of models.'],
    ['arn:aws:sagemaker:eu:1:model-package/churn/1@approved', 'names no version of a group of models.'],
    [
      'churn@champion',
      'names champion after the @, where only approved may stand: SageMaker has no other aliases.',
    ],
    ['churn@', 'names nothing after the @, where only approved may stand: SageMaker has no other aliases.'],
  ])('%s %s', (reference, message) => {
    expect(problemsOf(`sagemaker:${reference}`)).toMatchObject([
      {
        code: 'MODELS_INVALID_VALUE',
        message,
        fix: expect.stringMatching(/^Write `sagemaker:\w+@approved`/),
      },
    ]);
  });
});
