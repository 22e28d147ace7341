import { iso } from '../../units/time.ts';
import type { Pending, Release } from '../document/contract.ts';
import type { Phase, VersionRef } from '../document/parts-contract.ts';
import { addRefusal, revert, rollBack } from '../phases/rollback.ts';
import { allTraffic, pointsAt, say } from '../state/alias-target.ts';
import { GOES_OFF_MS, QUIET_MS } from '../state/durations.ts';
import type { ReleaseFacts } from '../state/facts.ts';
import { next, unheld, unhold } from '../state/next.ts';
import { isPending, lastGood, standing } from '../state/predicates.ts';
import { batchOfVersion } from '../state/superfluous.ts';
import { acquitted, intend } from '../state/transitions.ts';
import { undoneOf } from '../state/undone.ts';
import { type Ordered, type PersonCommand, type RollbackTarget, refuse, why } from './ordered.ts';

/** `sls models rollback`: who gives way to whom. Pure. */

const NO_VERSION = 'there is no version to go back to';

/** Nothing is on its way. */
type Settled = Exclude<Release, Pending>;

export function rollback(
  state: Release,
  asked: PersonCommand,
  { alias }: Pick<ReleaseFacts, 'alias' | 'stack'>,
  target: RollbackTarget | undefined,
  now: number,
): Ordered {
  const { stable, model } = state;
  // What it is a reason of says already that something was rolled back.
  const reason = why('asked for', asked);
  if (isPending(state) && (asked.to === undefined || asked.to === stable?.version)) {
    if (stable === undefined) return refuse(NO_VERSION);
    const to = rollBack(state, stable, reason, state.judgements.at(-1), now);
    return {
      do: 'write',
      next: to,
      text: `version ${state.candidate.version} is withdrawn, version ${stable.version} has all traffic`,
    };
  }
  if (isPending(state) && asked.to === state.candidate.version)
    return refuse(
      `version ${state.candidate.version} is the one that is being released: "sls models promote --model ${model}" skips its steps`,
    );
  if (stable === undefined) return refuse(NO_VERSION);
  const isNamed = asked.to === stable.version && target?.published === true;
  if (!isPending(state) && isMoved(state, alias, now) && (asked.to === undefined || isNamed))
    return takenBack(state, stable.version, alias, asked, now);
  // Who asks again, because the first answer was lost, means the same; and the one before may be good.
  const done = asked.to === undefined ? doneAlready(state, now) : undefined;
  if (done !== undefined) {
    const good = lastGood(state)?.version;
    const further = good === undefined ? '' : `, as "sls models rollback --model ${model} --to ${good}" does`;
    return refuse(
      `${done} already, version ${stable.version} is live: to go further back, name one with --to${further}`,
    );
  }
  const to = asked.to === undefined ? lastGood(state) : named(state, asked.to, target);
  if (to === undefined) {
    return refuse(
      asked.to === undefined
        ? `${model} has no earlier version that behaves otherwise and was not rolled back: name one with --to`
        : `version ${asked.to} of ${model} is not known, or no longer published`,
    );
  }
  if (asked.to === undefined && target?.published === false)
    return refuse(
      `version ${to.version}, the last good one, is not published any more: name another one with --to; "sls models history --model ${model}" lists them`,
    );
  if (to.version === stable.version && !isPending(state)) {
    if (state.phase === 'REVERSING' || pointsAt(alias, allTraffic(to.version)))
      return refuse(`version ${to.version} is live already`);
    return takenBack(state, to.version, alias, asked, now);
  }
  // Further back than the stable version: what is being released goes, too.
  const gone = isPending(state) ? state.candidate : undefined;
  const from = gone === undefined ? state : { ...state, refused: addRefusal(state, gone, reason, now, to) };
  const besides = gone === undefined ? '' : `version ${gone.version} is withdrawn, and `;
  return {
    do: 'write',
    next: revert(from, stable, to, `${besides}${reason}`, undefined, false, now),
    text: `${besides}version ${stable.version} gives way to version ${to.version}${left(stable, to)}`,
  };
}

/** Jobs follow the endpoint only where it is known what they would be scored by. */
const left = ({ batch }: VersionRef, to: VersionRef): string =>
  batch !== undefined && to.batch === undefined
    ? `; batch stays at its version ${batch.version}, since none is known that came with version ${to.version}`
    : '';

/** What was taken away a moment ago, by a rollback or a release that gave up: whoever asks means that. */
function doneAlready(state: Release, now: number): string | undefined {
  const undone = undoneOf(state);
  if (undone === undefined || now - Date.parse(undone.at) >= GOES_OFF_MS) return undefined;
  switch (undone.how) {
    case 'putBack':
      return 'the alias was put back';
    case 'givenUp':
      return `version ${undone.version} was given up`;
    case 'rolledBack':
      return `version ${undone.version} was rolled back`;
  }
}

const isPutBack = ({ putBackAt }: Release, now: number): boolean =>
  putBackAt !== undefined && now - Date.parse(putBackAt) < GOES_OFF_MS;

/**
 * Did somebody else move the alias while nothing is on its way? A tick that saw it holds the release for
 * that. Also where a worker died that was about to put it back.
 */
const isMoved = (state: Settled, alias: ReleaseFacts['alias'], now: number): boolean =>
  alias !== undefined &&
  ((state.phase === 'HELD' && state.held.by === 'foreign') ||
    ((state.intent === undefined || isPutBack(state, now)) && !pointsAt(alias, standing(state) ?? null)));

/**
 * Somebody moved the alias when nothing was released: back to the version that is recorded as live, whose
 * watch goes on. Nothing is refused for that. An alias that points there already is left alone, and only the
 * hold ends.
 */
function takenBack(
  state: Settled,
  version: string,
  alias: ReleaseFacts['alias'],
  asked: PersonCommand,
  now: number,
): Ordered {
  const isThere = pointsAt(alias, allTraffic(version));
  const changes = (then: Phase) => ({
    reason: why(isThere ? 'the hold was ended' : 'the alias was put back', asked),
    putBackAt: iso(now),
    intent: isThere ? undefined : intend(state, allTraffic(version), then, now),
  });
  const from = state.phase === 'HELD' ? unheld(state) : state;
  const to =
    // The test of two versions was over when the alias was moved.
    from.phase === 'REVERSING'
      ? acquitted(from, { ...changes(from.reversal.from), quietUntil: iso(now + QUIET_MS) }, now)
      : state.phase === 'HELD'
        ? unhold(state, changes(from.phase), now)
        : next(state, changes(from.phase), now);
  const text = isThere
    ? `version ${version} has all traffic already, and the release is no longer held`
    : `the alias pointed to ${say(alias)}; version ${version} has all traffic again`;
  return { do: 'write', next: to, text };
}

/** A version that a person names may be one that was rolled back: they know why. */
function named(state: Release, version: string, target: RollbackTarget | undefined): VersionRef | undefined {
  const known = [state.stable, ...state.lives].find((ref) => ref?.version === version);
  if (target?.published !== true) return undefined;
  if (known !== undefined) return known;
  const { record } = target;
  const batch = batchOfVersion(state, version);
  return record?.functionName === state.functionName
    ? {
        version,
        fingerprint: record.fingerprint,
        ...(record.source !== '' && { source: record.source }),
        ...(batch && { batch: { functionName: batch.functionName, version: batch.version } }),
      }
    : undefined;
}
