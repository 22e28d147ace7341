/**
 * `releases/<model>/live.json`: what is known of the release of one alias. Shapes only. A type a phase: which
 * keys it has is written below, once. What is read of the registry has passed `as-read.ts`.
 */

import type { GateState } from '../../gate/contract.ts';
import type { Judgement } from '../../judge/contract.ts';
import type {
  Basis,
  BatchVersion,
  Commanded,
  Hold,
  Intent,
  LiveWatch,
  Notice,
  Phase,
  RefusedVersion,
  Reversal,
  VersionRef,
  WeightShift,
  WriteBack,
} from './parts-contract.ts';
import type { Operation, StackRequest, Waiting } from './request-contract.ts';
import type { Settings, Step } from './settings-contract.ts';

/**
 * In every phase. What may be absent here says nothing of the phase: somebody asked, told, moved or could not
 * read something, or an older worker did not write it.
 *
 * `schema`, `stable`, `highest`, `functionName` and `alias` mean the same in every schema to come: with them
 * an older worker that meets a newer document can still put all traffic on stable.
 */
export type Always = {
  readonly schema: 1;
  readonly rev: number;
  /** RequestId of the request that began it. */
  readonly release: string;
  readonly model: string;
  readonly functionName: string;
  readonly alias: string;
  /** Stack id. */
  readonly stack: string;
  /**
   * What the release was about when it began: the version that was live then, absent for a first one, and the
   * one to be released. History: a rollback changes `stable` and `candidate`, and never this. Absent in
   * documents of older workers; one that takes over leaves it as it is when it begins a release, which
   * `release`, the id of its own, tells.
   */
  readonly began?: { readonly release: string; readonly from?: string; readonly to: VersionRef };
  readonly settings: Settings;
  /**
   * Weights of the candidate that were put in force, oldest first. The alias moved between `asked` and `at`.
   */
  readonly shifts: readonly WeightShift[];
  /** None of a version that behaves as the live one. */
  readonly gate?: GateState;
  /** The last look of each step, oldest first. */
  readonly judgements: readonly Judgement[];
  /**
   * What persons asked of this release and got, oldest first, for history. Absent in documents of older
   * workers, which leave it to the next release, which it does not name.
   */
  readonly commands?: readonly Commanded[];
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
  /** What MLflow is told of what is live, where the service says so. Older workers leave it as it is. */
  readonly writeBack?: WriteBack;
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
  /**
   * The versions that this alias was asked for, the latest last: a version's ordinal is its place here.
   * Absent in documents of older workers.
   */
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
  /**
   * The batch function's versions that this alias was asked for and that were not deleted since, the latest
   * last. Absent where the template has no batch, and in documents of older workers, which leave it as it is.
   */
  readonly batches?: readonly BatchVersion[];
  /** Absent while the very first one waits until the status of its stack can be read. */
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

/** What hangs on the phase. */
export type Own = {
  /** What has 100 % unless an intent says otherwise. */
  readonly stable: VersionRef;
  readonly candidate: VersionRef;
  /** Steps that this release takes: `settings.steps`, or none. */
  readonly steps: readonly Step[];
  /** Index of the step that is under way. */
  readonly step: number;
  readonly basis: Basis;
  /**
   * Who asked that the candidate of this release be promoted without the steps that remain; a hold takes that
   * back. An older worker leaves it to the next release, which it does not name.
   */
  readonly promotedBy: { readonly by: string; readonly release: string };
  /** When the candidate got 100 %. */
  readonly promotedAt: string;
  /** When a person undid this release's rollback. */
  readonly returnedAt: string;
  /** When a person had an alias put back that somebody else had moved. */
  readonly putBackAt: string;
  readonly watch: LiveWatch;
  readonly reversal: Reversal;
  readonly held: Hold;
};

/**
 * A document in this phase `Has` these keys, `May` have those, and has no other of what hangs on the phase.
 */
type In<P extends Phase, Has extends keyof Own, May extends keyof Own> = Always & {
  readonly phase: P;
} & Pick<Own, Has> &
  Partial<Pick<Own, May>> & { readonly [key in Exclude<keyof Own, Has | May>]?: never };

/** What is left of the way that it came, for history. */
type Left = 'steps' | 'step' | 'basis' | 'promotedBy' | 'promotedAt' | 'returnedAt' | 'putBackAt';

// Before a first version is live there is no stable one. `auto` decides on the steps while the gate is open.
// A live version is watched while another one is on its way. `promotedBy` may be of the release before.
export type Gating = In<'GATING', 'candidate', 'stable' | 'steps' | 'promotedBy' | 'watch'>;
export type Warming = In<'WARMING', 'candidate' | 'steps', 'stable' | 'promotedBy' | 'watch'>;
export type Shifting = In<
  'SHIFTING',
  'candidate' | 'stable' | 'steps' | 'step',
  'basis' | 'promotedBy' | 'watch'
>;
export type Judging = In<
  'JUDGING',
  'candidate' | 'stable' | 'steps' | 'step' | 'basis',
  'promotedBy' | 'watch'
>;
export type Promoting = In<
  'PROMOTING',
  'candidate' | 'steps',
  'stable' | 'step' | 'basis' | 'promotedBy' | 'watch'
>;
export type Baking = In<'BAKING', 'stable' | 'watch', Left>;
/** A release that failed keeps its candidate here, since its live version is watched on. */
export type Reversing = In<'REVERSING', 'stable' | 'watch' | 'reversal', Left | 'candidate'>;
export type DoneRelease = In<'DONE', 'stable', Left | 'watch' | 'reversal'>;
/** Without a candidate where what gave way had not been released, but brought back, before. */
export type RolledBack = In<'ROLLED_BACK', 'stable', Left | 'candidate' | 'watch' | 'reversal'>;
export type Aborted = In<'ABORTED', never, Left | 'stable' | 'candidate' | 'watch' | 'reversal'>;
/** Only in what is archived: another release took its place, whatever it was in. */
type Superseded = In<'SUPERSEDED', never, Left | 'stable' | 'candidate' | 'watch' | 'reversal' | 'held'>;

/** Before promotion: the candidate is not live, and may have a weight. */
export type Open = Gating | Warming | Shifting | Judging | Promoting;
export type Ended = DoneRelease | RolledBack | Aborted | Superseded;
export type Unheld = Open | Baking | Reversing | Ended;

/** HELD is the document as it was in the phase before, held. */
export type HeldIn<P extends Unheld['phase']> = P extends unknown
  ? Omit<Extract<Unheld, { readonly phase: P }>, 'phase' | 'held' | 'reason'> & {
      readonly phase: 'HELD';
      readonly held: Hold<P>;
      readonly reason: string;
    }
  : never;
export type HeldRelease = HeldIn<Unheld['phase']>;

/** The candidate is still to be promoted: its release runs, or is held on its way. */
export type Pending = Open | HeldIn<Open['phase']>;

/** `releases/<model>/live.json`: one document an alias, moved by compare-and-set. */
export type Release = Unheld | HeldRelease;

/** The document in a phase. */
export type ReleaseIn<P extends Phase> = Extract<Release, { readonly phase: P }>;
