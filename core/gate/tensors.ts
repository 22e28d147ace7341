/** Tensors of the protocol's JSON as plain JavaScript, read from what anybody may have written. */

import { isObject } from '../json/is-object.ts';
import { sizeOfShape } from '../tensor/shape.ts';

export type PlainTensor = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Flat, row-major: numbers, bigints, booleans, texts, or whatever else was there. */
  readonly data: readonly unknown[];
};

export const isShape = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0);

/** Elements in order, however they are nested; without recursion, since the nesting is not ours. */
export function flatten(data: readonly unknown[]): readonly unknown[] {
  if (!data.some(Array.isArray)) return data;
  const flat: unknown[] = [];
  const open: { readonly list: readonly unknown[]; next: number }[] = [{ list: data, next: 0 }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (top.next === top.list.length) {
      open.pop();
      continue;
    }
    const element = top.list[top.next++];
    if (Array.isArray(element)) open.push({ list: element, next: 0 });
    else flat.push(element);
  }
  return flat;
}

/** @returns the tensor, or what is wrong with it: a sentence that starts with `path` */
export function readTensor(value: unknown, path: string): PlainTensor | string {
  if (!isObject(value)) return `${path} must be an object.`;
  const { name, datatype, shape, data, parameters } = value;
  if (typeof name !== 'string') return `${path}.name must be a text.`;
  if (typeof datatype !== 'string') return `${path}.datatype must be a text, for example FP32.`;
  if (!isShape(shape)) return `${path}.shape must be an array of whole numbers.`;
  if (isObject(parameters) && parameters.binary_data_size !== undefined)
    return `${path} has binary data, which a line of JSON cannot hold.`;
  if (!Array.isArray(data)) return `${path}.data must be an array.`;
  const flat = flatten(data);
  if (flat.length !== sizeOfShape(shape))
    return `${path}.data has ${flat.length} elements; the shape says ${sizeOfShape(shape)}.`;
  return { name, datatype, shape, data: flat };
}
