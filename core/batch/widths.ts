import type { Manifest } from '../endpoint/contract.ts';
import { zeros } from '../endpoint/prime.ts';
import type { Rows } from '../tabular/cells/format.ts';
import { widthOf } from '../tabular/cells/layout.ts';
import { formatOf } from '../tabular/formats.ts';
import type { TensorSpec } from '../tensor/contract.ts';
import type { Tensor } from '../tensor/datatypes.ts';
import type { Tensors } from '../tensor/tensors.ts';
import type { Entry } from './contract.ts';
import { answerWidth, mostRows } from './model.ts';
import type { RunModel } from './score.ts';

/** An output as it is written. */
export type Written = {
  readonly name: string;
  readonly datatype: Tensor['datatype'];
  /** Elements a row; absent where the signature leaves that open, and an array of any length is written. */
  readonly width?: number;
  /** As in `ExpectedOutput`. */
  readonly fixed?: number;
};

/** Rows of the object that a model is tried with which refuses zeros. */
const TRIED = 32;
/** The same with those that are faulty before the model sees them. */
const LOOKED_AT = 1_000;

/**
 * How many elements each output has in a row. Columns must be known before there is an answer: where the
 * signature leaves their number open, the model is asked. One that answers to nothing is taken for one with
 * one element a row.
 */
export async function writtenOutputs(
  { signature }: Pick<Manifest, 'signature'>,
  run: RunModel,
  { emit, outputFormat }: Pick<Entry, 'emit' | 'outputFormat'>,
  rows: Pick<Rows, 'shapes' | 'all'>,
): Promise<readonly Written[]> {
  const names = emit.length > 0 ? emit : signature.outputs.map(({ name }) => name);
  const specs = names.flatMap((name) => signature.outputs.filter((spec) => spec.name === name));
  const { nests } = formatOf(outputFormat);
  const declared = specs.map((spec) => ({ spec, width: answerWidth(signature, spec) }));
  const isOpen = declared.some(({ width }) => width < 0);
  const answers = !nests && isOpen ? await probe(signature.inputs, run, rows) : {};
  const isSingle = mostRows({ signature }) === 1;
  return declared.map(({ spec: { name, datatype, shape }, width }) => {
    // A free first dimension counts no rows where there is one.
    const isAny = width < 0 || (isSingle && (shape[0] ?? 0) < 0);
    const [first = 0] = shape;
    const about = { name, datatype, ...(!isSingle && first > 1 && { fixed: first }) };
    if (nests && isAny) return about;
    return { ...about, width: width < 0 ? (answers[name]?.data.length ?? 1) : width };
  });
}

/**
 * What the model answers to one row. Zeros of the size that the object's rows have need no read. Rows of the
 * object itself are asked where these have no size in common, or the model refuses zeros; zeros of one
 * element where it refuses those, too.
 */
async function probe(
  inputs: readonly TensorSpec[],
  run: RunModel,
  { shapes, all }: Pick<Rows, 'shapes' | 'all'>,
): Promise<Tensors> {
  const ask = async (row: Tensors): Promise<Tensors | undefined> => {
    try {
      return (await run(row)).outputs;
    } catch {
      return undefined;
    }
  };
  const zerosOf = (sizes: Rows['shapes']): Tensors =>
    Object.fromEntries(
      inputs.map((spec) => {
        const inner = widthOf(spec) < 0 ? sizes?.get(spec.name) : undefined;
        const shape = inner === undefined ? spec.shape : [1, ...inner];
        return [spec.name, zeros({ ...spec, shape })];
      }),
    );
  const isKnown = inputs.every((spec) => widthOf(spec) >= 0 || shapes?.has(spec.name));
  const answered = isKnown ? await ask(zerosOf(shapes)) : undefined;
  if (answered !== undefined) return answered;
  let [tried, looked] = [0, 0];
  // A part of a byte is a row.
  for await (const { rows, tensors } of all(1)) {
    const outputs = rows.length > 0 ? await ask(tensors) : undefined;
    if (outputs !== undefined) return outputs;
    if (rows.length > 0) tried++;
    if (tried === TRIED || ++looked === LOOKED_AT) break;
  }
  return (await ask(zerosOf(undefined))) ?? {};
}
