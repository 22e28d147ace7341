// The handler that one writes first: ONNX Runtime with its defaults, the original model, JSON in and out, no
// checks.
import { createRequire } from 'node:module';

const ort = createRequire(import.meta.url)('onnxruntime-node');
const session = await ort.InferenceSession.create(process.env.MODEL);

export async function handler(event) {
  const [input] = JSON.parse(event.body).inputs;
  const tensor =
    input.datatype === 'INT64'
      ? new ort.Tensor('int64', BigInt64Array.from(input.data, BigInt), input.shape)
      : new ort.Tensor('float32', Float32Array.from(input.data), input.shape);
  const results = await session.run({ [input.name]: tensor });
  const outputs = session.outputNames.map((name) => {
    const { type, dims, data } = results[name];
    const isInteger = type === 'int64';
    return {
      name,
      datatype: isInteger ? 'INT64' : 'FP32',
      shape: dims,
      data: Array.from(data, isInteger ? Number : undefined),
    };
  });
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model_name: 'naive', outputs }),
  };
}
