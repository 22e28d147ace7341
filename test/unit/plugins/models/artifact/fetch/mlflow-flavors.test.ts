/** What MLflow's description of a model says that it can be loaded as. */
import { expect, it } from 'vitest';
import { exportAdvice, flavorsIn } from '../../../../../../plugins/models/artifact/fetch/mlflow-flavors.ts';

it('flavors are found among what MLflow writes beside them, in every order', () => {
  const flavors =
    'flavors:\n  onnx:\n    data: model.onnx\n\n  # by whom\n  python_function:\n    env: {conda: a.yaml}\n';
  const found = { onnx: { data: 'model.onnx' }, python_function: { env: { conda: 'a.yaml' } } };
  for (const text of [
    flavors,
    `artifact_path: model\n${flavors}mlflow_version: 3.9.0\n`,
    `${flavors}signature:\n  inputs: '[{"name": "flavors:"}]'\n`.replaceAll('\n', '\r\n'),
  ])
    expect(flavorsIn(text)).toEqual(found);
  expect(flavorsIn('flavors: {onnx: {data: model.onnx}}\n')).toEqual({ onnx: { data: 'model.onnx' } });
  for (const text of ['', 'artifact_path: model', 'flavors: [', 'flavors:', '%%%', '{"flavors": 1'])
    expect(flavorsIn(text)).toEqual({});
});

it('a file of a megabyte that is none takes no hours', () => {
  const keys = Array.from({ length: 100_000 }, (_, index) => `k${index}: 1`);
  expect(flavorsIn(keys.join('\n'))).toEqual({});
  expect(flavorsIn(`flavors:\n  ${keys.join('\n  ')}`)).toEqual({});
  expect(flavorsIn(`flavors: ${'"'.repeat(1_000_000)}`)).toEqual({});
  // What is long beside them is not read.
  expect(flavorsIn(`flavors:\n  onnx: {}\nsignature:\n  ${keys.join('\n  ')}`)).toEqual({ onnx: {} });
});

it('a flavor that is called as what every object has is none that we know', () => {
  expect(exportAdvice({ constructor: {} })).toBe(
    'Export it to ONNX, and log that by `mlflow.onnx.log_model`.',
  );
});
