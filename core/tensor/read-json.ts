import { refusal } from '../errors/refusals.ts';
import type { Datatype } from './contract.ts';
import { KINDS, type TensorData } from './datatypes.ts';
import type { Memory } from './memory.ts';
import { placeInArray, type ScanFault, scanArray } from './scan.ts';
import { mustBe, outOfRange, readValues } from './values.ts';

/**
 * A tensor from the text of a JSON array.
 * @param path what the array is called in refusals
 * @throws Refusal
 */
export function readText(
  span: string,
  datatype: Datatype,
  shape: readonly number[],
  elements: number,
  path: string,
  memory: Memory,
): TensorData {
  if (datatype === 'BYTES') return readList(parseSpan(span), datatype, shape, elements, path);
  // An element takes a digit and a comma at least: the text bounds what we allocate, whatever the shape says.
  if (elements * 2 > span.length) {
    throw refusal('WRONG_LENGTH', `${path} has fewer elements than the shape’s ${elements}.`);
  }
  const kind = KINDS[datatype];
  const { buffer, offset } = memory.take(elements * kind.size);
  const out = kind.view(buffer, offset, elements);
  const fault = scanArray(span, datatype, shape, out);
  if (fault === undefined) return out;
  throw refusalOf(fault, span, datatype, elements, path);
}

function parseSpan(span: string): unknown[] {
  try {
    return JSON.parse(span);
  } catch {
    throw refusal('INVALID_JSON', 'The body is not valid JSON.');
  }
}

function refusalOf(
  { reason, at }: ScanFault,
  span: string,
  datatype: Datatype,
  elements: number,
  path: string,
): Error {
  const place = `${path}${placeInArray(span, at)}`;
  switch (reason) {
    case 'syntax':
      return refusal('INVALID_JSON', `${path} is not a valid JSON array.`);
    case 'depth':
      return refusal('TOO_DEEP', `${place} is nested too deep.`);
    case 'kind':
      return refusal('WRONG_VALUE', `${place} ${mustBe(datatype)}`);
    case 'range':
      return refusal('WRONG_VALUE', `${place} ${outOfRange(datatype)}`);
    case 'nesting':
      return refusal('WRONG_LENGTH', `${place} is not nested as the shape is; flat data are fine, too.`);
    case 'length':
      return refusal('WRONG_LENGTH', `${path} does not have the elements of its shape, ${elements} in all.`);
  }
}

/**
 * The same of an array that is parsed already; its elements may be nested as the shape is.
 *
 * @throws Refusal
 */
export function readList(
  list: readonly unknown[],
  datatype: Datatype,
  shape: readonly number[],
  elements: number,
  path: string,
  missing = false,
): TensorData {
  // Nested data have fewer rows than elements; then the walk finds out.
  if (elements > list.length && !Array.isArray(list[0])) {
    throw refusal('WRONG_LENGTH', `${path} has ${list.length} elements; the shape says ${elements}.`);
  }
  const out: TensorData = datatype === 'BYTES' ? [] : KINDS[datatype].allocate(elements);
  readValues(list, datatype, shape, elements, out, path, missing);
  return out;
}
