import type { AliasState } from '../../../../core/ports/aws.ts';
import type { Release } from '../../../../core/release/document/contract.ts';
import { allTraffic, pointsAt, say } from '../../../../core/release/state/alias-target.ts';
import { isPending, standing } from '../../../../core/release/state/predicates.ts';

/**
 * The one law for every end of a deploy: what a model was offered is live, on its way, refused, or none of
 * these. Pure.
 */

/** What was read of a model once nothing is done for it any more. */
export type Stands = {
  /** Absent: none is recorded. `newer`: by a plugin that is newer than this one. */
  readonly release?: Release | 'newer';
  readonly alias?: AliasState;
};

export type Outcome =
  /** It has the traffic that its release gives to what is live. */
  | { readonly is: 'live' }
  /** The candidate of a release that runs, or that a person or want of data holds. */
  | { readonly is: 'onItsWay'; readonly held: boolean }
  /** It was rolled back, and is refused until somebody forces it. */
  | { readonly is: 'refused'; readonly why: string }
  | { readonly is: 'none'; readonly why: string }
  /** Nothing was ever done for it: whoever made the stack did not call its custom resource. */
  | { readonly is: 'uncalled' };

/** @param fingerprint of what was offered */
export function outcomeOf(fingerprint: string, { release, alias }: Stands): Outcome {
  if (release === 'newer')
    return {
      is: 'none',
      why: 'a newer version of the plugin released this model, and this version cannot read what it wrote',
    };
  if (release === undefined)
    return alias === undefined ? { is: 'uncalled' } : { is: 'none', why: 'no release of it is recorded' };
  const { stable, candidate, held, reason, refused, intent } = release;
  const moved =
    held?.by === 'foreign' || (intent === undefined && !pointsAt(alias, standing(release) ?? null));
  if (stable !== undefined && stable.fingerprint === fingerprint && !moved)
    return intent === undefined || alias?.version === stable.version
      ? { is: 'live' }
      : { is: 'onItsWay', held: false };
  const waits = held === undefined || held.by === 'person' || held.by === 'nodata';
  if (isPending(release) && candidate?.fingerprint === fingerprint && waits)
    return { is: 'onItsWay', held: held !== undefined };
  // What has all traffic is not refused, whoever gave it: it is asked for again, and so it is recorded.
  const refusal = refused.find(
    (one) => one.fingerprint === fingerprint && !pointsAt(alias, allTraffic(one.version)),
  );
  if (refusal !== undefined)
    return {
      is: 'refused',
      why: `what was offered is the same as version ${refusal.version}, which was rolled back: ${refusal.reason}`,
    };
  if (alias === undefined) return { is: 'none', why: 'the alias is gone, and callers get errors' };
  if (moved)
    return {
      is: 'none',
      // Where no tick saw it yet, the reason is still that of the release before.
      why:
        (held?.by === 'foreign' || held?.by === 'refused') && reason !== undefined
          ? reason
          : `the alias points to ${say(alias)}, which no release did`,
    };
  if (candidate?.fingerprint === fingerprint && reason !== undefined) return { is: 'none', why: reason };
  return {
    is: 'none',
    why: isPending(release)
      ? `another release, of version ${candidate?.version}, took its place`
      : 'no release of it is on its way',
  };
}
