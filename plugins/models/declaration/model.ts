import type { Entry } from '../../../core/batch/contract.ts';
import type { Columns, Signature } from '../../../core/tensor/contract.ts';

/**
 * A declaration with every default filled and every unit fixed: what the rest of the build side reads.
 * Frozen.
 */
export type Model = {
  readonly name: string;
  readonly artifact: Artifact;
  /** MB. */
  readonly memory: number;
  /** Seconds. */
  readonly timeout: number;
  readonly architecture: Architecture;
  readonly optimize: boolean;
  /** Names of the columns of the only input that clients see. */
  readonly columns?: readonly string[];
  /** Missing values of floats are NaN, in csv, `/invocations` and batch; absent: they are refused. */
  readonly missing?: 'nan';
  /** NaN and infinities are refused in binary, too. */
  readonly finite?: true;
  readonly http?: Http;
  /** Any property of a framework function, as the user wrote it. */
  readonly function: Readonly<Record<string, unknown>>;
  readonly iam: { readonly statements: readonly object[]; readonly managedPolicies: readonly unknown[] };
  /** Requests per second, as declared; absent when not. */
  readonly traffic?: number;
  readonly concurrency?: Concurrency;
  /** Milliseconds: the service level objective. */
  readonly latency?: { readonly p95: number };
  readonly gate?: Gate;
  readonly release: ReleaseRules;
  readonly drift?: Drift;
  readonly batch?: Batch;
  readonly audit?: Audit;
};

/** What is scored from S3 to S3. */
export type Batch = {
  /** An object is the first one's that takes it. */
  readonly entries: readonly Entry[];
  /** Buckets that the stack makes. */
  readonly create: readonly string[];
  /** Objects at once, and parts of each large one. */
  readonly concurrency: number;
};

/** A log line a decision. */
export type Audit = {
  /** The outputs are in it. */
  readonly predictions: boolean;
  /** Days that the endpoint's log is kept. */
  readonly retention?: number;
  /** Of the endpoint's log: an ARN, or a function of CloudFormation. */
  readonly kmsKey?: string | Readonly<Record<string, unknown>>;
};

/** What live traffic is held against. */
export type Drift = {
  /** A file of reference data, as written in the YAML, relative to the service. */
  readonly baseline: string;
  /** Seconds: 300, 3600 or 86,400. */
  readonly window: number;
  /** False alarms a month that are put up with. */
  readonly budget: number;
  /** In σ: a smaller shift is no drift. */
  readonly effect: number;
  /** Share (above 0, at most 1) of the requests that are scored. */
  readonly sample: number;
  /** In σ: outputs of a new version may differ this much from the live one's. */
  readonly outputs: { readonly expectedShift: number };
};

/** Instances of the function. */
export type Concurrency = {
  /** `target`: the share (0 to 1) of warm instances in use that scaling aims at. */
  readonly provisioned?: { readonly min: number; readonly max: number; readonly target: number };
  readonly reserved?: number;
  readonly schedule: readonly Window[];
};

/** The most instances that a version may be asked to keep warm; a release has two versions for a while. */
export const peakOf = ({ provisioned, schedule }: Concurrency): number =>
  Math.max(provisioned?.max ?? 0, ...schedule.map(({ max }) => max));

/** A range of provisioned concurrency at certain hours. */
export type Window = {
  /** In the week's order. */
  readonly days: readonly Day[];
  /** Minutes since midnight, in `timezone`; `from` is before `to`. */
  readonly from: number;
  readonly to: number;
  /** IANA name. */
  readonly timezone: string;
  readonly min: number;
  readonly max: number;
};

export const DAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;
export type Day = (typeof DAYS)[number];

export type Gate = {
  /** JSON lines, as written in the YAML, relative to the service. */
  readonly cases?: string;
  /** Name of a SageMaker endpoint. */
  readonly reference?: string;
  readonly tolerance: number;
  /** Requests per second, and seconds. */
  readonly load?: { readonly rate: number; readonly duration: number };
};

export type ReleaseRules = {
  readonly strategy: 'auto' | 'canary' | 'linear' | 'blueGreen' | 'allAtOnce';
  /** `weight` in percent, `bake` in seconds. `linear`: spelled out; `blueGreen` and `allAtOnce`: none. */
  readonly steps: readonly { readonly weight: number; readonly bake: number }[];
  readonly minRequests: number;
  /** Share, 0 to 1. */
  readonly increase: number;
  /** Seconds. */
  readonly maxWait: number;
  readonly onNoData: 'hold' | 'pass' | 'rollback';
  /** Seconds. */
  readonly rollbackWindow: number;
  readonly dryRun: boolean;
};

export type Architecture = 'x86_64' | 'arm64';

export type Artifact = {
  /** As written in the YAML: a path relative to the service, or what one of `artifact/sources/` takes. */
  readonly reference: string;
  /** Of what lies on this disk, relative to the service. */
  readonly path?: string;
};

export type Http = {
  readonly auth: 'iam' | 'none' | { readonly authorizer: string };
  /** Starts with `/` and has no `/` at its end, except the bare `/`. */
  readonly path: string;
  readonly throttle: { readonly rate: number; readonly burst: number };
};

/** `custom.models`, normalised. */
export type ServiceOptions = {
  /** An existing bucket that keeps registry and files; absent: the deployment bucket. */
  readonly registry?: { readonly bucket: string };
  /** Who is told, beside the alerts topic of the service: an e-mail address, or the ARN of a topic. */
  readonly alerts?: { readonly kind: 'email' | 'topic'; readonly to: string };
  /** Absent: none. */
  readonly dashboard?: true;
};

/** What `ship/` found out about an artifact: the I/O that pure functions take as input. */
export type Facts = {
  readonly identity: string;
  /** sha256 over every file of the source artifact, external data included. */
  readonly source: string;
  readonly sourceBytes: number;
  /** What clients see: the graph's, less what transform.ts declares in its place. */
  readonly signature: Signature;
  /** What the graph itself takes and gives; absent where that is `signature`. */
  readonly graph?: Signature;
  /** Names of the columns of the only input that clients see, where they are known. */
  readonly columns?: Columns;
  readonly opset: number;
  /** Was the optimised form shipped, or why not (a notice for people). */
  readonly optimized: true | string;
  /** One sentence each, for people: what was left out or could not be done. */
  readonly notices: readonly string[];
  /** Bytes of the function's zip, and of its content unzipped. */
  readonly zipBytes: number;
  readonly unzippedBytes: number;
  /** Files that go by the registry bucket instead of the zip; empty mostly. */
  readonly remote: readonly { readonly path: string; readonly sha256: string; readonly bytes: number }[];
  /** The gate's case file, which goes by the registry bucket, too. */
  readonly cases?: { readonly sha256: string; readonly bytes: number; readonly count: number };
  /** What the reference data became. */
  readonly drift?: DriftFacts;
};

export type DriftFacts = {
  /** Of the baseline's JSON, which goes by the registry bucket. */
  readonly sha256: string;
  readonly bytes: number;
  /** Rows of the reference data. */
  readonly rows: number;
  /** The inputs are watched by native alarms; else by the monitor. */
  readonly native: boolean;
  readonly signals: readonly DriftSignal[];
};

export type DriftSignal = {
  readonly name: string;
  readonly label: string;
  readonly of: 'input' | 'output';
  readonly kind: 'numeric' | 'category';
  /** Overdispersion of the reference's own windows. */
  readonly phi: number;
  /** Rows of the reference with a value. */
  readonly m: number;
};

/** The ONNX Runtime layer of one architecture, as built. */
export type LayerFacts = {
  readonly architecture: Architecture;
  readonly version: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly unzippedBytes: number;
};
