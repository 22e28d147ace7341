import type { Facts } from './admit.ts';
import type { Intent, Release } from './contract.ts';
import { abort, hold, intend, iso, next, PATIENCE, settle } from './steps.ts';
import { made, points, say, whole } from './target.ts';

/** One thing to do; then everything is read again. */
export type Action =
  /** Compare-and-set the document; `reschedule`: then also the schedule, whose input tells the deadline. */
  | { readonly do: 'write'; readonly next: Release; readonly reschedule?: true }
  /** Make the intended move of the alias. */
  | { readonly do: 'move'; readonly intent: Intent }
  /** Answer CloudFormation, then write. */
  | {
      readonly do: 'answer';
      readonly status: 'SUCCESS' | 'FAILED';
      readonly reason: string;
      readonly next: Release;
    }
  /** Nothing until the next tick. */
  | { readonly do: 'wait'; readonly reason: string }
  /** Nothing ever: delete the schedule. */
  | { readonly do: 'stop' };

/** Less than this left of the deadline while the stack is still busy: put it off. Milliseconds. */
const SOON = PATIENCE / 2;

/** What to do next. Pure; called again after each action with what is then found. */
export function decide(state: Release, facts: Facts, clock: number): Action {
  const now = Math.max(clock, Date.parse(state.updatedAt));
  const overdue = state.request?.url !== undefined && now >= Date.parse(state.request.answerBy);
  if (state.phase === 'PROMOTING' && overdue) {
    return { do: 'write', next: abort(state, 'not done in time; see the log of the release worker', now) };
  }
  if (state.intent !== undefined && !overdue) return carryOn(state, state.intent, facts, now);
  const answer = answerOf(state, overdue, now);
  if (answer !== undefined) return answer;
  if (state.intent !== undefined) return carryOn(state, state.intent, facts, now);
  if (
    facts.alias === undefined &&
    state.stable !== undefined &&
    state.phase !== 'HELD' &&
    facts.stack !== 'gone'
  ) {
    return recreate(state, now);
  }
  return state.phase === 'PROMOTING' ? promote(state, facts, now) : { do: 'stop' };
}

function carryOn(state: Release, intent: Intent, facts: Facts, now: number): Action {
  if (made(facts.alias, intent)) return { do: 'write', next: settle(state, intent, now) };
  // Raising waits for the stack; everything else takes traffic away and does not.
  if (raises(state, intent) && facts.alias !== undefined) {
    const wait = blocked(state, facts, now);
    if (wait !== undefined) return wait;
  }
  const expected =
    intent.before === undefined || [...intent.before, intent.after].some((at) => points(facts.alias, at));
  if (expected) return { do: 'move', intent };
  if (facts.alias === undefined) return recreate(state, now);
  return foreign(state, facts, now);
}

const raises = (state: Release, intent: Intent): boolean =>
  state.stable !== undefined && intent.after.version !== state.stable.version;

/** Why a candidate may not get traffic now. */
function blocked(state: Release, facts: Facts, now: number): Action | undefined {
  if (facts.stack === 'gone')
    return {
      do: 'write',
      next: next(state, { phase: 'ABORTED', intent: undefined, reason: 'the stack is gone' }, now),
    };
  const left = Date.parse(state.deadline) - now;
  const waiting = facts.stack !== 'done' && state.promote === 'afterStack';
  // A stack may take hours; that is waiting, not death.
  if (waiting && facts.stack !== 'unknown' && left < SOON) {
    return { do: 'write', next: next(state, { deadline: iso(now + PATIENCE) }, now), reschedule: true };
  }
  if (left <= 0)
    return { do: 'write', next: abort(state, 'the deadline passed before the release ended', now) };
  return waiting
    ? {
        do: 'wait',
        reason: `the stack is ${facts.stack === 'unknown' ? 'in an unknown state' : 'still in progress'}`,
      }
    : undefined;
}

function promote(state: Release, facts: Facts, now: number): Action {
  if (state.candidate === undefined)
    return { do: 'write', next: hold(state, 'there is no candidate to promote', now) };
  const wait = blocked(state, facts, now);
  if (wait !== undefined) return wait;
  if (state.stable !== undefined && !points(facts.alias, whole(state.stable.version)))
    return foreign(state, facts, now);
  // Before a first version is live nobody calls the alias, so whatever is there may be replaced.
  const before = state.stable && [whole(state.stable.version)];
  const intent = intend(state, whole(state.candidate.version), 'DONE', before);
  return { do: 'write', next: next(state, { intent }, now) };
}

function answerOf(state: Release, overdue: boolean, now: number): Action | undefined {
  const request = state.request;
  if (request?.url === undefined || (state.phase === 'PROMOTING' && state.promote === 'now'))
    return undefined;
  // A rollback that AWS refuses for good succeeds all the same: failing it would leave the stack stuck half-way.
  const good =
    !overdue && (state.phase === 'PROMOTING' || state.phase === 'DONE' || request.kind === 'rollback');
  const status = good ? 'SUCCESS' : 'FAILED';
  const reason = state.reason ?? `${state.phase}: ${say(state.stable && whole(state.stable.version))}`;
  const { url: _, ...rest } = request;
  return { do: 'answer', status, reason, next: next(state, { request: { ...rest, answered: status } }, now) };
}

/** The alias was deleted by hand: back at stable, then on. */
function recreate(state: Release, now: number): Action {
  if (state.stable === undefined)
    return { do: 'write', next: hold(state, 'the alias is gone and no stable version is known', now) };
  const at = whole(state.stable.version);
  const reason =
    `the alias ${state.alias} was missing and was made again at ${say(at)}; permissions that it carried went with it: see ` +
    `"aws lambda get-policy --function-name ${state.functionName} --qualifier ${state.alias}", and restore with "aws lambda add-permission"`;
  return { do: 'write', next: next(state, { intent: intend(state, at, state.phase, [null]), reason }, now) };
}

function foreign(state: Release, facts: Facts, now: number): Action {
  const reason =
    `the alias ${state.alias} points to ${say(facts.alias)}, which this release did not do (stable is ${say(state.stable && whole(state.stable.version))}); ` +
    'nothing was touched; deploy again to go on from there';
  return { do: 'write', next: hold(state, reason, now) };
}

/**
 * AWS refuses the move for good (no such version, no such function). A candidate that cannot be promoted ends its
 * release, and stable keeps the traffic; a stable version that cannot be restored needs a person.
 */
export function refused(state: Release, intent: Intent, message: string, clock: number): Release {
  const now = Math.max(clock, Date.parse(state.updatedAt));
  const phase = intent.then === 'DONE' && state.phase === 'PROMOTING' ? 'ABORTED' : 'HELD';
  return next(state, { phase, intent: undefined, reason: message }, now);
}
