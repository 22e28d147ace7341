import type { TensorSpec } from '../infer/contract.ts';
import { element, nested, ref, type Schema } from './schemas.ts';

/**
 * What `/invocations` takes and gives, as infer/sagemaker.ts reads and writes it: values without shapes, whose nesting is the
 * shape, by rows or each input whole.
 */

/** Each way to write values of these dimensions: where the last one is 1, single values fit, too. */
function ways({ datatype, shape }: TensorSpec, depth: number): readonly Schema[] {
  const deep = nested(datatype, depth);
  return depth === 0 || shape.at(-1) !== 1 ? [deep] : [deep, nested(datatype, depth - 1)];
}

const anyOf = (schemas: readonly Schema[]): Schema => {
  const [only, ...others] = schemas;
  return only !== undefined && others.length === 0 ? only : { anyOf: schemas };
};

/** Dimensions of one row of it: what lies along its first dimension. */
const rowDepth = ({ shape }: TensorSpec): number => Math.max(0, shape.length - 1);

const wholeIn = (spec: TensorSpec): Schema => anyOf(ways(spec, spec.shape.length));
const wholeOut = ({ datatype, shape }: TensorSpec): Schema => nested(datatype, shape.length);
/** Rows may be written either way, but all of them alike, which a schema of one row cannot say. */
const rowIn = (spec: TensorSpec): Schema => anyOf(ways(spec, rowDepth(spec)));
const rowOut = (spec: TensorSpec): Schema => nested(spec.datatype, rowDepth(spec));

/** An object of all of them by name, and of no other. */
function byName(specs: readonly TensorSpec[], of: (spec: TensorSpec) => Schema): Schema {
  const names = specs.map(({ name }) => name);
  const object = { type: 'object', required: names };
  const identifiers = new Set(names.map((name) => name.replace(/[^\p{L}\p{N}]/gu, '').toLowerCase()));
  if (identifiers.size === names.length) {
    const properties = Object.fromEntries(specs.map((spec) => [spec.name, of(spec)]));
    return { ...object, properties, additionalProperties: false };
  }
  // Generators make members of properties, and cannot tell `a b` from `a_b`; to them this is an object of anything.
  const patterns = specs.map((spec) => [`^${literal(spec.name)}$`, of(spec)]);
  return { ...object, propertyNames: { enum: names }, patternProperties: Object.fromEntries(patterns) };
}

/** As JSON Schema's regular expressions, of which `u` is the flag, take it. */
const literal = (name: string): string => name.replace(/[$()*+.?[\\\]^{|}/]/g, '\\$&');

const list = (items: Schema): Schema => ({ type: 'array', items });
const object = (key: string, value: Schema): Schema => ({
  type: 'object',
  required: [key],
  properties: { [key]: value },
});

/** @param word the model's part in names */
export function invocationSchemas(
  word: string,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
): Record<string, Schema> {
  const name = (part: string): string => `${word}.${part}`;
  const [only, ...others] = inputs;
  const single = others.length === 0 ? only : undefined;
  // A scalar has no rows, and an example of nothing is none.
  const hasRows = inputs.length > 0 && inputs.every(({ shape }) => shape.length > 0);
  const rows: Schema[] = hasRows
    ? [...(single === undefined ? [] : ways(single, rowDepth(single)).map(list)), list(ref(name('Row')))]
    : [];
  // One row may come without the brackets around rows, where it has brackets of its own and its values have none.
  const alone = single !== undefined && single.shape.length === 2 ? [list(element(single.datatype))] : [];
  const inputsWhole = [...(single === undefined ? [] : [wholeIn(single)]), ref(name('Columns'))];

  const [first, ...more] = outputs;
  const result = more.length === 0 ? first : undefined;
  const predicted = result === undefined ? ref(name('Predicted')) : rowOut(result);
  const given = result === undefined ? ref(name('Named')) : wholeOut(result);
  return {
    ...(hasRows && {
      [name('Row')]: { description: 'A row, by input names.', ...byName(inputs, rowIn) },
      [name('Instances')]: object('instances', anyOf(rows)),
    }),
    [name('Columns')]: {
      description: 'Each input whole, by its name.',
      ...byName(inputs, wholeIn),
    },
    [name('Whole')]: object('inputs', anyOf(inputsWhole)),
    [name('Invocation')]: {
      description:
        'Rows as `instances` or bare, each input whole as `inputs`, or a request of the Open Inference Protocol.',
      anyOf: [
        ...(hasRows ? [ref(name('Instances'))] : []),
        ref(name('Whole')),
        ...rows,
        ...alone,
        ref(name('Request')),
      ],
    },
    ...(result === undefined && {
      [name('Predicted')]: {
        description: 'The outputs of a row, by their names.',
        ...byName(outputs, rowOut),
      },
      [name('Named')]: {
        description: 'Each output whole, by its name.',
        ...byName(outputs, wholeOut),
      },
    }),
    [name('Predictions')]: object('predictions', list(predicted)),
    [name('Outputs')]: object('outputs', given),
    [name('Answer')]: {
      description: '`predictions` to rows, `outputs` to `inputs`, the protocol’s answer to the protocol.',
      anyOf: [ref(name('Predictions')), ref(name('Outputs')), ref(name('Response'))],
    },
  };
}
