/** Open Inference Protocol v2 datatypes: https://github.com/kserve/open-inference-protocol */
export const DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
] as const;

export type Datatype = (typeof DATATYPES)[number];

/** One input or output of the model. */
export type TensorSpec = {
  readonly name: string;
  readonly datatype: Datatype;
  /** −1 is a free dimension; `[]` a scalar. */
  readonly shape: readonly number[];
};

/** What goes in and comes out, in the protocol's words. */
export type Signature = {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Outputs that the protocol cannot express (maps, sequences), by name; they are never fetched. */
  readonly omitted: readonly string[];
};

/**
 * Names of the columns of a model whose one input has the shape [rows, columns], in the input's order: known
 * when packaged.
 */
export type Columns = {
  readonly names: readonly string[];
  /**
   * They are declared, or the model's own: a header that lacks one is refused. Else they are the reference
   * data's, and put those files in order that have them all.
   */
  readonly bind: boolean;
};

/** Arrays and objects inside one another, in a request. ONNX tensors of rank beyond 8 are rare. */
export const NESTING = 32;
