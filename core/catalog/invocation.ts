import type { TensorSpec } from '../tensor/contract.ts';
import type { CatalogModel } from './contract.ts';
import { anyLengths, nested, ref, type Schema } from './schemas.ts';

/**
 * What `/invocations` takes and gives, as infer/sagemaker.ts reads and writes it: values without shapes,
 * whose nesting is the shape, by rows or each input whole.
 */

type Missing = CatalogModel['missing'];

/**
 * Each way to write an input, or a row of it: where its shape is `[n, 1]` or `[1]`, single values fit, too.
 * @param dimensions of what is written
 */
function ways(
  { datatype, shape }: TensorSpec,
  dimensions: readonly number[],
  missing: Missing,
): readonly Schema[] {
  const deep = nested(datatype, dimensions, missing);
  const single = dimensions.length > 0 && shape.length <= 2 && shape.at(-1) === 1;
  return single ? [deep, nested(datatype, dimensions.slice(0, -1), missing)] : [deep];
}

const anyOf = (schemas: readonly Schema[]): Schema => {
  const [only, ...others] = schemas;
  return only !== undefined && others.length === 0 ? only : { anyOf: schemas };
};

const wholeIn = (spec: TensorSpec, missing: Missing): Schema => anyOf(ways(spec, spec.shape, missing));
/** Rows may be written either way, but all of them alike, which a schema of one row cannot say. */
const rowIn = (spec: TensorSpec, missing: Missing): Schema => anyOf(ways(spec, spec.shape.slice(1), missing));
// Without lengths: exporters declare `[1]` for what has a row each.
const wholeOut = ({ datatype, shape }: TensorSpec): Schema => nested(datatype, anyLengths(shape));
const rowOut = ({ datatype, shape }: TensorSpec): Schema => nested(datatype, anyLengths(shape.slice(1)));

/** An object of all of them by name, and of no other. */
const byName = (specs: readonly TensorSpec[], of: (spec: TensorSpec) => Schema): Schema =>
  membersOf(specs.map((spec) => [spec.name, of(spec)]));

function membersOf(members: readonly (readonly [string, Schema])[]): Schema {
  const names = members.map(([name]) => name);
  const object = { type: 'object', required: names };
  const identifiers = new Set(names.map((name) => name.replace(/[^\p{L}\p{N}]/gu, '').toLowerCase()));
  if (identifiers.size === names.length) {
    const properties = Object.fromEntries(members);
    return { ...object, properties, additionalProperties: false };
  }
  // Generators make members of properties, and cannot tell `a b` from `a_b`; to them this is an object of
  // anything.
  const patterns = members.map(([name, schema]) => [`^${literal(name)}$`, schema]);
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

/**
 * A row by the names of its columns, where they are known. A row that has the input's own name is taken to be
 * one by inputs.
 */
function rowByColumns(
  only: TensorSpec | undefined,
  { columns, missing }: Rules,
): { readonly RowByColumns?: Schema } {
  if (only === undefined || columns === undefined || columns.names.includes(only.name)) return {};
  const value = nested(only.datatype, [], missing);
  const schema = membersOf(columns.names.map((name) => [name, value]));
  return { RowByColumns: { description: `A row of \`${only.name}\`, by its columns’ names.`, ...schema } };
}

type Rules = Pick<CatalogModel, 'columns' | 'missing'>;

/** @param word the model's part in names */
export function invocationSchemas(
  word: string,
  { signature, ...rules }: Rules & Pick<CatalogModel, 'signature'>,
): Record<string, Schema> {
  const { inputs, outputs } = signature;
  const { missing } = rules;
  const name = (part: string): string => `${word}.${part}`;
  const [only, ...others] = inputs;
  const single = others.length === 0 ? only : undefined;
  // A scalar has no rows, and an example of nothing is none.
  const hasRows = inputs.length > 0 && inputs.every(({ shape }) => shape.length > 0);
  const { RowByColumns } = rowByColumns(single, rules);
  const named = [
    ...(hasRows ? [list(ref(name('Row')))] : []),
    ...(RowByColumns ? [list(ref(name('RowByColumns')))] : []),
  ];
  const plain = hasRows && single !== undefined ? ways(single, single.shape.slice(1), missing) : [];
  // Bare rows are arrays or objects; a bare array of values is one row, of an input that has columns.
  const bare = plain.filter(({ type }) => type === 'array').map(list);
  const alone =
    single !== undefined && single.shape.length === 2
      ? [nested(single.datatype, single.shape.slice(1), missing)]
      : [];
  const inputsWhole = [...(single === undefined ? [] : [wholeIn(single, missing)]), ref(name('Columns'))];

  const [first, ...more] = outputs;
  const result = more.length === 0 ? first : undefined;
  const predicted = result === undefined ? ref(name('Predicted')) : rowOut(result);
  const given = result === undefined ? ref(name('Named')) : wholeOut(result);
  return {
    ...(hasRows && {
      [name('Row')]: {
        description: 'A row, by input names.',
        ...byName(inputs, (spec) => rowIn(spec, missing)),
      },
      [name('Instances')]: object('instances', anyOf([...plain.map(list), ...named])),
    }),
    [name('Columns')]: {
      description: 'Each input whole, by its name.',
      ...byName(inputs, (spec) => wholeIn(spec, missing)),
    },
    ...(RowByColumns && { [name('RowByColumns')]: RowByColumns }),
    [name('Whole')]: object('inputs', anyOf(inputsWhole)),
    [name('Invocation')]: {
      description:
        'Rows as `instances` or bare, each input whole as `inputs`, or a request of the Open Inference Protocol.',
      anyOf: [
        ...(hasRows ? [ref(name('Instances'))] : []),
        ref(name('Whole')),
        ...bare,
        ...named,
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
