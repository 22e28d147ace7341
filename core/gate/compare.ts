import { isObject } from '../json/is-object.ts';
import type { Difference } from './contract.ts';
import { flatten, isShape, type PlainTensor } from './tensors.ts';

/** What is expected of one output; a reference tells no datatype. */
export type ExpectedTensor = Omit<PlainTensor, 'datatype'> & { readonly datatype?: string };

export type Compared = {
  /** The first SHOWN. */
  readonly differences: readonly Difference[];
  readonly more: number;
};

/** Differences listed of one case. */
const SHOWN = 5;
/** Characters of a value. */
const TEXT = 60;

/**
 * An infer response against what is expected: every expected output by name, datatype, shape and elements.
 * Floats may differ by `tolerance · max(1, |expected|)`: absolute near 0, where a relative bound would ask
 * for more than floats can do, and relative above. Two NaN are equal, infinities only to themselves;
 * integers, booleans and texts must be the same. Outputs that nobody expects are passed over. Never throws,
 * whatever the answer is.
 */
export function compare(expected: readonly ExpectedTensor[], answer: unknown, tolerance: number): Compared {
  const found = collector();
  const outputs = isObject(answer) && Array.isArray(answer.outputs) ? answer.outputs : undefined;
  if (outputs === undefined) {
    found.add({ at: 'answer', expected: 'outputs', got: refusalOf(answer) ?? shown(answer) });
    return found.compared();
  }
  for (const want of expected) {
    const got: unknown = outputs.find((output) => isObject(output) && output.name === want.name);
    const at = nameOf(want.name);
    if (!isObject(got)) found.add({ at, expected: 'an output', got: 'none' });
    else compareOutput(want, got, at, tolerance, found.add);
  }
  return found.compared();
}

type Add = (difference: Difference) => void;

function compareOutput(
  want: ExpectedTensor,
  { datatype, shape, data }: Readonly<Record<string, unknown>>,
  at: string,
  tolerance: number,
  add: Add,
): void {
  if (want.datatype !== undefined && datatype !== want.datatype) {
    add({
      at: `${at}.datatype`,
      expected: want.datatype,
      got: typeof datatype === 'string' ? cut(datatype) : shown(datatype),
    });
    return;
  }
  if (!isShape(shape) || shape.join() !== want.shape.join()) {
    const got = isShape(shape) ? cut(`[${shape.join(', ')}]`) : 'none';
    add({ at: `${at}.shape`, expected: cut(`[${want.shape.join(', ')}]`), got });
    return;
  }
  const flat = Array.isArray(data) ? flatten(data) : [];
  if (flat.length !== want.data.length) {
    add({ at: `${at}.data`, expected: `${want.data.length} elements`, got: `${flat.length} elements` });
    return;
  }
  const isFloat = typeof datatype === 'string' && datatype.startsWith('FP');
  for (let i = 0; i < flat.length; i++) {
    const one = want.data[i];
    const other = flat[i];
    if (isFloat ? close(one, other, tolerance) : same(one, other)) continue;
    const difference = differenceOf(one, other);
    add({
      at: `${at}${place(i, want.shape)}`,
      expected: shown(one),
      got: shown(other),
      ...(difference !== undefined && { difference }),
    });
  }
}

function close(expected: unknown, got: unknown, tolerance: number): boolean {
  if (!isNumber(expected) || !isNumber(got)) return false;
  const [a, b] = [Number(expected), Number(got)];
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  return Number.isFinite(a) && Number.isFinite(b) && Math.abs(b - a) <= tolerance * Math.max(1, Math.abs(a));
}

/** A whole number may be a number on one side and a bigint on the other. */
function same(expected: unknown, got: unknown): boolean {
  if (isNumber(expected) && isNumber(got))
    // biome-ignore lint/suspicious/noDoubleEquals: between a number and a bigint it compares values, exactly
    return expected == got;
  return !isObject(expected) && !Array.isArray(expected) && expected === got;
}

const isNumber = (value: unknown): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';

function differenceOf(expected: unknown, got: unknown): number | undefined {
  if (!isNumber(expected) || !isNumber(got)) return undefined;
  const exact = typeof expected === 'bigint' && typeof got === 'bigint';
  const difference = exact ? Number(got - expected) : Number(got) - Number(expected);
  return Number.isFinite(difference) ? difference : undefined;
}

/** `[1, 0]` of the third element of shape [2, 2]; nothing of a scalar. */
function place(index: number, shape: readonly number[]): string {
  if (shape.length === 0) return '';
  const places: number[] = [];
  let rest = index;
  for (const dimension of shape.toReversed()) {
    places.unshift(rest % dimension);
    rest = Math.floor(rest / dimension);
  }
  return `[${places.join(', ')}]`;
}

const nameOf = (name: string): string => cut(/^[\w.:/-]+$/.test(name) ? name : JSON.stringify(name));

/** `WRONG_VALUE: $.inputs[0] …` of the endpoint's own refusal. */
export function refusalOf(answer: unknown): string | undefined {
  if (!isObject(answer) || typeof answer.error !== 'string') return undefined;
  return cut(plain(typeof answer.code === 'string' ? `${answer.code}: ${answer.error}` : answer.error), 200);
}

/** A value as JSON writes it; of what cannot be an element its kind. */
function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return cut(JSON.stringify(value));
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
    case 'boolean':
      return cut(String(value));
    case 'undefined':
      return 'nothing';
    default:
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
  }
}

/** One line that a terminal may show. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: taken out
export const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');

export const cut = (text: string, length: number = TEXT): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;

function collector() {
  const differences: Difference[] = [];
  let more = 0;
  return {
    add: (difference: Difference): void => {
      if (differences.length < SHOWN) differences.push(difference);
      else more += 1;
    },
    compared: (): Compared => ({ differences, more }),
  };
}
