/** Writes small ONNX models for tests, field by field as onnx.proto numbers them. */

export type Bytes = Uint8Array;

export function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Uint8Array.from([...bytes, rest]);
}

export function message(...fields: Bytes[]): Bytes {
  return Buffer.concat(fields);
}

/** A field of bytes, text or a number. */
export function field(number: number, value: Bytes | string | number): Bytes {
  if (typeof value === 'number') return message(varint(number * 8), varint(value));
  const content = typeof value === 'string' ? Buffer.from(value) : value;
  return message(varint(number * 8 + 2), varint(content.length), content);
}

export const FLOAT = 1;
export const INT64 = 7;
export const STRING = 8;

/** A text is a named free dimension; no shape at all leaves the rank open. */
export function tensorInfo(name: string, elem: number, shape?: readonly (number | string)[]): Bytes {
  const dims = (shape ?? []).map((dim) => field(1, typeof dim === 'number' ? field(1, dim) : field(2, dim)));
  const tensor = message(field(1, elem), ...(shape === undefined ? [] : [field(2, message(...dims))]));
  return message(field(1, name), field(2, field(1, tensor)));
}

export function node(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Bytes[] = [],
  domain = '',
): Bytes {
  return message(
    ...inputs.map((name) => field(1, name)),
    ...outputs.map((name) => field(2, name)),
    field(4, type),
    ...attributes.map((attribute) => field(5, attribute)),
    ...(domain === '' ? [] : [field(7, domain)]),
  );
}

export const textAttribute = (name: string, value: string): Bytes =>
  message(field(1, name), field(20, 3), field(4, value));

export const graphAttribute = (name: string, graph: Bytes): Bytes =>
  message(field(1, name), field(20, 5), field(6, graph));

/** A tensor whose values lie in another file. */
export function externalTensor(name: string, dims: readonly number[], location: string): Bytes {
  const entry = (key: string, value: string): Bytes => field(13, message(field(1, key), field(2, value)));
  return message(
    ...dims.map((dim) => field(1, dim)),
    field(2, FLOAT),
    field(8, name),
    entry('location', location),
    field(14, 1),
  );
}

export type Graph = {
  readonly nodes: readonly Bytes[];
  readonly inputs: readonly Bytes[];
  readonly outputs: readonly Bytes[];
  readonly initializers?: readonly Bytes[];
};

export function graphOf({ nodes, inputs, outputs, initializers = [] }: Graph): Bytes {
  return message(
    ...nodes.map((part) => field(1, part)),
    field(2, 'test'),
    ...initializers.map((part) => field(5, part)),
    ...inputs.map((part) => field(11, part)),
    ...outputs.map((part) => field(12, part)),
  );
}

export function modelOf(graph: Graph, opset = 20): Bytes {
  return message(field(1, 9), field(7, graphOf(graph)), field(8, message(field(1, ''), field(2, opset))));
}
