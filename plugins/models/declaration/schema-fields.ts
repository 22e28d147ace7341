import { z } from 'zod';

/** Kinds of fields in a declaration. */

// Variables, for example ${env:MEMORY} arrive as strings; the framework's own schemas coerce them too.
export const numericField = (value: unknown): unknown =>
  typeof value === 'string' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value.trim()) ? Number(value) : value;
export const flag = (value: unknown): unknown =>
  value === 'true' ? true : value === 'false' ? false : value;
export const listed = (value: unknown): unknown =>
  value === undefined || value === null || Array.isArray(value) ? value : [value];

const written = (unit: string) => (value: unknown) => (typeof value === 'number' ? `${value}${unit}` : value);

/** `30s`, `10m`, `2h`, `1d`; a bare number is seconds. units.ts reads it. */
export const durationField = z.preprocess(written('s'), z.string().regex(/^\d+(\.\d+)?\s*[smhd]?$/));
export const inSeconds = (text: string): string => `${text} A plain number is seconds.`;
/** `1%`; a bare number is percent, too. units.ts reads it. */
export const percentField = z.preprocess(written('%'), z.string().regex(/^\d+(\.\d+)?\s*%?$/));
export const positive = (most: number) => z.preprocess(numericField, z.number().positive().max(most));
export const integer = (least: number, most: number) =>
  z.preprocess(numericField, z.int().min(least).max(most));
/** A list of names, of which there is one. */
export const names = z.preprocess(listed, z.array(z.string().min(1)).min(1));
export const object = z.record(z.string(), z.unknown());
