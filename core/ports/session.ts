import type { InferenceSession } from 'onnxruntime-common';
import type { Tensor } from '../tensor/datatypes.ts';

/** ONNX Runtime with one model loaded. */
export type Session = {
  /**
   * Blocks until the model has run.
   * @returns the outputs named, all when none is; @throws ONNX Runtime's error, whose message may hold values
   * of the inputs
   */
  run(
    tensors: Readonly<Record<string, Tensor>>,
    fetches?: readonly string[],
  ): InferenceSession.OnnxValueMapType;
};
