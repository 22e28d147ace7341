import type { Datatype } from '../../tensor/contract.ts';
import { KINDS, type NumericData, type TensorData } from '../../tensor/datatypes.ts';
import { cast, type Numeric } from '../cells/convert.ts';
import type { Block, Column, PartWriter } from '../cells/format.ts';
import { jsonOf } from '../cells/value-text.ts';
import { fileOf, type WrittenColumn, type WrittenElement } from './library.ts';

/** What an array takes in memory beside its elements, in bytes: blocks may be of one row. */
const ARRAY_BYTES = 200;

/** How a column is stored. */
type Stored = { readonly type: NonNullable<WrittenElement['type']>; readonly as: Datatype } & Pick<
  WrittenElement,
  'converted_type'
>;

const STORED: Readonly<Record<Datatype, Stored>> = {
  BOOL: { type: 'BOOLEAN', as: 'BOOL' },
  INT8: { type: 'INT32', as: 'INT32', converted_type: 'INT_8' },
  INT16: { type: 'INT32', as: 'INT32', converted_type: 'INT_16' },
  INT32: { type: 'INT32', as: 'INT32' },
  INT64: { type: 'INT64', as: 'INT64' },
  UINT8: { type: 'INT32', as: 'INT32', converted_type: 'UINT_8' },
  UINT16: { type: 'INT32', as: 'INT32', converted_type: 'UINT_16' },
  UINT32: { type: 'INT32', as: 'UINT32', converted_type: 'UINT_32' },
  UINT64: { type: 'INT64', as: 'UINT64', converted_type: 'UINT_64' },
  FP16: { type: 'FLOAT', as: 'FP32' },
  FP32: { type: 'FLOAT', as: 'FP32' },
  FP64: { type: 'DOUBLE', as: 'FP64' },
  BYTES: { type: 'BYTE_ARRAY', as: 'BYTES', converted_type: 'UTF8' },
};

/** A column's values, as they come by block. `add` gives the bytes that they take. */
type Kept = { readonly element: WrittenElement; readonly add: (block: Block, outputs: Outputs) => number } & (
  | { readonly datatype: Numeric; readonly numbers: NumericData[] }
  | { readonly values: unknown[] }
);
type Outputs = Parameters<PartWriter['add']>[1];

/**
 * Apache Parquet: outputs in their datatypes (FP16 as FLOAT), carried columns in those that they were read
 * in, else as texts: a text as it is, any other value as JSON. Faulty rows are not in it.
 *
 * @param datatypes of the outputs, by name
 * @param types of the carried columns, where their file says
 */
export function parquetWriter(
  columns: readonly Column[],
  datatypes: Readonly<Record<string, Datatype>>,
  types: readonly Datatype[] | undefined,
): PartWriter {
  const kept = columns.map((column): Kept => {
    if (column.of === 'row') return rowNumbers(column.name);
    if (column.of === 'output') return output(column, datatypes[column.output] ?? 'FP64');
    return carried(column.name, column.index, types?.[column.index]);
  });
  let rows = 0;
  let bytes = 0;
  return {
    add(block, outputs) {
      if (block.rows.length === 0) return;
      rows += block.rows.length;
      for (const { add } of kept) bytes += add(block, outputs);
    },
    size: () => bytes,
    end: () => file(kept, rows),
  };
}

const elementOf = (name: string, datatype: Datatype, isOptional: boolean): WrittenElement => {
  const { type, converted_type: converted } = STORED[datatype];
  const repetition = isOptional ? 'OPTIONAL' : 'REQUIRED';
  return { name, type, repetition_type: repetition, ...(converted && { converted_type: converted }) };
};

function rowNumbers(name: string): Kept {
  const numbers: NumericData[] = [];
  return {
    element: elementOf(name, 'INT64', false),
    datatype: 'INT64',
    numbers,
    add({ rows }) {
      const out = new BigInt64Array(rows.length);
      const from = {
        datatype: 'FP64',
        data: asDoubles(rows),
      } as const;
      cast(from, ALL, { datatype: 'INT64', data: out }, ALL, rows.length, ignore);
      numbers.push(out);
      return out.byteLength + ARRAY_BYTES;
    },
  };
}
/** A block's rows are doubles, unless some were taken out of it. */
const asDoubles = (rows: ArrayLike<number>): Float64Array<ArrayBuffer> =>
  rows instanceof Float64Array && rows.buffer instanceof ArrayBuffer
    ? (rows as Float64Array<ArrayBuffer>)
    : Float64Array.from(rows);
const ALL = { at: 0, step: 1 };
/** What a model answers fits the datatype that it says, and is checked for NaN before. */
const ignore = (): void => {};

function output(
  { name, output: of, index = 0 }: Column & { readonly of: 'output' },
  datatype: Datatype,
): Kept {
  const element = elementOf(name, datatype, false);
  const { as } = STORED[datatype];
  if (as === 'BYTES' || as === 'BOOL') {
    const values: unknown[] = [];
    return {
      element,
      values,
      add({ rows }, outputs) {
        const data: TensorData = outputs[of]?.data ?? [];
        const step = data.length / rows.length;
        for (let i = 0; i < rows.length; i++) {
          const value = data[i * step + index];
          values.push(as === 'BOOL' ? value === 1 : value);
        }
        return bytesOf(values, rows.length);
      },
    };
  }
  const numbers: NumericData[] = [];
  return {
    element,
    datatype: as,
    numbers,
    add({ rows }, outputs) {
      const data = (outputs[of]?.data ?? []) as NumericData;
      const out = KINDS[as].allocate(rows.length);
      const from = { datatype: datatype as Numeric, data };
      const run = { at: index, step: data.length / rows.length };
      cast(from, run, { datatype: as, data: out }, ALL, rows.length, ignore);
      numbers.push(out);
      return out.byteLength + ARRAY_BYTES;
    },
  };
}

/** Bytes of the last `count` values; what each takes in memory beside its text is counted, too. */
function bytesOf(values: readonly unknown[], count: number): number {
  let bytes = 16 * count;
  for (let i = values.length - count; i < values.length; i++) {
    const value = values[i];
    if (typeof value === 'string') bytes += value.length;
  }
  return bytes;
}

/** @param datatype absent where values are texts or JSON */
function carried(name: string, index: number, datatype: Datatype | undefined): Kept {
  const values: unknown[] = [];
  const isText = datatype === undefined || datatype === 'BYTES';
  const asText = (value: unknown): string | null =>
    value === null || value === undefined ? null : typeof value === 'string' ? value : jsonOf(value);
  return {
    element: elementOf(name, datatype ?? 'BYTES', true),
    values,
    add({ carried: all, rows }) {
      const column = all[index] ?? [];
      for (let i = 0; i < rows.length; i++) values.push(isText ? asText(column[i]) : (column[i] ?? null));
      return bytesOf(values, rows.length);
    },
  };
}

function file(columns: readonly Kept[], rows: number): Uint8Array {
  const bytes = columns.reduce(
    (sum, one) => sum + ('numbers' in one ? KINDS[one.datatype].size * rows : 0),
    0,
  );
  const whole = columns.map((column): WrittenColumn => {
    const { element } = column;
    if (!('numbers' in column)) return { element, values: column.values };
    return { element, numbers: joined(column.datatype, column.numbers, rows) };
  });
  return fileOf(whole, rows, bytes);
}

function joined(datatype: Numeric, parts: readonly NumericData[], rows: number): NumericData {
  const all = KINDS[datatype].allocate(rows);
  let at = 0;
  for (const part of parts) {
    (all as Float64Array).set(part as Float64Array, at);
    at += part.length;
  }
  return all;
}
