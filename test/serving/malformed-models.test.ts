/** Artifacts that must be refused in good order; what each of them is stands in test/fixtures/make.py. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import { isProblemError, type ProblemCode } from '../../plugins/models/problems/errors.ts';
import type { ProcessLimits } from '../../plugins/models/sandbox/sandbox.ts';
import { readSource } from '../../plugins/models/ship/source.ts';
import { fixtures, modelOf } from './endpoint.ts';

const MB = 1024 ** 2;
/** A bad file is refused at once, not at a deadline; most of this is a process starting on a busy machine. */
const SOON_MS = 25_000;

let runtime: string | undefined;
let cache: string;
beforeAll(async () => {
  runtime = await hostRuntime(() => {});
  // Inspections are cached by content: these must be made now.
  cache = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  process.env.SERVERLESS_MODELS_CACHE = cache;
});
afterAll(async () => {
  delete process.env.SERVERLESS_MODELS_CACHE;
  await rm(cache, { recursive: true, force: true });
});

/** Reads and inspects a fixture. Throws what a user would get. */
async function inspectFixture(path: string, limits?: ProcessLimits) {
  const context = { serviceDir: fixtures, outDir: join(cache, 'out'), progress: () => {} };
  const source = await readSource(modelOf('fixture', path), context);
  return source.format.inspect(source, 'models.fixture.artifact', runtime, limits);
}

async function problemOf(
  path: string,
  limits?: ProcessLimits,
): Promise<{ code: ProblemCode; message: string }> {
  const error: unknown = await inspectFixture(path, limits).then(
    (inspection) => new Error(`accepted: ${JSON.stringify(inspection.signature)}`),
    (reason: unknown) => reason,
  );
  if (!isProblemError(error)) throw error;
  return { code: error.code, message: error.message };
}

describe('a malformed file is refused at once, with a code and a reason', () => {
  test.each([
    ['empty', 'MODELS_ARTIFACT_INVALID', /empty/],
    ['truncated', 'MODELS_ARTIFACT_INVALID', /cut off/],
    ['random', 'MODELS_ARTIFACT_INVALID', /no ONNX model/],
    ['zip', 'MODELS_ARTIFACT_INVALID', /no ONNX model/],
    ['opset-99', 'MODELS_ARTIFACT_INVALID', /opset/i],
    ['ir-99', 'MODELS_ARTIFACT_INVALID', /IR.?version/i],
    ['unknown-domain', 'MODELS_ARTIFACT_INVALID', /Frobnicate/],
    ['external-missing', 'MODELS_ARTIFACT_MISSING', /nowhere\.bin/],
    ['external-absolute', 'MODELS_ARTIFACT_INVALID', /absolute/],
    ['external-parent', 'MODELS_ARTIFACT_INVALID', /out of/],
    ['dimensions', 'MODELS_ARTIFACT_INVALID', /size/],
    ['cycle', 'MODELS_ARTIFACT_INVALID', /cycl|acyclic|topolog|input/i],
  ] as const)('%s', async (name, code, reason) => {
    const start = performance.now();
    const problem = await problemOf(`malformed/${name}.onnx`);
    expect(problem.code).toBe(code);
    expect(problem.message).toMatch(reason);
    expect(performance.now() - start).toBeLessThan(SOON_MS);
  });
});

test('an endless loop is killed at the deadline', async () => {
  const start = performance.now();
  // By then it has begun to run, also where a process starts late.
  const problem = await problemOf('endless.onnx', { deadline: 10_000, memory: 2048 * MB });
  expect(problem.code).toBe('MODELS_ARTIFACT_HANGS');
  expect(problem.message).toMatch(
    /a loop whose condition never ends, or package where the processor has less to do/,
  );
  expect(problem.message).toMatch(/after 10 s, so no request could be answered/);
  expect(performance.now() - start).toBeLessThan(10_000 + SOON_MS);
});

test.each(['huge.onnx', 'folding.onnx'])(
  '%s is refused, which takes more memory than the cap for its own fixed shape',
  async (path) => {
    const problem = await problemOf(path, { deadline: 60_000, memory: 1024 * MB });
    expect(problem.code).toBe('MODELS_ARTIFACT_MEMORY');
    expect(problem.message).toMatch(/^models\.fixture\.artifact: .*took more than 1024 MB/);
  },
);
