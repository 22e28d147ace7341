import type { Fields } from '../../json/parsed.ts';

/** Texts of an event, of which nothing is certain. */

/** @returns undefined where one of them is no text */
export function textFields<Key extends string>(
  fields: Fields,
  keys: readonly Key[],
): { readonly [key in Key]: string } | undefined {
  const found = keys.map((key) => [key, textField(fields, key)] as const);
  return found.some(([, text]) => text === undefined)
    ? undefined
    : (Object.fromEntries(found) as { readonly [key in Key]: string });
}

export function textField(fields: Fields, key: string): string | undefined {
  const value = fields[key];
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
