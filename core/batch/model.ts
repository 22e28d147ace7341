import type { Manifest } from '../endpoint/contract.ts';
import { ownRefusal, refusal } from '../errors/refusals.ts';
import type { Session } from '../ports/session.ts';
import { tensorOf } from '../protocol/answer.ts';
import type { AnyTransform } from '../protocol/transform.ts';
import { answersOf, feedsOf } from '../protocol/transform-result.ts';
import type { TensorSpec } from '../tensor/contract.ts';
import type { Tensor } from '../tensor/datatypes.ts';
import { sizeOfShape } from '../tensor/shape.ts';
import type { Tensors } from '../tensor/tensors.ts';
import type { RunModel } from './score.ts';

/**
 * The endpoint's own way from the clients' inputs to their outputs, of many rows at once.
 * @param seen is told what the graph took and gave; what it throws is its own affair
 */
export function runOf(
  manifest: Manifest,
  session: Session,
  { pre, post }: AnyTransform,
  seen?: (inputs: Tensors, outputs: Tensors) => void,
): RunModel {
  const graph = manifest.graph ?? manifest.signature;
  const needed = graph.omitted.length > 0 ? graph.outputs.map(({ name }) => name) : undefined;
  const info = { id: undefined, parameters: {} };
  return async (rows) => {
    const feeds =
      pre === undefined ? rows : feedsOf(await transformed(() => pre(copied(rows), info)), graph.inputs);
    const computed = session.run(feeds, needed);
    const results: Record<string, Tensor> = Object.create(null);
    for (const name in computed) {
      const tensor = tensorOf(computed[name] as Parameters<typeof tensorOf>[0]);
      if (tensor !== undefined) results[name] = tensor;
    }
    const outputs =
      post === undefined
        ? results
        : copied(
            answersOf(
              await transformed(() => post(seen === undefined ? results : copied(results), info)),
              manifest.signature.outputs,
            ),
          );
    return { outputs, ...(seen && { accepted: () => told(() => seen(feeds, results)) }) };
  };
}

/**
 * Tensors that a transform may write to: rows run again beside one that fails, what the graph gave is looked
 * at once the rows have their answers, and answers are kept while the next rows have theirs.
 */
const copied = (tensors: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      name,
      { ...tensor, shape: [...tensor.shape], data: tensor.data.slice() } as Tensor,
    ]),
  );

/** Scoring is for those who watch: whatever it throws, rows get their answers. */
function told(seen: () => void): void {
  try {
    seen();
  } catch {
    // A baseline that does not fit would fail at every block; the endpoint says so in its log.
  }
}

/**
 * What a transform refuses is told in its words, as clients are. What else it throws is told to nobody, since
 * it may hold values.
 */
async function transformed(work: () => Tensors | Promise<Tensors>): Promise<Tensors> {
  try {
    return await work();
  } catch (error) {
    const refused = ownRefusal(error);
    if (refused !== undefined) throw refused;
    throw refusal('TRANSFORM_FAILED', 'The model’s own transform failed.');
  }
}

/**
 * Rows that the model takes at once: as many as there are where its inputs' first dimensions are free, else
 * one.
 */
export const mostRows = ({ signature }: Pick<Manifest, 'signature'>): number =>
  signature.inputs.every(({ shape }) => shape.length > 0 && (shape[0] as number) < 0)
    ? Number.MAX_SAFE_INTEGER
    : 1;

/** Is all of a tensor one row? Then it has no dimension that counts rows. */
const isVector = ({ shape }: TensorSpec): boolean => shape.length === 1 && (shape[0] as number) >= 0;

/**
 * The model on rows as readers stack them: an input that is a vector of a fixed length, of which one goes
 * through at a time, is given as the graph has it.
 */
export function unstacked({ signature }: Pick<Manifest, 'signature'>, run: RunModel): RunModel {
  const vectors = signature.inputs.filter(isVector);
  if (vectors.length === 0) return run;
  return (rows) => {
    const given: Record<string, Tensor> = { ...rows };
    for (const { name, shape } of vectors) {
      const tensor = rows[name];
      if (tensor !== undefined) given[name] = { ...tensor, shape };
    }
    return run(given);
  };
}

/**
 * Elements that a row of an output has; −1 where the signature leaves that open. Where the model takes one
 * row at a time, all of an answer is a row’s: of what was found in a picture, for example. Where it takes
 * many, the first dimension counts rows; exporters declare a vector of a fixed length so, too.
 */
export function answerWidth(signature: Manifest['signature'], { shape }: TensorSpec): number {
  const isFixed = (shape[0] ?? -1) >= 0;
  const row = isFixed && mostRows({ signature }) === 1 ? shape : shape.slice(1);
  return row.some((dimension) => dimension < 0) ? -1 : sizeOfShape(row);
}
