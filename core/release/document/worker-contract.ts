import type { Judgement } from '../../judge/contract.ts';
import type { CommandVerb, Phase } from './parts-contract.ts';

export const RESOURCE_TYPE = 'Custom::ModelAlias';

/** Switches EventBridge on for a bucket that is not the stack's, beside whatever else the bucket tells. */
export const BUCKET_EVENTS = 'Custom::ModelBucketEvents';

/**
 * Seconds that CloudFormation waits for an answer. Its own default is an hour, which a worker that cannot
 * even start would make everyone wait:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
 */
export const SERVICE_TIMEOUT = 600;

/**
 * Seconds before SERVICE_TIMEOUT at which the worker gives up by itself, so that the reason reaches the user.
 */
export const ANSWER_MARGIN = 120;

/**
 * Seconds of one invocation of the worker: the longest load of a gate fits. It also bounds how long one that
 * lost its release can act.
 */
export const WORKER_TIMEOUT = 300;

/**
 * Key prefix of everything that is ours in a registry bucket. Below it: `files/<sha256>` and a scope a
 * service and stage.
 */
export const REGISTRY_PREFIX = 'models/';

/** Environment of the worker. */
export const WORKER_ENV = {
  bucket: 'MODELS_REGISTRY_BUCKET',
  /** `models/<account>/<region>/<service>/<stage>/` */
  scope: 'MODELS_REGISTRY_SCOPE',
  scheduleGroup: 'MODELS_SCHEDULE_GROUP',
  /** ARN of the role that EventBridge Scheduler takes to invoke the worker. */
  scheduleRole: 'MODELS_SCHEDULE_ROLE',
  /** ARN of the topic that notices go to. */
  topic: 'MODELS_ALERTS_TOPIC',
  /** Key prefix in the registry bucket of files by content, ending in `files/`. */
  files: 'MODELS_FILES_PREFIX',
  /**
   * What documents are encrypted with, and the key's id, where the service says so of its deployment bucket.
   */
  encryption: 'MODELS_REGISTRY_ENCRYPTION',
  encryptionKey: 'MODELS_REGISTRY_ENCRYPTION_KEY',
  /** Where MLflow is told what is live: its address, the alias that is moved, the ARN of a secret. */
  mlflowUri: 'MODELS_MLFLOW_URI',
  mlflowAlias: 'MODELS_MLFLOW_ALIAS',
  mlflowSecret: 'MODELS_MLFLOW_SECRET',
} as const;

/**
 * Alarms of a model are named `<function>-<suffix>`. `crashes`, `errors` and `latency` may bring the last
 * good version back.
 */
export const ALARMS = {
  /** More than half of a minute's invocations crash: no test is needed. */
  crashes: 'crashes',
  errors: 'errors',
  latency: 'latency',
  throttles: 'throttles',
  /** Use of provisioned concurrency, and invocations beyond it. */
  provisioned: 'provisioned',
  spillover: 'spillover',
  /** A release that failed, is held, cannot read its registry, or is ticked by nobody. */
  release: 'release',
  /** Inputs, and outputs, that differ from the reference data: they tell people, and bring nothing back. */
  drift: 'drift',
  outputs: 'drift-outputs',
  /** Shares of an output's classes, which the monitor counts. */
  classes: 'drift-classes',
  /** The monitor of drift cannot read what it needs, or not tell. */
  monitor: 'drift-monitor',
  /** Objects that could not be scored; and those that wait for long. */
  batchFailed: 'batch-failed',
  batchWaiting: 'batch-waiting',
} as const;

/** Metrics of the worker, dimension `Model` = the function's name, namespace of the endpoint's. */
export const WORKER_METRICS = {
  failed: 'ReleaseFailed',
  promoted: 'ReleasePromoted',
  held: 'ReleaseHeld',
  /** Ticks that could not read registry, alias or stack, or not change capacity. */
  unreadable: 'ReleaseUnreadable',
  /** The alias has weights, and nobody looked at them for `UNATTENDED`. */
  unattended: 'ReleaseUnattended',
  /** Attempts to tell MLflow what is live that failed. */
  unwritten: 'ReleaseUnwritten',
  /** The sweep, or a request of CloudFormation, looked at the function's alias. */
  swept: 'ReleaseSwept',
} as const;

/** Seconds between two sweeps. */
export const SWEEP_EVERY = 15 * 60;

/**
 * Seconds without a tick after which nobody looks at weights: a release with weights is ticked every minute.
 */
export const UNATTENDED = 5 * 60;

/**
 * Properties of `Custom::ModelAlias` as the worker receives them: CloudFormation turns every scalar into a
 * string.
 */
export type AliasProperties = {
  readonly ServiceToken: string;
  readonly ServiceTimeout: string;
  /** Name of the Lambda that the alias belongs to. */
  readonly FunctionName: string;
  readonly Alias: string;
  /** The name under `models:`. */
  readonly Model: string;
  /** Published version to release. */
  readonly Version: string;
  /** sha256 over identity, layer digest and every versioned property: equal means the same behaviour. */
  readonly Fingerprint: string;
  readonly Identity: string;
  readonly Layer: string;
  readonly Source: string;
  /** `VersionImage` without its digest as JSON text, where the version runs from an image. */
  readonly Image?: string;
  /**
   * `ArtifactOrigin` as JSON text, where the artifact comes from a registry of models. The fingerprint does
   * not have it: the same bytes from elsewhere are no release.
   */
  readonly Origin?: string;
  /**
   * `ModelCard` as JSON text, where the service declares one. The fingerprint does not have it, either: what
   * is told of a version is no other version.
   */
  readonly Card?: string;
  /** `PromotedFrom` as JSON text, by `--promote-from`: for the record of the deploy. */
  readonly Promoted?: string;
  /** `Settings` as JSON text. */
  readonly Settings: string;
  /**
   * ISO time of `sls deploy --force`: what was refused before may go again; and without a change
   * CloudFormation would not ask at all.
   */
  readonly Forced?: string;
  /**
   * Likewise, where what the template offers is neither live nor on its way; what was refused stays refused.
   */
  readonly Again?: string;
  /**
   * The model's batch function and the version of it that belongs to `Version`; its alias of the same name
   * follows.
   */
  readonly Batch?: { readonly FunctionName: string; readonly Version: string };
};

/** Properties of `Custom::ModelBucketEvents`. */
export type BucketEventsProperties = {
  readonly ServiceToken: string;
  readonly ServiceTimeout: string;
  readonly Bucket: string;
};

/** What a schedule, or anyone who wants a release to go on, sends to the worker. */
export type TickEvent = {
  readonly tick: {
    readonly model: string;
    readonly functionName: string;
    readonly alias: string;
    /**
     * The release that the schedule was made for, or that the deploy which ticks began; absent where anyone
     * ticks.
     */
    readonly release?: string;
    /** With these the weight can be taken away past the deadline even if the registry cannot be read. */
    readonly stable?: string;
    readonly deadline?: string;
    /** Id of the stack: where it is gone, nobody misses the release. */
    readonly stack?: string;
    readonly schedule?: { readonly group: string; readonly name: string };
    /**
     * Id of the deploy that ticks: `deployments/<id>.json`, which is completed when the release ends, if it
     * is of this deploy.
     */
    readonly deployment?: string;
  };
};

/** What the stack's own schedule sends: every release of the scope is looked at. */
export type SweepEvent = { readonly sweep: true };

/** What a person asks of a release. `by`: the caller's ARN. */
export type CommandEvent = {
  readonly command: {
    readonly verb: CommandVerb;
    readonly model: string;
    readonly functionName: string;
    readonly alias: string;
    /** `rollback`: the version to go back to; else the last good one. */
    readonly to?: string;
    readonly by: string;
    readonly reason?: string;
  };
};

/** `refused`: nothing was done, and why. */
export type CommandAnswer =
  | { readonly done: true; readonly text: string; readonly tick: TickAnswer }
  | { readonly done: false; readonly refused: string };

export type TickAnswer = {
  readonly model: string;
  /** Id of the release; absent where none is recorded, and in answers of older workers. */
  readonly release?: string;
  /**
   * NONE: no release is recorded (then `reason` tells of weights that stand all the same). UNKNOWN: the
   * registry cannot be read.
   */
  readonly phase: Phase | 'NONE' | 'UNKNOWN';
  /**
   * Does it go on by itself before the candidate is promoted, or given up? False in BAKING, HELD and the
   * ends.
   */
  readonly running: boolean;
  /** Version that the alias points to; absent where there is no alias. */
  readonly version?: string;
  /** Version that the release is about. */
  readonly candidate?: string;
  readonly reason?: string;
  /** Percent that the candidate has. */
  readonly weight?: number;
  /**
   * The step under way: which (from 1) of how many, since when, when its bake ends and when its patience
   * does.
   */
  readonly step?: {
    readonly number: number;
    readonly of: number;
    readonly since: string;
    readonly until: string;
    readonly latest: string;
  };
  readonly judgement?: Judgement;
  /** REVERSING: the last good version, and whether it has its half of the traffic yet. */
  readonly tried?: { readonly version: string; readonly half: boolean };
  /** BAKING: until when an alarm may roll back. */
  readonly bakeUntil?: string;
};
