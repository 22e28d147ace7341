import { parseRecords } from '../shared/csv.ts';
import { refusal } from '../shared/http.ts';
import type { Datatype, TensorSpec } from './contract.ts';
import { KINDS, type Tensor, type TensorData } from './datatypes.ts';
import { isFiniteHalf, toHalf } from './half.ts';
import { mustBe, outOfRange, textFault } from './values.ts';

/**
 * Tensors from CSV (RFC 4180), a row a line: all columns belong to the one input of rank 2, or each to one input, in the
 * signature's order or as a first line with exactly the inputs' names says.
 *
 * @throws Refusal with row and column, both from 1
 */
export function parseCsv(text: string, inputs: readonly TensorSpec[]): Record<string, Tensor> {
  const records = parseRecords(text);
  const [only] = inputs;
  if (only !== undefined && inputs.length === 1 && only.shape.length === 2) {
    return tensorsOf([{ spec: only, columns: undefined }], records);
  }
  for (const { shape } of inputs) {
    const fits = shape.length === 1 || (shape.length === 2 && (shape[1] === 1 || shape[1] === -1));
    if (!fits) {
      throw refusal(
        'UNSUPPORTED_MEDIA_TYPE',
        'CSV has one value a row for each input, and an input of this model takes more; send JSON.',
      );
    }
  }
  const names = inputs.map(({ name }) => name);
  const [first] = records;
  const isHeader = first?.length === names.length && names.every((name) => first.includes(name));
  const order = isHeader && first !== undefined ? first : names;
  const columns = inputs.map((spec) => ({ spec, columns: order.indexOf(spec.name) }));
  return tensorsOf(columns, isHeader ? records.slice(1) : records, names.length);
}

type Column = { readonly spec: TensorSpec; readonly columns: number | undefined };

function tensorsOf(
  inputs: readonly Column[],
  records: readonly string[][],
  width = records[0]?.length ?? 0,
): Record<string, Tensor> {
  records.forEach((record, row) => {
    if (record.length !== width) {
      throw refusal('WRONG_LENGTH', `Row ${row + 1} has ${record.length} columns; ${width} are due.`);
    }
  });
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const { spec, columns } of inputs) {
    const { datatype } = spec;
    const perRow = columns === undefined ? width : 1;
    const shape = spec.shape.length === 1 ? [records.length] : [records.length, perRow];
    shape.forEach((dimension, i) => {
      const due = spec.shape[i] ?? -1;
      if (due >= 0 && dimension !== due) {
        const what = i === 0 ? 'rows' : 'columns';
        throw refusal('WRONG_SHAPE', `The body has ${dimension} ${what}; the model takes ${due}.`);
      }
    });
    const data: TensorData = datatype === 'BYTES' ? [] : KINDS[datatype].allocate(records.length * perRow);
    records.forEach((record, row) => {
      for (let i = 0; i < perRow; i++) {
        const column = columns ?? i;
        const reason = storeCell(data, row * perRow + i, record[column] ?? '', datatype);
        if (reason !== undefined) {
          throw refusal('WRONG_VALUE', `Row ${row + 1}, column ${column + 1} ${reason}`);
        }
      }
    });
    tensors[spec.name] = { datatype, shape, data: data as never };
  }
  return tensors;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d{1,20}$/;

/** @returns what is wrong with the cell, as the rest of a sentence */
export function storeCell(
  out: TensorData,
  index: number,
  cell: string,
  datatype: Datatype,
): string | undefined {
  if (datatype === 'BYTES') {
    (out as string[])[index] = cell;
    return textFault(cell);
  }
  const word = cell.trim();
  if (datatype === 'BOOL') {
    if (!/^(true|false|0|1)$/i.test(word)) return 'must be true, false, 1 or 0.';
    (out as Uint8Array)[index] = /^(true|1)$/i.test(word) ? 1 : 0;
    return undefined;
  }
  if (!NUMBER.test(word)) return mustBe(datatype);
  if (datatype === 'INT64' || datatype === 'UINT64') {
    if (!INTEGER.test(word)) return mustBe(datatype);
    const integer = BigInt(word.replace(/^\+/, ''));
    const wrapped = datatype === 'INT64' ? BigInt.asIntN(64, integer) : BigInt.asUintN(64, integer);
    if (wrapped !== integer) return outOfRange(datatype);
    (out as BigInt64Array)[index] = integer;
    return undefined;
  }
  const value = Number(word);
  if (datatype === 'FP16') {
    const bits = toHalf(value);
    if (!isFiniteHalf(bits)) return outOfRange(datatype);
    (out as Uint16Array)[index] = bits;
    return undefined;
  }
  const { least, greatest } = KINDS[datatype];
  if (!datatype.startsWith('FP') && !Number.isInteger(value)) return mustBe(datatype);
  const stored = datatype === 'FP32' ? Math.fround(value) : value;
  if (!(stored >= least && stored <= greatest)) return outOfRange(datatype);
  (out as Float64Array)[index] = stored;
  return undefined;
}
