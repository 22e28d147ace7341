import { iso } from '../../units/time.ts';
import type { HeldIn, HeldRelease, Release, ReleaseIn, Unheld } from '../document/contract.ts';
import type { Hold } from '../document/parts-contract.ts';
import { endTime, isEnd, phaseOf } from './predicates.ts';

/**
 * How a document becomes the next one, a `rev` on: in its phase, into another one, into a hold and out of it.
 * What a phase needs and may not have is checked by the types. Keys that are not named stay as they are. All
 * pure.
 */

type Kept = 'schema' | 'rev' | 'updatedAt' | 'phase';

/** What may be written under a key of a document; undefined removes it. */
type Value<S, K extends PropertyKey> = K extends keyof S
  ? Record<never, never> extends Pick<S, K>
    ? S[K] | undefined
    : S[K]
  : undefined;

/** What may be written under a key whichever of these documents it is. */
type AnyOf<S, K extends PropertyKey> = (S extends unknown ? (value: Value<S, K>) => void : never) extends (
  value: infer V,
) => void
  ? V
  : never;

/** Changes that keep the phase, whichever of these documents it is. */
export type Changes<S extends Release = Release> = {
  readonly [K in Exclude<keyof S, Kept | 'held'>]?: AnyOf<S, K>;
} & { readonly [K in Kept | 'held']?: never };

/** A key is still to be told where the document has, or may have, something else under it than is needed. */
type Untold<S, T, K extends keyof T> = S extends unknown
  ? Pick<S, K & keyof S> extends Pick<T, K>
    ? never
    : K
  : never;

/** Changes by which a document becomes one of another phase: all that it lacks, and what it must give up. */
type Into<S extends Release, T> = {
  readonly [K in Exclude<keyof T, Kept> as Untold<S, T, K>]: Value<T, K>;
} & { readonly [K in Exclude<keyof T, Kept>]?: Value<T, K> } & { readonly [K in Kept]?: never };

/** The document with these changes, in the phase that it is in. */
export const next = <S extends Release>(state: S, changes: Changes<S>, now: number): S =>
  written(state, changes, now) as S;

/** The document in another phase. */
export const become = <S extends Release, P extends Unheld['phase']>(
  state: S,
  phase: P,
  changes: Into<S, ReleaseIn<P>>,
  now: number,
): ReleaseIn<P> => written(state, { ...changes, phase }, now) as unknown as ReleaseIn<P>;

/** The document held. One that is held already stays held in the phase that it was in. */
export function heldAs(
  state: Release,
  by: Hold['by'],
  reason: string,
  changes: Changes,
  now: number,
): HeldRelease {
  const held: Hold = { from: phaseOf(state), by, at: iso(now), pagedAt: iso(now) };
  return written(
    state,
    { ...changes, phase: 'HELD', held, intent: undefined, promotedBy: undefined, reason },
    now,
  ) as HeldRelease;
}

/** The document held in another phase than it is in. */
export const holdIn = <S extends Release, P extends Unheld['phase']>(
  state: S,
  from: P,
  held: Omit<Hold, 'from'>,
  changes: Into<S, Omit<HeldIn<P>, 'held'>>,
  now: number,
): HeldIn<P> =>
  written(state, { ...changes, phase: 'HELD', held: { ...held, from } }, now) as unknown as HeldIn<P>;

/** Somebody was paged again about a held document. */
export const pagedAgain = (state: HeldRelease, changes: Changes<HeldRelease>, now: number): HeldRelease =>
  written(state, { ...changes, held: { ...state.held, pagedAt: iso(now) } }, now) as HeldRelease;

/** A held document goes on in the phase that it was in. */
export const unhold = <S extends HeldRelease>(state: S, changes: Changes<Freed<S>>, now: number): Freed<S> =>
  written(state, { ...changes, phase: state.held.from, held: undefined }, now) as unknown as Freed<S>;

/** The document as it was before it was held: nothing is written of that. */
export function unheld<S extends HeldRelease>(state: S): Freed<S> {
  const { held, ...rest } = state;
  return { ...rest, phase: held.from } as unknown as Freed<S>;
}

type Freed<S extends HeldRelease> = ReleaseIn<S['held']['from']>;

/** Its time never goes back, whatever a worker's clock does. */
function written(state: Release, changes: object, now: number): object {
  const updatedAt = iso(Math.max(now, Date.parse(state.updatedAt)));
  const merged: Record<string, unknown> & Pick<Release, 'phase' | 'startedAt'> & { endedAt?: string } = {
    ...state,
    ...changes,
    rev: state.rev + 1,
    updatedAt,
  };
  // What is noted of a release that is over is no end of it.
  const comes = isEnd(merged.phase) && (!isEnd(state.phase) || 'endedAt' in changes);
  if (comes && endTime(merged) === undefined) merged.endedAt = updatedAt;
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}
