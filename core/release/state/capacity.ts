import type { AliasState, Scaling } from '../../ports/aws.ts';
import type { Judging, Promoting, Release, Shifting } from '../document/contract.ts';
import type { CapacitySettings } from '../document/settings-contract.ts';
import { type Action, type Blind, wait, write } from './action.ts';
import { type AccountConcurrency, type Held, isUnreadable, type Unreadable } from './facts.ts';
import { next } from './next.ts';
import { notice } from './notices.ts';
import { isPending, isReversing, isWatched, lastGood, phaseOf } from './predicates.ts';
import { abort, claimed, tell } from './transitions.ts';
import { withoutFollowed } from './weekly.ts';

/** Provisioned concurrency sits on versions. Pure: what should be there, and the next step towards it. */

type Provisioned = NonNullable<CapacitySettings['provisioned']>;

const provisionedOf = ({ settings }: Pick<Release, 'settings'>): Provisioned | undefined =>
  settings.capacity?.provisioned;

/**
 * Instances that a version needs before it gets traffic: as many as the live one has now, at least the
 * minimum; 0: none.
 */
export function needed(state: Release, held: Held): number {
  const provisioned = provisionedOf(state);
  if (provisioned === undefined) return 0;
  return Math.max(provisioned.min, held.get(state.stable?.version ?? '')?.requested ?? 0);
}

/**
 * The version that keeps its instances while the live one is watched, whatever is deployed meanwhile. Not one
 * that an alarm would no longer bring back: its like may have been released and refused since.
 */
function kept(state: Release, now: number): string | undefined {
  const { watch, settings } = state;
  const last = lastGood(state)?.version;
  if (watch?.keeps !== undefined) return isWatched(state, now) && watch.keeps === last ? last : undefined;
  // Older workers do not write it: as long as nothing else was deployed, the settings are those of its
  // promotion.
  return phaseOf(state) === 'BAKING' && settings.strategy === 'blueGreen' ? last : undefined;
}

/** The same, where it holds any now. */
export function keeping(state: Release, held: Held | undefined, now: number): string | undefined {
  const version = kept(state, now);
  return version !== undefined && held?.has(version) ? version : undefined;
}

/** All versions that hold instances during a release, each up to the peak: why that cannot be, or nothing. */
export function beyond(
  state: Release,
  { reserved, unreserved }: AccountConcurrency,
  held: Held,
  now: number,
): string | undefined {
  const provisioned = provisionedOf(state);
  if (provisioned === undefined) return undefined;
  const { stable, watch } = state;
  const peak = Math.max(provisioned.max, ...(state.settings.capacity?.schedules ?? []).map(({ max }) => max));
  const both = stable === undefined ? peak : 2 * peak;
  const limit = reserved ?? unreserved;
  const whose =
    reserved === undefined ? 'the account has unreserved' : 'concurrency.reserved leaves to the function';
  const ways = 'lower concurrency.provisioned.max, or raise the limit';
  if (both > limit)
    return (
      `both versions hold provisioned concurrency during a release: ${both === peak ? peak : `2 × ${peak} = ${both}`} instances ` +
      `are more than the ${limit} that ${whose}; ${ways}`
    );
  const third = kept(state, now);
  if (third === undefined || !held.has(third) || 3 * peak <= limit) return undefined;
  return (
    `version ${third} keeps its provisioned concurrency until ${watch?.until}, while version ${stable?.version} is watched (strategy blueGreen), and a ` +
    `release makes it three versions: 3 × ${peak} = ${3 * peak} instances are more than the ${limit} that ${whose}; deploy again after that time, or ` +
    `first deploy the live version with release.rollbackWindow: 0, which ends the watch, or ${ways}`
  );
}

/**
 * Scaling by use, as the ports want it: each schedule as its start and its end, unless another one follows.
 */
function scalingOf({ capacity }: Release['settings']): Scaling | undefined {
  if (capacity?.provisioned === undefined) return undefined;
  const { min, max, target } = capacity.provisioned;
  const schedules = capacity.schedules.flatMap(({ name, start, end, timezone, ...range }) => {
    const near = capacity.schedules.filter((one) => one.timezone === timezone);
    const at = withoutFollowed(
      end,
      near.map((one) => one.start),
    );
    return [
      { name: `${name}-start`, at: start, timezone, ...range },
      ...(at === undefined ? [] : [{ name: `${name}-end`, at, timezone, min, max }]),
    ];
  });
  return { min, max, target, schedules };
}

/**
 * Do the settings in the document hold for the stable version too? Not while a deploy that brought them is on
 * its way to promotion; but where capacity alone is changed in mid-release, it changes on both, and what a
 * stack that rolled back made live again needs its instances back.
 */
const governs = (state: Release): boolean =>
  !isPending(state) || state.request?.kind === 'settings' || state.request?.kind === 'rollback';

/**
 * Versions that hold provisioned concurrency and should not: nobody pays for what serves nothing.
 *
 * @param theirs versions that somebody else gave traffic to
 */
export function stray(
  state: Release,
  held: Held,
  now: number,
  theirs: readonly string[] = [],
): readonly string[] {
  const { stable, phase, scaled } = state;
  const keep = new Set<string | undefined>(theirs);
  // What a person provided on the live version is theirs; what we did ends when it is no longer asked for.
  if (provisionedOf(state) !== undefined || scaled?.version !== stable?.version || !governs(state))
    keep.add(stable?.version);
  if (provisionedOf(state) !== undefined) {
    if (isPending(state) && phase !== 'GATING') keep.add(state.candidate.version);
    if (isReversing(state)) keep.add(state.reversal.to.version);
  }
  if (provisionedOf(state) !== undefined || !governs(state)) keep.add(kept(state, now));
  // What serves an alias of somebody else serves somebody.
  const isOurs = (qualifier: string): boolean => /^\d+$/.test(qualifier) || qualifier === state.alias;
  return [...held.keys()].filter((qualifier) => isOurs(qualifier) && !keep.has(qualifier));
}

/** What the alias points to and no release put there serves all the same. */
function movedTo(state: Release, alias: AliasState | undefined): readonly string[] {
  const own = new Set([
    state.stable?.version,
    ...(isPending(state) ? [state.candidate.version] : []),
    ...(isReversing(state) ? [state.reversal.to.version] : []),
  ]);
  const found = alias === undefined ? [] : [alias.version, ...Object.keys(alias.weights)];
  return found.filter((version) => !own.has(version));
}

/** Nothing is warmed that cannot be seen, and so nothing gets more traffic. */
export function unseen({ unreadable }: Unreadable): Action {
  const blind = blindTo(unreadable);
  return wait(`${blind.subject}: ${unreadable}`, blind);
}

export const blindTo = (why: string): Blind => ({
  subject: 'provisioned concurrency cannot be read or changed',
  why,
  todo: 'see the log of the release worker, and give it the action that is missing; it goes on by itself.',
});

/**
 * The live version may have grown since the candidate was warmed, and at each weight it takes over a part of
 * that.
 */
export function topUp(
  state: Shifting | Judging | Promoting,
  held: Held | Unreadable | undefined,
): Action | undefined {
  const { candidate, scaled } = state;
  // Told already; the release stands without.
  if (held === undefined || scaled?.refused !== undefined) return undefined;
  if (isUnreadable(held)) return provisionedOf(state) && unseen(held);
  const instances = needed(state, held);
  const has = held.get(candidate.version);
  if (instances === 0 || has?.state === 'failed') return undefined;
  if (has === undefined || has.requested < instances)
    return { do: 'provide', version: candidate.version, instances };
  return has.state === 'ready'
    ? undefined
    : wait(`${has.ready} of ${has.requested} instances of version ${candidate.version} are ready`);
}

/** The next step of capacity, once the resource is answered: nothing where all is as it should be. */
export function tidy(
  state: Release,
  held: Held,
  now: number,
  alias: AliasState | undefined,
): Action | undefined {
  const [first] = stray(state, held, now, movedTo(state, alias));
  if (first !== undefined) return { do: 'release', version: first };
  const { stable, scaled } = state;
  const scaling = scalingOf(state.settings);
  if (stable === undefined || !governs(state)) return undefined;
  if (scaling === undefined)
    return scaled === undefined ? undefined : write(next(state, { scaled: undefined }, now));
  const key = JSON.stringify(scaling);
  // Ours before it is there: what nobody claims would be taken for a person's, and stay.
  if (scaled?.version !== stable.version) return write(next(state, claimed(stable.version), now));
  const gone = scaling.min > 0 && scaled.refused === undefined && !held.has(stable.version);
  if (scaled.key !== key || gone) {
    if ((held.get(stable.version)?.requested ?? 0) < scaling.min)
      return { do: 'provide', version: stable.version, instances: scaling.min };
    return {
      do: 'scale',
      version: stable.version,
      scaling,
      next: next(state, { scaled: { version: stable.version, key } }, now),
    };
  }
  // The minimum was raised in mid-release: the candidate follows.
  if (
    isPending(state) &&
    scaled.refused === undefined &&
    (held.get(state.candidate.version)?.requested ?? 0) < scaling.min
  )
    return { do: 'provide', version: state.candidate.version, instances: scaling.min };
  return undefined;
}

/**
 * AWS refuses provisioned concurrency. Before any traffic that ends the release; later the release stands
 * without.
 */
export function unprovided(state: Release, version: string, message: string, clock: number): Release {
  const now = Math.max(clock, Date.parse(state.updatedAt));
  const reason = `provisioned concurrency for version ${version} was refused: ${message}`;
  if (state.phase === 'WARMING') return abort(state, reason, now);
  if (state.phase === 'REVERSING' && state.reversal.to.version === version)
    return next(state, { reversal: { ...state.reversal, cold: message } }, now);
  const { request, stable } = state;
  const key = JSON.stringify(scalingOf(state.settings));
  const text = notice(
    state,
    'provisioned concurrency was refused',
    [reason, 'What to do: lower concurrency.provisioned, or raise the limit, and deploy.'],
    true,
    now,
  );
  return next(
    state,
    {
      ...tell(state, text),
      ...(stable && { scaled: { version: stable.version, key, refused: message } }),
      ...(request?.url !== undefined &&
        request.kind === 'settings' && { request: { ...request, failure: reason } }),
    },
    now,
  );
}
