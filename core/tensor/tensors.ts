import type { TensorSpec } from './contract.ts';
import type { Tensor } from './datatypes.ts';

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** The tensors that a list of specs describes, each with the container of its datatype. */
export type TensorsOf<S extends readonly TensorSpec[]> = {
  readonly [Spec in S[number] as Spec['name']]: Tensor<Spec['datatype']>;
};
