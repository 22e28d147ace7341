import type { Datatype, TensorSpec } from '../tensor/contract.ts';
import { isFloat } from '../tensor/values.ts';
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

/**
 * Arrays of arrays, as dimensions say: −1 is any length.
 * @param missing null is a missing value, of floats
 */
export function nested(
  datatype: Datatype,
  [length, ...rest]: readonly number[],
  missing: 'nan' | undefined = undefined,
): Schema {
  if (length === undefined) {
    const one = element(datatype);
    return missing === 'nan' && isFloat(datatype) ? { ...one, type: [one.type, 'null'] } : one;
  }
  const fixed = length < 0 ? {} : { minItems: length, maxItems: length };
  return { type: 'array', items: nested(datatype, rest, missing), ...fixed };
}

/** Keeps only how many dimensions a shape has. */
export const anyLengths = (shape: readonly number[]): number[] => shape.map(() => -1);

/**
 * Flat or nested as the shape is. One schema for each rank, as one that refers to itself for all of them is
 * more than openapi-python-client reads, and says less.
 */
const dataName = ({ datatype, shape }: TensorSpec): string =>
  shape.length < 2 ? `Data.${datatype}` : `Data.${datatype}.${shape.length}`;

/** The schemas of the data of these tensors. */
export const dataSchemas = (specs: readonly TensorSpec[]): Record<string, Schema> =>
  Object.fromEntries(
    specs.map((spec) => {
      const { datatype, shape } = spec;
      const description = `Elements of ${datatype}, row-major, flat${shape.length < 2 ? '' : ' or nested as the shape is'}.`;
      const flat = nested(datatype, [-1]);
      return [
        dataName(spec),
        shape.length < 2
          ? { description, ...flat }
          : { description, anyOf: [flat, nested(datatype, anyLengths(shape))] },
      ];
    }),
  );

/**
 * Bounds and no const: to generators all dimensions are then one type, and an array of them is one of
 * integers.
 */
const dimensionSchema = (dimension: number): Schema =>
  dimension < 0
    ? { type: 'integer', minimum: 0 }
    : { type: 'integer', minimum: dimension, maximum: dimension };

/** Every dimension that the signature fixes is fixed here too. */
function shapeSchema(shape: readonly number[]): Schema {
  return {
    type: 'array',
    minItems: shape.length,
    maxItems: shape.length,
    ...(shape.length === 0
      ? { items: { type: 'integer' } }
      : {
          prefixItems: shape.map(dimensionSchema),
        }),
    examples: [exampleShape(shape)],
  };
}

function tensor(spec: TensorSpec): Schema {
  const { name, datatype, shape } = spec;
  const fixed = shape.every((dimension) => dimension >= 0) ? elementCount(shape) : undefined;
  return {
    type: 'object',
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
      data: ref(dataName(spec)),
    },
    description: fixed === undefined ? `\`${name}\`.` : `\`${name}\`, ${fixed} elements.`,
  };
}

const parts = (schemas: readonly Schema[]): Schema => {
  const [only, ...others] = schemas;
  if (only === undefined) return { type: 'object' };
  return others.length === 0 ? only : { oneOf: schemas };
};

/** Each tensor of the signature exactly once, in any order. */
const everyTensor = (specs: readonly TensorSpec[], tensors: readonly Schema[]): Schema => ({
  type: 'array',
  minItems: specs.length,
  maxItems: specs.length,
  items: parts(tensors),
  ...(specs.length > 1 && {
    allOf: specs.map(({ name }) => ({
      contains: { type: 'object', properties: { name: { const: name } }, required: ['name'] },
    })),
  }),
});

/** One of these names. Not an enum: generators name its values, and cannot tell `y` from `Y`. */
const anyName = (names: readonly string[]): Schema => {
  const [only, ...others] = names.map((name) => ({ const: name }));
  if (only === undefined) return { type: 'string' };
  return others.length === 0 ? only : { anyOf: [only, ...others] };
};

/**
 * Request and response of one model in the protocol, and what they refer to.
 * @param word the model's part in names
 */
export function protocolSchemas(word: string, { name, signature }: CatalogModel): Record<string, Schema> {
  const parameters = { type: 'object', additionalProperties: true };
  const inputs = signature.inputs.map((_, i) => `${word}.Input${i + 1}`);
  const outputs = signature.outputs.map((_, i) => `${word}.Output${i + 1}`);
  return {
    ...Object.fromEntries(signature.inputs.map((spec, i) => [inputs[i], tensor(spec)])),
    ...Object.fromEntries(signature.outputs.map((spec, i) => [outputs[i], tensor(spec)])),
    [`${word}.Request`]: {
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
        inputs: everyTensor(signature.inputs, inputs.map(ref)),
        outputs: {
          type: 'array',
          description: 'Only these outputs; all of them when absent.',
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: anyName(signature.outputs.map((output) => output.name)),
              parameters: { type: 'object', properties: { binary_data: { type: 'boolean' } } },
            },
          },
        },
      },
    },
    [`${word}.Response`]: {
      type: 'object',
      required: ['model_name', 'outputs'],
      properties: {
        model_name: { const: name },
        model_version: { type: 'string', description: 'The version that answered.' },
        id: { type: 'string' },
        parameters,
        outputs: { type: 'array', maxItems: signature.outputs.length, items: parts(outputs.map(ref)) },
      },
    },
  };
}

/** What does not depend on a model. */
export const SHARED: Record<string, Schema> = {
  Error: {
    type: 'object',
    description: 'Every error that the service itself answers.',
    required: ['error', 'code'],
    properties: {
      error: { type: 'string', description: 'Names the place and the limit, never a value.' },
      code: {
        type: 'string',
        description: 'Stable. What a model’s own transform refuses may have a code of its own.',
      },
    },
  },
  GatewayError: {
    type: 'object',
    description: 'What the gateway answers before or instead of the service.',
    properties: { message: { type: ['string', 'null'] } },
  },
  Server: {
    type: 'object',
    required: ['name', 'version', 'extensions'],
    properties: {
      name: { type: 'string' },
      version: { type: 'string' },
      extensions: { type: 'array', items: { type: 'string' } },
    },
  },
  Live: { type: 'object', required: ['live'], properties: { live: { type: 'boolean' } } },
  Ready: {
    type: 'object',
    description: 'Also the empty object, of SageMaker’s health check.',
    properties: { name: { type: 'string' }, ready: { type: 'boolean' } },
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
  Card: {
    type: 'object',
    description: 'Each value with who says it: the card, the registry of the artifact, or the artifact.',
    required: ['schema', 'model', 'card', 'artifact', 'runtime', 'inputs', 'outputs'],
    properties: {
      schema: { type: 'integer' },
      model: { type: 'string' },
      card: {
        type: 'object',
        required: ['datasets', 'metrics'],
        properties: {
          datasets: { type: 'array', items: { type: 'object' } },
          metrics: { type: 'array', items: { type: 'object' } },
        },
      },
      artifact: { type: 'object', properties: { sha256: { type: 'string' } } },
      runtime: { type: 'object' },
      inputs: { type: 'array', items: ref('Tensor') },
      outputs: { type: 'array', items: ref('Tensor') },
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
