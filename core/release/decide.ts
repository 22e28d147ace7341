import type { Gating, Release, Warming } from './document/contract.ts';
import { carryOn, recreate, retaken } from './intended.ts';
import { baking } from './phases/baking.ts';
import { ended } from './phases/ended.ts';
import { gating, untold } from './phases/gating.ts';
import { held } from './phases/held.ts';
import { judging } from './phases/judging.ts';
import { reversing } from './phases/reversing.ts';
import { rollBack } from './phases/rollback.ts';
import { promoting, shifting } from './phases/shifting.ts';
import { warming } from './phases/warming.ts';
import { stackAnswer } from './stack-answer.ts';
import { type Action, type Postponable, STOP, write } from './state/action.ts';
import { allTraffic, isUnnoted, pointsAt, takenFrom } from './state/alias-target.ts';
import { blindTo, tidy } from './state/capacity.ts';
import { NOTICE_KEPT_MS, SIGNED_EVERY_MS } from './state/durations.ts';
import { isLast, isOverdue, isUnreadable, type ReleaseFacts } from './state/facts.ts';
import { next } from './state/next.ts';
import { isOpen, isPending, isUnderWay, weightOf } from './state/predicates.ts';
import { retiring, superfluous, weeded } from './state/superfluous.ts';
import { telling } from './state/tick-schedule.ts';
import { abort } from './state/transitions.ts';
import { blinded } from './state/unreadable.ts';

/** What to do next. Pure; called again after each action with what is then found. */
export function decide(state: Release, facts: ReleaseFacts, clock: number): Action {
  const now = Math.max(clock, Date.parse(state.updatedAt));
  const overdue = isOverdue(state, now);
  if (overdue && isUnderWay(state) && state.request?.kind === 'forward')
    return write(abort(state, late(state, facts), now));
  // Our own move, which could not be noted: no stranger's.
  if (isPending(state) && state.stable && facts.alias?.description === takenFrom(state.release))
    return write(rollBack(state, state.stable, TAKEN, undefined, now));
  if (isPending(state) && state.stable && isRetaken(state, facts))
    return write(retaken(state, state.stable, now));
  return after(state, first(state, facts, overdue, now), facts, now);
}

const isRetaken = (state: Release, { alias }: ReleaseFacts): boolean =>
  state.intent === undefined &&
  weightOf(state) > 0 &&
  alias !== undefined &&
  isUnnoted(alias) &&
  pointsAt(alias, allTraffic(state.stable?.version ?? ''));

/**
 * Alias or stack cannot be read: nothing is moved, and CloudFormation is not kept waiting for that;
 * undefined: nothing to do.
 */
export function unsighted(state: Release, why: string, clock: number): Action | undefined {
  const now = Math.max(clock, Date.parse(state.updatedAt));
  const { request } = state;
  if (request === undefined || !isOverdue(state, now)) return undefined;
  return isUnderWay(state) && request.kind === 'forward'
    ? write(abort(state, `not done in time: ${why}`, now))
    : stackAnswer(state, { alias: undefined, stack: 'unknown' }, true, now);
}

const TAKEN =
  'the deadline passed while the registry could not be read or written, and its weight was taken away';

function first(state: Release, facts: ReleaseFacts, overdue: boolean, now: number): Action {
  if (state.intent !== undefined && !isLast(state, now)) {
    const action = carryOn(state, state.intent, facts, now);
    // What waits for the stack must not keep the stack waiting.
    return action.do === 'wait' ? (stackAnswer(state, facts, overdue, now) ?? action) : action;
  }
  const answer = stackAnswer(state, facts, overdue, now);
  if (answer !== undefined) return answer;
  if (state.intent !== undefined) return carryOn(state, state.intent, facts, now);
  // What AWS refused to make once is somebody's to fix.
  const lost = facts.alias === undefined && facts.stack !== 'gone' && state.held?.by !== 'refused';
  if (lost && state.stable !== undefined) return recreate(state, state.stable, now);
  switch (state.phase) {
    case 'GATING':
      return expired(state, facts, now) ?? gating(state, facts, now);
    case 'WARMING':
      return expired(state, facts, now) ?? warming(state, facts, now);
    case 'SHIFTING':
      return shifting(state, facts, now);
    case 'JUDGING':
      return judging(state, facts, now);
    case 'PROMOTING':
      return promoting(state, facts, now);
    case 'BAKING':
      return baking(state, facts, now);
    case 'REVERSING':
      return reversing(state, facts, now);
    case 'HELD':
      return held(state, facts, now);
    case 'DONE':
    case 'ROLLED_BACK':
    case 'ABORTED':
      return ended(state, facts, now);
    // What is archived is not gone on with.
    case 'SUPERSEDED':
      return STOP;
  }
}

/**
 * Before anyone waits, and after all that is to be done: capacity is as it should be, the tick has the right
 * pace, notices are out, the deploy's record says how it ended. What cannot be read keeps none of the rest.
 */
function after(state: Release, action: Action, facts: ReleaseFacts, now: number): Action {
  if (action.do !== 'wait' && action.do !== 'stop') return action;
  const { held } = facts;
  // They see to it themselves; and where somebody else's hand is, nothing is touched.
  const own = state.phase === 'GATING' || state.phase === 'WARMING' || state.phase === 'REVERSING';
  const theirs = state.phase === 'HELD' && state.held.by === 'foreign';
  if (facts.stack !== 'gone' && !own && !theirs && held !== undefined && !isUnreadable(held)) {
    const capacity = tidy(state, held, now, facts.alias);
    if (capacity !== undefined) return capacity;
  }
  const unread = isUnreadable(held) ? blindTo(held.unreadable) : undefined;
  const blind = blinded(state, action.do === 'wait' ? (action.blind ?? unread) : unread, now);
  if (blind !== undefined) return blind;
  const told = telling(state);
  const isLeft = (what: Postponable): boolean => facts.postponed?.has(what) === true;
  if (action.do === 'wait' && state.schedule.told !== told && !isLeft('schedule'))
    return { do: 'schedule', next: next(state, { schedule: { ...state.schedule, told } }, now) };
  const [oldest, ...rest] = isLeft('notify') ? [] : state.notices;
  if (oldest !== undefined) {
    const without = next(state, { notices: rest }, now);
    return now - Date.parse(oldest.at) >= NOTICE_KEPT_MS
      ? write(without)
      : { do: 'notify', notice: oldest, next: without };
  }
  const { deployment, phase } = state;
  if (deployment !== undefined && deployment.told !== phase && !isOpen(phase) && !isLeft('record'))
    return {
      do: 'record',
      deployment: deployment.id,
      next: next(state, { deployment: { ...deployment, told: phase } }, now),
    };
  const batches = theirs ? undefined : weeded(state, facts, now);
  if (batches !== undefined) return write(next(state, { batches }, now));
  const unneeded = theirs ? [] : retiring(state, facts.stack, now);
  if (unneeded.length > 0) return { do: 'retire', batches: unneeded };
  if (action.do === 'wait' && isUnsigned(state, facts, now)) return write(next(state, {}, now));
  return { ...action, prune: superfluous(state, facts) };
}

/**
 * Whoever looks at weights, a move or a test after an alarm, or cannot see what is needed, leaves a sign of
 * it each minute, also where there is nothing to note: sweep and status take a document that does not change
 * for one that nobody ticks.
 */
const isUnsigned = (
  { updatedAt, blind, intent, phase }: Release,
  { alias }: ReleaseFacts,
  now: number,
): boolean =>
  (blind !== undefined ||
    intent !== undefined ||
    phase === 'REVERSING' ||
    Object.keys(alias?.weights ?? {}).length > 0) &&
  now - Date.parse(updatedAt) >= SIGNED_EVERY_MS;

/** A release that began anew has no request whose end bounds its gate and its warming: its deadline does. */
const expired = (state: Gating | Warming, facts: ReleaseFacts, now: number): Action | undefined =>
  state.request?.url === undefined && now >= Date.parse(state.deadline)
    ? write(abort(state, late(state, facts), now))
    : undefined;

/** Why its instances cannot be read or changed: found now, or at the tick before. */
const unprovidedFor = ({ blind }: Release, held: ReleaseFacts['held']): string | undefined =>
  isUnreadable(held) ? held.unreadable : blind?.reason.replace(/^[^:]*: /, '');

function late(state: Release, { held, rate }: ReleaseFacts): string {
  if (state.phase === 'WARMING')
    return ['provisioned concurrency was not ready in time', unprovidedFor(state, held) ?? []]
      .flat()
      .join(': ');
  if (state.phase !== 'GATING') return UNFINISHED;
  const { gate } = state;
  if (gate === undefined) return isUnreadable(rate) ? untold(rate) : UNFINISHED;
  return [`the gate was not done in time: case ${gate.done} of ${gate.count}`, gate.reason ?? []]
    .flat()
    .join(': ');
}

const UNFINISHED = 'not done in time; see the log of the release worker';
