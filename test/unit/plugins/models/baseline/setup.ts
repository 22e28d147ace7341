import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { Columns, Datatype, Signature, TensorSpec } from '../../../../../core/tensor/contract.ts';
import { onnxFormat } from '../../../../../plugins/models/artifact/onnx/format.ts';
import { type ShippedBaseline, shipBaseline } from '../../../../../plugins/models/baseline/baseline.ts';
import { isProblemError } from '../../../../../plugins/models/problems/errors.ts';

export const FILES = join(import.meta.dirname, '..', '..', '..', '..', 'fixtures', 'reference');

export const input = (name: string, datatype: Datatype, ...shape: readonly number[]): TensorSpec => ({
  name,
  datatype,
  shape: [-1, ...shape],
});

export function newFolder() {
  const folder = { path: '' };
  const words: (string | undefined)[] = [];
  const before = process.env.SERVERLESS_MODELS_CACHE;
  beforeAll(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'models-reference-'));
    process.env.SERVERLESS_MODELS_CACHE = join(folder.path, 'cache');
  });
  afterAll(async () => {
    if (before === undefined) delete process.env.SERVERLESS_MODELS_CACHE;
    else process.env.SERVERLESS_MODELS_CACHE = before;
    await rm(folder.path, { recursive: true, force: true });
  });
  const ship = (
    path: string,
    inputs: readonly TensorSpec[],
    more: Partial<Signature> = {},
    columns?: Columns,
  ) =>
    shipBaseline(
      'models.churn.drift.reference',
      path,
      {
        digest: '0'.repeat(64),
        graph: 'model.onnx',
        bytes: 1,
        signature: { inputs, outputs: [], omitted: [], ...more },
        ...(columns && { columns }),
        outputs: [],
        runtime: undefined,
        engine: onnxFormat.runtime,
      },
      { serviceDir: folder.path, progress: (text) => words.push(text) },
    );
  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder.path, name), content);
    return name;
  };
  return {
    /** What `progress` was told. */
    words,
    ship,
    path: () => folder.path,
    write,
    /** What a person is told of a file that is refused. */
    async refusal(
      path: string,
      inputs: readonly TensorSpec[],
      more: Partial<Signature> = {},
      columns?: Columns,
    ): Promise<string> {
      const error: unknown = await ship(path, inputs, more, columns).catch((reason: unknown) => reason);
      if (!isProblemError(error)) throw new Error('It is not refused.', { cause: error });
      const [problem, ...others] = error.problems;
      if (problem === undefined || others.length > 0 || problem.code !== 'MODELS_REFERENCE') throw error;
      if (problem.key !== 'models.churn.drift.reference') throw error;
      return `${problem.message} ${problem.fix}`;
    },
  };
}

/** Signals but for what a file's own bytes say. */
export const signalsOf = ({ baseline }: ShippedBaseline) => baseline.signals;

export const csv = (header: string, ...rows: readonly string[]): string =>
  `${[header, ...rows].join('\n')}\n`;
export const rowsOf = (count: number, of: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => of(i));

/** An array as numpy.save writes it. */
export function npy(header: string, data: Uint8Array = new Uint8Array(0), version = 1): Buffer {
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(header.length);
  else length.writeUInt32LE(header.length);
  return Buffer.concat([
    Buffer.from('\x93NUMPY', 'latin1'),
    Buffer.from([version, 0]),
    length,
    Buffer.from(header),
    data,
  ]);
}
/** Its header. */
export const head = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }\n`;
