/**
 * The fixtures are what their script makes, and every one of them answers through the handler as in Python.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { fixtures, serve } from './endpoint.ts';
import { binaryOf, binaryRequest, difference, jsonRequest, readOutputs, type Tensor } from './tensors.ts';

type Listed = Omit<Tensor, 'values'> & { readonly data: Tensor['values'] };
type Answers = { models: Record<string, { inputs: Listed[]; outputs: Listed[] }> };

const { models }: Answers = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8'));
const tensor = ({ data, ...rest }: Listed): Tensor => ({ ...rest, values: data });
/** Optimised and original may differ by the last bits of a float. */
const TOLERANCE = 1e-5;

test('make.py makes the same bytes again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  await runPython(join(dirname(fixtures), 'make.py'), [folder], { timeout: 280_000 });
  const files = async (base: string): Promise<string[]> =>
    (await readdir(base, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(base.length + 1))
      .sort();
  expect(await files(folder)).toEqual(await files(fixtures));
  for (const file of await files(folder)) {
    const same = (await readFile(join(folder, file))).equals(await readFile(join(fixtures, file)));
    expect(same, file).toBe(true);
  }
  await rm(folder, { recursive: true, force: true });
});

describe.each(Object.entries(models))('%s', (path, { inputs, outputs }) => {
  test('answers as in Python, in JSON and in binary', async () => {
    const artifact = path === 'external/model.onnx' ? 'external' : path;
    const model = await serve(artifact);
    try {
      const asked = inputs.map(tensor);
      const expected = outputs.map(tensor);
      const { headers, body } = binaryRequest(asked.map((each) => ({ ...each, content: binaryOf(each) })));
      for (const answer of [await model.infer(jsonRequest(asked)), await model.infer(body, headers)]) {
        expect(answer.status, answer.body.toString()).toBe(200);
        const got = readOutputs(answer.headers as Record<string, string>, answer.body);
        expect(difference(got, expected, TOLERANCE)).toBeUndefined();
      }
    } finally {
      await model.stop();
    }
  });
});
