/** Models that others published and the demo's own, through the handler and through Python's onnxruntime. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository, type Served, serve } from './endpoint.ts';
import { answersAsPython, magika, magikaNames, SILERO, sileroHears } from './real-models.ts';

async function withModel(path: string, use: (model: Served) => Promise<void>): Promise<void> {
  const model = await serve(path);
  try {
    await use(model);
  } finally {
    await model.stop();
  }
}

test('silero VAD hears a voice where Python hears one, its state handed on from window to window', () =>
  withModel(SILERO, async (model) => {
    expect(model.signature.inputs).toEqual([
      { name: 'input', datatype: 'FP32', shape: [-1, -1] },
      { name: 'state', datatype: 'FP32', shape: [2, -1, 128] },
      { name: 'sr', datatype: 'INT64', shape: [] },
    ]);
    // The graph says only the rank of stateN.
    expect(model.signature.outputs.map(({ name, shape }) => [name, shape.length])).toEqual([
      ['output', 2],
      ['stateN', 3],
    ]);
    await sileroHears(model.infer);
  }));

test('magika names the kind of this repository’s files as its Python package does', async () => {
  const known = await magika();
  await withModel(known.model, async (model) => {
    expect(model.signature.inputs).toEqual([{ name: 'bytes', datatype: 'INT32', shape: [-1, 2048] }]);
    await magikaNames(known, model.infer);
  });
});

test('the demo’s model answers as its committed answers say', async () => {
  const folder = join(repository, 'examples', 'employment');
  const known = JSON.parse(await readFile(join(folder, 'answers.json'), 'utf8'));
  const path = join(folder, 'employment.onnx');
  expect(
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex'),
  ).toBe(known.sha256);
  await withModel(path, async (model) => {
    expect(model.signature.inputs.length).toBe(16);
    await answersAsPython(model.infer, { inputs: known.request.inputs, outputs: known.answer.outputs });
  });
});
