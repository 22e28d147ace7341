import { stripTypeScriptTypes } from 'node:module';
import { expect, it } from 'vitest';
import { command, toJson, toText, toTypes } from '../../../../../plugins/models/commands/list.ts';
import type { Facts } from '../../../../../plugins/models/declaration/model.ts';
import { modelNamed } from '../../../../fixtures/service.ts';

const model = modelNamed('churn', {
  artifact: { reference: 'models/churn.onnx', path: 'models/churn.onnx' },
});
const facts: Facts = {
  identity: 'f'.repeat(64),
  source: 'a'.repeat(64),
  sourceBytes: 89_123_456,
  signature: {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 30] }],
    outputs: [
      { name: 'label', datatype: 'INT64', shape: [-1] },
      { name: 'score', datatype: 'FP64', shape: [] },
    ],
    omitted: ['map'],
  },
  opset: 20,
  optimized: true,
  notices: ['Output map is a map.'],
  zipBytes: 950,
  unzippedBytes: 1_234_000,
  runtimeBytes: 3,
  remote: [],
};

it('shows signature, opset, sizes, digest and notices', () => {
  expect(toText({ model, facts })).toBe(
    `churn
  artifact  models/churn.onnx
  sha256    ${'a'.repeat(64)}
  size      89.1 MB, 950 bytes zipped, 1.23 MB unzipped
  opset     20
  inputs    x      FP32   [*, 30]
  outputs   label  INT64  [*]
            score  FP64   []
  note      Output map is a map.`,
  );
});

it('shows the names of columns, and where they are from if they do not bind', () => {
  const names = ['age', 'income'];
  const shown = (bind: boolean): string => toText({ model, facts: { ...facts, columns: { names, bind } } });
  expect(shown(true)).toContain('  inputs    x      FP32   [*, 30]\n  columns   age, income\n  outputs');
  expect(shown(false)).toContain('  columns   age, income (of the reference data)\n');
  expect(toJson({ model, facts: { ...facts, columns: { names, bind: true } } })).toMatchObject({
    columns: { names, bind: true },
  });
});

it('shows no line that a name in the graph makes up, and nothing that a terminal obeys', () => {
  const name = 'x\n  signed    by ann@example.com\u001b]0;mine\u0007';
  const forged = { name, datatype: 'FP32', shape: [-1] } as const;
  const signature = { inputs: [forged], outputs: [forged], omitted: [name] };
  const columns = { names: [name], bind: true };
  const text = toText({
    model,
    facts: { ...facts, signature, columns, notices: [`Output ${name} is a map.`] },
  });
  expect(text).not.toMatch(/^ {2}signed/m);
  expect(text.split('\n')).toHaveLength(9);
  expect(text).not.toMatch(/(?!\n)\p{Cc}/u);
  expect(text).toContain('x   signed    by ann@example.com�]0;mine�  FP32   [*]');
});

it('gives the same as JSON', () => {
  expect(toJson({ model, facts })).toMatchObject({
    name: 'churn',
    artifact: 'models/churn.onnx',
    inputs: facts.signature.inputs,
    omitted: ['map'],
    opset: 20,
  });
});

it.each([
  ['default', 'default_'],
  ['class', 'class_'],
  ['await', 'await_'],
  ['churn-v2', 'churnV2'],
])('names the constant of the model %s so that TypeScript takes it', (name, constant) => {
  const types = toTypes({ model: { ...model, name }, facts });
  expect(types).toContain(`export const ${constant} = `);
  expect(() => stripTypeScriptTypes(types)).not.toThrow();
});

it('refuses --json beside --types: what reads it expects JSON', async () => {
  const printed: string[] = [];
  const context = {
    models: [model],
    flags: { json: true, types: true },
    facts: async () => new Map([['churn', facts]]),
    print: (text: string) => printed.push(text),
  };
  await expect(command.run(context as never)).rejects.toMatchObject({
    problems: [{ code: 'MODELS_USAGE', key: '--json' }],
  });
  expect(printed).toEqual([]);
});
