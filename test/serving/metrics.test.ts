/** What the handler counts, with the real ONNX Runtime: every way in, every way out. */
import Module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Manifest } from '../../core/endpoint/contract.ts';
import type { AnyTransform } from '../../core/protocol/transform.ts';
import type { Signature, TensorSpec } from '../../core/tensor/contract.ts';
import { createHandler, type Handler } from '../../functions/infer/handler.ts';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import { signalsOf } from '../../plugins/models/plan/watch/metrics.ts';
import { ofVersion, sumsOf } from '../emf.ts';

const models = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'models');
const spec = (name: string, datatype: TensorSpec['datatype'], ...shape: number[]): TensorSpec => ({
  name,
  datatype,
  shape,
});
const SIGNATURES = {
  'logreg.onnx': {
    inputs: [spec('X', 'FP32', -1, 30)],
    outputs: [spec('label', 'INT64', -1), spec('probabilities', 'FP32', -1, 2)],
    omitted: [],
  },
  'nan.onnx': { inputs: [spec('x', 'FP32', -1)], outputs: [spec('y', 'FP32', -1)], omitted: [] },
  'add.onnx': {
    inputs: [spec('a', 'FP32', -1, 3), spec('b', 'FP32', -1, 1)],
    outputs: [spec('sum', 'FP32', -1, 3)],
    omitted: [],
  },
  'strings.onnx': { inputs: [spec('x', 'BYTES', -1)], outputs: [spec('y', 'BYTES', -1)], omitted: [] },
} satisfies Record<string, Signature>;

beforeAll(async () => {
  const runtime = await hostRuntime();
  if (runtime === undefined) throw new Error('ONNX Runtime has no build for this machine.');
  process.env.NODE_PATH = runtime;
  // Node reads NODE_PATH when it starts; this makes it read it again.
  (Module as unknown as { _initPaths(): void })._initPaths();
  process.env.LAMBDA_TASK_ROOT = models;
  process.env.AWS_LAMBDA_FUNCTION_NAME = 's-dev-m';
  process.env.AWS_LAMBDA_FUNCTION_VERSION = '7';
  // The log of refusals is another test's.
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockReturnValue(true);
});
afterEach(() => {
  delete process.env.AWS_LAMBDA_INITIALIZATION_TYPE;
});

async function counted(
  file: keyof typeof SIGNATURES,
  {
    transform,
    slowEdges,
    signature = SIGNATURES[file],
  }: { transform?: AnyTransform; slowEdges?: Manifest['slowEdges']; signature?: Signature } = {},
): Promise<{ handler: Handler; sums: () => Record<string, number>; lines: string[] }> {
  const lines: string[] = [];
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
      ...(slowEdges && { slowEdges }),
    },
    transform,
    (line) => {
      lines.push(line);
    },
  );
  return { handler, lines, sums: () => ofVersion(lines, 's-dev-m', '7') };
}

const http = (path: string, body: string, headers: Record<string, string> = {}, method = 'POST'): object => ({
  version: '2.0',
  rawPath: path,
  requestContext: { http: { method, path }, requestId: 'r' },
  headers: { 'content-type': 'application/json', ...headers },
  body,
  isBase64Encoded: false,
});
const row = Array.from({ length: 30 }, (_, i) => i / 8);
const infer = { inputs: [{ name: 'X', shape: [1, 30], datatype: 'FP32', data: row }] };
const INFER = '/v2/models/m/infer';

describe('a request counts the same', () => {
  test.each([
    ['by HTTP', http(INFER, JSON.stringify(infer))],
    ['by HTTP, one output of two', http(INFER, JSON.stringify({ ...infer, outputs: [{ name: 'label' }] }))],
    ['by direct invocation', infer],
    ['in SageMaker’s shape', http('/models/m/invocations', JSON.stringify({ instances: [row] }))],
    ['as CSV', http('/invocations', row.join(), { 'content-type': 'text/csv' })],
  ])('%s', async (_name, event) => {
    const { handler, sums, lines } = await counted('logreg.onnx');
    await handler(event);
    await handler(event);
    expect(lines).toHaveLength(2);
    expect(lines.every((line) => line.endsWith('}\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
    const { Latency = 0, ...counts } = sums();
    expect(Latency).toBeGreaterThan(0);
    expect(counts).toEqual({
      Requests: 2,
      ColdStart: 1,
      Out_label2_f1_a: 2 * (counts.Out_label2_f1_a ?? 0) > 0 ? 2 : -2,
      Out_label2_f1_aa: 2,
      Out_confidence_f1_a: expect.any(Number),
      Out_confidence_f1_b: expect.any(Number),
      Out_confidence_f1_aa: expect.closeTo((counts.Out_confidence_f1_a ?? 0) ** 2 / 2, 6),
      Out_confidence_f1_bb: expect.any(Number),
      Out_confidence_f1_ab: expect.any(Number),
    });
  });
});

test('rows of one request make one score', async () => {
  const { handler, sums } = await counted('logreg.onnx');
  const many = Array.from({ length: 40 }, () => row).flat();
  await handler({ inputs: [{ name: 'X', shape: [40, 30], datatype: 'FP32', data: many }] });
  expect(sums()).toMatchObject({ Requests: 1, Out_label2_f1_aa: 1 });
});

test('bad requests are rejected ones, and nothing else; questions that need no inference are nothing', async () => {
  const { handler, lines } = await counted('logreg.onnx');
  for (const bad of [
    http(INFER, '{'),
    http(INFER, JSON.stringify({ inputs: [] })),
    http('/v2/models/other/infer', JSON.stringify(infer)),
    http(INFER, '', {}, 'GET'),
    { inputs: 1 },
  ])
    await handler(bad);
  await handler(http('/v2/models/m', '', {}, 'GET'));
  await handler(http('/v2/models/m/ready', '', {}, 'GET'));
  expect(sumsOf(lines)).toEqual({ 'Rejected Model=s-dev-m': 5, 'Rejected Model=s-dev-m,Version=7': 5 });
});

// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
test('what asks for a version by its number is no traffic: no alias has chosen the version', async () => {
  const arn = 'arn:aws:lambda:us-east-1:123456789012:function:';
  const { handler, sums, lines } = await counted('nan.onnx');
  const ask = async (to: string): Promise<void> => {
    for (const data of [[4], [-1], []])
      await handler(
        { inputs: [{ name: 'x', shape: [1], datatype: 'FP32', data }] },
        { awsRequestId: 'r', invokedFunctionArn: `${arn}${to}` },
      );
  };
  await ask('s-dev-m:7');
  expect(lines).toEqual([]);
  // A function may have a number as its name.
  for (const to of ['s-dev-m:live', '2026', '2026:live']) await ask(to);
  expect(sums()).toMatchObject({ Requests: 6, Errors: 3, Rejected: 3 });
});

describe('errors', () => {
  test('an output that JSON cannot say is the model’s; in binary it passes', async () => {
    const { handler, sums } = await counted('nan.onnx');
    const ask = (x: number): object => ({ inputs: [{ name: 'x', shape: [1], datatype: 'FP32', data: [x] }] });
    await handler(ask(4));
    await handler(ask(-1));
    await handler(http(INFER, JSON.stringify(ask(-1))));
    const binary = { ...ask(-1), parameters: { binary_data_output: true } };
    expect(await handler(http(INFER, JSON.stringify(binary)))).toMatchObject({ statusCode: 200 });
    const { Requests, Errors, ColdStart, Out_prediction_f1_aa: squares = 0 } = sums();
    expect({ Requests, Errors, ColdStart }).toEqual({ Requests: 4, Errors: 2, ColdStart: 1 });
    expect(squares).toBeCloseTo(Math.asinh(Math.log(4)) ** 2, 4);
  });

  test('a transform’s failure is the model’s, its refusal the request’s', async () => {
    const transform: AnyTransform = {
      pre(inputs) {
        const [first] = (inputs.a?.data ?? []) as unknown as number[];
        if (first === 1) throw new Error('broken');
        if (first === 2) throw Object.assign(new Error('no'), { status: 422 });
        return inputs;
      },
    };
    const { handler, lines } = await counted('add.onnx', { transform });
    for (const a of [0, 1, 2])
      await handler({
        inputs: [
          { name: 'a', shape: [1, 3], datatype: 'FP32', data: [a, 0, 0] },
          { name: 'b', shape: [1, 1], datatype: 'FP32', data: [0] },
        ],
      });
    expect(sumsOf(lines)).toMatchObject({
      'Requests Model=s-dev-m': 2,
      'Errors Model=s-dev-m': 1,
      'Rejected Model=s-dev-m': 1,
      'Rejected Model=s-dev-m,Version=7': 1,
    });
  });

  test('inputs that the graph itself refuses', async () => {
    const { handler, sums } = await counted('add.onnx');
    await handler({
      inputs: [
        { name: 'a', shape: [2, 3], datatype: 'FP32', data: [1, 2, 3, 4, 5, 6] },
        { name: 'b', shape: [5, 1], datatype: 'FP32', data: [1, 2, 3, 4, 5] },
      ],
    });
    expect(sums()).toEqual({ Requests: 1, Errors: 1 });
  });
});

test('slow is told by the time in the handler', async () => {
  const { handler, sums } = await counted('logreg.onnx', { slowEdges: [1e-6, 2e-6, 1e6, 2e6] });
  for (let i = 0; i < 3; i++) await handler(infer);
  expect(sums()).toMatchObject({ ColdStart: 1, Slow0: 2, Slow1: 2 });
  expect(sums()).not.toHaveProperty('Slow2');
});

describe('under provisioned concurrency', () => {
  test.each(['logreg.onnx', 'add.onnx', 'strings.onnx'] as const)(
    '%s has run before the first request',
    async (file) => {
      process.env.AWS_LAMBDA_INITIALIZATION_TYPE = 'provisioned-concurrency';
      const { handler, lines, sums } = await counted(file);
      expect(lines).toEqual([]);
      if (file !== 'logreg.onnx') return;
      await handler(infer);
      expect(sums()).toMatchObject({ Requests: 1 });
      expect(sums()).not.toHaveProperty('ColdStart');
    },
  );

  test('a model that takes no zeros starts all the same, and cold', async () => {
    process.env.AWS_LAMBDA_INITIALIZATION_TYPE = 'provisioned-concurrency';
    // Zeros of shape [1, 1], where the graph wants rows of three.
    const signature = {
      ...SIGNATURES['add.onnx'],
      inputs: [spec('a', 'FP32', -1, -1), spec('b', 'FP32', -1, 1)],
    };
    const { handler, sums } = await counted('add.onnx', { signature });
    await handler({
      inputs: [
        { name: 'a', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] },
        { name: 'b', shape: [1, 1], datatype: 'FP32', data: [0] },
      ],
    });
    expect(sums()).toMatchObject({ Requests: 1, ColdStart: 1 });
  });
});
