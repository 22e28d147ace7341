/** Models that others published, with what Python's onnxruntime answers: real_models.py. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { runPython } from '../python.ts';
import { repository } from './endpoint.ts';
import { binaryOf, binaryRequest, difference, jsonRequest, readOutputs, type Tensor } from './tensors.ts';

type Listed = Omit<Tensor, 'values'> & { readonly data: Tensor['values'] };
export type Case = { readonly inputs: readonly Listed[]; readonly outputs: readonly Listed[] };

/** An infer request, wherever it goes. */
export type Infer = (
  body: string | Buffer,
  headers?: Readonly<Record<string, string>>,
) => Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}>;

const script = join(import.meta.dirname, 'real_models.py');
/** Deep networks add up the last bits of many sums, and optimisation changes their order. */
const TOLERANCE = 1e-5;

const tensor = ({ data, ...rest }: Listed): Tensor => ({ ...rest, values: data });

/** Asks in JSON and in binary. @returns the outputs; throws where one differs from Python's */
export async function answersAsPython(infer: Infer, { inputs, outputs }: Case): Promise<Tensor[]> {
  const asked = inputs.map(tensor);
  const { headers, body } = binaryRequest(asked.map((each) => ({ ...each, content: binaryOf(each) })));
  let got: Tensor[] = [];
  for (const answer of [await infer(jsonRequest(asked)), await infer(body, headers)]) {
    expect(answer.status, answer.body.toString().slice(0, 300)).toBe(200);
    got = readOutputs(answer.headers as Record<string, string>, answer.body);
    expect(difference(got, outputs.map(tensor), TOLERANCE)).toBeUndefined();
  }
  return got;
}

/** The model in the npm package @ricky0123/vad-web. */
export const SILERO = join(
  dirname(createRequire(import.meta.url).resolve('@ricky0123/vad-web')),
  'silero_vad_v5.onnx',
);

/** Six windows of sound: is there a voice? Four have one. Each window's state is an input of the next. */
export async function sileroHears(infer: Infer): Promise<void> {
  const cases: Case[] = JSON.parse(await runPython(script, ['silero', SILERO], { timeout: 300_000 }));
  const heard: number[] = [];
  for (const each of cases) {
    const [output] = await answersAsPython(infer, each);
    heard.push(Number(output?.values[0]));
  }
  expect(heard.map((probability) => probability > 0.5)).toEqual([false, false, true, true, true, true]);
}

export type Magika = {
  /** Absolute path, in the Python environment. */
  readonly model: string;
  readonly labels: readonly string[];
  readonly cases: readonly (Case & { readonly path: string; readonly label: string })[];
};

/** Files of this repository, each of another kind. */
const FILES = [
  'test/python.ts',
  'test/fixtures/make.py',
  'package.json',
  'examples/employment/README.md',
  'examples/employment/employment.onnx',
  '.ci/run',
];

/** What the PyPI package magika says of some files. */
export async function magika(): Promise<Magika> {
  return JSON.parse(await runPython(script, ['magika', ...FILES], { timeout: 300_000, cwd: repository }));
}

/** Does the model name the kind of each file as its own package does? */
export async function magikaNames({ labels, cases }: Magika, infer: Infer): Promise<void> {
  for (const each of cases) {
    const [output] = await answersAsPython(infer, each);
    const scores = (output?.values ?? []).map(Number);
    expect(labels[scores.indexOf(Math.max(...scores))], each.path).toBe(each.label);
  }
  expect(new Set(cases.map(({ label }) => label)).size).toBe(FILES.length);
}
