import type { ToldOrigin } from '../origin/contract.ts';
import type { TensorSpec } from '../tensor/contract.ts';

/** What is told of a model beside its signature: plain data, each value with who says it. */

/** Characters of a value, in the declaration and in what others say: more is no line of a table. */
export const CARD_TEXT = 200;
/** Metrics of a card: all of fifty models stand in one template, which ends at a megabyte. */
export const CARD_METRICS = 20;

/** `file`: our own hash of the training data. */
export type CardSource = 'card' | 'file' | 'mlflow' | 'sagemaker' | 'huggingface' | 'artifact';

/** A value, and all who say so. */
export type Sourced<T> = { readonly value: T; readonly from: readonly CardSource[] };

/** As a person wrote it: `models.<name>.card`. */
export type DeclaredCard = {
  readonly dataset?: { readonly file?: string; readonly name?: string; readonly sha256?: string };
  readonly metrics?: Readonly<Record<string, DeclaredMetric>>;
  readonly base?: string;
  readonly licence?: string;
  readonly task?: string;
  readonly owner?: string;
};

export type DeclaredMetric = { readonly value?: number; readonly on?: string; readonly min?: number };

/** What the declaration says, merged with what others know. */
export type ModelCard = {
  readonly task?: Sourced<string>;
  readonly licence?: Sourced<string>;
  readonly base?: Sourced<string>;
  readonly owner?: Sourced<string>;
  /** What it was trained on first; empty where nobody knows any. */
  readonly datasets: readonly CardDataset[];
  readonly metrics: readonly CardMetric[];
};

export type CardDataset = {
  readonly name?: Sourced<string>;
  /** It is over all bytes: what a registry calls a digest is none. */
  readonly sha256?: Sourced<string>;
  /** As declared, relative to the service, and its size. */
  readonly file?: string;
  readonly bytes?: number;
  /** Training, evaluation, …: as the run says it. */
  readonly context?: string;
  /** MLflow's digest, eight digits over the first rows: it names a dataset, and proves nothing. */
  readonly digest?: string;
};

export type CardMetric = {
  readonly name: string;
  /** Absent: not known, or not before the gate measures it. */
  readonly value?: Sourced<number>;
  readonly on?: Sourced<string>;
  /** As declared. */
  readonly min?: number;
};

/** The whole of what can be told of a packaged model without AWS. */
export type CardDocument = {
  readonly schema: 1;
  readonly model: string;
  readonly card: ModelCard;
  readonly artifact: {
    /** sha256 over names and contents of all files. */
    readonly sha256: string;
    readonly files: readonly { readonly path: string; readonly sha256: string; readonly bytes: number }[];
    readonly opset: number;
  };
  readonly origin?: ToldOrigin;
  /** Who signed the artifact, where that is verified. */
  readonly signedBy?: string;
  /** What runs it. */
  readonly runtime: { readonly name: string; readonly version: string; readonly purl?: string };
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
};

/** As the catalog has it, whose signature is known already: `openCard` says what may be in it. */
export type OpenCard = Omit<CardDocument, 'inputs' | 'outputs' | 'signedBy'>;
