import { isObject } from '../../../core/json/is-object.ts';
import type { Problem } from '../problems/errors.ts';

/** A null or a date there is the framework’s to read, or IAM’s. */
export const AS_WRITTEN = ['function', 'statements'];

/** What stands at a path of the YAML. No key takes a date, and YAML makes one of `2026-11-01`. */
export function dateProblems(key: string, value: unknown): readonly Problem[] {
  if (value instanceof Date) {
    const shown = Number.isNaN(value.getTime()) ? 'a date' : `a date, ${value.toISOString()}`;
    return [
      {
        code: 'MODELS_INVALID_VALUE',
        key,
        value,
        message: `is ${shown}, which YAML makes of a day or time without quotes.`,
        fix: 'Write it in quotes, where a text is meant.',
      },
    ];
  }
  if (Array.isArray(value)) return value.flatMap((one, index) => dateProblems(`${key}.${index}`, one));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    AS_WRITTEN.includes(name) ? [] : dateProblems(`${key}.${name}`, one),
  );
}
