import { isObject } from '../json/is-object.ts';
import type { Label } from '../quality/contract.ts';
import { parseGateJson, printExact } from './json.ts';
import { type PlainTensor, readTensor } from './tensors.ts';

/**
 * Labelled rows as they lie in the registry: a request's worth of them a line, as the protocol writes their
 * inputs, with a label a row. They were read of a table and held against the model when it was packaged, so
 * that no version is asked what it cannot be asked.
 */
export type LabelledRows = {
  /** Number of the first row in the table, from 1; the others follow it. */
  readonly first: number;
  readonly labels: readonly Label[];
  readonly inputs: readonly PlainTensor[];
};

export const printLabelled = ({ first, labels, inputs }: LabelledRows): string =>
  printExact({ first, labels, inputs });

/** @throws Error where the line is none of ours: the file goes by its content, so nobody wrote to it */
export function readLabelled(text: string): LabelledRows {
  const value = parseGateJson(text);
  if (!isObject(value) || !Array.isArray(value.labels) || !Array.isArray(value.inputs))
    throw new Error('a line of the labelled rows cannot be read');
  const inputs = value.inputs.flatMap((input) => {
    const tensor = readTensor(input, '');
    return typeof tensor === 'string' ? [] : [tensor];
  });
  return { first: Number(value.first), labels: value.labels, inputs };
}

/** Some of the rows, as a table of their own. */
export function someRows({ first, labels, inputs }: LabelledRows, from: number, to: number): LabelledRows {
  if (from === 0 && to === labels.length) return { first, labels, inputs };
  return {
    first: first + from,
    labels: labels.slice(from, to),
    inputs: inputs.map(({ shape: [rows = 1, ...inner], data, ...tensor }) => {
      const width = data.length / rows;
      return { ...tensor, shape: [to - from, ...inner], data: data.slice(from * width, to * width) };
    }),
  };
}

/** An infer request for one output: another one that has NaN is nobody's business here. */
export const labelledRequest = ({ inputs }: LabelledRows, output: string): string =>
  printExact({ inputs, outputs: [{ name: output }] });
