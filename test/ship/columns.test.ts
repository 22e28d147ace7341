/**
 * A table whose columns are in another order, by every way that rows come: the labels are right, or the
 * columns are named.
 */
import { readFile } from 'node:fs/promises';
import Module from 'node:module';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Entry, Format } from '../../core/batch/contract.ts';
import { openRows } from '../../core/batch/formats.ts';
import { runOf } from '../../core/batch/model.ts';
import type { Manifest } from '../../core/endpoint/contract.ts';
import { createHandler } from '../../functions/infer/handler.ts';
import { openSession } from '../../functions/runtime/session.ts';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import type { Model } from '../../plugins/models/declaration/model.ts';
import { parseModels } from '../../plugins/models/declaration/parse.ts';
import { shipModel, unpack } from '../../plugins/models/ship/ship.ts';
import { ENTRY } from '../unit/core/batch/scene.ts';
import { objectFaultOf, sourceOf } from '../unit/core/tabular/setup.ts';
import { field, message } from '../unit/plugins/models/artifact/onnx/onnx-writer.ts';
import { FIXTURES, newService, problemOf } from './setup.ts';

const service = newService();
const WIDTH = 30;
const ROWS = 320;
const NAMES = Array.from({ length: WIDTH }, (_, i) => `feature ${i}`);
/** Columns of one size each, as those of a real table are: in another order a row is another one. */
const value = (row: number, column: number): number =>
  Math.fround((1 + Math.sin(row * 7 + column * 3)) * 10 ** ((column % 5) - 2));
const IN_ORDER = NAMES.map((_, i) => i);
const REVERSED = IN_ORDER.toReversed();

type Order = readonly number[];
const row = (at: number, order: Order): readonly number[] => order.map((column) => value(at, column));
const rows = <T>(of: (at: number) => T): T[] => Array.from({ length: ROWS }, (_, at) => of(at));
const csv = (order: Order, names: readonly string[] = NAMES): string =>
  [order.map((column) => names[column]), ...rows((at) => row(at, order))]
    .map((line) => `${line.join()}\n`)
    .join('');
const jsonl = (order: Order, names: readonly string[] = NAMES): string =>
  rows((at) =>
    JSON.stringify(Object.fromEntries(order.map((column) => [names[column] as string, value(at, column)]))),
  )
    .map((line) => `${line}\n`)
    .join('');
const parquet = (order: Order, names: readonly string[] = NAMES): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: order.map((column) => ({
        name: names[column] as string,
        data: rows((at) => value(at, column)),
        type: 'DOUBLE' as const,
      })),
    }),
  );
const WRITE = { csv, jsonl, parquet };
const FORMATS = Object.keys(WRITE) as (keyof typeof WRITE)[];
const other = NAMES.map((name, i) => (i === 4 ? 'another' : name));

beforeAll(async () => {
  process.env.NODE_PATH = await hostRuntime();
  // Node reads NODE_PATH when it starts; this makes it read it again.
  (Module as unknown as { _initPaths(): void })._initPaths();
  const bytes = await readFile(join(FIXTURES, 'logreg.onnx'));
  await service.write('plain.onnx', bytes);
  // A message of protobuf goes on with what is appended.
  const property = field(14, message(field(1, 'columns'), field(2, JSON.stringify(NAMES))));
  await service.write('named.onnx', message(bytes, property));
  await service.write(
    'wrong.onnx',
    message(bytes, field(14, message(field(1, 'columns'), field(2, '["a"]')))),
  );
  await service.write('reference.csv', csv(IN_ORDER));
  await service.write('reversed.csv', csv(REVERSED));
  await service.write('other.csv', csv(IN_ORDER, other));
});

function declared(more: object): Model {
  const batch = [{ input: 's3://incoming/', output: 's3://scored/' }];
  const { models, problems } = parseModels({ churn: { artifact: 'plain.onnx', batch, ...more } });
  expect(problems).toEqual([]);
  return models[0] as Model;
}

let runs = 0;
/** What is in the function: its manifest, and its model to ask. */
async function shipped(more: object) {
  const { content, facts } = await shipModel(declared(more), service.context());
  runs += 1;
  const dir = join(service.context().outDir, `unpacked-${runs}`);
  await unpack(content, dir);
  const [, text = ''] =
    /^const MODELS_MANIFEST=(.*);$/m.exec(await readFile(join(dir, 'handler.mjs'), 'utf8')) ?? [];
  const manifest = JSON.parse(text) as Manifest;
  process.env.LAMBDA_TASK_ROOT = dir;
  const session = await openSession(manifest, { ...process.env, LAMBDA_TASK_ROOT: dir });
  const run = runOf(manifest, session, {});
  const batchLabels = async (format: Format, content: string | Uint8Array) => {
    const entry: Entry = { ...ENTRY, format };
    const opened = await openRows(entry, sourceOf(content), manifest);
    const labels: number[] = [];
    for await (const block of opened.all(2 ** 20)) {
      expect(block.faults).toEqual([]);
      const { outputs } = await run(block.tensors);
      labels.push(...Array.from(outputs.label?.data as BigInt64Array, Number));
    }
    return { labels, taken: opened.taken };
  };
  const handler = await createHandler(manifest, {}, () => {});
  const invocations = async (type: string, body: string) => {
    const answer = (await handler({
      version: '2.0',
      rawPath: '/invocations',
      requestContext: { http: { method: 'POST', path: '/invocations' }, requestId: 'r' },
      headers: { 'content-type': type },
      body,
      isBase64Encoded: false,
    })) as { statusCode: number; body: string };
    const { predictions, ...refusal } = JSON.parse(answer.body);
    return predictions?.map(({ label }: { label: number }) => label) ?? refusal;
  };
  return { manifest, facts, batchLabels, invocations };
}
const asJson = (text: string): string => `{"instances":[${text.trim().split('\n').join()}]}`;

const NAMED = [
  ['`columns`', { columns: NAMES }, true],
  ['the model’s metadata', { artifact: 'named.onnx' }, true],
  ['the header of the reference data', { drift: { baseline: 'reference.csv' } }, false],
] as const;

describe.each(NAMED)('a file whose columns are reversed, and names by %s', (_, more, bind) => {
  it('has the labels of the one in order, however it comes', async () => {
    const plain = await shipped({});
    const { labels } = await plain.batchLabels('csv', csv(IN_ORDER));
    expect(new Set(labels)).toEqual(new Set([0, 1]));
    // Without names nobody can know, and other rows have other labels.
    expect((await plain.batchLabels('csv', csv(REVERSED))).labels).not.toEqual(labels);

    const model = await shipped(more);
    expect(model.manifest.columns).toEqual({ names: NAMES, bind });
    for (const format of FORMATS)
      expect(await model.batchLabels(format, WRITE[format](REVERSED)), format).toEqual({
        labels,
        taken: { by: 'name', notices: [] },
      });
    expect(await model.invocations('text/csv', csv(REVERSED))).toEqual(labels);
    expect(await model.invocations('application/jsonlines', jsonl(REVERSED))).toEqual(labels);
    expect(await model.invocations('application/json', asJson(jsonl(REVERSED)))).toEqual(labels);
  });
});

describe.each(NAMED.slice(0, 2))('a file that lacks a column of %s', (_, more) => {
  it('is refused with its name, however it comes', async () => {
    const model = await shipped(more);
    for (const format of ['csv', 'parquet'] as const)
      expect(
        await objectFaultOf(() => model.batchLabels(format, WRITE[format](IN_ORDER, other))),
      ).toMatchObject({
        code: 'WRONG_HEADER',
        message: expect.stringMatching(/^It has no column feature 4;/),
      });
    const error = expect.stringContaining('"feature 4"');
    expect(await model.invocations('text/csv', csv(IN_ORDER, other))).toEqual({
      code: 'MISSING_INPUT',
      error,
    });
    expect(await model.invocations('application/jsonlines', jsonl(IN_ORDER, other))).toEqual({
      code: 'MISSING_INPUT',
      error,
    });
  });
});

describe('reference data whose columns are reversed', () => {
  it.each(NAMED.slice(0, 2))('are the same as those in order, by %s', async (_, more) => {
    const inOrder = await shipped({ ...more, drift: { baseline: 'reference.csv' } });
    const reversed = await shipped({ ...more, drift: { baseline: 'reversed.csv' } });
    expect(reversed.manifest.drift?.signals).toEqual(inOrder.manifest.drift?.signals);
  });

  it('that lack a column are refused with its name', async () => {
    const model = declared({ columns: NAMES, drift: { baseline: 'other.csv' } });
    expect(await problemOf(shipModel(model, service.context()))).toMatch(
      /^models\.churn\.drift\.baseline: other\.csv: It has no column feature 4;.* \[MODELS_REFERENCE\]$/,
    );
  });
});

describe('what is declared of inputs', () => {
  it('is in the manifests and in the identity where it is written, and else nowhere', async () => {
    const plain = await shipped({});
    for (const key of ['columns', 'missing', 'finite']) expect(plain.manifest).not.toHaveProperty(key);
    // What a person adds to a model without saying anything of its inputs starts no release.
    for (const more of [
      { missing: 'refuse', finite: false },
      { drift: { baseline: 'reference.csv' } },
      { batch: [{ input: 's3://incoming/', output: 's3://scored/', missing: 'nan' }] },
    ])
      expect((await shipped(more)).facts.identity).toBe(plain.facts.identity);
    const declared = await shipped({ columns: NAMES, missing: 'nan' });
    expect(declared.manifest).toMatchObject({ columns: { names: NAMES, bind: true }, missing: 'nan' });
    expect((await shipped({ finite: true })).manifest).toMatchObject({ finite: true });
    expect(declared.facts.identity).not.toBe(plain.facts.identity);
  });

  it('that does not fit the model is refused', async () => {
    for (const [more, problem] of [
      [{ columns: ['a'] }, /^models\.churn\.columns: has 1 name, but the input X has 30 columns\./],
      [
        { artifact: 'wrong.onnx' },
        /^models\.churn\.artifact: has the metadata property `columns` with 1 name,/,
      ],
      [
        {
          columns: NAMES,
          batch: [{ input: 's3://incoming/', output: 's3://scored/', ids: ['feature 3'] }],
        },
        /^models\.churn\.batch\.0\.ids: names feature 3, which is a column of the model\./,
      ],
    ] as const)
      expect(await problemOf(shipModel(declared(more), service.context()))).toMatch(problem);
  });
});
