import { AT, decimal, longDecimal, stopped } from '../../tensor/decimal.ts';
import { isFloat } from '../../tensor/values.ts';
import { textAt } from '../../text/utf8.ts';
import { COMMA, NEWLINE, QUOTE } from '../cells/cells.ts';
import { type Cursor, checkRowBytes } from '../cells/cursor.ts';
import { endRow, type RowStack, type Slot, type Wrong } from '../cells/row-buffer.ts';
import {
  AGAIN,
  invalidJson,
  isNumber,
  isNumeric,
  isPlainNumber,
  readInput,
  readJsonColumn,
  tooDeep,
} from './input.ts';
import { clearElements, type Places, readElements } from './reference.ts';
import {
  CLOSE_BRACE,
  COLON,
  FORBIDDEN,
  hasForbiddenKey,
  OPEN,
  OPEN_BRACE,
  parseExact,
  skipSpace,
  stringEnd,
  valueEnd,
} from './text.ts';

/** What a key of a row is: an input, carried, both, or neither where it is passed over. */
export type Key = {
  readonly name: string;
  /** Which of the inputs it is; −1 for none. */
  readonly slot: number;
  /** Which of the input's columns it is; −1 where it is all of the input. */
  readonly column: number;
  /** In reference data: the number of its first field, and how many elements it has. */
  readonly field?: number;
  readonly elements?: number;
  /** Which of the carried columns it is; −1 for none. */
  readonly carried: number;
  readonly isRequired: boolean;
};

const forbiddenKey: Wrong = {
  code: 'FORBIDDEN_KEY',
  reason: 'A key is named __proto__, which is not allowed.',
};
const encoding: Wrong = { code: 'INVALID_ENCODING', reason: 'The line is not UTF-8.' };
const notRow: Wrong = { code: 'INVALID_REQUEST', reason: 'The row must be a JSON object.' };
const notArray: Wrong = {
  code: 'INVALID_REQUEST',
  reason: 'The row must be a JSON object: an array is one for a model with one input, without ids and join.',
};
const otherThanFirst: Wrong = {
  code: 'INVALID_REQUEST',
  reason: 'The row is not what the first is: rows are all objects, or all arrays.',
};

/**
 * @param missing null is NaN, of floats
 * @param places of the columns of reference data
 * @returns a function that puts rows into the stack, as the `parse` of a dialect
 */
export function jsonlParser(
  keys: readonly Key[],
  isBare: boolean,
  stack: RowStack,
  missing: boolean,
  places?: Places,
): (cursor: Cursor, stop: number) => boolean {
  const numbers = new Map(keys.map(({ name }, i) => [name, i]));
  const names = keys.map(({ name }) => Buffer.from(JSON.stringify(name)));
  const required = keys.filter(({ isRequired }) => isRequired).length;
  const hasOptional = keys.some(({ isRequired, carried }) => !isRequired && carried >= 0);
  const isFast = keys.map(({ slot, column, carried, elements = 1 }) => {
    if (carried >= 0 || elements !== 1) return false;
    return column < 0 ? isNumber(stack.slots[slot]) : isNumeric(stack.slots[slot]);
  });
  const isFloating = keys.map(
    ({ slot }, i) => isFast[i] && isFloat((stack.slots[slot] as Slot).spec.datatype),
  );
  /** The key that came after it last time, by key: rows of one writer have one order. */
  const follow = Int32Array.from(keys, (_, i) => (i + 1) % keys.length);
  /** The number of the row that a key was last in, by key. */
  const seen = new Float64Array(keys.length);
  let stamp = 0;

  /** Where a value of the next good row goes: the only one of its input, or one of its columns. */
  const placeOf = (slot: number, column: number): number =>
    (stack.starts[slot] as number) +
    (column < 0 ? stack.good : stack.good * (stack.widths[slot] as number) + column);

  const readObject = (bytes: Uint8Array, start: number, end: number): Wrong | typeof AGAIN | undefined => {
    stamp++;
    let left = required;
    let members = 0;
    let last = keys.length - 1;
    let p = skipSpace(bytes, start + 1);
    if (bytes[p] !== CLOSE_BRACE) {
      for (;;) {
        if (bytes[p] !== QUOTE) return invalidJson;
        let key = (follow[last] ?? 0) as number;
        let q = matchEnd(bytes, p, names[key]);
        if (q < 0) {
          q = stringEnd(bytes, p, end);
          if (q < 0) return invalidJson;
          const found = keyAt(bytes, p, q);
          if (typeof found !== 'number') return found;
          key = found;
        }
        follow[last] = key;
        last = key;
        if (seen[key] === stamp) return duplicate((keys[key] as Key).name);
        seen[key] = stamp;
        members++;
        const { slot, column, isRequired } = keys[key] as Key;
        if (isRequired) left--;
        p = skipSpace(bytes, q);
        if (bytes[p] !== COLON) return invalidJson;
        p = skipSpace(bytes, p + 1);
        let value = isFast[key] ? decimal(bytes, p) : Number.NaN;
        if (isFloating[key] && Number.isNaN(value)) value = longDecimal(bytes, p);
        if (isPlainNumber(value, bytes, p, stack.slots[slot])) {
          stack.values[placeOf(slot, column)] = value;
          q = stopped[AT] as number;
        } else {
          q = valueEnd(bytes, p, end, 1);
          if (q === -2) return tooDeep;
          if (q <= p) return invalidJson;
          const wrong = general(bytes, p, q, keys[key] as Key);
          if (wrong !== undefined) return wrong;
        }
        p = skipSpace(bytes, q);
        if (bytes[p] === CLOSE_BRACE) break;
        if (bytes[p] !== COMMA) return invalidJson;
        p = skipSpace(bytes, p + 1);
      }
    }
    if (skipSpace(bytes, p + 1) !== end) return invalidJson;
    if (places !== undefined && members < keys.length) clearAbsent(places);
    return left === 0 && !hasOptional ? undefined : absent();
  };

  const clearAbsent = (places: Places): void => {
    for (const [i, { slot, field = 0, elements = 1 }] of keys.entries())
      if (slot >= 0 && seen[i] !== stamp) clearElements(field, elements, places, stack);
  };

  /** What is carried and not in the row has no value; what is required is missing. */
  const absent = (): Wrong | undefined => {
    for (const [i, { name, carried, slot, column, isRequired }] of keys.entries()) {
      if (seen[i] === stamp) continue;
      if (isRequired) {
        const what = slot < 0 ? 'one of ids' : `${column < 0 ? 'an input' : 'a column'} of the model`;
        return { code: 'MISSING_INPUT', reason: `${name} is missing, ${what}.` };
      }
      if (carried >= 0) (stack.carried[carried] as unknown[])[stack.good] = null;
    }
    return undefined;
  };

  const keyAt = (bytes: Uint8Array, from: number, to: number): number | Wrong => {
    const text = textAt(bytes, from, to);
    if (text === undefined) return encoding;
    let name: string;
    try {
      name = JSON.parse(text);
    } catch {
      return invalidJson;
    }
    if (name === FORBIDDEN) return forbiddenKey;
    return numbers.get(name) ?? unknown(name, keys);
  };

  /** The value from `p` to `q`, whatever it is. */
  const general = (
    bytes: Uint8Array,
    p: number,
    q: number,
    { name, slot, column, carried, field = 0, elements = 1 }: Key,
  ): Wrong | typeof AGAIN | undefined => {
    const text = textAt(bytes, p, q);
    if (text === undefined) return encoding;
    if (slot < 0 || carried >= 0) {
      let value: unknown;
      try {
        value = parseExact(text);
      } catch {
        return invalidJson;
      }
      if (hasForbiddenKey(text, value)) return forbiddenKey;
      if (value === undefined)
        return { code: 'WRONG_VALUE', reason: `${name} has a number beyond the range of a double.` };
      if (carried >= 0) (stack.carried[carried] as unknown[])[stack.good] = value;
    }
    if (slot < 0) return undefined;
    if (places !== undefined) return readElements(text, name, field, elements, places, stack);
    return column < 0
      ? readInput(text, slot, stack, missing)
      : readJsonColumn(text, name, slot, placeOf(slot, column), stack, missing);
  };

  const readArray = (bytes: Uint8Array, start: number, end: number): Wrong | typeof AGAIN | undefined => {
    if (!isBare && !places?.isArray) return places === undefined ? notArray : otherThanFirst;
    const q = valueEnd(bytes, start, end, 0);
    if (q === -2) return tooDeep;
    if (q < 0 || skipSpace(bytes, q) !== end) return invalidJson;
    const text = textAt(bytes, start, q);
    if (text === undefined) return encoding;
    if (places === undefined) return readInput(text, 0, stack, missing);
    return readElements(text, undefined, 0, places.slots.length, places, stack);
  };

  const readRow = (bytes: Uint8Array, from: number, end: number): Wrong | typeof AGAIN | undefined => {
    const start = skipSpace(bytes, from);
    if (bytes[start] === OPEN_BRACE) {
      const wrong = places?.isArray ? otherThanFirst : readObject(bytes, start, end);
      // Which keys are known, rows that are JSON have told: where none is, the key may be the right one.
      const isUnknown = wrong !== AGAIN && wrong?.code === 'UNKNOWN_INPUT';
      return (isUnknown && notValue(bytes, start, end)) || wrong;
    }
    if (bytes[start] === OPEN) return readArray(bytes, start, end);
    return notValue(bytes, start, end) ?? notRow;
  };

  return (cursor, stop) => {
    const { bytes, end } = cursor;
    while (cursor.at < end && !stack.full) {
      const start = cursor.at;
      const newline = bytes.indexOf(NEWLINE, start);
      if (newline < 0 || newline >= end) return false;
      const next = newline + 1;
      const isRow = skipSpace(bytes, start) !== newline;
      if (isRow) {
        checkRowBytes(next - start, cursor.line, cursor.most);
        let wrong = readRow(bytes, start, newline);
        while (wrong === AGAIN && !stack.full) wrong = readRow(bytes, start, newline);
        if (wrong === AGAIN) return false;
        cursor.row++;
        endRow(stack, cursor.row, cursor.line, wrong);
      }
      cursor.at = next;
      cursor.line++;
      if (isRow && next >= stop) return true;
    }
    return false;
  };
}

/** @returns why it is not one value, whose keys and kind may be told; undefined where it is */
function notValue(bytes: Uint8Array, start: number, end: number): Wrong | undefined {
  if (valueEnd(bytes, start, end, 0) === -2) return tooDeep;
  const text = textAt(bytes, start, end);
  if (text === undefined) return encoding;
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    return invalidJson;
  }
}

/** @returns the byte after the key at `p` if that is `name`, else −1 */
function matchEnd(bytes: Uint8Array, p: number, name: Uint8Array | undefined): number {
  if (name === undefined) return -1;
  for (let i = 0; i < name.length; i++) if (bytes[p + i] !== name[i]) return -1;
  return p + name.length;
}

const duplicate = (name: string): Wrong => ({ code: 'DUPLICATE_NAME', reason: `${name} is there twice.` });

/** Characters of an unknown key that are shown. */
const SHOWN = 64;
function unknown(name: string, keys: readonly Key[]): Wrong {
  const known = keys
    .filter(({ isRequired, carried, elements }) => isRequired || carried >= 0 || elements)
    .map((key) => key.name);
  const list = known.length > 20 ? '' : `; known are ${known.join(', ')}`;
  return {
    code: 'UNKNOWN_INPUT',
    reason: `The key ${JSON.stringify(name.slice(0, SHOWN))} is no input of the model${list}.`,
  };
}
