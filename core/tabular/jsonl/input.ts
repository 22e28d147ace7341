import { isRefusal } from '../../errors/refusals.ts';
import type { Datatype } from '../../tensor/contract.ts';
import { KINDS, type TensorData } from '../../tensor/datatypes.ts';
import { AT, FRACTION, stopped } from '../../tensor/decimal.ts';
import { FRESH_MEMORY } from '../../tensor/memory.ts';
import { readText } from '../../tensor/read-json.ts';
import { sizeOfShape } from '../../tensor/shape.ts';
import { isFloat, readValues } from '../../tensor/values.ts';
import { COMMA } from '../cells/cells.ts';
import { rowDimensions } from '../cells/layout.ts';
import { put, putRow, type RowStack, reshape, type Slot, type Wrong } from '../cells/row-buffer.ts';
import { CLOSE_BRACE } from './text.ts';

/** The values of a row's inputs, from JSON. */

export const invalidJson: Wrong = { code: 'INVALID_JSON', reason: 'The line is not valid JSON.' };
export const tooDeep: Wrong = { code: 'TOO_DEEP', reason: 'The row is nested deeper than 32.' };
/** The stack has room for the row's shape now, or a block must go first. */
export const AGAIN = Symbol('again');

/**
 * Puts an input's value into the stack, by the endpoint's own reader.
 * @param missing null is NaN, of floats
 */
export function readInput(
  text: string,
  slot: number,
  stack: RowStack,
  missing: boolean,
): Wrong | typeof AGAIN | undefined {
  const { spec, shape } = stack.slots[slot] as Slot;
  const due = rowDimensions(spec);
  const isList = text.startsWith('[');
  const list = isList ? text : `[${text}]`;
  try {
    if (due.some((dimension) => dimension < 0)) {
      const own = dimensionsOf(JSON.parse(list), due.length);
      if (own.length !== due.length || due.some((dimension, i) => dimension >= 0 && dimension !== own[i])) {
        return {
          code: 'WRONG_SHAPE',
          reason: `${spec.name} must be nested as [${due.join(', ')}], where -1 is any size.`,
        };
      }
      if (own.some((dimension, i) => dimension !== shape[i])) {
        const elements = sizeOfShape(own);
        // The first lengths of a ragged row multiply to any size. What its text cannot hold is read to be
        // refused, and no room is made for it.
        if (elements > mostElements(list)) elementsOf(list, spec.datatype, own, elements, spec.name, missing);
        reshape(stack, slot, own);
        return AGAIN;
      }
    }
    const own = shape.length === 0 ? [1] : shape;
    putRow(stack, slot, elementsOf(list, spec.datatype, own, sizeOfShape(shape), spec.name, missing));
    return undefined;
  } catch (error) {
    return wrongOf(error, (message) => (isList ? message : message.replace(`${spec.name}[0]`, spec.name)));
  }
}

/** The same for the value of one of an input's columns. */
export function readJsonColumn(
  text: string,
  name: string,
  slot: number,
  place: number,
  stack: RowStack,
  missing: boolean,
): Wrong | undefined {
  const { datatype } = (stack.slots[slot] as Slot).spec;
  try {
    put(stack, slot, place, elementsOf(`[${text}]`, datatype, [1], 1, name, missing), 0);
    return undefined;
  } catch (error) {
    return wrongOf(error, (message) => message.replace(`${name}[0]`, name));
  }
}

/** An element takes a digit and a comma at least, of which the last one has a bracket. */
const mostElements = (list: string): number => Math.floor(list.length / 2);

/** @param list text of an array */
function elementsOf(
  list: string,
  datatype: Datatype,
  shape: readonly number[],
  elements: number,
  name: string,
  missing: boolean,
): TensorData {
  if (!missing || datatype === 'BYTES' || !isFloat(datatype) || !list.includes('null'))
    return readText(list, datatype, shape, elements, name, FRESH_MEMORY);
  const out = KINDS[datatype].allocate(Math.min(elements, mostElements(list)));
  readValues(JSON.parse(list), datatype, shape, elements, out, name, true);
  return out;
}

function wrongOf(error: unknown, worded: (message: string) => string): Wrong {
  if (error instanceof SyntaxError) return invalidJson;
  if (!isRefusal(error)) throw error;
  const { code, message } = error;
  if (code === 'INVALID_JSON') return invalidJson;
  if (code === 'TOO_DEEP') return tooDeep;
  return { code, reason: worded(message) };
}

/** The lengths of the first of each array; whether the others are as long is seen when they are read. */
function dimensionsOf(value: unknown, rank: number): number[] {
  const found: number[] = [];
  for (let inner = value; Array.isArray(inner) && found.length < rank; inner = inner[0])
    found.push(inner.length);
  return found;
}

/** Are its elements numbers, other than true and false? */
export const isNumeric = (slot: Slot | undefined): boolean =>
  slot !== undefined && slot.spec.datatype !== 'BYTES' && slot.spec.datatype !== 'BOOL';

/** The same, of one element a row. */
export const isNumber = (slot: Slot | undefined): boolean =>
  slot !== undefined && isNumeric(slot) && rowDimensions(slot.spec).every((one) => one === 1);

/**
 * Is it, as `decimal` has read it, a number of JSON and of the datatype? All others are left to the
 * endpoint's own rules.
 */
export function isPlainNumber(
  value: number,
  bytes: Uint8Array,
  start: number,
  slot: Slot | undefined,
): boolean {
  if (Number.isNaN(value) || slot === undefined) return false;
  const { datatype } = slot.spec;
  const first = bytes[start] === 45 ? start + 1 : start;
  const isJson =
    bytes[start] !== 43 &&
    bytes[first] !== 46 &&
    (bytes[first] !== 48 || (bytes[first + 1] as number) < 48 || (bytes[first + 1] as number) > 57) &&
    stopped[FRACTION] !== 1;
  const after = bytes[stopped[AT] as number] as number;
  if (!isJson || (after !== COMMA && after !== CLOSE_BRACE && after > 32)) return false;
  if (datatype === 'BYTES') return false;
  const { least, greatest } = KINDS[datatype];
  return value >= least && value <= greatest && (datatype.startsWith('FP') || Number.isInteger(value));
}
