import type { Judgement } from '../../judge/contract.ts';
import { iso } from '../../units/time.ts';
import type { Pending, Release, RolledBack } from '../document/contract.ts';
import type { Phase, RefusedVersion, VersionRef } from '../document/parts-contract.ts';
import { allTraffic } from '../state/alias-target.ts';
import { become, next } from '../state/next.ts';
import { broughtBack, rolledBack } from '../state/notices.ts';
import { isEnded } from '../state/predicates.ts';
import { claimed, intend, lingering, remember, tell, UNWATCHED } from '../state/transitions.ts';

/** Refused fingerprints to remember; more would only be of people who deploy the same mistakes for a year. */
const REFUSED = 20;

/**
 * Takes the candidate away: all traffic on stable, whatever the alias says, with a new revision; what it is,
 * is refused until `--force`.
 */
export function rollBack(
  state: Pending,
  stable: VersionRef,
  why: string,
  judgement: Pick<Judgement, 'reason' | 'signals'> | undefined,
  now: number,
): RolledBack {
  const { candidate } = state;
  return become(
    state,
    'ROLLED_BACK',
    {
      ...tell(state, rolledBack(state, candidate, stable, why, judgement, now)),
      ...lingering(state, now),
      stable,
      held: undefined,
      intent: intend(state, allTraffic(stable.version), 'ROLLED_BACK', now),
      refused: addRefusal(state, candidate, why, now, stable),
      reason: `version ${candidate.version} was rolled back: ${why}`,
    },
    now,
  );
}

/**
 * After promotion: the live version gives way to one that was live before. A version that a person names is
 * good again; where that undoes a rollback, what the rollback had restored is no worse for it: it stays a way
 * back.
 *
 * @param live what gives way
 * @param automatic counts for the limit of two in 24 hours
 */
export function revert(
  state: Release,
  live: VersionRef,
  to: VersionRef,
  why: string,
  judgement: Pick<Judgement, 'reason' | 'signals'> | undefined,
  automatic: boolean,
  now: number,
): Release {
  const undone = state.refused.find(({ fingerprint }) => fingerprint === to.fingerprint);
  const others = { refused: state.refused.filter((one) => one !== undone) };
  const common = {
    putBackAt: undefined,
    // From here on the other one is what has 100 %, also for a deploy that comes before the move is made.
    stable: to,
    ...(automatic && { rollbacks: [...state.rollbacks, iso(now)].slice(-REFUSED) }),
    ...claimed(to.version),
    ...UNWATCHED,
  };
  // Its own release is what was rolled back: that is live again.
  const own = state.phase === 'ROLLED_BACK' && state.candidate?.version === to.version;
  // An older worker did not write down what it restored.
  if (undone !== undefined && (undone.restored === nameOf(live) || (undone.restored === undefined && own))) {
    const returned = (then: Phase) => ({
      ...common,
      ...tell(state, broughtBack(state, live.version, to.version, why, now)),
      returnedAt: iso(now),
      lives: remember(state.lives, to),
      intent: intend(state, allTraffic(to.version), then, now),
      refused: others.refused,
      reason: `version ${to.version} was brought back, and version ${live.version} is the last good one: ${why}`,
    });
    if (own)
      return become(state, 'DONE', { ...returned('DONE'), candidate: undefined, held: undefined }, now);
    return isEnded(state)
      ? next(state, returned(state.phase), now)
      : become(state, 'ROLLED_BACK', { ...returned('ROLLED_BACK'), held: undefined }, now);
  }
  return become(
    state,
    'ROLLED_BACK',
    {
      ...common,
      held: undefined,
      ...tell(state, rolledBack(state, live, to, why, judgement, now)),
      returnedAt: undefined,
      candidate: live,
      lives: remember(
        state.lives.filter(({ version }) => version !== live.version),
        to,
      ),
      intent: intend(state, allTraffic(to.version), 'ROLLED_BACK', now),
      refused: addRefusal(others, live, why, now, to),
      reason: `version ${live.version} was rolled back to version ${to.version}: ${why}`,
    },
    now,
  );
}

/** By what it is known, also where it was published anew. */
const nameOf = ({ fingerprint, version }: VersionRef): string => fingerprint ?? version;

/**
 * What somebody, or the judge, sent back is refused until it is live again.
 *
 * @param restored the version that took its place
 */
export function addRefusal(
  { refused }: Pick<Release, 'refused'>,
  bad: VersionRef,
  reason: string,
  now: number,
  restored: VersionRef,
): readonly RefusedVersion[] {
  const { version, fingerprint } = bad;
  if (fingerprint === undefined) return refused;
  const others = refused.filter((one) => one.fingerprint !== fingerprint);
  return [...others, { fingerprint, version, at: iso(now), reason, restored: nameOf(restored) }].slice(
    -REFUSED,
  );
}
