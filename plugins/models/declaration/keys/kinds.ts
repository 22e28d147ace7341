import { z } from 'zod';
import { kind } from './key.ts';
import { percentOf, seconds } from './units.ts';

/**
 * Kinds of values: what may be written, and what the model has of it. The types of what the functions before
 * a check take are what serverless.ts may write; at run time anything comes.
 */

// Variables, for example ${env:MEMORY} arrive as strings; the framework's own schemas coerce them too.
const numeric = (value: number | string): unknown =>
  typeof value === 'string' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value.trim()) ? Number(value) : value;
const truth = <W extends string = never>(value: boolean | 'true' | 'false' | W): unknown =>
  value === 'true' ? true : value === 'false' ? false : value;
const listed = <T>(value: T | readonly T[]): unknown =>
  value === undefined || value === null || Array.isArray(value) ? value : [value];
const suffixed = (unit: string) => (value: number | string) =>
  typeof value === 'number' ? `${value}${unit}` : value;

export const integer = (least: number, most: number) => z.preprocess(numeric, z.int().min(least).max(most));
/** Any, but infinity. */
export const number = z.preprocess(numeric, z.number());
export const positive = (most: number) => z.preprocess(numeric, z.number().positive().max(most));
export const between = (least: number, most: number) =>
  z.preprocess(numeric, z.number().min(least).max(most));

export const flag = z.preprocess(truth<never>, z.boolean());
/** A flag, or one of a few words. */
export const flagOr = <const W extends readonly string[]>(words: W) =>
  z.preprocess(truth<W[number]>, z.union([z.boolean(), z.enum(words)]));

export const text = z.string().min(1);
/** A list, or its only item without brackets. */
export const list = <T extends z.ZodType>(item: T, least = 0) =>
  z.preprocess(listed<z.input<T>>, z.array(item).min(least));
/** A list of names, of which there is one. */
export const names = list(text, 1);

/** An object whose keys only the framework or AWS knows. */
export const object = z.record(z.string(), z.unknown());

/** `30s`, `10m`, `2h`, `1d` → seconds. */
export const inSeconds = kind(
  z.preprocess(suffixed('s'), z.string().regex(/^\d{1,15}(\.\d{1,20})?\s*[smhd]?$/)).transform(seconds),
  {
    type: 'duration',
    unit: 'seconds',
    note: 'A plain number is seconds.',
    fix: 'Write a duration, for example 90s, 10m, 2h or 1d.',
  },
);

const written = z.preprocess(suffixed('%'), z.string().regex(/^\d{1,15}(\.\d{1,20})?\s*%?$/));
const PLAIN = 'A plain number is percent: `1` is `1%`.';
/** `5%` or `5` → 5. */
export const inPercent = kind(written.transform(percentOf), {
  type: 'percent',
  unit: 'percent',
  note: PLAIN,
});
/** `5%` or `5` → 0.05. */
export const asShare = kind(
  written.transform((text) => percentOf(text) / 100),
  { type: 'percent', unit: 'share', note: PLAIN },
);

/**
 * A map of these keys and no others. As one way of several (`z.union`) write `z.strictObject` instead: zod
 * blames a single key inside of a way only where nothing is made of that way.
 */
export const map = <S extends z.ZodRawShape>(keys: S) => z.strictObject(keys).transform(withValues);

/** A key without a value is no key. */
type WithValues<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

const withValues = <T extends object>(map: T): WithValues<T> =>
  Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined)) as WithValues<T>;
