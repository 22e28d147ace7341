import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-common';
import { withoutTelemetry } from '../../../../core/node/telemetry.ts';
import { ortTypeOf, type Tensor } from '../../../../core/tensor/datatypes.ts';
import type { OpenModel, OutputAnswer } from '../../contracts/artifact-format.ts';

withoutTelemetry(process.env);
const ort: typeof Ort = createRequire(import.meta.url)('onnxruntime-node');

export const openModel: OpenModel = async (file) => {
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
    graphOptimizationLevel: 'all',
  });
  return async (inputs, outputs) => {
    const feeds = Object.entries(inputs).map(([name, tensor]) => [name, tensorOf(tensor)] as const);
    const answers = await session.run(Object.fromEntries(feeds), outputs);
    return answers as unknown as Record<string, OutputAnswer>;
  };
};

function tensorOf({ datatype, shape, data }: Tensor): Ort.Tensor {
  // The binding takes half precision as its bits, and the constructor does not.
  if (datatype === 'FP16') {
    const bits = new ort.Tensor('uint16', data as Uint16Array, shape);
    return Object.assign(bits, { type: 'float16' }) as Ort.Tensor;
  }
  return new ort.Tensor(ortTypeOf(datatype) as 'float32', data as Float32Array, shape);
}
