import type { Datatype } from './contract.ts';

/** ONNX Runtime's names of element types: https://onnxruntime.ai/docs/api/js/types/Tensor.Type.html */
export type OrtType =
  | 'bool'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'string';

export type NumericData =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

/** Elements of a tensor, row-major. BOOL is a byte of 0 or 1, FP16 its 16 bits, BYTES text. */
export type TensorData = NumericData | string[];

/** The elements' container for each datatype, for those who write transforms. */
type DataOf<D extends Datatype> = D extends 'BOOL' | 'UINT8'
  ? Uint8Array<ArrayBuffer>
  : D extends 'UINT16' | 'FP16'
    ? Uint16Array<ArrayBuffer>
    : D extends 'UINT32'
      ? Uint32Array<ArrayBuffer>
      : D extends 'UINT64'
        ? BigUint64Array<ArrayBuffer>
        : D extends 'INT8'
          ? Int8Array<ArrayBuffer>
          : D extends 'INT16'
            ? Int16Array<ArrayBuffer>
            : D extends 'INT32'
              ? Int32Array<ArrayBuffer>
              : D extends 'INT64'
                ? BigInt64Array<ArrayBuffer>
                : D extends 'FP32'
                  ? Float32Array<ArrayBuffer>
                  : D extends 'FP64'
                    ? Float64Array<ArrayBuffer>
                    : string[];

/** One tensor on its way in or out. */
export type Tensor<D extends Datatype = Datatype> = {
  readonly datatype: D;
  readonly shape: readonly number[];
  readonly data: DataOf<D>;
};

type Numeric = Exclude<Datatype, 'BYTES'>;
type Kind = {
  readonly ort: OrtType;
  /** Bytes an element. */
  readonly size: number;
  readonly allocate: (length: number) => NumericData;
  readonly view: (buffer: ArrayBuffer, offset: number, length: number) => NumericData;
  /**
   * The least and the greatest of integers; both exact as doubles but for 64 bits, which have bigints of
   * their own.
   */
  readonly least: number;
  readonly greatest: number;
};

/**
 * A constructor table would do, but then every `new` goes by an unknown constructor; these stay fast and
 * typed.
 */
export const KINDS: Readonly<Record<Numeric, Kind>> = {
  BOOL: {
    ort: 'bool',
    size: 1,
    allocate: (n) => new Uint8Array(n),
    view: (b, o, n) => new Uint8Array(b, o, n),
    least: 0,
    greatest: 1,
  },
  UINT8: {
    ort: 'uint8',
    size: 1,
    allocate: (n) => new Uint8Array(n),
    view: (b, o, n) => new Uint8Array(b, o, n),
    least: 0,
    greatest: 255,
  },
  UINT16: {
    ort: 'uint16',
    size: 2,
    allocate: (n) => new Uint16Array(n),
    view: (b, o, n) => new Uint16Array(b, o, n),
    least: 0,
    greatest: 65_535,
  },
  UINT32: {
    ort: 'uint32',
    size: 4,
    allocate: (n) => new Uint32Array(n),
    view: (b, o, n) => new Uint32Array(b, o, n),
    least: 0,
    greatest: 4_294_967_295,
  },
  UINT64: {
    ort: 'uint64',
    size: 8,
    allocate: (n) => new BigUint64Array(n),
    view: (b, o, n) => new BigUint64Array(b, o, n),
    least: 0,
    greatest: 2 ** 64,
  },
  INT8: {
    ort: 'int8',
    size: 1,
    allocate: (n) => new Int8Array(n),
    view: (b, o, n) => new Int8Array(b, o, n),
    least: -128,
    greatest: 127,
  },
  INT16: {
    ort: 'int16',
    size: 2,
    allocate: (n) => new Int16Array(n),
    view: (b, o, n) => new Int16Array(b, o, n),
    least: -32_768,
    greatest: 32_767,
  },
  INT32: {
    ort: 'int32',
    size: 4,
    allocate: (n) => new Int32Array(n),
    view: (b, o, n) => new Int32Array(b, o, n),
    least: -2_147_483_648,
    greatest: 2_147_483_647,
  },
  INT64: {
    ort: 'int64',
    size: 8,
    allocate: (n) => new BigInt64Array(n),
    view: (b, o, n) => new BigInt64Array(b, o, n),
    least: -(2 ** 63),
    greatest: 2 ** 63,
  },
  FP16: {
    ort: 'float16',
    size: 2,
    allocate: (n) => new Uint16Array(n),
    view: (b, o, n) => new Uint16Array(b, o, n),
    least: -65_504,
    greatest: 65_504,
  },
  FP32: {
    ort: 'float32',
    size: 4,
    allocate: (n) => new Float32Array(n),
    view: (b, o, n) => new Float32Array(b, o, n),
    least: -3.4028234663852886e38,
    greatest: 3.4028234663852886e38,
  },
  FP64: {
    ort: 'float64',
    size: 8,
    allocate: (n) => new Float64Array(n),
    view: (b, o, n) => new Float64Array(b, o, n),
    least: -Number.MAX_VALUE,
    greatest: Number.MAX_VALUE,
  },
};

/**
 * ONNX Runtime's type → the protocol's; what is not here (bfloat16, float8, int4, maps, sequences) cannot be
 * expressed.
 */
export const DATATYPE_OF: Readonly<Record<string, Datatype>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'BYTES',
};

export const ortTypeOf = (datatype: Datatype): OrtType =>
  datatype === 'BYTES' ? 'string' : KINDS[datatype].ort;

/** Bytes that an element takes in memory; a text at least one pointer. */
export const sizeOf = (datatype: Datatype): number => (datatype === 'BYTES' ? 8 : KINDS[datatype].size);
