/** What the handler says of drift, with the real ONNX Runtime: every way in, every way out. */
import Module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Baseline, DriftLine, Signal } from '../../core/drift/contract.ts';
import { createSums } from '../../core/drift/sums.ts';
import { UNCOUNTED } from '../../core/endpoint/contract.ts';
import type { AnyTransform } from '../../core/protocol/transform.ts';
import type { Signature, TensorSpec } from '../../core/tensor/contract.ts';
import { createHandler, type Handler } from '../../functions/infer/handler.ts';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import { signalsOf } from '../../plugins/models/plan/watch/metrics.ts';
import { categorySignal, numericSignal } from '../reference.ts';

const models = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'models');
const spec = (name: string, datatype: TensorSpec['datatype'], ...shape: number[]): TensorSpec => ({
  name,
  datatype,
  shape,
});
const LOGREG: Signature = {
  inputs: [spec('X', 'FP32', -1, 30)],
  outputs: [spec('label', 'INT64', -1), spec('probabilities', 'FP32', -1, 2)],
  omitted: [],
};
const NAN: Signature = {
  inputs: [spec('x', 'FP32', -1)],
  outputs: [spec('y', 'FP32', -1)],
  omitted: [],
};
const REFERENCE = Array.from({ length: 200 }, (_, i) => i / 40);
const SIGNALS: readonly Signal[] = [
  ...Array.from({ length: 30 }, (_, column) =>
    numericSignal({ name: `x${column}`, of: 'input', tensor: 'X', column }, REFERENCE),
  ),
  numericSignal({ name: 'sure', of: 'output', tensor: 'probabilities', value: 'confidence' }, [0.5, 0.7, 1]),
  categorySignal({ name: 'label', of: 'output', tensor: 'label' }, ['0', '1']),
];

let printed: string[] = [];
beforeAll(async () => {
  const runtime = await hostRuntime();
  if (runtime === undefined) throw new Error('ONNX Runtime has no build for this machine.');
  process.env.NODE_PATH = runtime;
  // Node reads NODE_PATH when it starts; this makes it read it again.
  (Module as unknown as { _initPaths(): void })._initPaths();
  process.env.LAMBDA_TASK_ROOT = models;
  process.env.AWS_LAMBDA_FUNCTION_NAME = 's-dev-m';
  process.env.AWS_LAMBDA_FUNCTION_VERSION = '7';
  for (const method of ['info', 'warn', 'error', 'log'] as const)
    vi.spyOn(console, method).mockImplementation((text) => printed.push(String(text)));
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
});
afterEach(() => {
  printed = [];
});

async function endpoint(
  signature: Signature,
  file: string,
  signals: readonly Signal[],
  transform?: AnyTransform,
  sample?: number,
): Promise<{ handler: Handler; writes: string[]; lines: () => DriftLine[] }> {
  const writes: string[] = [];
  const handler = await createHandler(
    {
      schema: 1,
      model: 'm',
      identity: 'i',
      opset: 17,
      file,
      remote: [],
      signature,
      signals: signalsOf(signature),
      drift: { baseline: 'ef'.repeat(32), native: false, signals, ...(sample !== undefined && { sample }) },
    },
    transform,
    (lines) => {
      writes.push(lines);
    },
  );
  const lines = (): DriftLine[] =>
    writes
      .flatMap((text) => text.trimEnd().split('\n'))
      .map((line) => JSON.parse(line))
      .filter((line) => 'drift' in line);
  return { handler, writes, lines };
}
const logreg = (transform?: AnyTransform) => endpoint(LOGREG, 'logreg.onnx', SIGNALS, transform);

const http = (path: string, body: string, headers: Record<string, string> = {}): object => ({
  version: '2.0',
  rawPath: path,
  requestContext: { http: { method: 'POST', path }, requestId: 'r' },
  headers: { 'content-type': 'application/json', ...headers },
  body,
  isBase64Encoded: false,
});
const row = Array.from({ length: 30 }, (_, i) => i / 8);
const ask = (data: readonly number[], rows = 1) => ({
  inputs: [{ name: 'X', shape: [rows, 30], datatype: 'FP32', data }],
});
const infer = ask(row);
const INFER = '/v2/models/m/infer';

describe('a request has the same line', () => {
  test.each([
    ['by HTTP', http(INFER, JSON.stringify(infer))],
    [
      'by HTTP, where it asks for another output',
      http(INFER, JSON.stringify({ ...infer, outputs: [{ name: 'label' }] })),
    ],
    ['by direct invocation', infer],
    ['by direct invocation, one output', { ...infer, outputs: [{ name: 'probabilities' }] }],
    ['in SageMaker’s shape', http('/models/m/invocations', JSON.stringify({ instances: [row] }))],
    ['as CSV', http('/invocations', row.join(), { 'content-type': 'text/csv' })],
  ])('%s', async (_name, event) => {
    const { handler, writes, lines } = await logreg();
    const plain = await logreg();
    await handler(event);
    await plain.handler(infer);
    expect(writes).toHaveLength(1);
    expect(lines()).toEqual(plain.lines());
    const [line] = lines();
    expect(line).toMatchObject({ drift: 'ef'.repeat(32), v: '7', rows: 1 });
    expect(line?.cells).toMatch(/^[0-9]{32}$/);
    expect(String(line?.cells).slice(0, 30)).toBe(
      row.map((x) => Math.min(9, Math.floor(Math.max(0, x - 1e-9) * 2.01)).toString(36)).join(''),
    );
    expect(line?.a[30]).not.toBe(0);
  });
});

test('a large request shares memory with the next, and is scored before that comes', async () => {
  const { handler, lines } = await logreg();
  const many = (x: number): object =>
    http(INFER, JSON.stringify(ask(Array(30 * 200).fill(x + 0.123456789), 200)));
  for (const x of [0, 3, 0]) await handler(many(x));
  const [first, second, third] = lines();
  expect(first?.rows).toBe(200);
  expect(first).toEqual(third);
  expect(first?.a[0]).toBeLessThan(-100);
  expect(second?.a[0]).toBeGreaterThan(50);
});

test('what is not answered, and what is no traffic, has none', async () => {
  const { handler, lines, writes } = await logreg();
  await handler(http(INFER, '{'));
  await handler(http(INFER, JSON.stringify({ inputs: [] })));
  await handler(infer, { clientContext: { custom: { [UNCOUNTED]: true } } } as never);
  expect(lines()).toEqual([]);
  await handler(infer);
  expect(lines()).toHaveLength(1);
  expect(writes).toHaveLength(3);
  const y = numericSignal({ name: 'y', of: 'output', tensor: 'y', value: 'prediction' }, REFERENCE);
  const failing = await endpoint(NAN, 'nan.onnx', [y]);
  const of = (x: number): object => ({ inputs: [{ name: 'x', shape: [1], datatype: 'FP32', data: [x] }] });
  await failing.handler(of(-1));
  expect(failing.writes[0]).toContain('"Errors":1');
  expect(failing.lines()).toEqual([]);
  await failing.handler(of(4));
  expect(failing.lines()).toHaveLength(1);
});

test('of a model with a transform the graph’s own tensors are scored', async () => {
  const doubled: AnyTransform = {
    pre: ({ X }) =>
      ({ X: { ...X, data: Float32Array.from(X?.data as never, (x: number) => x * 2) } }) as never,
    post: ({ label }) => ({ label }) as never,
  };
  const plain = await logreg();
  const own = await logreg(doubled);
  await plain.handler(ask(row.map((x) => x * 2)));
  await own.handler({ ...infer, outputs: [{ name: 'label' }] });
  expect(own.lines()).toEqual(plain.lines());
});

test('where scoring throws, the answer comes, is counted, and the log says where it broke', async () => {
  const { handler, writes, lines } = await endpoint(LOGREG, 'logreg.onnx', SIGNALS, undefined, 0.5);
  // What a request or a transform gives is read and checked before; what draws the sample can still break it.
  vi.spyOn(Math, 'random').mockImplementation(() => {
    throw new TypeError(`broken by ${row[7]}`);
  });
  const answer = await handler(http(INFER, JSON.stringify(infer)));
  vi.mocked(Math.random).mockRestore();
  expect(answer).toMatchObject({ statusCode: 200 });
  expect(lines()).toEqual([]);
  expect(writes[0]).toContain('"Requests":1');
  const warned = printed.filter((text) => text.includes('could not be scored'));
  expect(warned).toHaveLength(1);
  expect(warned[0]).toContain('TypeError');
  expect(warned[0]).not.toContain('broken');
});

describe('a sample of the requests', () => {
  const SHARE = 0.2;
  const COUNT = 5000;
  /** Chance that is the same at every run: mulberry32. */
  function chance(): void {
    let state = 1;
    vi.spyOn(Math, 'random').mockImplementation(() => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    });
  }
  afterEach(() => vi.mocked(Math.random).mockRestore?.());

  /** Every fifth request is another one, as of a client that is called by the clock. */
  const rows = [row, row.map((x) => x / 400)];
  const isOther = (i: number): boolean => i % 5 === 0;
  async function run(sample?: number) {
    const { handler, writes, lines } = await endpoint(LOGREG, 'logreg.onnx', SIGNALS, undefined, sample);
    for (let i = 0; i < COUNT; i++) await handler(ask(rows[isOther(i) ? 1 : 0] ?? []));
    const metrics = writes
      .flatMap((text) => text.trimEnd().split('\n'))
      .map((line) => JSON.parse(line))
      .filter((line) => '_aws' in line);
    const sum = (name: string): number => metrics.reduce((all, line) => all + (line[name] ?? 0), 0);
    const count = (name: string): number => metrics.filter((line) => name in line).length;
    return { sum, count, lines: lines() };
  }

  test('has sums and counts that are of the same requests, and stands for all of them', async () => {
    chance();
    const { sum, count, lines } = await run(SHARE);
    const whole = await run();
    expect([sum('Requests'), whole.sum('Requests')]).toEqual([COUNT, COUNT]);
    // Exactly: what alarms and monitor divide by is what was added up.
    const n = lines.length;
    expect(count('ScaledAnswers')).toBe(n);
    expect(whole.count('ScaledAnswers')).toBe(COUNT);
    expect(sum('Scaled_sure_a')).toBeCloseTo(
      lines.reduce((all, { a }) => all + (a[30] ?? 0), 0),
      6,
    );
    for (const line of lines) expect(line).toMatchObject({ sample: SHARE, rows: 1 });
    for (const line of whole.lines) expect(line).not.toHaveProperty('sample');
    // Within four standard errors: of the share, and of the other request’s part.
    const within = (value: number, expected: number, error: number) =>
      expect(Math.abs(value - expected)).toBeLessThan(4 * error);
    within(n, COUNT * SHARE, Math.sqrt(COUNT * SHARE * (1 - SHARE)));
    const first = whole.lines[0]?.a[29];
    const others = lines.filter(({ a }) => a[29] === first).length;
    expect(whole.lines.filter(({ a }) => a[29] === first).length).toBe(COUNT / 5);
    within(others / n, 1 / 5, Math.sqrt(0.16 / n));
    // This model is always as sure: so the mean score is the same to the digit.
    expect(whole.sum('Scaled_sure_a')).toBeGreaterThan(COUNT);
    expect(sum('Scaled_sure_a') / n).toBeCloseTo(whole.sum('Scaled_sure_a') / COUNT, 9);
  });

  test('adds up to what the monitor finds of all, within chance', async () => {
    chance();
    const baseline: Baseline = { schema: 1, source: 'f'.repeat(64), rows: 200, signals: SIGNALS };
    const { lines } = await run(SHARE);
    const adder = createSums('ef'.repeat(32), baseline);
    for (const line of lines) expect(adder.add(line)).toBe(true);
    const { requests, rows: seen, estimated, signals } = adder.sums();
    expect([requests, seen, estimated]).toEqual([lines.length, lines.length, lines.length / SHARE]);
    expect(Math.abs(estimated / COUNT - 1)).toBeLessThan(0.12);
    for (const { n, cells } of signals)
      expect([n, cells.reduce((all, one) => all + one)]).toEqual([seen, seen]);
  });
});
