import type { Columns } from '../../tensor/contract.ts';
import { numberIn } from './cells.ts';

/**
 * What the first line of a file is, and which of its columns are the model's: one rule for batch, reference
 * data and the endpoint's csv.
 */

/** A row already, names that only number the columns, names, or numbers in a wrong count. */
export type First = 'row' | 'numbered' | 'names' | 'wrong';

/** Fewer are more likely a row: of flags, or of classes. */
const NUMBERED = 3;

/**
 * Numbers are a row, unless they are 0…n−1 or 1…n, which number the columns (so pandas names those of an
 * array), or the model's own names.
 * @param width columns that the model takes, −1 where it takes any number
 */
export function firstOf(cells: readonly string[], width: number, columns?: Columns): First {
  if (columns !== undefined && headerPlaces(columns, cells) !== undefined) return 'names';
  if (!cells.every((cell) => numberIn(cell) !== undefined)) return 'names';
  if (isNumbered(cells)) return 'numbered';
  return cells.length === width ? 'row' : 'wrong';
}

const isNumbered = (cells: readonly string[]): boolean => cells.length >= NUMBERED && counts(cells);

const counts = (cells: readonly string[]): boolean =>
  [0, 1].some((start) => cells.every((cell, i) => cell === String(start + i)));

/**
 * @returns the places of the known names in a first line that has them all; undefined for another one, and
 * for flags that are named 0 and 1
 */
export function headerPlaces({ names }: Columns, cells: readonly string[]): readonly number[] | undefined {
  if (names.length < NUMBERED && counts(names)) return undefined;
  const found = placesOf(names, cells);
  return 'places' in found ? found.places : undefined;
}

const INTEGER = /^\d+$/;
const FRACTION = /^[+-]?\d*\.\d*([eE][+-]?\d+)?$/;

/**
 * Different whole numbers: such a first line is a row, but its cells may be names, years for example. The
 * next line tells.
 */
export const mayBeNames = (first: readonly string[]): boolean =>
  first.every((cell) => INTEGER.test(cell)) && new Set(first).size === first.length;

/** Has the line after such a first one numbers with a point? Then the first one is of another kind. */
export const isOfFractions = (second: readonly string[]): boolean =>
  second.some((cell) => FRACTION.test(cell));

/** @returns for each of the model's columns its place in a header, or the names that the header lacks */
export function placesOf(
  names: readonly string[],
  header: readonly string[],
): { readonly places: readonly number[] } | { readonly lacks: readonly string[] } {
  const at = new Map(header.map((name, place) => [name, place]));
  const lacks = names.filter((name) => !at.has(name));
  return lacks.length > 0 ? { lacks } : { places: names.map((name) => at.get(name) as number) };
}

/** What a person is told of columns whose order was trusted. */
export const COLUMN_NOTICES = {
  NAMES_DIFFER:
    'The names of its columns are not those of the reference data, so the columns were taken in their order. Check the order, or name the columns in `columns`.',
  INTEGERS_FIRST:
    'Its first line has different whole numbers, and the next has fractions: the first line was taken for a row. If it has the names of the columns, name them in `columns`.',
  NUMBERS_FIRST:
    'Its first line numbers the columns, and was taken for their names. If it is a row, write a line of names before it.',
  TEXTS_FIRST:
    'Its first line was taken for the names of its columns, though they are not the model’s. If it is a row, write a line of names before it; else name the column as the model’s input is, or the columns in `columns`.',
} as const;
export type ColumnNotice = keyof typeof COLUMN_NOTICES;

/** How a file's columns were taken: by their names, or in their order. */
export type Taken = { readonly by: 'name' | 'order'; readonly notices: readonly ColumnNotice[] };
export const IN_ORDER: Taken = { by: 'order', notices: [] };
export const BY_NAME: Taken = { by: 'name', notices: [] };

const LISTED = 20;
/** Names in a sentence, the first ones where there are many. */
export const listOf = (names: readonly string[]): string =>
  names.length <= LISTED
    ? names.join(', ')
    : `${names.slice(0, LISTED).join(', ')} and ${names.length - LISTED} more`;
