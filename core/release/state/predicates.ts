import type { Ended, HeldIn, Open, Pending, Release, Reversing } from '../document/contract.ts';
import type { AliasTarget, Phase, VersionRef } from '../document/parts-contract.ts';
import type { Step } from '../document/settings-contract.ts';
import { allTraffic, split } from './alias-target.ts';

/** Questions about a release's document, or about what it tells of a version. All pure. */

/** Before promotion: the candidate is not live, and may have a weight. */
export const isOpen = (phase: Phase): phase is Open['phase'] =>
  phase === 'GATING' ||
  phase === 'WARMING' ||
  phase === 'SHIFTING' ||
  phase === 'JUDGING' ||
  phase === 'PROMOTING';

/** Nothing more happens by itself. */
export const isEnd = (phase: Phase): boolean =>
  phase === 'DONE' || phase === 'ROLLED_BACK' || phase === 'ABORTED' || phase === 'SUPERSEDED';

/** Is its release over? */
export const isEnded = (state: Release): state is Ended => isEnd(state.phase);

/** When its release first came to an end, where the document says so. */
export const endTime = ({
  endedAt,
  startedAt,
}: { readonly [key in 'endedAt' | 'startedAt']?: string | undefined }): string | undefined =>
  endedAt !== undefined && endedAt >= (startedAt ?? '') ? endedAt : undefined;

/** The phase that it is in, or is held in. */
export const phaseOf = (state: Release): Exclude<Phase, 'HELD'> =>
  state.phase === 'HELD' ? state.held.from : state.phase;

/** Does it run, not held, and is the candidate still to be promoted? */
export const isUnderWay = (state: Release): state is Open => isOpen(state.phase);

/** Is the candidate still to be promoted: running, or held on its way? */
export const isPending = (state: Release): state is Pending => isOpen(phaseOf(state));

/** Is the last good version tried beside the live one? */
export const isReversing = (state: Release): state is Reversing | HeldIn<'REVERSING'> =>
  phaseOf(state) === 'REVERSING';

/** Did a person ask that it be promoted as it is? */
export const isPromoted = ({ promotedBy, release }: Pick<Release, 'promotedBy' | 'release'>): boolean =>
  promotedBy?.release === release;

/** What persons asked of it and got, oldest first. */
export const commandsOf = ({ commands = [], release }: Pick<Release, 'commands' | 'release'>) =>
  commands.filter((one) => one.release === release);

/** May an alarm still bring the last good version back? */
export const isWatched = ({ watch }: Pick<Release, 'watch'>, now: number): boolean =>
  watch !== undefined && now < Date.parse(watch.until);

/** Percent of the traffic that the candidate has when no move is under way. */
export const weightOf = (state: Release): number =>
  isPending(state) ? (state.shifts.at(-1)?.weight ?? 0) : 0;

/**
 * The steps of a release for which the settings have others by now, or none: it keeps those that it began
 * with.
 */
export const keptSteps = ({
  steps = [],
  settings,
}: Pick<Release, 'steps' | 'settings'>): readonly Step[] | undefined =>
  steps.length === 0 || isSame(steps, settings.steps) ? undefined : steps;

const isSame = (some: readonly Step[], others: readonly Step[]): boolean =>
  some.length === others.length &&
  some.every(({ weight, bake }, i) => weight === others[i]?.weight && bake === others[i]?.bake);

/** Where the alias is when no move is under way; undefined before a first version is live. */
export function standing(state: Release): AliasTarget | undefined {
  const { stable } = state;
  if (stable === undefined) return undefined;
  const weight = weightOf(state);
  if (isPending(state) && weight > 0) return split(stable.version, state.candidate.version, weight);
  if (isReversing(state) && state.reversal.half !== undefined)
    return split(stable.version, state.reversal.to.version, 50);
  return allTraffic(stable.version);
}

/** The same version, or one of the same fingerprint. */
export const behavesAlike = (
  one: VersionRef | undefined,
  { version, fingerprint }: Pick<VersionRef, 'version' | 'fingerprint'>,
): boolean =>
  one !== undefined &&
  (one.version === version || (one.fingerprint !== undefined && one.fingerprint === fingerprint));

type Known = Pick<Release, 'stable' | 'candidate' | 'lives'>;

/** What is recorded of a version, if anything. */
export const knownOf = (state: Known | undefined, version: string): VersionRef | undefined =>
  state && [state.stable, ...state.lives, state.candidate].find((ref) => ref?.version === version);

/** All that is known of a version. */
export const refOf = (state: Known, version: string): VersionRef => knownOf(state, version) ?? { version };

/**
 * The version to go back to after promotion: the latest that was live before, behaves otherwise, and is not
 * refused.
 */
export function lastGood({
  stable,
  lives,
  refused,
}: Pick<Release, 'stable' | 'lives' | 'refused'>): VersionRef | undefined {
  const bad = (ref: VersionRef): boolean =>
    refused.some(({ fingerprint }) => fingerprint === ref.fingerprint);
  return lives.find(
    (ref) =>
      ref.version !== stable?.version &&
      (ref.fingerprint === undefined || ref.fingerprint !== stable?.fingerprint) &&
      !bad(ref),
  );
}
