import { widthOf } from '../../../core/tabular/cells/layout.ts';
import type { Columns, Signature, TensorSpec } from '../../../core/tensor/contract.ts';
import type { Model } from '../declaration/model.ts';
import type { Problem } from '../problems/errors.ts';

/**
 * Names of a model's columns, as they bind: declared, or the metadata property `columns` of the model itself.
 */
export type KnownColumns = {
  /** Columns of the input that clients see, and of the graph's own. */
  readonly client?: Columns;
  readonly graph?: Columns;
  readonly problems: readonly Problem[];
  /** For people. */
  readonly notices: readonly string[];
};

/**
 * @param metadata the property as it is written
 * @param client what clients see: the graph's own, or what transform.ts declares in its place
 */
export function knownColumns(
  { name, columns }: Pick<Model, 'name' | 'columns'>,
  metadata: string | undefined,
  graph: Signature,
  client: Signature,
): KnownColumns {
  const own = hasSameInputs(graph, client);
  const declared = columns === undefined ? undefined : misfitOf(columns, client);
  const problems: Problem[] = [];
  if (declared !== undefined)
    problems.push({
      code: 'MODELS_COLUMNS',
      key: `models.${name}.columns`,
      value: columns,
      message: `has ${count(columns ?? [])}, but ${declared.why}.`,
      fix: declared.fix,
    });
  const written: Columns | undefined = columns && { names: columns, bind: true };
  // What is declared of the same input comes first.
  const read = written !== undefined && own ? {} : metadataColumns(name, metadata, graph);
  if (read.problem !== undefined) problems.push(read.problem);
  const ofGraph = own ? (written ?? read.columns) : read.columns;
  const ofClient = own ? ofGraph : written;
  return {
    ...(ofClient && { client: ofClient }),
    ...(ofGraph && { graph: ofGraph }),
    problems,
    notices: read.notice === undefined ? [] : [read.notice],
  };
}

export const hasSameInputs = (one: Signature, other: Signature): boolean =>
  JSON.stringify(one.inputs) === JSON.stringify(other.inputs);

/** The input whose columns can have names: the only one, of the shape [rows, columns]. */
function inputOfColumns({ inputs }: Signature): TensorSpec | undefined {
  const [only, ...others] = inputs;
  return only !== undefined && others.length === 0 && only.shape.length === 2 ? only : undefined;
}

function metadataColumns(
  model: string,
  text: string | undefined,
  signature: Signature,
): { readonly columns?: Columns; readonly notice?: string; readonly problem?: Problem } {
  if (text === undefined) return {};
  const names = namesIn(text);
  if (names === undefined)
    return {
      notice: 'The model’s metadata property `columns` is not used: it is no JSON list of different names.',
    };
  const misfit = misfitOf(names, signature);
  if (misfit === undefined) return { columns: { names, bind: true } };
  if (inputOfColumns(signature) === undefined)
    return { notice: `The model’s metadata property \`columns\` is not used: ${misfit.why}.` };
  return {
    problem: {
      code: 'MODELS_COLUMNS',
      key: `models.${model}.artifact`,
      message: `has the metadata property \`columns\` with ${count(names)}, but ${misfit.why}.`,
      fix: 'Correct the property, or write `columns`, which takes its place.',
    },
  };
}

function namesIn(text: string): readonly string[] | undefined {
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isList =
    Array.isArray(names) &&
    names.length > 0 &&
    names.every((one) => typeof one === 'string' && one !== '') &&
    new Set(names).size === names.length;
  return isList ? (names as string[]) : undefined;
}

/** Why there cannot be these names, and what to do. */
function misfitOf(
  names: readonly string[],
  signature: Signature,
): { readonly why: string; readonly fix: string } | undefined {
  const input = inputOfColumns(signature);
  const { inputs } = signature;
  if (input === undefined) {
    const only = inputs.length === 1 ? inputs[0] : undefined;
    const why =
      only === undefined
        ? `the model has ${inputs.length} inputs, whose own names are those of the columns`
        : `the input ${only.name} has the shape [${only.shape.join(', ')}], and only one of the shape [rows, columns] has columns`;
    return { why, fix: 'Leave it out.' };
  }
  const width = widthOf(input);
  if (width < 0 || width === names.length) return undefined;
  return {
    why: `the input ${input.name} has ${width} column${width === 1 ? '' : 's'}`,
    fix: 'Name each column once, in the order in which the model was trained.',
  };
}

const count = (names: readonly string[]): string => `${names.length} name${names.length === 1 ? '' : 's'}`;
