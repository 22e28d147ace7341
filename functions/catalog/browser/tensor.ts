/**
 * What a person typed into a field, as the JSON of a tensor. Values go into the request as they were typed,
 * so that a 64-bit integer keeps its last digit.
 */

/** How a field's tensor is written: one value, a row a line, or a JSON array. */
type Field = {
  readonly name: string;
  readonly datatype: string;
  /** −1 is a dimension of any length. */
  readonly shape: readonly number[];
  readonly kind: string | undefined;
  /** Each element, where nothing is written. */
  readonly fill: string | undefined;
};
/** `data` is JSON. */
type Written = { readonly shape: readonly number[]; readonly data: string };

const INTEGER = /^-?(0|[1-9]\d*)$/;
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

const onesOf = (shape: readonly number[]): readonly number[] =>
  shape.map((dimension) => (dimension < 0 ? 1 : dimension));

/** Characters that the fill of a field will have, before there is any; 0 where something is written. */
export const filled = ({ shape, fill }: Pick<Field, 'shape' | 'fill'>, text: string): number =>
  fill !== undefined && text.trim() === '' ? product(onesOf(shape)) * (fill.length + 1) : 0;

/** A request has 6 MB at most. */
const MOST = 6_291_456;

/** @throws an Error whose message says to a person what to write */
export function tensorText({ name, datatype, shape, kind, fill }: Field, text: string): string {
  const ones = onesOf(shape);
  const length = filled({ shape, fill }, text);
  let written: Written;
  if (length > MOST) {
    throw new Error(`Left empty, it would be ${Math.ceil(length / 1e6)} MB; a request has 6 MB at most.`);
  } else if (length > 0) {
    written = { shape: ones, data: `[${Array(product(ones)).fill(fill).join(',')}]` };
  } else if (kind === 'one') {
    written = { shape: ones, data: `[${single(text, datatype)}]` };
  } else {
    written = kind === 'rows' ? rows(text, shape, datatype) : array(text, shape);
  }
  return `{"name": ${JSON.stringify(name)}, "shape": ${JSON.stringify(written.shape)}, "datatype": "${datatype}", "data": ${written.data}}`;
}

function single(text: string, datatype: string): string {
  if (datatype === 'BYTES') return JSON.stringify(text);
  if (datatype === 'BOOL') return text;
  const value = text.trim();
  const isFloat = datatype.startsWith('FP');
  if (!(isFloat ? NUMBER : INTEGER).test(value)) {
    throw new Error(isFloat ? 'Write a number, for example 0.5.' : 'Write a whole number.');
  }
  return value;
}

function parseList(text: string, hint: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(hint);
  }
  if (!Array.isArray(value)) throw new Error(hint);
  return value;
}

function rows(text: string, [tall = -1, wide = -1]: readonly number[], datatype: string): Written {
  const hint =
    datatype === 'BYTES' ? 'separate strings in "quotes" by commas.' : 'separate values by commas.';
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) throw new Error('Write at least one row.');
  if (tall >= 0 && lines.length !== tall) throw new Error(`Write ${tall} rows; there are ${lines.length}.`);
  const widths = lines.map((line, index) => parseList(`[${line}]`, `Row ${index + 1}: ${hint}`).length);
  const width = wide >= 0 ? wide : (widths[0] ?? 0);
  const wrong = widths.findIndex((found) => found !== width);
  if (wrong >= 0) throw new Error(`Row ${wrong + 1} has ${widths[wrong]} values instead of ${width}.`);
  return { shape: [lines.length, width], data: `[${lines.map((line) => `[${line}]`).join(', ')}]` };
}

const product = (shape: readonly number[]): number => shape.reduce((all, dimension) => all * dimension, 1);

function nesting(value: unknown, found: readonly number[]): readonly number[] {
  return Array.isArray(value) ? nesting(value[0], [...found, value.length]) : found;
}

function array(text: string, shape: readonly number[]): Written {
  const value = parseList(text, 'Write a JSON array.');
  const nested = nesting(value, []);
  if (nested.length === shape.length) {
    const wrong = shape.findIndex((dimension, index) => dimension >= 0 && dimension !== nested[index]);
    if (wrong >= 0) throw new Error(`Dimension ${wrong + 1} is ${nested[wrong]} instead of ${shape[wrong]}.`);
    return { shape: nested, data: text };
  }
  if (nested.length > 1) throw new Error(`Nest ${shape.length} deep, or write one flat array.`);
  const free = shape.filter((dimension) => dimension < 0).length;
  if (free > 1) throw new Error(`With ${free} free dimensions, nest the array ${shape.length} deep.`);
  const known = product(shape.filter((dimension) => dimension >= 0));
  const length = free === 1 ? value.length / known : 1;
  if (free === 0 ? value.length !== known : !Number.isInteger(length)) {
    const due = free === 0 ? ` instead of ${known}` : `, not a multiple of ${known}`;
    throw new Error(`There are ${value.length} values${due}.`);
  }
  return { shape: shape.map((dimension) => (dimension < 0 ? length : dimension)), data: text };
}
