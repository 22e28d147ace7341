// The handler that middy's documentation leads to: header normaliser, JSON body parser, validator, error
// handler, from node_modules as they come. Run from the folder where the peers are installed.
import { createRequire } from 'node:module';
import middy from '@middy/core';
import httpErrorHandler from '@middy/http-error-handler';
import httpHeaderNormalizer from '@middy/http-header-normalizer';
import httpJsonBodyParser from '@middy/http-json-body-parser';
import validator from '@middy/validator';
import { transpileSchema } from '@middy/validator/transpile';

const ort = createRequire(import.meta.url)('onnxruntime-node');
const session = await ort.InferenceSession.create(process.env.MODEL, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});

const input = {
  type: 'object',
  required: ['name', 'shape', 'datatype', 'data'],
  properties: {
    name: { type: 'string' },
    datatype: { type: 'string' },
    shape: { type: 'array', items: { type: 'integer' } },
    data: { type: 'array' },
  },
};
const body = {
  type: 'object',
  required: ['inputs'],
  properties: { inputs: { type: 'array', minItems: 1, items: input } },
};
const eventSchema = transpileSchema({ type: 'object', required: ['body'], properties: { body } });

async function infer(event) {
  const [{ name, shape, data }] = event.body.inputs;
  const results = await session.run({ [name]: new ort.Tensor('float32', Float32Array.from(data), shape) });
  const outputs = session.outputNames.map((output) => {
    const { type, dims, data: values } = results[output];
    const isInteger = type === 'int64';
    return {
      name: output,
      datatype: isInteger ? 'INT64' : 'FP32',
      shape: dims,
      data: Array.from(values, isInteger ? Number : undefined),
    };
  });
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model_name: 'middy', outputs }),
  };
}

export const handler = middy()
  .use(httpHeaderNormalizer())
  .use(httpJsonBodyParser())
  .use(validator({ eventSchema }))
  .use(httpErrorHandler())
  .handler(infer);
