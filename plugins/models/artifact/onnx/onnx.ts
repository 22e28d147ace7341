import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ModelSize } from '../../../../core/advice/contract.ts';
import {
  fieldNumbers,
  lengthsIn,
  type MessagePart,
  type MessageSource,
  messageFields,
  nameIn,
  pairIn,
} from './protobuf.ts';
import { rowBytes, weightsOf } from './size.ts';
import { type Value, valueIn } from './value.ts';

/** What we need of a model that no session of ONNX Runtime tells. */
export type OnnxInfo = {
  readonly irVersion: number;
  /** Domain → version; the domain of ONNX itself is ``. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Files with weights, as the graph names them (not yet checked), each once. */
  readonly external: readonly string[];
  /** Operators used, `domain:type` or `type`, functions and subgraphs included. */
  readonly operators: ReadonlySet<string>;
  /** The metadata property `columns`, as it is written; absent where there is none. */
  readonly columns?: string;
  /** The metadata property `model_license`, likewise. */
  readonly licence?: string;
  /** Its weights by their shapes, those in other files included. */
  readonly size: ModelSize;
  /** Bytes of the inputs of one row, as far as shapes tell. */
  readonly rowBytes: number;
};

/** protobuf itself stops at 2 GiB: https://protobuf.dev/programming-guides/proto-limits/ */
export const ONNX_BYTES = 2 ** 31 - 1;
/** Things of a kind that are kept: each takes two bytes of a hostile file, and a hundred of memory. */
const NAMES = 100_000;
const DIMENSIONS = 10 * NAMES;
/** Fields that are looked into: a hostile one takes two bytes, too, and each some time of this process. */
const FIELDS = 50_000_000;
/** Numbers in onnx.proto of the fields that are read, where others may be millions. */
const OF_TENSOR = fieldNumbers(1, 2, 8, 13, 14);
const OF_ATTRIBUTE = fieldNumbers(5, 6, 10, 11, 22, 23);
const OF_NODE = fieldNumbers(4, 5, 7);
const OF_GRAPH = fieldNumbers(1, 5, 11, 12, 15);
/** Bytes at most of a metadata property that is read, for example `columns`: a list of names. */
const COLUMNS_BYTES = 4 * 1024 ** 2;
/** https://github.com/onnx/onnx/blob/main/docs/IR.md#optional-metadata */
const LICENCE = 'model_license';

/** @throws Error with one sentence where there are too many */
function bound(count: number, what: string, most = NAMES): void {
  if (count > most) throw new Error(`The graph has more than ${most} ${what}.`);
}

/** @throws Error with one sentence where the file is no ONNX model */
export function readOnnxFile(path: string): OnnxInfo {
  const file = openSync(path, 'r');
  try {
    const bytes = fstatSync(file).size;
    let window = new Uint8Array(0);
    let start = 0;
    const read = (at: number, length: number): Uint8Array => {
      if (at < start || at + length > start + window.length) {
        const next = new Uint8Array(Math.max(length, Math.min(1 << 20, bytes - at)));
        const got = readSync(file, next, 0, next.length, at);
        window = next.subarray(0, got);
        start = at;
      }
      return window.subarray(at - start, at - start + length);
    };
    return readOnnx({ bytes, read });
  } finally {
    closeSync(file);
  }
}

/**
 * A reader of just these fields of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), over
 * random access, so that gigabytes of weights are stepped over unread and a hostile length allocates nothing.
 * A protobuf library would parse, and hold, the whole file.
 */
export function readOnnx(file: MessageSource, most = FIELDS): OnnxInfo {
  let fields = 0;
  const source: MessageSource = {
    ...file,
    given: () => {
      fields += 1;
      bound(fields, 'fields', most);
    },
  };
  if (source.bytes === 0) throw new Error('The file is empty.');
  if (source.bytes > ONNX_BYTES) throw new Error('The graph is over 2 GiB, the most that protobuf can hold.');
  const opsets: Record<string, number> = {};
  const external = new Set<string>();
  const operators = new Set<string>();
  const initializers = new Set<string>();
  const domains = new Set<string>();
  const inputs: Value[] = [];
  const outputs: Value[] = [];
  let irVersion = 0;
  let graphs = 0;
  let columns: string | undefined;
  let licence: string | undefined;
  /** Elements of the tensors that are kept, by type, and bytes that they take in this file. */
  const elements = new Map<number, number>();
  let within = 0;

  const add = (set: Set<string>, text: string, what: string): void => {
    set.add(text);
    bound(set.size, what);
  };
  let dimensions = 0;
  const dimension = (): void => {
    dimensions += 1;
    bound(dimensions, 'dimensions', DIMENSIONS);
  };
  const value = (list: Value[], part: MessagePart, what: string): void => {
    list.push(valueIn(source, part, dimension));
    bound(list.length, what);
  };
  const tensor = (part: MessagePart): string => {
    let name = '';
    let location: string | undefined;
    let isExternal = false;
    let elem = 0;
    let count = 1;
    for (const field of messageFields(source, part, OF_TENSOR)) {
      if (field.number === 1) for (const length of lengthsIn(source, field)) count *= length;
      if (field.number === 2) elem = field.value;
      if (field.number === 8) name = nameIn(source, field);
      if (field.number === 14) isExternal = field.value === 1;
      if (field.number === 13) {
        const [key, value] = pairIn(source, field);
        // The same place, and what some write; ONNX Runtime takes both.
        if (key === 'location') location = value.replace(/^(?:\.\/)+/, '');
      }
    }
    if (isExternal) add(external, location ?? '', 'files of weights');
    elements.set(elem, Math.min(Number.MAX_SAFE_INTEGER, (elements.get(elem) ?? 0) + count));
    bound(elements.size, 'types of weights');
    within += part.end - part.at;
    return name;
  };
  const sparse = (part: MessagePart): string => {
    let name = '';
    for (const field of messageFields(source, part)) {
      if (field.number === 1) name = tensor(field);
      if (field.number === 2) tensor(field);
    }
    return name;
  };
  const attribute = (part: MessagePart): void => {
    for (const field of messageFields(source, part, OF_ATTRIBUTE)) {
      if (field.number === 5 || field.number === 10) tensor(field);
      if (field.number === 22 || field.number === 23) sparse(field);
      if (field.number === 6 || field.number === 11) graph(field, false);
    }
  };
  const node = (part: MessagePart): void => {
    let type = '';
    let domain = '';
    for (const field of messageFields(source, part, OF_NODE)) {
      if (field.number === 4) type = nameIn(source, field);
      if (field.number === 7) domain = nameIn(source, field);
      if (field.number === 5) attribute(field);
    }
    add(operators, domain === '' || domain === 'ai.onnx' ? type : `${domain}:${type}`, 'operators');
  };
  const graph = (part: MessagePart, top: boolean): void => {
    for (const field of messageFields(source, part, OF_GRAPH)) {
      if (field.number === 1) node(field);
      if (field.number === 5 || field.number === 15) {
        const name = field.number === 5 ? tensor(field) : sparse(field);
        if (top) add(initializers, name, 'initializers');
      }
      if (top && field.number === 11) value(inputs, field, 'inputs');
      if (top && field.number === 12) value(outputs, field, 'outputs');
    }
  };

  for (const field of messageFields(source, { at: 0, end: source.bytes, depth: 0 })) {
    if (field.number === 1) irVersion = field.value;
    if (field.number === 7) {
      graphs += 1;
      graph(field, true);
    }
    if (field.number === 8) {
      let domain = '';
      let version = 0;
      for (const entry of messageFields(source, field)) {
        if (entry.number === 1) domain = nameIn(source, entry);
        if (entry.number === 2) version = entry.value;
      }
      opsets[domain === 'ai.onnx' ? '' : domain] = version;
      add(domains, domain, 'domains of operators');
    }
    if (field.number === 14) {
      columns = propertyIn(source, field, 'columns') ?? columns;
      licence = propertyIn(source, field, LICENCE) ?? licence;
    }
    if (field.number === 25)
      for (const entry of messageFields(source, field)) if (entry.number === 7) node(entry);
  }
  if (graphs !== 1 || irVersion === 0) throw new Error('The file is no ONNX model.');
  const given = inputs.filter(({ name }) => !initializers.has(name));
  return {
    irVersion,
    opsets,
    // Before IR version 4 every initializer is listed as an input too.
    inputs: given,
    outputs,
    external: [...external],
    operators,
    ...(columns !== undefined && { columns }),
    ...(licence !== undefined && { licence }),
    size: weightsOf(elements, Math.max(0, source.bytes - within)),
    rowBytes: rowBytes(given),
  };
}

/** The value of a StringStringEntryProto of this key; others may be of any size, and stay unread. */
function propertyIn(source: MessageSource, part: MessagePart, key: string): string | undefined {
  let isKey = false;
  let value: MessagePart | undefined;
  for (const field of messageFields(source, part)) {
    if (field.number === 1) isKey = field.end - field.at === key.length && nameIn(source, field) === key;
    if (field.number === 2) value = field;
  }
  if (!isKey) return undefined;
  if (value === undefined) return '';
  if (value.end - value.at > COLUMNS_BYTES)
    throw new Error(`The metadata property ${key} is over ${COLUMNS_BYTES / 1024 ** 2} MB.`);
  return Buffer.from(source.read(value.at, value.end - value.at)).toString('utf8');
}
