import { withStop } from '../text/stop.ts';
import { iso } from '../units/time.ts';
import { why } from './command/ordered.ts';
import type { Pending, Promoting, Release, Shifting } from './document/contract.ts';
import type { Intent, Phase, VersionRef } from './document/parts-contract.ts';
import { leftAlone } from './phases/alarm.ts';
import { foreign, holdFor } from './phases/hold.ts';
import { blocked, reconsidered } from './phases/shifting.ts';
import { type Action, write } from './state/action.ts';
import { allTraffic, made, pointsAt, say } from './state/alias-target.ts';
import { QUIET_MS } from './state/durations.ts';
import type { ReleaseFacts } from './state/facts.ts';
import { become, type Changes, holdIn, next, unheld, unhold } from './state/next.ts';
import { lastNumbers, notice, numbers, promotedNotice } from './state/notices.ts';
import { commandsOf, isPending, isPromoted, isUnderWay, standing, weightOf } from './state/predicates.ts';
import { abort, acquitted, intend, settle, tell } from './state/transitions.ts';

/** Moves of the alias that are written down, and those that somebody else made. Pure. */

/** What follows from a move that was intended: it is noted, made, put off or given up. */
export function carryOn(state: Release, intent: Intent, facts: ReleaseFacts, now: number): Action {
  if (made(facts.alias, intent)) return write(settled(state, intent, now));
  // Raising waits for the stack; everything else takes traffic away and does not.
  if (mayRaise(state) && raises(state, intent) && facts.alias !== undefined) {
    const waiting = blocked(state, facts, now);
    if (waiting !== undefined) return waiting;
    const instead = reconsidered(state, intent, now);
    if (instead !== undefined) return write(instead);
  }
  const expected =
    intent.before === undefined || [...intent.before, intent.after].some((at) => pointsAt(facts.alias, at));
  // Whoever intended this move may not have known that there is no alias to move.
  if (expected)
    return isLost(state, intent, facts) ? write(next(state, lost(state, now), now)) : { do: 'move', intent };
  if (facts.alias === undefined && state.stable !== undefined) return recreate(state, state.stable, now);
  return foreign(state, facts, now);
}

/** Only in these phases a candidate is given more. */
const mayRaise = (state: Release): state is Shifting | Promoting =>
  state.phase === 'SHIFTING' || state.phase === 'PROMOTING';

/**
 * Does the candidate get more than it has? A last good version that is tried again does not: it takes traffic
 * away from a suspect.
 */
const raises = (state: Shifting | Promoting, { after }: Intent): boolean =>
  state.stable !== undefined &&
  (after.version === state.candidate.version ||
    (after.weights[state.candidate.version] ?? 0) > weightOf(state) / 100);

/** The intended move was made; whoever does not sit before a deploy is told of a promotion. */
function settled(state: Release, intent: Intent, now: number): Release {
  const done = settle(state, intent, now);
  const version = state.candidate?.version;
  if (version === undefined || done.stable?.version !== version || (state.steps ?? []).length === 0)
    return done;
  return { ...done, ...tell(done, promotedNotice(state, version, decidedBy(state), now)) };
}

/** The judge, or the person who promoted it whatever that one told. */
function decidedBy(state: Release): readonly string[] {
  const last = state.judgements.at(-1);
  if (!isPromoted(state)) return numbers(last);
  const asked = commandsOf(state).findLast(({ verb }) => verb === 'promote');
  // An older worker keeps no commands, and the reason is lost with them.
  const said = asked === undefined ? `promoted by ${state.promotedBy?.by}` : why('promoted', asked);
  return [`Why: ${withStop(said)}`, ...lastNumbers(last)];
}

/**
 * Was the alias deleted by somebody, and has nobody been told of it yet? The first version of a model has
 * none before its move.
 */
const isLost = ({ stable, remade }: Release, intent: Intent, { alias, stack }: ReleaseFacts): boolean =>
  alias === undefined && stack !== 'gone' && stable !== undefined && (remade?.at ?? '') < intent.at;

/**
 * The alias is made again, which a person must know: permissions went with it, and CloudFormation believes
 * that they are there.
 */
function lost(state: Release, now: number): Pick<Changes, 'notices' | 'remade'> {
  const lines = [
    'Its permissions, function URL and settings of asynchronous calls went with it and may be missing: then callers get errors.',
    `What to do: ${listed(state.model)}.`,
  ];
  return {
    ...tell(state, notice(state, `the alias ${state.alias} was deleted and is made again`, lines, true, now)),
    remade: { at: iso(now) },
  };
}

const listed = (model: string): string =>
  `"sls models status --model ${model}" lists what is missing, with the commands that restore it`;

/** The alias was deleted by somebody: back at stable, then on. */
export function recreate(state: Release, stable: VersionRef, now: number): Action {
  const all = allTraffic(stable.version);
  const reason = `the alias ${state.alias} was missing and was made again at ${say(all)}; permissions that it carried may be missing: ${listed(state.model)}`;
  return write(
    weightless(state, stable, { ...lost(state, now), reason }, now, (then) =>
      intend(state, all, then, now, [null]),
    ),
  );
}

/**
 * A stack that rolled back took the weight away, while the registry could not be used: our own move, which
 * could not be noted.
 */
export function retaken(state: Pending, stable: VersionRef, now: number): Release {
  const why = 'the stack rolled back while the registry could not be used, so its weight was taken away';
  const lines = [`Why: ${why}.`, 'What to do: nothing.'];
  const told = tell(state, notice(state, 'the release takes its step again', lines, false, now));
  return weightless(state, stable, { ...told, reason: why }, now, (then) =>
    intend(state, allTraffic(stable.version), then, now),
  );
}

/**
 * What had a weight takes its step again, from nothing; a held release when it is resumed. Where somebody
 * else had moved the alias is gone with it: what waited for a person goes on.
 */
function weightless(
  state: Release,
  stable: VersionRef,
  changes: Pick<Changes, 'notices' | 'remade'> & { readonly reason: string },
  now: number,
  intent: (then: Phase) => Intent,
): Release {
  const moved = state.phase === 'HELD' && state.held.by === 'foreign';
  const had = Object.keys(standing(state)?.weights ?? {}).length > 0;
  const so = moved ? unheld(state) : state;
  if (moved || had)
    switch (so.phase) {
      case 'SHIFTING':
      case 'JUDGING':
      case 'PROMOTING': {
        const step = so.step ?? 0;
        const again = { ...changes, stable, step, promotedBy: undefined, intent: intent('SHIFTING') };
        return become(so, 'SHIFTING', again, now);
      }
      case 'REVERSING':
        return acquitted(
          so,
          { ...changes, quietUntil: iso(now + QUIET_MS), intent: intent(so.reversal.from) },
          now,
        );
      case 'HELD':
        if (!isPending(so)) break;
        return holdIn(
          so,
          'SHIFTING',
          so.held,
          { ...changes, stable, steps: so.steps ?? [], step: so.step ?? 0, intent: intent('HELD') },
          now,
        );
    }
  return moved
    ? unhold(state, { ...changes, intent: intent(state.held.from) }, now)
    : next(state, { ...changes, intent: intent(state.phase) }, now);
}

/** Somebody deleted a version: with or without weights there is nothing to move to. */
const ABSENT = /not found|not exist/i;

/**
 * AWS refuses the move for good (no such version, no such function). A candidate that cannot have traffic
 * ends its release, and stable keeps it; a stable version that cannot be restored needs a person.
 */
export function refused(state: Release, intent: Intent, message: string, clock: number): Release {
  const now = Math.max(clock, Date.parse(state.updatedAt));
  if (state.phase === 'REVERSING') {
    const alone = leftAlone(state, state.reversal.alarm, `AWS refuses: ${message}`, now);
    return acquitted(state, { ...alone, intent: undefined }, now);
  }
  if ((mayRaise(state) && raises(state, intent)) || (isUnderWay(state) && state.stable === undefined))
    return abort(
      state,
      Object.keys(intent.after.weights).length === 0 || ABSENT.test(message)
        ? message
        : `${message}; strategy allAtOnce needs no weights`,
      now,
    );
  // What was to be told of the move, which was not made; that the alias is gone is so all the same.
  const isGone = intent.before?.includes(null) === true;
  const notices = state.notices.filter(({ at }) => isGone || at !== intent.at);
  return holdFor({ ...state, notices }, 'refused', message, now);
}
