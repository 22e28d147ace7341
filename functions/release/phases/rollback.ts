import type { Refusal, Release, VersionRef } from '../document/contract.ts';
import type { Judgement } from '../judge/contract.ts';
import { rolledBack } from '../notices.ts';
import { claimed, intend, iso, lingering, next, remember, tell, UNWATCHED } from '../steps.ts';
import { whole } from '../target.ts';

/** Refused fingerprints to remember; more would only be of people who deploy the same mistakes for a year. */
const REFUSED = 20;

/**
 * Takes the candidate away: all traffic on stable, whatever the alias says, with a new revision; what it is, is refused
 * until `--force`.
 */
export function rollBack(
  state: Release,
  why: string,
  judgement: Pick<Judgement, 'reason' | 'signals'> | undefined,
  now: number,
): Release {
  const { stable, candidate } = state;
  if (stable === undefined || candidate === undefined)
    return next(state, { phase: 'ABORTED', intent: undefined, held: undefined, reason: why }, now);
  return next(
    state,
    {
      ...tell(state, rolledBack(state, candidate.version, stable.version, why, judgement, now)),
      ...lingering(state, now),
      phase: 'ROLLED_BACK',
      held: undefined,
      intent: intend(state, whole(stable.version), 'ROLLED_BACK', now),
      refused: addRefusal(state, candidate, why, now),
      reason: `version ${candidate.version} was rolled back: ${why}`,
    },
    now,
  );
}

/**
 * After promotion: the live version gives way to one that was live before.
 *
 * @param automatic counts for the limit of two in 24 hours
 */
export function revert(
  state: Release,
  to: VersionRef,
  why: string,
  judgement: Pick<Judgement, 'reason' | 'signals'> | undefined,
  automatic: boolean,
  now: number,
): Release {
  const bad = state.stable;
  if (bad === undefined) return next(state, { reason: why }, now);
  return next(
    state,
    {
      ...tell(state, rolledBack(state, bad.version, to.version, why, judgement, now)),
      phase: 'ROLLED_BACK',
      held: undefined,
      // From here on the other one is what has 100 %, also for a deploy that comes before the move is made.
      stable: to,
      candidate: bad,
      lives: remember(
        state.lives.filter(({ version }) => version !== bad.version),
        to,
      ),
      intent: intend(state, whole(to.version), 'ROLLED_BACK', now),
      refused: addRefusal(state, bad, why, now),
      ...(automatic && { rollbacks: [...state.rollbacks, iso(now)].slice(-REFUSED) }),
      ...claimed(to.version),
      ...UNWATCHED,
      reason: `version ${bad.version} was rolled back to version ${to.version}: ${why}`,
    },
    now,
  );
}

/** What somebody, or the judge, sent back is refused until `--force`. */
export function addRefusal(
  { refused }: Release,
  bad: VersionRef,
  reason: string,
  now: number,
): readonly Refusal[] {
  const { version, fingerprint } = bad;
  if (fingerprint === undefined) return refused;
  const others = refused.filter((one) => one.fingerprint !== fingerprint);
  return [...others, { fingerprint, version, at: iso(now), reason }].slice(-REFUSED);
}
