import { isObjectFault } from '../../../../core/errors/object-errors.ts';
import type { Part } from '../../../../core/tabular/cells/contract.ts';
import type { Block, Rows, Source } from '../../../../core/tabular/cells/format.ts';
import type { Datatype, Signature, TensorSpec } from '../../../../core/tensor/contract.ts';
import type { Tensors } from '../../../../core/tensor/tensors.ts';

export const input = (name: string, datatype: Datatype, ...shape: readonly number[]): TensorSpec => ({
  name,
  datatype,
  shape: [-1, ...shape],
});
export const signature = (...inputs: readonly TensorSpec[]): Signature => ({
  inputs,
  outputs: [],
  omitted: [],
});

/** An object in memory, whose reads are noted; `chunk` bytes come at a time. */
export function source(bytes: Uint8Array, chunk = 1000): Source & { readonly reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    reads,
    bytes: bytes.length,
    async *stream(start, end = bytes.length) {
      reads.push([start, end]);
      for (let at = start; at < end; at += chunk) yield bytes.slice(at, Math.min(end, at + chunk));
    },
    range(start, end) {
      reads.push([start, end]);
      return Promise.resolve(bytes.slice(start, end));
    },
  };
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The rows that blocks hold, as plain values, each with its number; faulty ones as their fault. */
export function rowsIn(blocks: readonly Block[]): unknown[] {
  return blocks.flatMap(({ rows, tensors, carried, faults, read }) => {
    if (rows.length + faults.length !== read)
      throw new Error(`${rows.length} + ${faults.length} of ${read} rows`);
    const good = Array.from(rows, (row, i) => ({
      row,
      ...rowOf(tensors, i),
      ...(carried.length > 0 && { carried: carried.map((values) => values[i]) }),
    }));
    return [...good, ...faults].sort((one, other) => one.row - other.row);
  });
}

function rowOf(tensors: Tensors, row: number): Record<string, unknown[]> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { data, shape }]) => {
      const width = shape.slice(1).reduce((product, one) => product * one, 1);
      if (data.length !== width * (shape[0] ?? 0)) throw new Error(`${name}: ${data.length} of ${shape}`);
      return [name, [...data.slice(row * width, (row + 1) * width)]];
    }),
  );
}

/** All rows by parts, each part in a run of its own, as the map does it. */
export async function byParts(rows: Rows, partBytes: number): Promise<{ parts: Part[]; blocks: Block[] }> {
  if (rows.plan === undefined || rows.part === undefined) throw new Error('The object cannot be cut.');
  const parts = await collected(rows.plan(partBytes));
  const blocks: Block[] = [];
  for (const part of parts) blocks.push(...(await collected(rows.part(part))));
  return { parts, blocks };
}

/** What a person is told of an object that cannot be read. */
export async function refusal(reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isObjectFault(error)) throw new Error('It is not refused.', { cause: error });
  return `${error.objectFault}: ${error.message}`;
}
