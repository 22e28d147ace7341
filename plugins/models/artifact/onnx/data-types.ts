import type { Datatype } from '../../../../core/tensor/contract.ts';

/**
 * TensorProto.DataType → protocol. The rest (bfloat16, complex, 4 and 8 bit floats, int4) has no word there.
 */
export const PROTOCOL_TYPES: Readonly<Record<number, Datatype>> = {
  1: 'FP32',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'BYTES',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'UINT32',
  13: 'UINT64',
};

/**
 * TensorProto.DataType that have no word in the protocol:
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export const OTHER_TYPES: Readonly<Record<number, string>> = {
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
};
