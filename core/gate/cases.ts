import { isObject } from '../json/is-object.ts';
import { parseGateJson, printExact } from './json.ts';
import { type PlainTensor, readTensor } from './tensors.ts';

/**
 * Golden cases: JSON lines of `{inputs, outputs}` as the protocol writes them in a request and its answer. A
 * case goes by its line in the file, from 1. Beside these a line may have the request's `id` and
 * `parameters`, and what else an answer has.
 */
export type Case = {
  /** The infer request, JSON. */
  readonly request: string;
  readonly inputs: readonly PlainTensor[];
  /** Absent where a reference is asked instead. An output that is not listed is not compared. */
  readonly outputs?: readonly PlainTensor[];
};

/**
 * Where a case is in the text: a file has megabytes, and no more than a few of its cases are parsed at a
 * time.
 */
export type CaseLine = { readonly line: number; readonly start: number; readonly end: number };

/** Every line that is not blank. */
export function caseLines(text: string): readonly CaseLine[] {
  const lines: CaseLine[] = [];
  const mark = text.startsWith('\uFEFF') ? 1 : 0;
  for (let line = 1, start = mark; start < text.length; line += 1) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    let first = start;
    while (first < end && text.charCodeAt(first) <= 32) first += 1;
    if (first < end) lines.push({ line, start: first, end });
    start = end + 1;
  }
  return lines;
}

const KEYS = ['inputs', 'outputs', 'parameters', 'id', 'model_name', 'model_version'];

/** @returns the case, or what is wrong with it: a sentence without values */
export function readCase(text: string): Case | { readonly fault: string } {
  let value: unknown;
  try {
    value = parseGateJson(text);
  } catch {
    return { fault: 'The line is not JSON.' };
  }
  if (!isObject(value)) return { fault: 'The line must be an object with inputs and outputs.' };
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key));
  if (unknown !== undefined)
    return {
      fault: `${JSON.stringify(unknown.slice(0, 40))} is no key of a case: the request has inputs, and the expected answer is outputs.`,
    };
  const inputs = readTensors(value.inputs, '$.inputs');
  if (typeof inputs === 'string') return { fault: inputs };
  const request = printExact({
    ...(value.id !== undefined && { id: value.id }),
    ...(value.parameters !== undefined && { parameters: value.parameters }),
    inputs: value.inputs,
  });
  if (value.outputs === undefined) return { request, inputs };
  const outputs = readTensors(value.outputs, '$.outputs');
  if (typeof outputs === 'string') return { fault: outputs };
  if (outputs.length === 0) return { fault: '$.outputs names no output, so there is nothing to compare.' };
  return { request, inputs, outputs };
}

function readTensors(value: unknown, path: string): readonly PlainTensor[] | string {
  if (!Array.isArray(value)) return `${path} must be an array of tensors.`;
  const tensors: PlainTensor[] = [];
  for (const [index, item] of value.entries()) {
    const tensor = readTensor(item, `${path}[${index}]`);
    if (typeof tensor === 'string') return tensor;
    if (tensors.some(({ name }) => name === tensor.name))
      return `${path}[${index}] has the name of another one.`;
    tensors.push(tensor);
  }
  return tensors;
}

/** @returns why this line cannot be a case */
export function faultOf(read: ReturnType<typeof readCase>, reference: boolean): string | undefined {
  if ('fault' in read) return read.fault;
  if (read.outputs === undefined && !reference) return 'The case has no outputs, and there is no reference.';
  return undefined;
}
