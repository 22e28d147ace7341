import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { elementCount, exampleShape, exampleValue } from '../../../core/catalog/example.ts';
import { PAYLOAD_BYTES } from '../../../core/endpoint/contract.ts';
import { caseLines, readCase } from '../../../core/gate/cases.ts';
import { eventOf } from '../../../core/gate/event.ts';
import { printExact } from '../../../core/gate/json.ts';
import type { PlainTensor } from '../../../core/gate/tensors.ts';
import { listOf } from '../../../core/tabular/cells/columns.ts';
import type { Signature, TensorSpec } from '../../../core/tensor/contract.ts';
import { usage } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';

/** What is sent, and what should come back. */
export type BenchRequest = {
  readonly body: string;
  readonly rows: number;
  readonly inputs: readonly PlainTensor[];
  /** Absent where nobody says; then any answer that fits the signature is right. */
  readonly outputs?: readonly PlainTensor[];
};

export type BenchRequests = {
  readonly from: string;
  readonly all: readonly [BenchRequest, ...BenchRequest[]];
};

/** Cases that are sent in turn: more would only take memory. */
const MOST = 1000;

/**
 * The requests of a bench: those of `--path`, else the cases of the gate, else one made of the signature.
 *
 * @param path a file with cases, JSON lines, or one request
 * @param notice told where what is made is smaller than what clients send
 */
export async function benchRequests(
  model: Model,
  { inputs }: Signature,
  path: string | undefined,
  serviceDir: string,
  notice: (text: string) => void,
): Promise<BenchRequests> {
  const file = path ?? model.gate?.cases;
  if (file === undefined) {
    const open = inputs.filter(({ shape }) => shape.slice(1).some((dimension) => dimension < 0));
    if (open.length > 0) notice(smallest(model, open));
    const how = open.length > 0 ? `${MADE}, with 1 for each free dimension` : MADE;
    return { from: how, all: [madeOf(model, inputs)] };
  }
  const key = path === undefined ? `models.${model.name}.gate.cases` : '--path';
  const text = await readFile(resolve(serviceDir, file), 'utf8').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw usage(key, `cannot be read: ${why}.`, 'Name a file of cases, JSON lines of {inputs, outputs}.');
  });
  const all = caseLines(text)
    .slice(0, MOST)
    .map(({ line, start, end }): BenchRequest => {
      const read = readCase(text.slice(start, end));
      if ('fault' in read)
        throw usage(key, `${file}, line ${line}: ${read.fault}`, 'Write {inputs, outputs}, one a line.');
      const { request, outputs } = read;
      const rows = isFree(inputs) ? rowsOf(read.inputs) : 1;
      return { body: within(key, request), rows, inputs: read.inputs, ...(outputs && { outputs }) };
    });
  const [first, ...others] = all;
  if (first === undefined) throw usage(key, `${file} has no case.`, 'Write {inputs, outputs}, one a line.');
  return { from: `of ${file}`, all: [first, ...others] };
}

const MADE = 'made of the signature';

/** Lengths of texts and series, sizes of pictures: time and memory go by them, and nobody has told them. */
function smallest({ name }: Model, open: readonly TensorSpec[]): string {
  const shapes = open.map(
    (spec) => `${spec.name} is [${exampleShape(spec.shape).join(', ')}] of [${spec.shape.join(', ')}]`,
  );
  return `models.${name}: The request is made of the signature, with 1 for each free dimension: ${listOf(shapes)}. Larger ones take longer, and more memory: name real requests with --path, or gate.cases.`;
}

const LIMIT = PAYLOAD_BYTES / 1024 ** 2;
const megabytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1);

/** As Lambda is sent it: twice where it has whole numbers that a double does not hold. */
const bytesOf = (body: string): number => Buffer.byteLength(eventOf(body));

function within(key: string, body: string): string {
  const bytes = bytesOf(body);
  if (bytes <= PAYLOAD_BYTES) return body;
  throw usage(
    key,
    `makes a request of ${megabytes(bytes)} MB; Lambda takes ${LIMIT} MB.`,
    'Send fewer rows at a time.',
  );
}

function madeOf({ name: model }: Model, specs: readonly TensorSpec[]): BenchRequest {
  const shapes = specs.map(({ shape }) => exampleShape(shape));
  const checked = (bytes: number): void => {
    if (bytes > PAYLOAD_BYTES)
      throw usage(
        `models.${model}`,
        `one row, made of the signature, makes a request of at least ${megabytes(bytes)} MB in JSON; Lambda takes ${LIMIT} MB.`,
        'Name smaller requests with --path; where there are none, its clients must send binary, which is not measured.',
      );
  };
  // A value has a digit and a comma at least.
  checked(2 * shapes.reduce((sum, shape) => sum + elementCount(shape), 0));
  const inputs = specs.map(({ name, datatype }, i) => {
    const shape = shapes[i] ?? [];
    return { name, datatype, shape, data: Array(elementCount(shape)).fill(exampleValue(datatype)) };
  });
  const body = printExact({ inputs });
  checked(Buffer.byteLength(body));
  return { body, rows: 1, inputs };
}

/** The first dimension of every input is free: as many rows as one likes go into a request. */
export const isFree = (inputs: readonly TensorSpec[]): boolean =>
  inputs.length > 0 && inputs.every(({ shape }) => shape[0] === -1);

const rowsOf = (inputs: readonly PlainTensor[]): number => inputs[0]?.shape[0] ?? 1;

const timesOf = (rows: number, wanted: number): number => Math.max(1, Math.floor(wanted / Math.max(1, rows)));

const manyOf = (tensors: readonly PlainTensor[], times: number): readonly PlainTensor[] =>
  tensors.map(({ shape: [first = 0, ...rest], data, ...tensor }) => ({
    ...tensor,
    shape: [first * times, ...rest],
    data: Array.from({ length: times }, () => data).flat(),
  }));

/** The same request with about so many rows: its own, again and again. */
export function repeated(request: BenchRequest, wanted: number): BenchRequest {
  const { inputs, outputs, rows } = request;
  const times = timesOf(rows, wanted);
  if (times === 1) return request;
  const all = manyOf(inputs, times);
  // An output without rows of its own says the same of them all, and is not known.
  const known = outputs?.every(({ shape }) => shape[0] === rows) ? manyOf(outputs, times) : undefined;
  return {
    body: within('--rows', printExact({ inputs: all })),
    rows: rows * times,
    inputs: all,
    ...(known && { outputs: known }),
  };
}

/** More digits of a shape, in bytes. */
const DIGITS = 16;

/** How often the rows of a request fit into one that Lambda takes, and bytes that each time adds. */
function roomOf({ inputs }: BenchRequest): { readonly times: number; readonly bytes: number } {
  const bytesAt = (times: number): number => bytesOf(printExact({ inputs: manyOf(inputs, times) }));
  const once = bytesAt(1);
  const bytes = Math.max(1, bytesAt(2) - once);
  const room = PAYLOAD_BYTES - once - DIGITS * inputs.length;
  return { times: 1 + Math.max(0, Math.floor(room / bytes)), bytes };
}

/** Bytes of all requests of Offline together: with their values they take four times as much memory. */
const OFFLINE_BYTES = 32 * 1024 ** 2;

/**
 * The requests of Offline, each with many rows, as many of them as fit into memory.
 *
 * @param given rows that a person wants, which must fit
 * @returns `less`: in words, where the usual number of rows does not fit
 * @throws ProblemError where those that are wanted do not
 */
export function offlineRequests(
  all: BenchRequests['all'],
  given: number | undefined,
  usual: number,
): { readonly requests: readonly BenchRequest[]; readonly less?: string } {
  const requests: BenchRequest[] = [];
  let [bytes, most] = [0, Number.POSITIVE_INFINITY];
  for (const request of all) {
    const room = roomOf(request);
    const fits = room.times * request.rows;
    const wanted = given ?? usual;
    const isWithin = timesOf(request.rows, wanted) <= room.times;
    if (!isWithin && given !== undefined)
      throw usage(
        '--rows',
        `${given} rows make a request of more than the ${LIMIT} MB that Lambda takes.`,
        `Write ${fits} or less.`,
      );
    bytes += room.bytes * Math.min(timesOf(request.rows, wanted), room.times);
    if (requests.length > 0 && bytes > OFFLINE_BYTES) break;
    if (!isWithin) most = Math.min(most, fits);
    requests.push(repeated(request, isWithin ? wanted : fits));
  }
  if (most === Number.POSITIVE_INFINITY) return { requests };
  const less = `${usual} rows are more than the ${LIMIT} MB that Lambda takes of a request. Offline sends ${most} at a time.`;
  return { requests, less };
}
