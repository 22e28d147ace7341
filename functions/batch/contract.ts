/**
 * What the build side and the batch function agree on. No behaviour here.
 *
 * Words: a *job* scores one content of one object with one model; a *part* is a run of consecutive rows of it, scored and written
 * at once; a *block* is what goes through the model in one run.
 */

export const FORMATS = ['csv', 'jsonl', 'npy', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

/** One entry of `batch:`. */
export type Entry = {
  /** `suffix` is empty where none is declared; `prefix` may be. */
  readonly input: { readonly bucket: string; readonly prefix: string; readonly suffix: string };
  /** `prefix` ends with `/`, or is empty. */
  readonly output: { readonly bucket: string; readonly prefix: string };
  readonly format: Format;
  /** Of what is written; that of the input unless declared. */
  readonly outputFormat: Format;
  /** Share of rows, 0 to 1, that may fail. */
  readonly tolerate: number;
  /** Columns that are not the model's, and are written beside the answers. */
  readonly ids: readonly string[];
  /** Are all columns of the input written beside the answers? */
  readonly join: boolean;
  /** The outputs that are written, in this order; all where empty. */
  readonly emit: readonly string[];
};

/** Built into `batch.mjs` when packaged, beside the endpoint's own manifest. */
export type BatchManifest = { readonly entries: readonly Entry[] };

/**
 * Consecutive rows of an object. As an item of `_PLAN.json` it is what one run of the map is given.
 * `from`, `to`: bytes of the object for csv and jsonl (of the unpacked text where it is gzip), rows for npy and parquet; `to` is exclusive.
 */
export type Part = {
  /** From 0. */
  readonly part: number;
  readonly from: number;
  readonly to: number;
  /** Rows of the object before it, headers not counted. */
  readonly row: number;
  /** csv and jsonl: the line, from 1, that `from` is the start of. */
  readonly line?: number;
};

/** Keys below a job's folder. */
export const KEYS = {
  /** `part-<n>` with the format's ending, and `errors-<n>.jsonl` beside it where rows failed. */
  part: 'part-',
  errors: 'errors-',
  plan: '_PLAN.json',
  success: '_SUCCESS.json',
  failed: '_FAILED.json',
} as const;

/** Metrics of jobs, in the namespace of the endpoint's; dimension `Model` = the name of the batch function. */
export const METRICS = {
  /** Rows read, and those of them that could not be scored. */
  rows: 'Rows',
  rowErrors: 'RowErrors',
  parts: 'PartsDone',
  done: 'JobsDone',
  failed: 'JobsFailed',
  /** Milliseconds from a job's start to its `_SUCCESS.json`. */
  duration: 'JobDuration',
} as const;

/** Environment of the batch function. */
export const ENV = {
  queue: 'MODELS_BATCH_QUEUE',
  /** URL of the queue that keeps what failed. */
  failed: 'MODELS_BATCH_FAILED',
  /** ARN of the state machine that runs parts side by side. */
  machine: 'MODELS_BATCH_MACHINE',
} as const;

/** What a message in the queue of failures says beside its body, as message attributes. */
export const ATTRIBUTES = { code: 'Code', reason: 'Reason', job: 'Job', again: 'Again' } as const;

/** Input of the state machine; `job` is passed on as it is. */
export type SpreadInput = {
  /** ARN of the version that scores the job. */
  readonly function: string;
  readonly job: unknown;
  /** Where `_PLAN.json` is, an array of `Part`. */
  readonly plan: { readonly bucket: string; readonly key: string };
  /** Where the results of the map go. */
  readonly results: { readonly bucket: string; readonly prefix: string };
  /** The message that asked for it. */
  readonly body: string;
};

/** What the state machine asks of the function: a part of a job, or, once all were tried, its end. */
export type PartEvent = { readonly part: Part; readonly job: unknown; readonly body: string };
export type FinishEvent = { readonly finish: true; readonly job: unknown; readonly body: string };
