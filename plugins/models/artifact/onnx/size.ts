import type { ModelSize } from '../../../../core/advice/contract.ts';

/** What a graph takes by its types and shapes alone. */

/** Bits of TensorProto.DataType: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const BITS: Readonly<Record<number, number>> = {
  ...{ 1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64 },
  ...{ 15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4 },
};
const UNKNOWN_BITS = 32;
/** A text takes its bytes; eight is what a short one has. */
const STRING_BYTES = 8;
/** Floats of all widths, and 8-bit integers, in which quantised weights are kept. */
const SHRINKABLE = new Set([1, 2, 3, 10, 11, 16, 17, 18, 19, 20]);

/**
 * @param elements of the tensors that the graph keeps, by type
 * @param rest bytes of the file that are no tensors
 */
export const weightsOf = (elements: ReadonlyMap<number, number>, rest: number): ModelSize => ({
  weights: [...elements]
    .sort(([one], [other]) => one - other)
    .map(([type, count]) => ({
      elements: count,
      bits: BITS[type] ?? UNKNOWN_BITS,
      canShrink: SHRINKABLE.has(type),
    })),
  rest,
});

type Input = {
  readonly type:
    | { readonly kind: 'tensor'; readonly elem: number; readonly shape: readonly number[] | undefined }
    | { readonly kind: 'sequence' | 'map' | 'optional' | 'sparse' | 'unknown' };
};

/** Bytes of one row of the inputs: free dimensions have the length 1. */
export const rowBytes = (inputs: readonly Input[]): number =>
  inputs.reduce((sum, { type }) => {
    if (type.kind !== 'tensor') return sum;
    const count = (type.shape ?? []).reduce((product, length) => product * Math.max(1, length), 1);
    return sum + count * (type.elem === 8 ? STRING_BYTES : (BITS[type.elem] ?? UNKNOWN_BITS) / 8);
  }, 0);
