/**
 * What the build side and the endpoint agree on. No behaviour here: constants and shapes only, so that the
 * plan writes environment, routes and alarms from the very names the handler reads.
 */

import type { OutputSignal, ScoredBaseline } from '../drift/contract.ts';
import type { Columns, Signature } from '../tensor/contract.ts';

/** One file of an artifact that is read from the registry bucket at init, since it does not fit the zip. */
export type RemoteFile = { readonly path: string; readonly sha256: string; readonly bytes: number };

/**
 * Built into `handler.mjs` when packaged: everything the endpoint must know, so that it reads nothing at
 * start.
 */
export type Manifest = {
  readonly schema: 1;
  /** The name under `models:`. */
  readonly model: string;
  /**
   * sha256 (hex) over source digest, ONNX Runtime version, architecture, options: docs/artifact.md,
   * "Identity".
   */
  readonly identity: string;
  /** What clients see: the graph's, less what the model's transform.ts declares in its place. */
  readonly signature: Signature;
  /** What ONNX Runtime takes and gives; absent where that is `signature`. */
  readonly graph?: Signature;
  readonly opset: number;
  /** The graph's file below the zip's root, for example `model/model.onnx`. */
  readonly file: string;
  /**
   * Milliseconds, ascending: `latency.p95` times `SLOW_STEPS`; a warm request slower than the i-th counts in
   * `METRICS.slow[i]`. Absent without a declared `latency`.
   */
  readonly slowEdges?: readonly number[];
  /** What is published about outputs; of the graph's own, before a transform names them. */
  readonly signals?: readonly OutputSignal[];
  /**
   * What is scored against reference data: of the graph's own tensors, too. Absent without a declared
   * `drift`.
   */
  readonly drift?: ScoredBaseline;
  /** The model’s bare path of `/invocations`, where that looks like another model’s: `bareBelow`. */
  readonly bare?: string;
  /** A line a decision, and whether the outputs are in it; absent where none is declared. */
  readonly audit?: { readonly predictions: boolean };
  /** Columns that clients see; absent where no names are known, or the model has no columns. */
  readonly columns?: Columns;
  /**
   * `nan`: missing values of float inputs are NaN: empty cells and NaN in csv, null in JSON of
   * `/invocations`. Absent: they are refused.
   */
  readonly missing?: 'nan';
  /** NaN and infinities are refused in binary tensors, too. */
  readonly finite?: true;
  /**
   * Files fetched from `<MODELS_FILES_BUCKET>/<MODELS_FILES_PREFIX><sha256>`, or from
   * `<MODELS_FILES_FOLDER>/<sha256>`, into /tmp at init; empty when all is in the zip.
   */
  readonly remote: readonly RemoteFile[];
};

/**
 * Key of `custom` in Lambda's client context: a direct invocation that has it set to true is no traffic and
 * in no metric. So asks the gate, whose cases would else be judged, alarmed about and taken for drift.
 */
export const UNCOUNTED = 'modelsUncounted';

/** Slow edges by the declared p95: quarters of a doubling around it. */
export const SLOW_STEPS = [2 ** -0.5, 2 ** -0.25, 1, 2 ** 0.25] as const;

/**
 * Outputs in a line of the audit take so many bytes at most. Beyond, it has size and sha256 of the answer
 * instead.
 */
export const AUDIT_BYTES = 8 * 1024;

/** Environment of the endpoint's function. */
export const ENV = {
  /** Literal digest of the layer: without it a new layer would not make a new version. */
  layer: 'MODELS_LAYER',
  /** Where `remote` files are, outside Lambda: a folder that has them under their digests. */
  filesFolder: 'MODELS_FILES_FOLDER',
  /** Else bucket, and key prefix ending in `files/`. */
  filesBucket: 'MODELS_FILES_BUCKET',
  filesPrefix: 'MODELS_FILES_PREFIX',
} as const;

/** 1,769 MB of memory is one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
export const MB_PER_VCPU = 1769;

/**
 * Lambda's synchronous payload, each way:
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const PAYLOAD_BYTES = 6 * 1024 * 1024;

/** The body after gzip or deflate are undone: 6 MB could unpack to gigabytes. */
export const UNPACKED_BYTES = 32 * 1024 * 1024;

/** All input tensors of a request together, in memory. */
export const TENSOR_BYTES = 64 * 1024 * 1024;
