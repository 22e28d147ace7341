import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { elementCount, exampleShape, exampleValue } from '../../../core/catalog/example.ts';
import { PAYLOAD_BYTES } from '../../../core/endpoint/contract.ts';
import { caseLines, readCase } from '../../../core/gate/cases.ts';
import { printExact } from '../../../core/gate/json.ts';
import type { PlainTensor } from '../../../core/gate/tensors.ts';
import type { Signature, TensorSpec } from '../../../core/tensor/contract.ts';
import { usage } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';

/** What is sent, and what should come back. */
export type BenchRequest = {
  readonly body: string;
  readonly rows: number;
  readonly inputs: readonly PlainTensor[];
  /** Absent where nobody says; then any answer that fits the signature is right. */
  readonly outputs?: readonly PlainTensor[];
};

export type BenchRequests = {
  readonly from: string;
  readonly all: readonly [BenchRequest, ...BenchRequest[]];
};

/** Cases that are sent in turn: more would only take memory. */
const MOST = 1000;

/**
 * The requests of a bench: those of `--path`, else the cases of the gate, else one made of the signature.
 *
 * @param path a file with cases, JSON lines, or one request
 */
export async function benchRequests(
  model: Model,
  { inputs }: Signature,
  path: string | undefined,
  serviceDir: string,
): Promise<BenchRequests> {
  const file = path ?? model.gate?.cases;
  if (file === undefined) return { from: 'made of the signature', all: [madeOf(inputs)] };
  const key = path === undefined ? `models.${model.name}.gate.cases` : '--path';
  const text = await readFile(resolve(serviceDir, file), 'utf8').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw usage(key, `cannot be read: ${why}.`, 'Name a file of cases, JSON lines of {inputs, outputs}.');
  });
  const all = caseLines(text)
    .slice(0, MOST)
    .map(({ line, start, end }): BenchRequest => {
      const read = readCase(text.slice(start, end));
      if ('fault' in read)
        throw usage(key, `${file}, line ${line}: ${read.fault}`, 'Write {inputs, outputs}, one a line.');
      const { request, outputs } = read;
      const rows = isFree(inputs) ? rowsOf(read.inputs) : 1;
      return { body: within(key, request), rows, inputs: read.inputs, ...(outputs && { outputs }) };
    });
  const [first, ...others] = all;
  if (first === undefined) throw usage(key, `${file} has no case.`, 'Write {inputs, outputs}, one a line.');
  return { from: `of ${file}`, all: [first, ...others] };
}

function within(key: string, body: string): string {
  const bytes = Buffer.byteLength(body);
  if (bytes <= PAYLOAD_BYTES) return body;
  const limit = PAYLOAD_BYTES / 1024 ** 2;
  throw usage(
    key,
    `makes a request of ${(bytes / 1024 ** 2).toFixed(1)} MB; Lambda takes ${limit} MB.`,
    'Send fewer rows at a time.',
  );
}

function madeOf(specs: readonly TensorSpec[]): BenchRequest {
  const inputs = specs.map(({ name, datatype, shape: free }) => {
    const shape = exampleShape(free);
    return { name, datatype, shape, data: Array(elementCount(shape)).fill(exampleValue(datatype)) };
  });
  return { body: within('--path', printExact({ inputs })), rows: 1, inputs };
}

/** The first dimension of every input is free: as many rows as one likes go into a request. */
export const isFree = (inputs: readonly TensorSpec[]): boolean =>
  inputs.length > 0 && inputs.every(({ shape }) => shape[0] === -1);

const rowsOf = (inputs: readonly PlainTensor[]): number => inputs[0]?.shape[0] ?? 1;

/** The same request with about so many rows: its own, again and again. */
export function repeated({ inputs, outputs, rows }: BenchRequest, wanted: number): BenchRequest {
  const times = Math.max(1, Math.floor(wanted / Math.max(1, rows)));
  const many = (tensors: readonly PlainTensor[]): readonly PlainTensor[] =>
    tensors.map(({ shape: [first = 0, ...rest], data, ...tensor }) => ({
      ...tensor,
      shape: [first * times, ...rest],
      data: Array.from({ length: times }, () => data).flat(),
    }));
  const all = many(inputs);
  // An output without rows of its own says the same of them all, and is not known.
  const known = outputs?.every(({ shape }) => shape[0] === rows) ? many(outputs) : undefined;
  return {
    body: within('--rows', printExact({ inputs: all })),
    rows: rows * times,
    inputs: all,
    ...(known && { outputs: known }),
  };
}
