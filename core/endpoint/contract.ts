/**
 * What the build side and the endpoint agree on. No behaviour here: constants and shapes only, so that the plan
 * writes environment, routes and alarms from the very names the handler reads.
 */

import type { Scored } from '../drift/contract.ts';

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

/** Names of the columns of a model whose one input has the shape [rows, columns], in the input's order: known when packaged. */
export type Columns = {
  readonly names: readonly string[];
  /** They are declared, or the model's own: a header that lacks one is refused. Else they are the reference data's, and put those files in order that have them all. */
  readonly bind: boolean;
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
  /**
   * Milliseconds, ascending: `latency.p95` times `SLOW_STEPS`; a warm request slower than the i-th counts in `METRICS.slow[i]`.
   * Absent without a declared `latency`.
   */
  readonly slowEdges?: readonly number[];
  /** What is published about outputs; of the graph's own, before a transform names them. */
  readonly signals?: readonly OutputSignal[];
  /** What is scored against reference data: of the graph's own tensors, too. Absent without a declared `drift`. */
  readonly drift?: Scored;
  /** A line a decision, and whether the outputs are in it; absent where none is declared. */
  readonly audit?: { readonly predictions: boolean };
  /** Of what clients see; absent where no names are known, or the model has no columns. */
  readonly columns?: Columns;
  /** Of float inputs: empty cells and NaN in csv, null in JSON of `/invocations` are NaN. Absent: they are refused. */
  readonly missing?: 'nan';
  /** NaN and infinities are refused in binary tensors, too. */
  readonly finite?: true;
  /** Files fetched from `<MODELS_FILES_BUCKET>/<MODELS_FILES_PREFIX><sha256>` into /tmp at init; empty when all is in the zip. */
  readonly remote: readonly RemoteFile[];
};

/**
 * A number that every answer gives, from which a judge can tell that two versions answer differently. Published as sums of
 * its scores, of their squares and of their product, by the rows' mean: rows of one request are not independent.
 */
export type OutputSignal = {
  /**
   * Part of the metrics' names. It ends with the basis, the function from outputs to scores: two versions share a
   * name only where they share the function, so nothing else can be compared by mistake.
   */
  readonly name: string;
  /** Of a row of K values: the number of the greatest, its probability, the entropy of all. `prediction`: a row's only value. */
  readonly kind: 'label' | 'confidence' | 'entropy' | 'prediction';
  /** The graph's output that it reads. */
  readonly output: string;
  /** The K values are logits; else probabilities. */
  readonly logits: boolean;
  /** Two, or one where a second would be constant or say the same. */
  readonly scores: 1 | 2;
};

/**
 * What the endpoint counts, in CloudWatch. A request is counted once it is answered, however it came; what was refused
 * counts in `rejected` only; crashes and timeouts are seen by `AWS/Lambda` alone. All exist by `[Model]` and by
 * `[Model, Version]`; where nothing happened, there is no point, which means 0.
 */
export const METRICS = {
  namespace: 'ServerlessModels',
  /** Dimensions: the function's name, and its version's number. */
  model: 'Model',
  version: 'Version',
  /** Answered inferences, failed ones included. */
  requests: 'Requests',
  /** Those that the model or the endpoint failed at: 5xx, and what docs/errors.md calls the model's. */
  errors: 'Errors',
  /** Milliseconds in the handler, of answers without error. */
  latency: 'Latency',
  /** Of these, the first of each instance; none where it was primed. Those are in no `slow`. */
  coldStart: 'ColdStart',
  /** Answers without error, cold ones left out, beyond each of the slow edges. */
  slow: ['Slow0', 'Slow1', 'Slow2', 'Slow3'],
  /** Requests that were wrong. A version that counts them by `[Model]` only has no `rejected` in its settings. */
  rejected: 'Rejected',
  /** `<output><signal>_<score>`: sums over answers without error. */
  output: 'Out_',
  scores: ['a', 'b', 'aa', 'bb', 'ab'],
} as const;

/**
 * Key of `custom` in Lambda's client context: a direct invocation that has it set to true is no traffic and in no metric. So asks
 * the gate, whose cases would else be judged, alarmed about and taken for drift.
 */
export const UNCOUNTED = 'modelsUncounted';

/** Slow edges by the declared p95: quarters of a doubling around it. */
export const SLOW_STEPS = [2 ** -0.5, 2 ** -0.25, 1, 2 ** 0.25] as const;

/** Outputs in a line of the audit take so many bytes at most. Beyond, it has size and sha256 of the answer instead. */
export const AUDIT_BYTES = 8 * 1024;

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
