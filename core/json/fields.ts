import { isObject } from './is-object.ts';

/** Parts of JSON that somebody else wrote: what is of another type is not there. */

export const fieldIn = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** @returns undefined for an empty one, too */
export const textIn = (value: unknown, name: string): string | undefined => {
  const found = fieldIn(value, name);
  return typeof found === 'string' && found !== '' ? found : undefined;
};

export const listIn = (value: unknown, name: string): readonly unknown[] => {
  const found = fieldIn(value, name);
  return Array.isArray(found) ? found : [];
};
