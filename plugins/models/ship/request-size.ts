import { TENSOR_BYTES } from '../../../core/endpoint/contract.ts';
import type { Signature } from '../../../core/tensor/contract.ts';
import { sizeOf } from '../../../core/tensor/datatypes.ts';
import type { Problem } from '../problems/errors.ts';

/** Inputs of shapes so large that the endpoint would refuse every request; a free dimension can be 0. */
export function requestProblems({ inputs }: Signature, key: string): readonly Problem[] {
  let bytes = 0;
  for (const { shape, datatype } of inputs) {
    bytes += shape.reduce((product, dimension) => product * Math.max(0, dimension), sizeOf(datatype));
  }
  if (bytes <= TENSOR_BYTES) return [];
  return [
    {
      code: 'MODELS_ARTIFACT_UNSUPPORTED',
      key,
      message: `Its inputs have ${Math.ceil(bytes / 1e6)} MB by their fixed shapes, and the tensors of a request may take ${Math.floor(TENSOR_BYTES / 1e6)} MB: no request could be answered.`,
      fix: 'Export it for smaller inputs or with a free dimension, or let a transform.ts make them of what clients send.',
    },
  ];
}
