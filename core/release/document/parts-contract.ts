/** The parts of a release's document. Shapes only. */

import type { GateSettings, GateState } from '../../gate/contract.ts';
import type { Judgement } from '../../judge/contract.ts';

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

/** A version of the model's batch function that the alias was asked for. */
export type BatchVersion = NonNullable<VersionRef['batch']> & {
  /** The endpoint's versions that it came with last, the latest last: none is in two entries. */
  readonly of: readonly string[];
  /** Since when nobody needs it; it is deleted once no job can run from it any more. */
  readonly unneeded?: string;
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

export type CommandVerb = 'promote' | 'rollback' | 'hold' | 'resume';

/** What a person asked of a release, and got. `to`: the version that a rollback named. */
export type Commanded = {
  readonly release: string;
  readonly verb: CommandVerb;
  readonly by: string;
  readonly at: string;
  readonly to?: string;
  readonly reason?: string;
};

export type WeightShift = {
  readonly asked: string;
  readonly at: string;
  readonly step: number;
  /** Percent. */
  readonly weight: number;
};

/**
 * Of the live version: alarms that turn on after `since` may bring the last good one back, until `until`.
 * Deploys that fail do not end it. `keeps`: the version that keeps its instances as long (blueGreen); older
 * workers do not write it.
 */
export type LiveWatch = { readonly since: string; readonly until: string; readonly keeps?: string };

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
  readonly from: 'BAKING' | 'DONE' | 'ROLLED_BACK' | 'ABORTED';
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

/** HELD: where it goes on from, by what and since when, and when somebody was last paged. */
export type Hold<From extends Phase = Phase> = {
  readonly from: From;
  readonly by: HeldBy;
  readonly at: string;
  readonly pagedAt: string;
};

/**
 * What is judged beside errors, fixed before the first weight: the slow edge (none: no objective, or another
 * one), output signals.
 */
export type Basis = {
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

/** What is told to the alerts topic: what happened, which numbers decided, what to do. */
export type Notice = {
  readonly subject: string;
  readonly text: string;
  /** Wakes somebody; else it only informs. */
  readonly page: boolean;
  readonly at: string;
};

/** A version of a registered model, as a registry of models counts them. */
export type RegisteredVersion = { readonly name: string; readonly version: string };

/**
 * What MLflow is to know of what is live, and whether it does. `none`: the live version is no model of that
 * server. `pending`: not written yet, or nobody knows whether. `gaveUp`: not tried any more in this release.
 */
export type WriteBack = {
  readonly is: 'none' | 'pending' | 'written' | 'gaveUp';
  /** Address of the server, and the alias that is moved. */
  readonly at: string;
  readonly alias: string;
  /** The release that it is about: the next one is written again when it ends. */
  readonly release: string;
  /** Lambda's version that is live, and what it is in MLflow. */
  readonly version: string;
  readonly model?: RegisteredVersion;
  /** What was, or may have been, written as live before. */
  readonly before?: readonly RegisteredVersion[];
  /** When the version was found live: what is written does not change however often it is written. */
  readonly since: string;
  /** When it was first to be written. */
  readonly asked: string;
  readonly attempts?: number;
  /** Nobody writes before: the latest attempt may be under way until then. */
  readonly next?: string;
  /** Somebody was told that it fails, and why it does. */
  readonly told?: true;
  readonly reason?: string;
};
