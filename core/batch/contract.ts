import type { Part } from '../tabular/cells/contract.ts';
/**
 * What the build side and the batch function agree on. No behaviour here.
 *
 * Words: a *job* scores one content of one object with one model; a *part* is a run of consecutive rows of
 * it, scored and written by one run, in one file or several; a *block* is what goes through the model at
 * once.
 */

/** Name of a tabular format, as the list of them has it: `core/tabular/formats.ts`. */
export type Format = string;

/** One entry of `batch:`. */
export type Entry = {
  /** `suffix` is empty where none is declared; `prefix` may be. */
  readonly input: { readonly bucket: string; readonly prefix: string; readonly suffix: string };
  /** `prefix` ends with `/`, or is empty. */
  readonly output: { readonly bucket: string; readonly prefix: string };
  readonly format: Format;
  /** The format of what is written; that of the input unless declared. */
  readonly outputFormat: Format;
  /** Share of rows, 0 to 1, that may fail. */
  readonly tolerate: number;
  /** Columns that are not the model's, and are written beside the answers. */
  readonly ids: readonly string[];
  /** Are all columns of the input written beside the answers? */
  readonly join: boolean;
  /** The outputs that are written, in this order; all where empty. */
  readonly emit: readonly string[];
  /** Floats that have no value, or are NaN, are NaN for the model; absent: such a row is faulty. */
  readonly missing?: 'nan';
  /** Its rows are of another population than live ones, and do not count for drift; absent: they count. */
  readonly drift?: false;
};

/** Its name, in the folder `<output>/<model>/`. */
export const OWNER_FILE = '_OWNER.json';

/** `<output>/<model>/_OWNER.json`: the one service and stage whose jobs move `latest` there. */
export type Owner = {
  readonly schema: 1;
  readonly account: string;
  readonly region: string;
  readonly service: string;
  readonly stage: string;
};

/** Built into `batch.mjs` when packaged, beside the endpoint's own manifest. */
export type BatchManifest = { readonly entries: readonly Entry[] };

/**
 * Bytes: what is larger than 64 MB goes to several invocations at once, in parts of 16 MB, whose answers one
 * of them has in memory until they are 32 MB. A gigabyte are 64 parts, each some seconds of work.
 */
export const SIZES = { whole: 64 * 1024 ** 2, part: 16 * 1024 ** 2, file: 32 * 1024 ** 2 } as const;

/** Keys below a job's folder. */
export const KEYS = {
  /**
   * `part-<n>` with the format's ending, and `errors-<n>.jsonl` beside it where rows failed; of a part's
   * further files `<n>_<m>`.
   */
  part: 'part-',
  errors: 'errors-',
  plan: '_PLAN.json',
  success: '_SUCCESS.json',
  failed: '_FAILED.json',
  /** Folder of what the map says of its parts. */
  map: 'map',
} as const;

/** Environment of the batch function, beside the endpoint's. */
export const BATCH_ENV = {
  /** URLs of the queue that objects come by, and of the one that failed ones are kept in. */
  queue: 'MODELS_BATCH_QUEUE',
  failed: 'MODELS_BATCH_FAILED_QUEUE',
  /** ARN of the state machine that runs the parts of a large object. */
  machine: 'MODELS_BATCH_MACHINE',
  /** Name of the endpoint's function, by which drift is counted. */
  endpoint: 'MODELS_BATCH_ENDPOINT',
  /** `<account>/<region>/<service>/<stage>`: whose the function is. */
  owner: 'MODELS_BATCH_OWNER',
} as const;

/**
 * Runs that an object is tried in before it is put aside: a poll that finds no instance counts, too.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export const OBJECT_TRIES = 5;

/** Seconds of one run of the batch function: Lambda's most. */
export const BATCH_TIMEOUT = 900;

/**
 * What batch counts, in CloudWatch, in the endpoint's namespace and by `[Model]` only, which is the batch
 * function's name. Where nothing happened, there is no point.
 */
export const BATCH_METRICS = {
  /** Rows of finished parts, faulty ones included, and the faulty ones. */
  rows: 'Rows',
  rowErrors: 'RowErrors',
  partsDone: 'PartsDone',
  jobsDone: 'JobsDone',
  jobsFailed: 'JobsFailed',
  /** Jobs whose output belongs to another service or stage: their `latest` was not moved. */
  jobsNotOwned: 'JobsNotOwned',
  /** Milliseconds from the job's start to its `_SUCCESS.json`. */
  jobDuration: 'JobDuration',
} as const;

/** Input of the state machine: an execution runs the parts of one job. */
export type ExecutionInput<Job = unknown> = {
  /** Number of the published version of the batch function that scores all of them. */
  readonly version: string;
  /** Goes into each run as it is. */
  readonly job: Job;
  /** Where the `_PLAN.json` is. */
  readonly plan: { readonly bucket: string; readonly key: string };
  /** Where the map writes how its parts ended: `<job's folder>map`, in the plan's bucket. */
  readonly results: string;
};

/** What the state machine asks the batch function: one part, and, after all of them, how the job ends. */
export type PartEvent<Job = unknown> = { readonly job: Job; readonly part: Part };
/** What it is answered: whether there is more of the part than there was time for. */
export type PartAnswer = { readonly more: boolean };
export type FinishEvent<Job = unknown> = { readonly finish: Job };

/**
 * What a message says beside its body, as message attributes. One that failed says why. One that is to be
 * tried again says that: since when (ISO 8601) where an attempt goes on, `true` where a person asks, `asked`
 * and since when where that waits for an entry.
 */
export const ATTRIBUTES = { code: 'Code', reason: 'Reason', job: 'Job', again: 'Again' } as const;
