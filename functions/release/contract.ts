/**
 * What the plan writes and the release worker reads: properties of `Custom::ModelAlias`, environment of the worker,
 * the tick, and the state document in the registry. Shapes and constants only.
 */

export const RESOURCE_TYPE = 'Custom::ModelAlias';

/**
 * Seconds that CloudFormation waits for an answer. Its own default is an hour, which a worker that cannot even start
 * would make everyone wait: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
 */
export const SERVICE_TIMEOUT = 600;

/** Seconds before SERVICE_TIMEOUT at which the worker gives up by itself, so that the reason reaches the user. */
export const ANSWER_MARGIN = 120;

/** Key prefix of everything that is ours in a registry bucket. Below it: `files/<sha256>` and a scope a service and stage. */
export const REGISTRY_PREFIX = 'models/';

/** Environment of the worker. */
export const ENV = {
  bucket: 'MODELS_REGISTRY_BUCKET',
  /** `models/<account>/<region>/<service>/<stage>/` */
  scope: 'MODELS_REGISTRY_SCOPE',
  scheduleGroup: 'MODELS_SCHEDULE_GROUP',
  /** ARN of the role that EventBridge Scheduler takes to invoke the worker. */
  scheduleRole: 'MODELS_SCHEDULE_ROLE',
} as const;

/** Properties of `Custom::ModelAlias` as the worker receives them: CloudFormation turns every scalar into a string. */
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
  /** Differs at each `sls deploy --force`: without a change CloudFormation would not ask at all. */
  readonly Forced?: string;
};

/** PROMOTING: one version has 100 % and the next waits for its turn. The others are ends. */
export type Phase = 'PROMOTING' | 'DONE' | 'ABORTED' | 'SUPERSEDED' | 'HELD';

export type VersionRef = {
  readonly version: string;
  /** Absent where the version was found on the alias and no record of it is left. */
  readonly fingerprint?: string;
};

/** Where an alias points. Weights are 0 to 1, of the versions beside `version`. */
export type AliasTarget = {
  readonly version: string;
  readonly weights: Readonly<Record<string, number>>;
};

/** A move of the alias, written before it is made, so that whoever comes after a crash can tell what was going on. */
export type Intent = {
  /** Written into the alias's description: proof that this very move was made, and a new RevisionId for all who read before. */
  readonly token: string;
  /** What the alias may be before (null: missing). Anything else but `after` is foreign. Absent: whatever is there is replaced. */
  readonly before?: readonly (AliasTarget | null)[];
  readonly after: AliasTarget;
  readonly then: Phase;
};

/** The CloudFormation request that is being served, or was served last. */
export type Request = {
  readonly id: string;
  readonly kind: 'forward' | 'rollback';
  /** The resource's key in the template, which every answer must repeat. */
  readonly logicalId: string;
  /** Where to answer: a signed URL, so a credential; gone once answered. */
  readonly url?: string;
  /** ISO time at which the worker answers FAILED rather than let CloudFormation run into its timeout. */
  readonly answerBy: string;
  readonly answered?: 'SUCCESS' | 'FAILED';
};

/**
 * `releases/<model>/live.json`: one document an alias, moved by compare-and-set.
 *
 * `schema`, `stable`, `highest`, `functionName` and `alias` mean the same in every schema to come: with them an older
 * worker that meets a newer document can still put all traffic on stable.
 */
export type Release = {
  readonly schema: 1;
  readonly rev: number;
  /** RequestId of the request that began it. */
  readonly release: string;
  readonly phase: Phase;
  readonly model: string;
  readonly functionName: string;
  readonly alias: string;
  /** Stack id. */
  readonly stack: string;
  /** What has 100 % unless an intent says otherwise; absent before a first version is live. */
  readonly stable?: VersionRef;
  readonly candidate?: VersionRef;
  /** `now`: inside the resource (a first version, or one that behaves as the stable one); else when the stack is done. */
  readonly promote: 'now' | 'afterStack';
  readonly intent?: Intent;
  /** The highest version that the template ever asked for: a request for a lower one is a stack rolling back. */
  readonly highest: number;
  /** Versions that had 100 %, newest first; the second is the last good one. */
  readonly lives: readonly VersionRef[];
  readonly request?: Request;
  /** Ids of requests seen, newest last: Lambda delivers an event more than once, and late. */
  readonly requests: readonly string[];
  /** Where the tick of this release is. */
  readonly schedule: { readonly group: string; readonly name: string };
  readonly startedAt: string;
  readonly updatedAt: string;
  /** After this a release that still runs is a dead one. */
  readonly deadline: string;
  /** For people: why it stands where it stands. */
  readonly reason?: string;
};

/** What a schedule, or anyone who wants a release to go on, sends to the worker. */
export type TickEvent = {
  readonly tick: {
    readonly model: string;
    readonly functionName: string;
    readonly alias: string;
    /** The release that the schedule was made for; absent in a tick by hand. */
    readonly release?: string;
    /** With these the weight can be taken away past the deadline even if the registry cannot be read. */
    readonly stable?: string;
    readonly deadline?: string;
    readonly schedule?: { readonly group: string; readonly name: string };
  };
};

export type TickAnswer = {
  readonly model: string;
  /** NONE: no release is recorded. UNKNOWN: the registry cannot be read. */
  readonly phase: Phase | 'NONE' | 'UNKNOWN';
  /** Will another tick change anything? */
  readonly running: boolean;
  /** Version that the alias points to; absent where there is no alias. */
  readonly version?: string;
  /** Version that the release is about. */
  readonly candidate?: string;
  readonly reason?: string;
};

/** `versions/<model>/<n>.json`, written when the worker first sees a version. */
export type VersionRecord = {
  readonly schema: 1;
  readonly model: string;
  readonly functionName: string;
  readonly version: string;
  readonly identity: string;
  readonly fingerprint: string;
  readonly layer: string;
  readonly source: string;
  readonly at: string;
};
