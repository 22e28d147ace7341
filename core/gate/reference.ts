import { isObject } from '../json/is-object.ts';
import { recordsOf, rowOf } from '../tabular/csv/records.ts';
import { sizeOfShape } from '../tensor/shape.ts';
import type { ExpectedTensor } from './compare.ts';
import { parseGateJson, printExact } from './json.ts';
import { flatten, isShape, type PlainTensor } from './tensors.ts';

/**
 * A SageMaker endpoint as the reference: what its container takes is not written down anywhere that we could
 * read, so the usual bodies are tried in this order, and the first that is answered stays. Each may be absent
 * for inputs that it cannot say.
 *
 *   instances  {"instances": [row, …]}   TensorFlow Serving and SageMaker's own algorithms; with several
 *   inputs objects by name array      [row, …]                  scikit-learn and PyTorch containers, which
 *   make an array of the body csv        a row a line              XGBoost and others that take no JSON
 *   protocol   {"inputs": [{"name": …}]} Triton
 *
 * https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html,
 * https://github.com/aws/sagemaker-tensorflow-serving-container,
 * https://github.com/aws/sagemaker-inference-toolkit
 */
export const REFERENCE_FORMATS = ['instances', 'array', 'csv', 'protocol'] as const;
export type ReferenceFormat = (typeof REFERENCE_FORMATS)[number];

export const CONTENT_TYPE: Readonly<Record<ReferenceFormat, string>> = {
  instances: 'application/json',
  array: 'application/json',
  csv: 'text/csv',
  protocol: 'application/json',
};

/** @returns the body, or undefined where this format cannot say these inputs */
export function referenceBody(
  format: ReferenceFormat,
  inputs: readonly PlainTensor[],
  request: string,
): string | undefined {
  if (format === 'protocol') return request;
  const count = inputs[0]?.shape[0];
  if (count === undefined || inputs.some(({ shape }) => shape[0] !== count)) return undefined;
  const [only, ...others] = inputs;
  if (format === 'csv') return csvBody(inputs, count);
  if (only === undefined || others.length === 0) {
    const rows = only === undefined ? [] : rowsOf(only);
    return printExact(format === 'array' ? rows : { instances: rows });
  }
  if (format === 'array') return undefined;
  const columns = inputs.map((input) => ({ name: input.name, rows: rowsOf(input) }));
  const instances = Array.from({ length: count }, (_, i) =>
    Object.fromEntries(columns.map(({ name, rows }) => [name, rows[i]])),
  );
  return printExact({ instances });
}

/** All values of a row beside each other: of one input of rank 2, or of several with one value a row. */
function csvBody(inputs: readonly PlainTensor[], count: number): string | undefined {
  const fits = inputs.length === 1 ? inputs[0]?.shape.length === 2 : inputs.every(isColumn);
  if (!fits) return undefined;
  const lines = Array.from({ length: count }, (_, i) =>
    rowOf(
      inputs.flatMap(({ data, shape }) => {
        const width = sizeOfShape(shape.slice(1));
        return data.slice(i * width, (i + 1) * width).map((value) => printExact(value));
      }),
    ),
  );
  return lines.map((line) => `${line}\n`).join('');
}

const isColumn = ({ shape }: PlainTensor): boolean => sizeOfShape(shape.slice(1)) === 1;

/** A tensor as nested arrays, a row each. */
function rowsOf({ data, shape }: PlainTensor): readonly unknown[] {
  const nested = (from: number, [count, ...rest]: readonly number[]): unknown => {
    if (count === undefined) return data[from];
    const size = sizeOfShape(rest);
    return Array.from({ length: count }, (_, i) => nested(from + i * size, rest));
  };
  return nested(0, shape) as readonly unknown[];
}

/**
 * The reference's answer as what is expected of our outputs. Its shapes name no outputs, as a rule; our own
 * answer's names and shapes say which is meant.
 *
 * @param ours outputs of the version's own answer
 * @returns what to compare with, or why that cannot be told: a sentence without values
 */
export function expectedOf(
  contentType: string,
  body: string,
  ours: readonly PlainTensor[],
): readonly ExpectedTensor[] | { readonly fault: string } {
  if (/^\s*text\/csv\b/i.test(contentType)) return fromRows(csvRows(body), ours);
  let value: unknown;
  try {
    value = parseGateJson(body);
  } catch {
    // Some containers say so by a wrong type only.
    return /^[\s\d.,eE+-]+$/.test(body) ? fromRows(csvRows(body), ours) : { fault: 'answered no JSON' };
  }
  if (isObject(value) && Array.isArray(value.outputs) && isObject(value.outputs[0])) {
    return named(
      value.outputs.flatMap((output: unknown) => {
        if (!isObject(output) || typeof output.name !== 'string' || !Array.isArray(output.data)) return [];
        const shape = isShape(output.shape) ? output.shape : undefined;
        return [{ name: output.name, data: flatten(output.data), ...(shape && { shape }) }];
      }),
      ours,
    );
  }
  const whole = isObject(value) ? (value.predictions ?? value.outputs) : value;
  if (isObject(whole)) {
    const columns = Object.entries(whole).map(([name, data]) => ({ name, data: flatten([data]) }));
    return named(columns, ours);
  }
  if (Array.isArray(whole)) return fromRows(whole, ours);
  return { fault: 'answered neither predictions nor outputs' };
}

type Column = {
  readonly name: string;
  readonly data: readonly unknown[];
  readonly shape?: readonly number[];
};

/** Outputs by name; those that only the reference has are passed over. */
function named(columns: readonly Column[], ours: readonly PlainTensor[]): ReturnType<typeof expectedOf> {
  const expected = columns.flatMap(({ name, data, shape }) => {
    const own = ours.find((output) => output.name === name);
    return own === undefined ? [] : [like(own, data, shape)];
  });
  if (expected.length > 0) return expected;
  const names = columns.map(({ name }) => JSON.stringify(name.slice(0, 40))).join(', ') || 'nothing';
  return { fault: `names ${names}, and none of the model’s outputs` };
}

function fromRows(rows: readonly unknown[], ours: readonly PlainTensor[]): ReturnType<typeof expectedOf> {
  const records = rows.filter(isObject);
  if (records.length > 0) {
    if (records.length < rows.length) return { fault: 'answered rows of several kinds' };
    const names = Object.keys(records[0] ?? {});
    return named(
      names.map((name) => ({ name, data: flatten(records.map((record) => record[name])) })),
      ours,
    );
  }
  const values = flatten(rows);
  const [only, ...others] = ours;
  if (only !== undefined && others.length === 0) return [like(only, values)];
  const same = ours.filter(({ data }) => data.length === values.length);
  const [fitting] = same;
  if (fitting !== undefined && same.length === 1) return [like(fitting, values)];
  const beside = split(rows, ours);
  if (beside !== undefined) return beside;
  const names = (same.length > 0 ? same : ours).map(({ name }) => JSON.stringify(name)).join(', ');
  return {
    fault: `answered ${values.length} values without names, and they ${same.length > 0 ? 'may be any of' : 'fit none of'} ${names}`,
  };
}

/** All outputs of a row beside each other, as CSV has them. */
function split(
  rows: readonly unknown[],
  ours: readonly PlainTensor[],
): readonly ExpectedTensor[] | undefined {
  const widths = ours.map(({ shape }) => sizeOfShape(shape.slice(1)));
  const total = widths.reduce((sum, width) => sum + width, 0);
  const lines = rows.map((row) => (Array.isArray(row) ? flatten(row) : [row]));
  const fits =
    ours.every(({ shape }) => shape[0] === rows.length) && lines.every(({ length }) => length === total);
  if (!fits) return undefined;
  return ours.map((own, i) => {
    const from = widths.slice(0, i).reduce((sum, width) => sum + width, 0);
    return like(
      own,
      lines.flatMap((line) => line.slice(from, from + (widths[i] ?? 0))),
    );
  });
}

/**
 * Values in our output's shape and datatype: where the count differs, the shape that they would have as a
 * list.
 */
function like(own: PlainTensor, data: readonly unknown[], shape?: readonly number[]): ExpectedTensor {
  const fits = data.length === own.data.length;
  return {
    name: own.name,
    shape: shape ?? (fits ? own.shape : [data.length]),
    data: data.map((value) => elementOf(value, own.datatype)),
  };
}

/**
 * CSV knows texts only, Python’s JSON no booleans of numpy: the element as our datatype has it, or as it
 * came.
 */
function elementOf(value: unknown, datatype: string): unknown {
  if (datatype === 'BYTES') return typeof value === 'number' ? String(value) : value;
  if (datatype === 'BOOL') {
    const word = String(value).toLowerCase();
    return /^(true|1(\.0*)?)$/.test(word) ? true : /^(false|0(\.0*)?)$/.test(word) ? false : value;
  }
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'string') return value;
  const word = value.trim();
  if (/^[+-]?nan$/i.test(word)) return Number.NaN;
  if (/^[+-]?inf(inity)?$/i.test(word))
    return word.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^-?\d{16,}$/.test(word)) return BigInt(word);
  return word === '' || Number.isNaN(Number(word)) ? value : Number(word);
}

/** @returns rows of cells; a text that is no CSV is one cell */
function csvRows(text: string): readonly (readonly string[])[] {
  // XGBoost's container puts brackets around, and all rows into one line.
  const bare = text.trim().replace(/^\[|\]$/g, '');
  return recordsOf(bare) ?? [[bare]];
}
