/** Models that others published and the demo's own, through the handler and through Python's onnxruntime. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { repository, type Served, serve } from './endpoint.ts';
import { binaryOf, binaryRequest, difference, jsonRequest, readOutputs, type Tensor } from './tensors.ts';

type Listed = Omit<Tensor, 'values'> & { readonly data: Tensor['values'] };
type Case = { readonly inputs: Listed[]; readonly outputs: Listed[] };

const script = join(import.meta.dirname, 'real_models.py');
const tensor = ({ data, ...rest }: Listed): Tensor => ({ ...rest, values: data });
/** Deep networks add up the last bits of many sums, and optimisation changes their order. */
const TOLERANCE = 1e-5;

async function answers(model: Served, { inputs, outputs }: Case): Promise<Tensor[]> {
  const asked = inputs.map(tensor);
  const { headers, body } = binaryRequest(asked.map((each) => ({ ...each, content: binaryOf(each) })));
  let got: Tensor[] = [];
  for (const answer of [await model.infer(jsonRequest(asked)), await model.infer(body, headers)]) {
    expect(answer.status, answer.body.toString().slice(0, 300)).toBe(200);
    got = readOutputs(answer.headers as Record<string, string>, answer.body);
    expect(difference(got, outputs.map(tensor), TOLERANCE)).toBeUndefined();
  }
  return got;
}

async function withModel(path: string, use: (model: Served) => Promise<void>): Promise<void> {
  const model = await serve(path);
  try {
    await use(model);
  } finally {
    await model.stop();
  }
}

describe('silero VAD', () => {
  const path = join(
    dirname(createRequire(import.meta.url).resolve('@ricky0123/vad-web')),
    'silero_vad_v5.onnx',
  );

  test('hears a voice where Python hears one, its state handed on from window to window', async () => {
    const cases: Case[] = JSON.parse(await runPython(script, ['silero', path], { timeout: 60_000 }));
    expect(cases.length).toBe(6);
    await withModel(path, async (model) => {
      expect(model.signature.inputs).toEqual([
        { name: 'input', datatype: 'FP32', shape: [-1, -1] },
        { name: 'state', datatype: 'FP32', shape: [2, -1, 128] },
        { name: 'sr', datatype: 'INT64', shape: [] },
      ]);
      // A scalar input, two free dimensions, and an output of which the graph says only the rank.
      expect(model.signature.outputs.map(({ name, shape }) => [name, shape.length])).toEqual([
        ['output', 2],
        ['stateN', 3],
      ]);
      const heard: number[] = [];
      for (const each of cases) {
        const [output] = await answers(model, each);
        heard.push(Number(output?.values[0]));
      }
      expect(heard.map((probability) => probability > 0.5)).toEqual([false, false, true, true, true, true]);
    });
  });
});

test('magika names the kind of this repository’s files as its Python package does', async () => {
  const files = [
    'test/python.ts',
    'test/fixtures/make.py',
    'package.json',
    'examples/employment/README.md',
    'examples/employment/employment.onnx',
    '.ci/run',
  ];
  type Magika = { model: string; labels: string[]; cases: (Case & { path: string; label: string })[] };
  const {
    model: path,
    labels,
    cases,
  }: Magika = JSON.parse(await runPython(script, ['magika', ...files], { timeout: 60_000, cwd: repository }));
  await withModel(path, async (model) => {
    expect(model.signature.inputs).toEqual([{ name: 'bytes', datatype: 'INT32', shape: [-1, 2048] }]);
    for (const each of cases) {
      const [output] = await answers(model, each);
      const scores = (output?.values ?? []).map(Number);
      expect(labels[scores.indexOf(Math.max(...scores))], each.path).toBe(each.label);
    }
    expect(new Set(cases.map(({ label }) => label)).size).toBe(files.length);
  });
});

test('the demo’s model answers as its committed answers say', async () => {
  const folder = join(repository, 'examples', 'employment');
  const known = JSON.parse(await readFile(join(folder, 'answers.json'), 'utf8'));
  await withModel(join(folder, 'employment.onnx'), async (model) => {
    expect(model.signature.inputs.length).toBe(16);
    await answers(model, { inputs: known.request.inputs, outputs: known.answer.outputs });
  });
});
