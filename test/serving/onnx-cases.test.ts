/** The node test cases of the PyPI package onnx: the handler against Python's onnxruntime. */
import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { lambdaEnv, repository } from './endpoint.ts';
import { type Case, type Outcome, page, type Stored } from './onnx-cases.ts';
import { throughHosts } from './onnx-hosts.ts';

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(repository, '.local', 'onnx-cases');
const PROCESSES = 2;
/** Written anew with `UPDATE=1 npm test -- test/serving/onnx-cases`. */
const doc = join(repository, 'docs', 'onnx-cases.md');

let versions: { onnx: string; onnxruntime: string };
let cases: Case[];
const outcomes = new Map<string, Outcome>();

beforeAll(async () => {
  // Some cases need a locale: whether this machine has it must not change the outcome, and Lambda has none.
  const env = { LOCPATH: '/nonexistent' };
  versions = JSON.parse(await runPython(join(here, 'onnx_cases.py'), [folder], { timeout: 280_000, env }));
  cases = readFileSync(join(folder, 'cases.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  await Promise.all(Array.from({ length: PROCESSES }, (_, share) => work(share)));
});

/** One process for every n-th case. The last word of a case that ends the process is that it was started. */
async function work(share: number): Promise<void> {
  const child = fork(join(here, 'onnx-worker.ts'), [folder, String(share), String(PROCESSES)], {
    env: { ...(await lambdaEnv('case', folder)), LOCPATH: '/nonexistent' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000);
  });
  child.on('message', (outcome: Outcome) => outcomes.set(outcome.case, outcome));
  const end = await new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)));
  if (end !== 0)
    throw new Error(`The worker ended with ${end}, after ${[...outcomes.keys()].at(-1)}: ${errors}`);
}

test('there are over a thousand cases that ONNX Runtime runs', () => {
  expect(cases.filter((entry) => 'model' in entry).length).toBeGreaterThan(1400);
});

test('the handler answers each of them as Python’s onnxruntime does, in JSON and in binary', () => {
  const wrong = cases
    .filter((entry) => 'model' in entry)
    .map((entry) => outcomes.get(entry.case) ?? { case: entry.case, failed: 'not run' })
    .filter((outcome) => !('same' in outcome || 'unsupported' in outcome));
  expect(wrong).toEqual([]);
});

test('docs/onnx-cases.md lists the others with their reasons', () => {
  const unsupported = new Map(
    [...outcomes.values()].flatMap((outcome) =>
      'unsupported' in outcome ? [[outcome.case, outcome.unsupported]] : [],
    ),
  );
  const text = page(versions, cases, unsupported);
  if (process.env.UPDATE) writeFileSync(doc, text);
  expect(readFileSync(doc, 'utf8')).toBe(text);
});

test('zip, image and host answer every hundredth of them with the same bytes, by HTTP and by gRPC', async () => {
  const tensors = readFileSync(join(folder, 'tensors.bin'));
  const content = ({ at, bytes }: Stored): Buffer => tensors.subarray(at, at + bytes);
  const hundredth = cases
    .flatMap((entry) => ('model' in entry ? [entry] : []))
    .filter((_, at) => at % 100 === 0);
  const found = await throughHosts(hundredth, content);
  expect(found).toHaveLength(hundredth.length);
  expect(found.filter((one) => !('same' in one))).toEqual([]);
});
