/**
 * What the build side and the endpoint agree on. No behaviour here: constants and shapes only, so that the plan
 * writes environment, routes and alarms from the very names the handler reads.
 */

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

/** One file of an artifact that is read from the registry bucket at init, since it does not fit the zip. */
export type RemoteFile = { readonly path: string; readonly sha256: string; readonly bytes: number };

/** Built into `handler.mjs` when packaged: everything the endpoint must know, so that it reads nothing at start. */
export type Manifest = {
  readonly schema: 1;
  /** The name under `models:`. */
  readonly model: string;
  /** sha256 (hex) over source digest, ONNX Runtime version, architecture, options: docs/artifact.md, "Identity". */
  readonly identity: string;
  /** What clients see: the graph's, less what the model's transform.ts declares in its place. */
  readonly signature: Signature;
  /** What ONNX Runtime takes and gives; absent where that is `signature`. */
  readonly graph?: Signature;
  readonly opset: number;
  /** The graph's file below the zip's root, such as `model/model.onnx`. */
  readonly file: string;
  /** Files fetched from `<MODELS_FILES_BUCKET>/<MODELS_FILES_PREFIX><sha256>` into /tmp at init; empty when all is in the zip. */
  readonly remote: readonly RemoteFile[];
};

/** Environment of the endpoint's function. */
export const ENV = {
  /** Literal digest of the layer: without it a new layer would not make a new version. */
  layer: 'MODELS_LAYER',
  /** Where `remote` files are: bucket, and key prefix ending in `files/`. */
  filesBucket: 'MODELS_FILES_BUCKET',
  filesPrefix: 'MODELS_FILES_PREFIX',
} as const;

/** 1,769 MB of memory is one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
export const MB_PER_VCPU = 1769;

/** Lambda's synchronous payload, each way: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const PAYLOAD_BYTES = 6 * 1024 * 1024;

/** The body after gzip or deflate are undone: 6 MB could unpack to gigabytes. */
export const UNPACKED_BYTES = 32 * 1024 * 1024;

/** All input tensors of a request together, in memory. */
export const TENSOR_BYTES = 64 * 1024 * 1024;

/** Arrays and objects inside one another, in a request. ONNX tensors of rank beyond 8 are rare. */
export const NESTING = 32;
