import type { Datatype, TensorSpec } from '../tensor/contract.ts';
import type { Tensor } from '../tensor/datatypes.ts';
import type { Tensors, TensorsOf } from '../tensor/tensors.ts';

/** What else a request holds. */
export type RequestInfo = {
  readonly id: string | undefined;
  readonly parameters: Readonly<Record<string, unknown>>;
};

/**
 * What a model folder's `transform.ts` may export, to tokenise or to name labels:
 *
 *     import type { Transform } from 'serverless-models';
 *     export const inputs = [{ name: 'text', datatype: 'BYTES', shape: [-1] }] as const;
 *     export const pre: Transform<typeof inputs>['pre'] = ({ text }) => ({ input_ids: tokenise(text.data) });
 *
 * With the graph's own signature beside it (`sls models list --types > signature.ts`) the other side is
 * typed, too:
 *
 *     import { mood } from './signature.ts';
 *     type Mood = Transform<typeof inputs, typeof outputs, typeof mood>;
 *
 * `inputs` and `outputs` are what clients see in place of the model's own; without them the signature is the
 * model's. They are read when the model is packaged. `pre` turns the clients' inputs into the model's, `post`
 * the model's outputs into the clients'. An error with a `status` from 400 to 499 that they throw goes to the
 * client with its message; any other becomes a 500 without one.
 */
export type Transform<
  Inputs extends readonly TensorSpec[] = readonly TensorSpec[],
  Outputs extends readonly TensorSpec[] = readonly TensorSpec[],
  Graph extends Graphs = Graphs,
> = {
  readonly inputs?: Inputs;
  readonly outputs?: Outputs;
  readonly pre?: (
    inputs: TensorsOf<Inputs>,
    request: RequestInfo,
  ) => TensorsOf<Graph['inputs']> | Promise<TensorsOf<Graph['inputs']>>;
  readonly post?: (
    outputs: TensorsOf<Graph['outputs']>,
    request: RequestInfo,
  ) => TensorsOf<Outputs> | Promise<TensorsOf<Outputs>>;
};
type Graphs = { readonly inputs: readonly TensorSpec[]; readonly outputs: readonly TensorSpec[] };

/** Any transform, as the handler sees it: the types above are for its author. */
export type AnyTransform = {
  readonly inputs?: readonly TensorSpec[];
  readonly outputs?: readonly TensorSpec[];
  // Method syntax: its parameters are compared both ways, so that a `pre` for certain inputs is one for any.
  pre?(inputs: Tensors, request: RequestInfo): Tensors | Promise<Tensors>;
  post?(outputs: Tensors, request: RequestInfo): Tensors | Promise<Tensors>;
};
export type { Datatype, Tensor, TensorSpec };
