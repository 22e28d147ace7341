import { refusal } from '../errors/refusals.ts';
import { numberIn } from '../tabular/cells/cells.ts';
import {
  BY_NAME,
  firstOf,
  headerPlaces,
  IN_ORDER,
  isOfFractions,
  listOf,
  mayBeNames,
  type Taken,
} from '../tabular/cells/columns.ts';
import { parseRecords } from '../tabular/cells/csv.ts';
import { storeCell } from '../tabular/cells/store-cell.ts';
import type { Columns, TensorSpec } from '../tensor/contract.ts';
import { KINDS, type Tensor, type TensorData } from '../tensor/datatypes.ts';

/** What is known of the columns beside the signature. */
type Rules = { readonly columns?: Columns; readonly missing?: 'nan' };

/**
 * Tensors from CSV (RFC 4180), a row a line: all columns belong to the one input of rank 2, or each to one input. They are in the order of
 * the model, or as a first line with names says; which of both is told.
 *
 * @throws Refusal with row and column, both from 1, the first line not counted where it is a header
 */
export function parseCsv(
  text: string,
  inputs: readonly TensorSpec[],
  { columns: known, missing }: Rules = {},
): { readonly tensors: Record<string, Tensor>; readonly taken: Taken } {
  const records = parseRecords(text);
  const [only] = inputs;
  if (only !== undefined && inputs.length === 1 && only.shape.length === 2) {
    const { places, isHeader, taken } = columnsOf(records, only, known);
    const rows = isHeader ? records.slice(1) : records;
    const tensors = tensorsOf([{ spec: only, places }], rows, missing === 'nan', records[0]?.length ?? 0);
    return { tensors, taken };
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
  const [first = []] = records;
  const isNamed = first.length === names.length && names.every((name) => first.includes(name));
  const isHeader = isNamed || isNumbered(records);
  const order = isNamed ? first : names;
  const places = inputs.map((spec) => ({ spec, places: [order.indexOf(spec.name)] }));
  const tensors = tensorsOf(places, isHeader ? records.slice(1) : records, missing === 'nan', names.length);
  return { tensors, taken: isNamed ? BY_NAME : IN_ORDER };
}

/** A line alone is a row: nobody asks for none. */
const isNumbered = (records: readonly (readonly string[])[]): boolean =>
  records.length > 1 && firstOf(records[0] ?? [], -1) === 'numbered';

type Found = { readonly places?: readonly number[]; readonly isHeader: boolean; readonly taken: Taken };

/**
 * The places of the input's columns, and whether the first line has their names: all known ones, or no number at all. In a model of
 * texts, where a row looks like a header, the known names tell alone.
 */
function columnsOf(
  records: readonly (readonly string[])[],
  { datatype }: TensorSpec,
  known: Columns | undefined,
): Found {
  const [first = [], second = []] = records;
  const isLone = records.length === 1 && first.every((cell) => numberIn(cell) !== undefined);
  const places = known && !isLone ? headerPlaces(known, first) : undefined;
  if (places !== undefined) {
    checkHeader(records, first, known);
    return { places, isHeader: true, taken: BY_NAME };
  }
  if (isNumbered(records)) return { isHeader: true, taken: IN_ORDER };
  const isOfNames =
    datatype !== 'BYTES' &&
    first.length > 0 &&
    (first.every((cell) => numberIn(cell) === undefined) ||
      (known !== undefined &&
        first.some((cell) => numberIn(cell) === undefined && known.names.includes(cell))));
  if (!isOfNames) {
    const isOdd = mayBeNames(first) && isOfFractions(second);
    return { isHeader: false, taken: isOdd ? { by: 'order', notices: ['INTEGERS_FIRST'] } : IN_ORDER };
  }
  if (known?.bind) throw lacking(known.names.filter((name) => !first.includes(name)));
  checkHeader(records, first);
  return {
    isHeader: true,
    taken: known === undefined ? IN_ORDER : { by: 'order', notices: ['NAMES_DIFFER'] },
  };
}

/** @param known names that are all in the first line; it may have no other */
function checkHeader(
  records: readonly (readonly string[])[],
  first: readonly string[],
  known?: Columns,
): void {
  if (records.length === 1) throw refusal('INVALID_REQUEST', 'The body has a line of names, and no row.');
  if (known === undefined || first.length === known.names.length) return;
  const columns = listOf(known.names.map((name) => JSON.stringify(name)));
  const twice = first.findIndex((name, i) => first.indexOf(name) < i);
  if (twice >= 0)
    throw refusal(
      'DUPLICATE_NAME',
      `Column ${twice + 1} of the first line is there twice; the model’s columns are ${columns}.`,
    );
  const other = first.findIndex((name) => !known.names.includes(name));
  throw refusal(
    'UNKNOWN_INPUT',
    `Column ${other + 1} of the first line is none of the model’s, which are ${columns}.`,
  );
}

const lacking = (names: readonly string[]): Error =>
  refusal(
    'MISSING_INPUT',
    `The first line lacks the column${names.length === 1 ? '' : 's'} ${listOf(names.map((name) => JSON.stringify(name)))} of the model.`,
  );

/** `places`: of its columns in a record; absent: all of them. */
type Column = { readonly spec: TensorSpec; readonly places: readonly number[] | undefined };

function tensorsOf(
  inputs: readonly Column[],
  records: readonly (readonly string[])[],
  missing: boolean,
  width: number,
): Record<string, Tensor> {
  records.forEach((record, row) => {
    if (record.length !== width) {
      throw refusal('WRONG_LENGTH', `Row ${row + 1} has ${record.length} columns; ${width} are due.`);
    }
  });
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const { spec, places } of inputs) {
    const { datatype } = spec;
    const perRow = places?.length ?? width;
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
        const column = places?.[i] ?? i;
        const reason = storeCell(data, row * perRow + i, record[column] ?? '', datatype, missing);
        if (reason !== undefined) {
          throw refusal('WRONG_VALUE', `Row ${row + 1}, column ${column + 1} ${reason}`);
        }
      }
    });
    tensors[spec.name] = { datatype, shape, data: data as never };
  }
  return tensors;
}
