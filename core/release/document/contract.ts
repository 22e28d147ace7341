/**
 * `releases/<model>/live.json`: what is known of the release of one alias, and the parts of it. Shapes only.
 */

import type { GateSettings, GateState } from '../../gate/contract.ts';
import type { Judgement } from '../../judge/contract.ts';
import type { Settings, Step } from './settings-contract.ts';

/**
 * `GATING → WARMING → SHIFTING → JUDGING → … → PROMOTING → BAKING → DONE`. REVERSING: after promotion, the
 * last good version takes half of the traffic beside the live one, until the test tells which is worse. HELD
 * waits for a person; judging goes on meanwhile. The others are ends.
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

/**
 * `foreign`: somebody moved the alias. `limit`: too many automatic rollbacks. `refused`: AWS does not restore
 * stable.
 */
export type HeldBy = 'person' | 'nodata' | 'foreign' | 'limit' | 'refused';

export type WeightShift = {
  readonly asked: string;
  readonly at: string;
  readonly step: number;
  /** Percent. */
  readonly weight: number;
};

/**
 * After promotion: an alarm asked, and the last good version takes half of the traffic beside the live one.
 */
export type Reversal = {
  readonly alarm: string;
  readonly at: string;
  readonly to: VersionRef;
  /**
   * Where it goes on if the live version is acquitted: its watch goes on after a later release that failed,
   * too.
   */
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

export type RefusedVersion = {
  readonly fingerprint: string;
  readonly version: string;
  readonly at: string;
  readonly reason: string;
  /**
   * Fingerprint (else number) of what took its place: going from that one back to the refused one undoes the
   * rollback.
   */
  readonly restored?: string;
};

/**
 * What the CloudFormation operation under way found when its first request came: where a stack that rolls
 * back returns to. It stands until the next operation's first request.
 */
export type Operation = {
  /** Id of the latest request of this operation that was followed. */
  readonly request: string;
  /** What it asks for: the version, and the mark where it is asked for anew. */
  readonly asks: string;
  /**
   * What the template asked for before, and asks for again once the stack has rolled back; absent: there was
   * no alias.
   */
  readonly before?: string;
  readonly at: string;
  /** What was live; absent: nothing. */
  readonly stable?: VersionRef;
  readonly watch?: Release['watch'];
  /** The release that it took the place of; it begins anew if the stack returns to its template. */
  readonly superseded?: {
    readonly candidate: VersionRef;
    readonly gate?: GateState;
    readonly steps?: readonly Step[];
    readonly held?: { readonly by: HeldBy; readonly at: string; readonly pagedAt: string };
    readonly reason?: string;
    readonly deployment?: string;
  };
};

/** A request whose stack's status cannot be read: not followed yet, and not refused. */
export type Waiting = {
  readonly asked: AliasRequest;
  /** ISO time at which it is decided without. */
  readonly until: string;
};

export type VersionRef = {
  readonly version: string;
  /** Absent where the version was found on the alias and no record of it is left. */
  readonly fingerprint?: string;
  /**
   * sha256 over the source artifact; absent where the version was found on the alias, and in documents of
   * older workers.
   */
  readonly source?: string;
  /**
   * What it was released by: its own gate, the objective that its slow counts are about, its output signals,
   * and those of drift.
   */
  readonly gate?: GateSettings;
  readonly p95?: number;
  readonly signals?: readonly string[];
  readonly drift?: readonly string[];
  /** It counts refused requests by version, so that they can be compared; older versions do not. */
  readonly rejected?: true;
  /** Version of the model's batch function that scores alike. */
  readonly batch?: { readonly functionName: string; readonly version: string };
};

/** Where an alias points. Weights are 0 to 1, of the versions beside `version`. */
export type AliasTarget = {
  readonly version: string;
  readonly weights: Readonly<Record<string, number>>;
};

/**
 * A move of the alias, written before it is made, so that whoever comes after a crash can tell what was going
 * on.
 */
export type Intent = {
  /**
   * Written into the alias's description: proof that this very move was made, and a new RevisionId for all
   * who read before.
   */
  readonly token: string;
  /**
   * What the alias may be before (null: missing). Anything else but `after` is foreign. Absent: whatever is
   * there is replaced.
   */
  readonly before?: readonly (AliasTarget | null)[];
  readonly after: AliasTarget;
  readonly then: Phase;
  /** When it was written: the alias moved between then and the note that it was made. */
  readonly at: string;
};

/** The CloudFormation request that is being served, or was served last. */
export type StackRequest = {
  readonly id: string;
  /**
   * `settings`: the version stays, what it follows changes. `refused`: nothing was done, for `failure`; only
   * the answer is left.
   */
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
 * `schema`, `stable`, `highest`, `functionName` and `alias` mean the same in every schema to come: with them
 * an older worker that meets a newer document can still put all traffic on stable.
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
  /**
   * What the release was about when it began: the version that was live then, absent for a first one, and the
   * one to be released. History: a rollback changes `stable` and `candidate`, and never this. Absent in
   * documents of older workers; one that takes over leaves it as it is when it begins a release, which
   * `release`, the id of its own, tells.
   */
  readonly began?: { readonly release: string; readonly from?: string; readonly to: VersionRef };
  readonly settings: Settings;
  /** Steps that this release takes: `settings.steps`, or none. Absent until `auto` has decided. */
  readonly steps?: readonly Step[];
  /** Index of the step that is under way, in SHIFTING and JUDGING (and in HELD after them). */
  readonly step?: number;
  /**
   * Weights of the candidate that were put in force, oldest first. The alias moved between `asked` and `at`.
   */
  readonly shifts: readonly WeightShift[];
  readonly gate?: GateState;
  /** The last look of each step, oldest first. */
  readonly judgements: readonly Judgement[];
  /**
   * What is judged beside errors, fixed before the first weight: the slow edge (none: no objective, or
   * another one), output signals.
   */
  readonly basis?: {
    readonly slow?: 1 | 2 | 3;
    /**
     * Share (0 to 1) of the stable version's requests that were slower than what it is held against, in the
     * hour before.
     */
    readonly slower?: number;
    readonly outputs: readonly string[];
    /** Refused requests are compared: both versions count them by version. */
    readonly rejected?: true;
  };
  /** HELD: where it goes on from, by what and since when, and when somebody was last paged. */
  readonly held?: {
    readonly from: Phase;
    readonly by: HeldBy;
    readonly at: string;
    readonly pagedAt: string;
  };
  /**
   * Who asked that the candidate of this release be promoted without the steps that remain; a hold takes that
   * back. An older worker leaves it to the next release, which it does not name.
   */
  readonly promotedBy?: { readonly by: string; readonly release: string };
  /** When the candidate got 100 %. */
  readonly promotedAt?: string;
  /** When a person undid this release's rollback. */
  readonly returnedAt?: string;
  /** When a person had an alias put back that somebody else had moved. */
  readonly putBackAt?: string;
  /**
   * Of the live version: alarms that turn on after `since` may bring the last good one back, until `until`.
   * Deploys that fail do not end it. `keeps`: the version that keeps its instances as long (blueGreen); older
   * workers do not write it.
   */
  readonly watch?: { readonly since: string; readonly until: string; readonly keeps?: string };
  readonly reversal?: Reversal;
  /** Since when what it needs cannot be read, what that is and why, and whether somebody was told. */
  readonly blind?: { readonly since: string; readonly told: boolean; readonly reason: string };
  /** After a reversed canary that acquitted: alarms are left alone until then. */
  readonly quietUntil?: string;
  /** Fingerprints that were rolled back: refused until `--force`. */
  readonly refused: readonly RefusedVersion[];
  /** Times of automatic rollbacks after promotion, newest last. */
  readonly rollbacks: readonly string[];
  /** Notices that are still to be published, oldest first; removed once they are. */
  readonly notices: readonly Notice[];
  /** `deployments/<id>.json` of the deploy that began it, once known, and the phase that is told there. */
  readonly deployment?: { readonly id: string; readonly told?: Phase };
  /** The version that scales by use, and what it was last told; `refused`: AWS would not. */
  readonly scaled?: { readonly version: string; readonly key: string; readonly refused?: string };
  /**
   * `now`: inside the resource (a first version, or one that behaves as the stable one); else when the stack
   * is done.
   */
  readonly promote: 'now' | 'afterStack';
  readonly intent?: Intent;
  /**
   * Somebody deleted the alias, and it was made again then: what hung on it (permissions, function URL) may
   * be missing since.
   */
  readonly remade?: { readonly at: string };
  /**
   * The highest version that the template ever asked for. Written for older workers, which compared it;
   * nothing reads it.
   */
  readonly highest: number;
  /** The versions that this alias was asked for, the latest last; absent in documents of older workers. */
  readonly order?: readonly string[];
  readonly operation?: Operation;
  readonly waiting?: Waiting;
  /** Versions that had 100 %, newest first; the second is the last good one. */
  readonly lives: readonly VersionRef[];
  /**
   * What the latest request, of a template without batch, took from `lives`, by version: it comes back if the
   * stack rolls back.
   */
  readonly unbatched?: Readonly<Record<string, NonNullable<VersionRef['batch']>>>;
  readonly request?: StackRequest;
  /** Ids of requests seen, newest last: Lambda delivers an event more than once, and late. */
  readonly requests: readonly string[];
  /** Where the tick of this release is, and what it was last told. */
  readonly schedule: { readonly group: string; readonly name: string; readonly told?: string };
  readonly startedAt: string;
  /**
   * When it first came to an end: whatever is noted afterwards is no end. Absent in documents of older
   * workers, which leave that of the release before as it is when they begin one: what is before `startedAt`
   * is none.
   */
  readonly endedAt?: string;
  readonly updatedAt: string;
  /** After this a release that still runs is a dead one. */
  readonly deadline: string;
  /** For people: why it stands where it stands. */
  readonly reason?: string;
};

/** What is told to the alerts topic: what happened, which numbers decided, what to do. */
export type Notice = {
  readonly subject: string;
  readonly text: string;
  /** Wakes somebody; else it only informs. */
  readonly page: boolean;
  readonly at: string;
};

/** A Create or Update of the custom resource, read. */
export type AliasRequest = {
  readonly type: 'Create' | 'Update';
  readonly id: string;
  readonly url: string;
  readonly logicalId: string;
  readonly stack: string;
  readonly functionName: string;
  readonly alias: string;
  readonly model: string;
  readonly version: string;
  /** The version of the same function that the template asked for before, and the mark that it asked with. */
  readonly before?: string;
  readonly markBefore?: string;
  /** Differs at each deploy that asks anew for what the template asks for already. */
  readonly mark?: string;
  readonly fingerprint: string;
  /** sha256 over the source artifact. */
  readonly source?: string | undefined;
  /** The batch function's version that belongs to it. */
  readonly batch?: VersionRef['batch'] | undefined;
  readonly settings: Settings;
  /** By `sls deploy --force`, whose ISO time is then the mark: what was refused before it may go again. */
  readonly forced: boolean;
  /** Milliseconds that the worker may take to answer. */
  readonly patience: number;
  readonly schedule: { readonly group: string; readonly name: string };
};
