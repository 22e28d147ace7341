/** A client of the Open Inference Protocol for the tests, written apart from the code under test. */

export type Scalar = number | bigint | boolean | string;
export type Tensor = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly values: readonly Scalar[];
};

type Fixed = {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => Scalar;
  readonly write: (view: DataView, at: number, value: Scalar) => void;
};
const FIXED: Readonly<Record<string, Fixed>> = {
  BOOL: {
    bytes: 1,
    read: (view, at) => view.getUint8(at) !== 0,
    write: (view, at, v) => view.setUint8(at, Number(v)),
  },
  UINT8: {
    bytes: 1,
    read: (view, at) => view.getUint8(at),
    write: (view, at, v) => view.setUint8(at, Number(v)),
  },
  INT8: {
    bytes: 1,
    read: (view, at) => view.getInt8(at),
    write: (view, at, v) => view.setInt8(at, Number(v)),
  },
  UINT16: {
    bytes: 2,
    read: (view, at) => view.getUint16(at, true),
    write: (view, at, v) => view.setUint16(at, Number(v), true),
  },
  INT16: {
    bytes: 2,
    read: (view, at) => view.getInt16(at, true),
    write: (view, at, v) => view.setInt16(at, Number(v), true),
  },
  UINT32: {
    bytes: 4,
    read: (view, at) => view.getUint32(at, true),
    write: (view, at, v) => view.setUint32(at, Number(v), true),
  },
  INT32: {
    bytes: 4,
    read: (view, at) => view.getInt32(at, true),
    write: (view, at, v) => view.setInt32(at, Number(v), true),
  },
  UINT64: {
    bytes: 8,
    read: (view, at) => view.getBigUint64(at, true),
    write: (view, at, v) => view.setBigUint64(at, BigInt(v), true),
  },
  INT64: {
    bytes: 8,
    read: (view, at) => view.getBigInt64(at, true),
    write: (view, at, v) => view.setBigInt64(at, BigInt(v), true),
  },
  FP16: {
    bytes: 2,
    read: (view, at) => half(view.getUint16(at, true)),
    write: (view, at, v) => view.setUint16(at, halfBits(Number(v)), true),
  },
  FP32: {
    bytes: 4,
    read: (view, at) => view.getFloat32(at, true),
    write: (view, at, v) => view.setFloat32(at, Number(v), true),
  },
  FP64: {
    bytes: 8,
    read: (view, at) => view.getFloat64(at, true),
    write: (view, at, v) => view.setFloat64(at, Number(v), true),
  },
};

/** Half precision from its bits: https://en.wikipedia.org/wiki/Half-precision_floating-point_format */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the half nearest to a number: the tests' halves are few, so all of them are tried. */
function halfBits(value: number): number {
  let best = 0;
  for (let bits = 0; bits < 0x10000; bits++) {
    if (Math.abs(half(bits) - value) < Math.abs(half(best) - value)) best = bits;
  }
  return best;
}

/** The values of a tensor in the protocol's binary form. */
export function fromBinary(datatype: string, content: Buffer): Scalar[] {
  const values: Scalar[] = [];
  const fixed = FIXED[datatype];
  if (fixed) {
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    for (let at = 0; at < content.byteLength; at += fixed.bytes) values.push(fixed.read(view, at));
    return values;
  }
  for (let at = 0; at < content.length; ) {
    const end = at + 4 + content.readUInt32LE(at);
    values.push(content.toString('utf8', at + 4, end));
    at = end;
  }
  return values;
}

/** A tensor's values in the protocol's binary form. */
export function binaryOf({ datatype, values }: Tensor): Buffer {
  const fixed = FIXED[datatype];
  if (!fixed) {
    return Buffer.concat(
      values.flatMap((value) => {
        const text = Buffer.from(String(value));
        const length = Buffer.alloc(4);
        length.writeUInt32LE(text.length);
        return [length, text];
      }),
    );
  }
  const content = Buffer.alloc(values.length * fixed.bytes);
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  for (const [index, value] of values.entries()) fixed.write(view, index * fixed.bytes, value);
  return content;
}

/** `data` of a JSON request; integers with all their digits. */
function dataJson(values: readonly Scalar[]): string {
  return `[${values.map((value) => (typeof value === 'bigint' ? String(value) : JSON.stringify(value))).join(',')}]`;
}

/** `{inputs: [...]}` as text. */
export function jsonRequest(inputs: readonly Tensor[]): string {
  const parts = inputs.map(
    ({ name, datatype, shape, values }) =>
      `{"name":${JSON.stringify(name)},"shape":${JSON.stringify(shape)},"datatype":"${datatype}","data":${dataJson(values)}}`,
  );
  return `{"inputs":[${parts.join(',')}]}`;
}

/** The binary tensor extension, for inputs and outputs alike. */
export function binaryRequest(
  inputs: readonly { name: string; datatype: string; shape: readonly number[]; content: Buffer }[],
): { readonly headers: Record<string, string>; readonly body: Buffer } {
  const header = Buffer.from(
    JSON.stringify({
      inputs: inputs.map(({ name, datatype, shape, content }) => ({
        name,
        datatype,
        shape,
        parameters: { binary_data_size: content.length },
      })),
      parameters: { binary_data_output: true },
    }),
  );
  return {
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(header.length),
    },
    body: Buffer.concat([header, ...inputs.map(({ content }) => content)]),
  };
}

type Output = {
  name: string;
  datatype: string;
  shape: number[];
  data?: Scalar[];
  parameters?: { binary_data_size?: number };
};

/** The outputs of an infer response, JSON or binary. Throws what the protocol does not allow. */
export function readOutputs(headers: Readonly<Record<string, string>>, body: Buffer): Tensor[] {
  const length = headers['inference-header-content-length'];
  const json = length === undefined ? body : body.subarray(0, Number(length));
  const { outputs } = parse(json.toString()) as { outputs: Output[] };
  let at = json.length;
  const tensors = outputs.map(({ name, datatype, shape: dimensions, data, parameters }) => {
    const shape = dimensions.map(Number);
    // A float may be written like an integer.
    const values = datatype.startsWith('FP') ? data?.map(Number) : data;
    if (values) return { name, datatype, shape, values };
    const size = Number(parameters?.binary_data_size);
    const content = body.subarray(at, at + size);
    at += size;
    return { name, datatype, shape, values: fromBinary(datatype, content) };
  });
  if (at !== body.length) throw new Error(`${body.length - at} bytes after the last tensor`);
  return tensors;
}

/** JSON with integers kept exact, as bigint beyond 2^53. */
function parse(text: string): unknown {
  const exact = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? BigInt(context?.source ?? '')
      : value;
  return JSON.parse(text, exact);
}

/**
 * @returns what is different, or undefined. Integers, booleans and strings must be equal; floats may differ
 * by `tolerance`, relative to the larger of 1 and the value, NaN being equal to NaN.
 */
export function difference(
  answer: readonly Tensor[],
  expected: readonly Tensor[],
  tolerance: number,
): string | undefined {
  if (answer.length !== expected.length) return `${answer.length} outputs for ${expected.length}`;
  for (const wanted of expected) {
    const got = answer.find(({ name }) => name === wanted.name);
    if (!got) return `no output ${wanted.name}`;
    const at = `output ${wanted.name}`;
    if (got.datatype !== wanted.datatype) return `${at}: ${got.datatype} for ${wanted.datatype}`;
    if (got.shape.join() !== wanted.shape.join()) return `${at}: shape ${got.shape} for ${wanted.shape}`;
    if (got.values.length !== wanted.values.length)
      return `${at}: ${got.values.length} values for ${wanted.values.length}`;
    const index = got.values.findIndex(
      (value, i) => !close(wanted.datatype, value, wanted.values[i] ?? Number.NaN, tolerance),
    );
    if (index >= 0) return `${at}[${index}]: ${got.values[index]} for ${wanted.values[index]}`;
  }
  return undefined;
}

function close(datatype: string, got: Scalar, wanted: Scalar, tolerance: number): boolean {
  if (/INT64$/.test(datatype)) return typeof got !== 'boolean' && BigInt(got) === BigInt(wanted);
  if (typeof got !== 'number' || typeof wanted !== 'number') return got === wanted;
  if (!datatype.startsWith('FP')) return got === wanted;
  const number = datatype === 'FP64' ? got : Math.fround(got);
  if (Object.is(number, wanted) || number === wanted) return true;
  if (!Number.isFinite(number) || !Number.isFinite(wanted)) return false;
  return Math.abs(number - wanted) <= tolerance * Math.max(1, Math.abs(wanted));
}
