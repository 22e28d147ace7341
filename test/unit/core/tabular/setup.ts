import { isObjectFault } from '../../../../core/errors/object-errors.ts';
import type { Part } from '../../../../core/tabular/cells/contract.ts';
import type { Block, RowFault, Rows, Source } from '../../../../core/tabular/cells/format.ts';
import type { Datatype, Signature, TensorSpec } from '../../../../core/tensor/contract.ts';

/** An object that comes in chunks of the given sizes, again and again. */
export function sourceOf(content: string | Uint8Array, chunks: readonly number[] = [65_536]): Source {
  const bytes = Buffer.from(content as Uint8Array);
  return {
    bytes: bytes.length,
    async *stream(start, end = bytes.length) {
      for (let p = start, i = 0; p < end; i++) {
        const next = Math.min(end, p + (chunks[i % chunks.length] as number));
        // A copy without anything around it, as a network gives.
        yield new Uint8Array(bytes.subarray(p, next));
        p = next;
      }
    },
    range: async (start, end) => new Uint8Array(bytes.subarray(start, end)),
  };
}

export const input = (name: string, datatype: Datatype, ...shape: readonly number[]): TensorSpec => ({
  name,
  datatype,
  shape: [-1, ...shape],
});
export const signature = (inputs: readonly TensorSpec[], more: Partial<Signature> = {}): Signature => ({
  inputs,
  outputs: [],
  omitted: [],
  ...more,
});

type Row = {
  readonly part: number;
  readonly row: number;
  readonly line: number | undefined;
  readonly values: Readonly<Record<string, readonly unknown[]>>;
  readonly carried: readonly unknown[];
};
export type Read = {
  readonly rows: readonly Row[];
  readonly faults: readonly (RowFault & { part: number })[];
};

/** All rows of some blocks, which must be as the shapes say. */
export async function readAll(...sources: readonly AsyncIterable<Block>[]): Promise<Read> {
  const rows: Row[] = [];
  const faults: (RowFault & { part: number })[] = [];
  for (const source of sources) {
    for await (const block of source) {
      const good = block.rows.length;
      if (block.read !== good + block.faults.length || block.read === 0) throw new Error('Rows are lost.');
      if (good === 0 && Object.keys(block.tensors).length > 0) throw new Error('Tensors without rows.');
      for (let i = 0; i < good; i++) {
        const values: Record<string, readonly unknown[]> = {};
        for (const [name, { shape, data }] of Object.entries(block.tensors)) {
          if (shape[0] !== good) throw new Error(`${name} has not as many rows as the block.`);
          const width = data.length / good;
          values[name] = Array.from(data.slice(i * width, (i + 1) * width) as Float64Array);
        }
        rows.push({
          part: block.part,
          row: block.rows[i] as number,
          line: block.lines?.[i],
          values,
          carried: block.carried.map((column) => column[i]),
        });
      }
      faults.push(...block.faults.map((fault) => ({ part: block.part, ...fault })));
    }
  }
  return { rows, faults };
}

/** By plan: each part from its own bytes. */
export async function readParts(rows: Rows, partBytes: number): Promise<Read & { parts: Part[] }> {
  const parts: Part[] = [];
  if (rows.plan === undefined || rows.part === undefined) throw new Error('It cannot be cut.');
  for await (const part of rows.plan(partBytes)) parts.push(part);
  return { parts, ...(await readAll(...parts.map(rows.part))) };
}

/** What an object is refused with. */
export async function objectFaultOf(work: () => unknown): Promise<{ code: string; message: string }> {
  try {
    await work();
  } catch (error) {
    if (isObjectFault(error)) return { code: error.objectFault, message: error.message };
    throw error;
  }
  throw new Error('It is not refused.');
}
