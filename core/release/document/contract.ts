/**
 * `releases/<model>/live.json`: what is known of the release of one alias, and the parts of it. Shapes only.
 */

import type { GateState } from '../../gate/contract.ts';
import type { Judgement } from '../../judge/contract.ts';
import type {
  HeldBy,
  Intent,
  Notice,
  Phase,
  RefusedVersion,
  Reversal,
  VersionRef,
  Watch,
  WeightShift,
} from './parts-contract.ts';
import type { Operation, StackRequest, Waiting } from './request-contract.ts';
import type { Settings, Step } from './settings-contract.ts';

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
  readonly watch?: Watch;
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
