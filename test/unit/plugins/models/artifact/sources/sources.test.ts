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

  it.each(['x', '', '//', '//bucket', '//bucket/key', '//bucket/folder/', 'a:b', 'a/../b', '\n'])(
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
