import type { Datatype } from '../../../../core/tensor/contract.ts';

/** An input as the graph declares it; equal `symbols` are equal lengths. */
export type ProbeInput = {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly symbols: readonly (string | undefined)[];
};

/** Values for one run: typed arrays, or strings. */
export type ProbeTensor = {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ProbeData;
};
type ProbeData = Exclude<ReturnType<(typeof ARRAYS)[keyof typeof ARRAYS]>, never> | string[];

/** A probe: how long free dimensions are, and whether values are zeros or (reproducibly) random. */
export type Probe = { readonly length: number; readonly zeros: boolean };

/**
 * Lengths to try for free dimensions, until two differing ones run: small ones first, then what sequence and
 * image models often need. The first is 2, since 1 hides whether an output follows it.
 */
export const PROBES: readonly Probe[] = [2, 3, 1, 16, 64, 224, 512].flatMap((length) => [
  { length, zeros: false },
  { length, zeros: true },
]);

/** Elements of one tensor; a probe beyond it is not tried. */
const ELEMENTS = 1 << 24;

/** Datatype → ONNX Runtime's name and array of it. FP16 goes as its bits. */
const ARRAYS = {
  BOOL: (n: number) => new Uint8Array(n),
  UINT8: (n: number) => new Uint8Array(n),
  UINT16: (n: number) => new Uint16Array(n),
  UINT32: (n: number) => new Uint32Array(n),
  UINT64: (n: number) => new BigUint64Array(n),
  INT8: (n: number) => new Int8Array(n),
  INT16: (n: number) => new Int16Array(n),
  INT32: (n: number) => new Int32Array(n),
  INT64: (n: number) => new BigInt64Array(n),
  FP16: (n: number) => new Uint16Array(n),
  FP32: (n: number) => new Float32Array(n),
  FP64: (n: number) => new Float64Array(n),
} as const;

/** ONNX Runtime's word for each datatype. */
const ORT_TYPES: Readonly<Record<Datatype, string>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
};

/**
 * Inputs for one probe, the same at every call. Integers are 0 or 1, so that they index any table.
 *
 * @returns undefined where a tensor would be too large
 */
export function probeInputs(
  inputs: readonly ProbeInput[],
  { length, zeros }: Probe,
): ProbeTensor[] | undefined {
  const random = generator(length);
  const tensors: ProbeTensor[] = [];
  for (const { name, datatype, shape } of inputs) {
    const dims = shape.map((dimension) => (dimension < 0 ? length : dimension));
    const size = dims.reduce((product, dimension) => product * dimension, 1);
    if (size > ELEMENTS) return undefined;
    tensors.push({
      name,
      type: ORT_TYPES[datatype],
      dims,
      data: values(datatype, size, zeros ? () => 0 : random),
    });
  }
  return tensors;
}

function values(datatype: Datatype, size: number, random: () => number): ProbeData {
  if (datatype === 'BYTES') return Array.from({ length: size }, () => (random() < 0.5 ? 'a' : 'b c'));
  const array = ARRAYS[datatype](size);
  for (let index = 0; index < size; index += 1) {
    const value = random();
    if (array instanceof BigInt64Array || array instanceof BigUint64Array)
      array[index] = BigInt(Math.round(value));
    // 1.0 and −0.5 as half-precision bits.
    else if (datatype === 'FP16') array[index] = value === 0 ? 0 : value < 0.5 ? 0x3c00 : 0xb800;
    else if (datatype === 'FP32' || datatype === 'FP64') array[index] = value === 0 ? 0 : value * 2 - 1;
    else array[index] = Math.round(value);
  }
  return array;
}

/** A linear congruential generator (Numerical Recipes' constants): the same numbers on every machine. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One output of a run. */
export type ProbeOutput = {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ProbeValues;
};
type ProbeValues = ArrayLike<number | bigint | string | boolean>;

/**
 * How far two outputs of the same name are apart: 0 is equal, above 1 is more than reordering of sums
 * explains. Floats may differ by 1e-4 of the tensor's largest value (half precision: 4e-3); all else must be
 * equal.
 */
export function distance(a: ProbeOutput, b: ProbeOutput): number {
  if (a.type !== b.type || a.dims.join() !== b.dims.join() || a.data.length !== b.data.length)
    return Infinity;
  const allowed = { float16: 4e-3, float32: 1e-4, float64: 1e-4 }[a.type];
  let largest = 0;
  let apart = 0;
  for (let index = 0; index < a.data.length; index += 1) {
    const x = valueAt(a, index);
    const y = valueAt(b, index);
    if (Object.is(x, y) || x === y) {
      if (typeof x === 'number' && Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
      continue;
    }
    if (allowed === undefined || typeof x !== 'number' || typeof y !== 'number') return Infinity;
    if (!Number.isFinite(x) || !Number.isFinite(y)) return Infinity;
    largest = Math.max(largest, Math.abs(x));
    apart = Math.max(apart, Math.abs(x - y));
  }
  if (apart === 0 || allowed === undefined) return 0;
  return apart / (allowed * Math.max(largest, 1e-6));
}

/** Node 22 has no Float16Array: half precision comes as bits there. */
function valueAt({ type, data }: ProbeOutput, index: number): number | bigint | string | boolean | undefined {
  const value = data[index];
  if (type !== 'float16' || !(data instanceof Uint16Array) || typeof value !== 'number') return value;
  const exponent = (value >> 10) & 0x1f;
  const fraction = value & 0x3ff;
  const sign = value >> 15 ? -1 : 1;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
