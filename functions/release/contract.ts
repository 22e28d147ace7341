/**
 * What the plan writes and the release worker reads: properties of `Custom::ModelAlias`, environment of the worker,
 * the tick, and the state document in the registry. Shapes and constants only.
 */

import type { GateSettings, GateState } from './gate/contract.ts';
import type { Judgement } from './judge/contract.ts';

export const RESOURCE_TYPE = 'Custom::ModelAlias';

/**
 * Seconds that CloudFormation waits for an answer. Its own default is an hour, which a worker that cannot even start
 * would make everyone wait: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
 */
export const SERVICE_TIMEOUT = 600;

/** Seconds before SERVICE_TIMEOUT at which the worker gives up by itself, so that the reason reaches the user. */
export const ANSWER_MARGIN = 120;

/** Seconds of one invocation of the worker: the longest load of a gate fits. It also bounds how long one that lost its release can act. */
export const WORKER_TIMEOUT = 300;

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
  /** ARN of the topic that notices go to. */
  topic: 'MODELS_ALERTS_TOPIC',
  /** Key prefix in the registry bucket of files by content, ending in `files/`. */
  files: 'MODELS_FILES_PREFIX',
} as const;

/**
 * What a model's release follows, all of it known when packaged: JSON text in the property `Settings`, since
 * CloudFormation would turn every number in it into a string. Units: percent only in `weight`, seconds everywhere.
 */
export type Settings = {
  /** `auto` decides between `steps` and all at once when the release starts, from the traffic that it finds. */
  readonly strategy: 'auto' | 'canary' | 'linear' | 'blueGreen' | 'allAtOnce';
  /** Already spelled out for `linear`; empty for `blueGreen` and `allAtOnce`. */
  readonly steps: readonly Step[];
  /** A step and side. */
  readonly minRequests: number;
  /** Share (0 to 1) of all requests that the next step may waste if the candidate is worse. */
  readonly increase: number;
  /** Seconds, a step, beyond its bake. */
  readonly maxWait: number;
  readonly onNoData: 'hold' | 'pass' | 'rollback';
  /** Seconds after promotion in which an alarm may bring the last good version back. */
  readonly rollbackWindow: number;
  readonly dryRun: boolean;
  /** In σ: outputs of a new model may differ this much from the stable one's. */
  readonly expectedShift: number;
  /** Names of the output signals that the version publishes; two versions share a name only where they share its meaning. */
  readonly outputs?: readonly string[];
  /** Requests per second, as declared. */
  readonly traffic?: number;
  /** Milliseconds: the service level objective. */
  readonly p95?: number;
  /** MB and seconds of the function. */
  readonly memory: number;
  readonly timeout: number;
  readonly gate?: GateSettings;
  readonly capacity?: CapacitySettings;
  /** Names of the output signals that this version publishes; two versions share a name only where they can be compared. */
  readonly signals?: readonly string[];
};

/** `weight` in percent, `bake` in seconds. */
export type Step = { readonly weight: number; readonly bake: number };

export type CapacitySettings = {
  readonly provisioned?: { readonly min: number; readonly max: number; readonly target: number };
  readonly reserved?: number;
  /** Pairs of AWS schedule expressions that raise and restore the range of provisioned concurrency. */
  readonly schedules: readonly {
    readonly name: string;
    /** `cron(…)`, in `timezone`. */
    readonly start: string;
    readonly end: string;
    readonly timezone: string;
    readonly min: number;
    readonly max: number;
  }[];
};

/** Alarms of a model are named `<function>-<suffix>`. `crashes`, `errors` and `latency` may bring the last good version back. */
export const ALARMS = {
  /** More than half of a minute's invocations crash: no test is needed. */
  crashes: 'crashes',
  errors: 'errors',
  latency: 'latency',
  throttles: 'throttles',
  /** Use of provisioned concurrency, and invocations beyond it. */
  provisioned: 'provisioned',
  spillover: 'spillover',
  /** A release that failed, is held, or cannot read its registry. */
  release: 'release',
} as const;

/** Metrics of the worker, dimension `Model` = the function's name, namespace of the endpoint's. */
export const METRICS = {
  failed: 'ReleaseFailed',
  held: 'ReleaseHeld',
  /** Ticks that could not read registry, alias or stack, or not change capacity. */
  unreadable: 'ReleaseUnreadable',
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
  /** `Settings` as JSON text. */
  readonly Settings: string;
  /** Differs at each `sls deploy --force`: without a change CloudFormation would not ask at all. */
  readonly Forced?: string;
};

/**
 * `GATING → WARMING → SHIFTING → JUDGING → … → PROMOTING → BAKING → DONE`. REVERSING: after promotion, the last good
 * version takes half of the traffic beside the live one, until the test tells which is worse. HELD waits for a person;
 * judging goes on meanwhile. The others are ends.
 */
export type Phase =
  | 'GATING'
  | 'WARMING'
  | 'SHIFTING'
  | 'JUDGING'
  | 'PROMOTING'
  | 'BAKING'
  | 'REVERSING'
  | 'DONE'
  | 'ROLLED_BACK'
  | 'ABORTED'
  | 'SUPERSEDED'
  | 'HELD';

/** `foreign`: somebody moved the alias. `limit`: too many automatic rollbacks. `refused`: AWS does not restore stable. */
export type HeldBy = 'person' | 'nodata' | 'foreign' | 'limit' | 'refused';

export type Shift = {
  readonly asked: string;
  readonly at: string;
  readonly step: number;
  /** Percent. */
  readonly weight: number;
};

/** After promotion: an alarm asked, and the last good version takes half of the traffic beside the live one. */
export type Reversal = {
  readonly alarm: string;
  readonly at: string;
  readonly to: VersionRef;
  /** Where it goes on if the live version is acquitted: its watch goes on after a later release that failed, too. */
  readonly from: Phase;
  /** The live version cannot answer at all, and how that shows: no test is made. */
  readonly crashing?: string;
  readonly gate?: GateState;
  /** Why it has no provisioned concurrency although the live version does. */
  readonly cold?: string;
  /** When it got its half. The alias moved between `asked` and `at`. */
  readonly half?: { readonly asked: string; readonly at: string };
  readonly judgement?: Judgement;
};

export type Refusal = {
  readonly fingerprint: string;
  readonly version: string;
  readonly at: string;
  readonly reason: string;
};

export type VersionRef = {
  readonly version: string;
  /** Absent where the version was found on the alias and no record of it is left. */
  readonly fingerprint?: string;
  /** What it was released by: its own gate, the objective that its slow counts are about, and its output signals. */
  readonly gate?: GateSettings;
  readonly p95?: number;
  readonly signals?: readonly string[];
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
  /** When it was written: the alias moved between then and the note that it was made. */
  readonly at: string;
};

/** The CloudFormation request that is being served, or was served last. */
export type Request = {
  readonly id: string;
  /** `settings`: the version stays, what it follows changes. `refused`: nothing was done, for `failure`; only the answer is left. */
  readonly kind: 'forward' | 'rollback' | 'settings' | 'refused';
  /** The resource's key in the template, which every answer must repeat. */
  readonly logicalId: string;
  /** Where to answer: a signed URL, so a credential; gone once answered. */
  readonly url?: string;
  /** ISO time at which the worker answers FAILED rather than let CloudFormation run into its timeout. */
  readonly answerBy: string;
  readonly answered?: 'SUCCESS' | 'FAILED';
  /** Why it fails, although the release itself stands: AWS refused what it asked for, or we did. */
  readonly failure?: string;
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
  readonly settings: Settings;
  /** Steps that this release takes: `settings.steps`, or none. Absent until `auto` has decided. */
  readonly steps?: readonly Step[];
  /** Index of the step that is under way, in SHIFTING and JUDGING (and in HELD after them). */
  readonly step?: number;
  /** Weights of the candidate that were put in force, oldest first. The alias moved between `asked` and `at`. */
  readonly shifts: readonly Shift[];
  readonly gate?: GateState;
  /** The last look of each step, oldest first. */
  readonly judgements: readonly Judgement[];
  /** What is judged beside errors, fixed before the first weight: the slow edge (none: no objective, or another one), output signals. */
  readonly basis?: {
    readonly slow?: 1 | 2 | 3;
    /** Share (0 to 1) of the stable version's requests that were slower than what it is held against, in the hour before. */
    readonly slower?: number;
    readonly outputs: readonly string[];
  };
  /** HELD: where it goes on from, by what and since when, and when somebody was last paged. */
  readonly held?: {
    readonly from: Phase;
    readonly by: HeldBy;
    readonly at: string;
    readonly pagedAt: string;
  };
  /** When the candidate got 100 %. */
  readonly promotedAt?: string;
  /** Of the live version: alarms that turn on after `since` may bring the last good one back, until `until`. Deploys that fail do not end it. */
  readonly watch?: { readonly since: string; readonly until: string };
  readonly reversal?: Reversal;
  /** Since when what it needs cannot be read, what that is and why, and whether somebody was told. */
  readonly blind?: { readonly since: string; readonly told: boolean; readonly reason: string };
  /** After a reversed canary that acquitted: alarms are left alone until then. */
  readonly quietUntil?: string;
  /** Fingerprints that were rolled back: refused until `--force`. */
  readonly refused: readonly Refusal[];
  /** Times of automatic rollbacks after promotion, newest last. */
  readonly rollbacks: readonly string[];
  /** Notices that are still to be published, oldest first; removed once they are. */
  readonly notices: readonly Notice[];
  /** `deployments/<id>.json` of the deploy that began it, once known, and the phase that is told there. */
  readonly deployment?: { readonly id: string; readonly told?: Phase };
  /** The version that scales by use, and what it was last told; `refused`: AWS would not. */
  readonly scaled?: { readonly version: string; readonly key: string; readonly refused?: string };
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
  /** Where the tick of this release is, and what it was last told. */
  readonly schedule: { readonly group: string; readonly name: string; readonly told?: string };
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
    /** Id of the deploy that ticks: `deployments/<id>.json`, which is completed when the release ends. */
    readonly deployment?: string;
  };
};

/** What is told to the alerts topic: what happened, which numbers decided, what to do. */
export type Notice = {
  readonly subject: string;
  readonly text: string;
  /** Wakes somebody; else it only informs. */
  readonly page: boolean;
  readonly at: string;
};

/** What a person asks of a release. `by`: the caller's ARN. */
export type CommandEvent = {
  readonly command: {
    readonly verb: 'promote' | 'rollback' | 'hold' | 'resume';
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
  /** NONE: no release is recorded. UNKNOWN: the registry cannot be read. */
  readonly phase: Phase | 'NONE' | 'UNKNOWN';
  /** Does it go on by itself before the candidate is promoted, or given up? False in BAKING, HELD and the ends. */
  readonly running: boolean;
  /** Version that the alias points to; absent where there is no alias. */
  readonly version?: string;
  /** Version that the release is about. */
  readonly candidate?: string;
  readonly reason?: string;
  /** Percent that the candidate has. */
  readonly weight?: number;
  /** The step under way: which (from 1) of how many, since when, when its bake ends and when its patience does. */
  readonly step?: {
    readonly number: number;
    readonly of: number;
    readonly since: string;
    readonly until: string;
    readonly latest: string;
  };
  readonly judgement?: Judgement;
  /** BAKING: until when an alarm may roll back. */
  readonly bakeUntil?: string;
};
