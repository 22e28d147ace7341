import type { Datatype, TensorSpec } from '../infer/contract.ts';
import type { CatalogModel } from './contract.ts';
import { elementCount, exampleShape } from './example.ts';

/** JSON Schema 2020-12, as OpenAPI 3.1 embeds it. */
export type Schema = Readonly<Record<string, unknown>>;

export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** Integers that a JSON number holds exactly; 64-bit ones are bounded by the endpoint, not here. */
const INTEGERS: Partial<Record<Datatype, readonly [number, number]>> = {
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
};

function element(datatype: Datatype): Schema {
  if (datatype === 'BYTES') return { type: 'string' };
  if (datatype === 'BOOL') return { type: 'boolean' };
  if (datatype === 'FP16') return { type: 'number', minimum: -65_504, maximum: 65_504 };
  if (datatype === 'FP32') return { type: 'number', format: 'float' };
  if (datatype === 'FP64') return { type: 'number', format: 'double' };
  if (datatype === 'INT64') return { type: 'integer', format: 'int64' };
  if (datatype === 'UINT64') return { type: 'integer', minimum: 0 };
  const [minimum, maximum] = INTEGERS[datatype] ?? [0, 0];
  return { type: 'integer', minimum, maximum };
}

/** Flat or nested, as the protocol allows; named apart, since it refers to itself. */
export const dataName = (datatype: Datatype): string => `Data.${datatype}`;
export const data = (datatype: Datatype): Schema => ({
  title: `Elements of ${datatype}, row-major, flat or nested`,
  type: 'array',
  items: { anyOf: [element(datatype), ref(dataName(datatype))] },
});

/** Every dimension that the signature fixes is fixed here too. */
function shapeSchema(shape: readonly number[]): Schema {
  return {
    type: 'array',
    minItems: shape.length,
    maxItems: shape.length,
    ...(shape.length > 0 && {
      prefixItems: shape.map((dimension) =>
        dimension < 0 ? { type: 'integer', minimum: 0 } : { const: dimension },
      ),
    }),
    examples: [exampleShape(shape)],
  };
}

function tensor({ name, datatype, shape }: TensorSpec): Schema {
  const fixed = shape.every((dimension) => dimension >= 0) ? elementCount(shape) : undefined;
  return {
    type: 'object',
    title: name,
    required: ['name', 'shape', 'datatype'],
    properties: {
      name: { const: name },
      shape: shapeSchema(shape),
      datatype: { const: datatype },
      parameters: {
        type: 'object',
        properties: {
          binary_data_size: {
            type: 'integer',
            minimum: 0,
            description: 'Bytes of this tensor after the JSON; then `data` is absent.',
          },
        },
      },
      data: ref(dataName(datatype)),
    },
    ...(fixed !== undefined && { description: `${fixed} elements.` }),
  };
}

/** Each tensor of the signature exactly once, in any order. */
function everyTensor(specs: readonly TensorSpec[]): Schema {
  return {
    type: 'array',
    minItems: specs.length,
    maxItems: specs.length,
    items: { oneOf: specs.map((spec) => tensor(spec)) },
    ...(specs.length > 1 && {
      allOf: specs.map(({ name }) => ({
        contains: { type: 'object', properties: { name: { const: name } }, required: ['name'] },
      })),
    }),
  };
}

/** Request and response of one model, and what they refer to. */
export function schemasOf({ name, signature }: CatalogModel): Record<string, Schema> {
  const parameters = { type: 'object', additionalProperties: true };
  return {
    [`${name}.Request`]: {
      type: 'object',
      required: ['inputs'],
      properties: {
        id: { type: 'string', description: 'Comes back in the answer.' },
        parameters: {
          type: 'object',
          properties: {
            binary_data_output: { type: 'boolean', description: 'Answer every output in binary.' },
          },
        },
        inputs: everyTensor(signature.inputs),
        outputs: {
          type: 'array',
          description: 'Only these outputs; all of them when absent.',
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { enum: signature.outputs.map((output) => output.name) },
              parameters: { type: 'object', properties: { binary_data: { type: 'boolean' } } },
            },
          },
        },
      },
    },
    [`${name}.Response`]: {
      type: 'object',
      required: ['model_name', 'outputs'],
      properties: {
        model_name: { const: name },
        model_version: { type: 'string', description: 'The version that answered.' },
        id: { type: 'string' },
        parameters,
        outputs: {
          type: 'array',
          maxItems: signature.outputs.length,
          items: { oneOf: signature.outputs.map((output) => tensor(output)) },
        },
      },
    },
  };
}

/** What does not depend on a model. */
export const SHARED: Record<string, Schema> = {
  Error: {
    type: 'object',
    description: 'Every error that the service itself answers.',
    required: ['error'],
    properties: { error: { type: 'string' } },
  },
  GatewayError: {
    type: 'object',
    description: 'What the gateway answers before or instead of the service.',
    properties: { message: { type: ['string', 'null'] } },
  },
  Tensor: {
    type: 'object',
    required: ['name', 'datatype', 'shape'],
    properties: {
      name: { type: 'string' },
      datatype: { type: 'string' },
      shape: {
        type: 'array',
        items: { type: 'integer', minimum: -1 },
        description: '-1 is a free dimension.',
      },
    },
  },
  Metadata: {
    type: 'object',
    required: ['name', 'platform', 'inputs', 'outputs'],
    properties: {
      name: { type: 'string' },
      versions: { type: 'array', items: { type: 'string' } },
      platform: { type: 'string' },
      inputs: { type: 'array', items: ref('Tensor') },
      outputs: { type: 'array', items: ref('Tensor') },
    },
  },
};
