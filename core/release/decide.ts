import { iso } from '../units/time.ts';
import type { Release } from './document/contract.ts';
import type { Intent } from './document/parts-contract.ts';
import { left } from './phases/alarm.ts';
import { baking } from './phases/baking.ts';
import { ended, superfluous } from './phases/ended.ts';
import { gating } from './phases/gating.ts';
import { held } from './phases/held.ts';
import { foreign, holdFor } from './phases/hold.ts';
import { judging } from './phases/judging.ts';
import { reversing } from './phases/reversing.ts';
import { rollBack } from './phases/rollback.ts';
import { blocked, promoting, reconsidered, shifting } from './phases/shifting.ts';
import { warming } from './phases/warming.ts';
import { type Action, write } from './state/action.ts';
import { allTraffic, made, pointsAt, say, takenFrom } from './state/alias-target.ts';
import { blindTo, stray, tidy } from './state/capacity.ts';
import { NOTICE_KEPT_MS, QUIET_MS, SIGNED_EVERY_MS } from './state/durations.ts';
import { isLast, isOverdue, isUnreadable, known, type ReleaseFacts } from './state/facts.ts';
import { notice, numbers, promotedNotice } from './state/notices.ts';
import { isOpen, isPending, standing, weightOf } from './state/predicates.ts';
import { abort, type Changes, intend, next, settle, tell } from './state/transitions.ts';
import { blinded } from './state/unreadable.ts';
import { telling } from './tick-schedule.ts';

/** What to do next. Pure; called again after each action with what is then found. */
export function decide(state: Release, facts: ReleaseFacts, clock: number): Action {
  const now = Math.max(clock, Date.parse(state.updatedAt));
  const overdue = isOverdue(state, now);
  if (overdue && isOpen(state.phase) && state.request?.kind === 'forward')
    return write(abort(state, late(state, facts), now));
  // Our own hand, which could not be noted: no stranger's.
  if (isPending(state) && facts.alias?.description === takenFrom(state.release))
    return write(rollBack(state, TAKEN, undefined, now));
  return after(state, first(state, facts, overdue, now), facts, now);
}

/**
 * Alias or stack cannot be read: nothing is moved, and CloudFormation is not kept waiting for that;
 * undefined: nothing to do.
 */
export function unsighted(state: Release, why: string, clock: number): Action | undefined {
  const now = Math.max(clock, Date.parse(state.updatedAt));
  const { request, phase } = state;
  if (request === undefined || !isOverdue(state, now)) return undefined;
  return isOpen(phase) && request.kind === 'forward'
    ? write(abort(state, `not done in time: ${why}`, now))
    : answerOf(state, { alias: undefined, stack: 'unknown' }, true, now);
}

const TAKEN =
  'the deadline passed while the registry could not be read or written, and its weight was taken away';

function first(state: Release, facts: ReleaseFacts, overdue: boolean, now: number): Action {
  if (state.intent !== undefined && !isLast(state, now)) {
    const action = carryOn(state, state.intent, facts, now);
    // What waits for the stack must not keep the stack waiting.
    return action.do === 'wait' ? (answerOf(state, facts, overdue, now) ?? action) : action;
  }
  const answer = answerOf(state, facts, overdue, now);
  if (answer !== undefined) return answer;
  if (state.intent !== undefined) return carryOn(state, state.intent, facts, now);
  // What AWS refused to make once is somebody's to fix.
  const lost = facts.alias === undefined && facts.stack !== 'gone' && state.held?.by !== 'refused';
  if (lost && state.stable !== undefined) return recreate(state, now);
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
    default:
      return ended(state, facts, now);
  }
}

/**
 * Before anyone waits, and after all that is due: capacity is as it should be, the tick has the right pace,
 * notices are out, the deploy's record says how it ended. What cannot be read keeps none of the rest.
 */
function after(state: Release, action: Action, facts: ReleaseFacts, now: number): Action {
  if (action.do !== 'wait' && action.do !== 'stop') return action;
  const { held } = facts;
  // They see to it themselves; and where somebody else's hand is, nothing is touched.
  const own = state.phase === 'GATING' || state.phase === 'WARMING' || state.phase === 'REVERSING';
  const theirs = state.phase === 'HELD' && state.held?.by === 'foreign';
  if (facts.stack !== 'gone' && !own && !theirs && held !== undefined && !isUnreadable(held)) {
    const capacity = tidy(state, held, now);
    if (capacity !== undefined) return capacity;
  }
  const unread = isUnreadable(held) ? blindTo(held.unreadable) : undefined;
  const blind = blinded(state, action.do === 'wait' ? (action.blind ?? unread) : unread, now);
  if (blind !== undefined) return blind;
  const told = telling(state);
  if (action.do === 'wait' && state.schedule.told !== told)
    return { do: 'schedule', next: next(state, { schedule: { ...state.schedule, told } }, now) };
  const [oldest, ...rest] = state.notices;
  if (oldest !== undefined) {
    const without = next(state, { notices: rest }, now);
    return now - Date.parse(oldest.at) >= NOTICE_KEPT_MS
      ? write(without)
      : { do: 'notify', notice: oldest, next: without };
  }
  const { deployment, phase } = state;
  if (deployment !== undefined && deployment.told !== phase && !isOpen(phase))
    return {
      do: 'record',
      deployment: deployment.id,
      next: next(state, { deployment: { ...deployment, told: phase } }, now),
    };
  if (action.do === 'wait' && isUnsigned(state, facts, now)) return write(next(state, {}, now));
  return { ...action, prune: superfluous(state, facts) };
}

/**
 * Whoever looks at weights, or cannot see what is needed, leaves a sign of it each minute, also where there
 * is nothing to note: sweep and status take a document that does not change for one that nobody ticks.
 */
const isUnsigned = ({ updatedAt, blind }: Release, { alias }: ReleaseFacts, now: number): boolean =>
  (blind !== undefined || Object.keys(alias?.weights ?? {}).length > 0) &&
  now - Date.parse(updatedAt) >= SIGNED_EVERY_MS;

function carryOn(state: Release, intent: Intent, facts: ReleaseFacts, now: number): Action {
  if (made(facts.alias, intent)) return write(settled(state, intent, now));
  // Raising waits for the stack; everything else takes traffic away and does not.
  if (raises(state, intent) && facts.alias !== undefined) {
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
  if (facts.alias === undefined) return recreate(state, now);
  return foreign(state, facts, now);
}

/**
 * Does the candidate get more than it has? A last good version that is tried again does not: it takes traffic
 * away from a suspect.
 */
const raises = (state: Release, { after }: Intent): boolean =>
  state.candidate !== undefined &&
  state.stable !== undefined &&
  isOpen(state.phase) &&
  (after.version === state.candidate.version ||
    (after.weights[state.candidate.version] ?? 0) > weightOf(state) / 100);

function answerOf(state: Release, facts: ReleaseFacts, overdue: boolean, now: number): Action | undefined {
  const { request, phase } = state;
  if (request?.url === undefined) return undefined;
  const { url: _, ...rest } = request;
  const stands = state.reason ?? `${phase}: ${say(standing(state))}`;
  const answer = (status: 'SUCCESS' | 'FAILED', reason = stands): Action => ({
    do: 'answer',
    status,
    reason,
    next: next(state, { request: { ...rest, answered: status } }, now),
  });
  switch (request.kind) {
    case 'settings': {
      if (request.failure !== undefined) return answer('FAILED', request.failure);
      // Capacity first, so that what AWS refuses fails the deploy. A release that runs goes on meanwhile.
      const { held } = facts;
      if (isUnreadable(held)) return overdue ? answer('FAILED', `${UNDONE}: ${held.unreadable}`) : undefined;
      const capacity = held && tidy(state, held, now);
      if (capacity === undefined) return answer('SUCCESS');
      return overdue ? answer('FAILED', UNDONE) : capacity;
    }
    case 'refused':
      return answer('FAILED', request.failure);
    case 'rollback': {
      // The version that the stack withdraws is about to be deleted, provisioned concurrency and all. Failing
      // would leave the stack stuck half-way, so what cannot be done does not keep it.
      const held = known(facts.held);
      const [first] = held && !overdue ? stray(state, held, now) : [];
      return first === undefined ? answer('SUCCESS') : { do: 'release', version: first };
    }
    case 'forward':
      if (phase === 'GATING' || phase === 'WARMING') return undefined;
      if (phase === 'PROMOTING' && state.promote === 'now') return undefined;
      return answer(isOpen(phase) || phase === 'DONE' || phase === 'BAKING' ? 'SUCCESS' : 'FAILED');
  }
}

/** A release that began anew has no request whose end bounds its gate and its warming: its deadline does. */
const expired = (state: Release, facts: ReleaseFacts, now: number): Action | undefined =>
  state.request?.url === undefined && now >= Date.parse(state.deadline)
    ? write(abort(state, late(state, facts), now))
    : undefined;

const UNDONE = 'provisioned concurrency could not be changed in time';

const late = (state: Release, { held }: ReleaseFacts): string =>
  state.phase === 'WARMING'
    ? `provisioned concurrency was not ready in time${isUnreadable(held) ? `: ${held.unreadable}` : ''}`
    : state.phase === 'GATING' && state.gate !== undefined
      ? [
          `the gate was not done in time: case ${state.gate.done} of ${state.gate.count}`,
          state.gate.reason ?? [],
        ]
          .flat()
          .join(': ')
      : 'not done in time; see the log of the release worker';

/** The intended move was made; whoever does not sit before a deploy is told of a promotion. */
function settled(state: Release, intent: Intent, now: number): Release {
  const done = settle(state, intent, now);
  const version = state.candidate?.version;
  if (version === undefined || done.stable?.version !== version || (state.steps ?? []).length === 0)
    return done;
  return { ...done, ...tell(done, promotedNotice(state, version, numbers(state.judgements.at(-1)), now)) };
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
function recreate(state: Release, now: number): Action {
  if (state.stable === undefined)
    return write(holdFor(state, 'foreign', 'the alias is gone and no stable version is known', now));
  const at = standing(state) ?? allTraffic(state.stable.version);
  const reason = `the alias ${state.alias} was missing and was made again at ${say(allTraffic(state.stable.version))}; permissions that it carried may be missing: ${listed(state.model)}`;
  const moved = state.phase === 'HELD' && state.held?.by === 'foreign';
  const back = moved || Object.keys(at.weights).length > 0 ? weightless(state, now) : {};
  const intent = intend(state, allTraffic(state.stable.version), back.phase ?? state.phase, now, [null]);
  return write(next(state, { ...lost(state, now), ...back, intent, reason }, now));
}

/** What had a weight takes its step again, from nothing; a held release when it is resumed. */
function weightless(state: Release, now: number): Changes {
  const { held } = state;
  // Where somebody else had moved the alias is gone with it: what waited for a person goes on.
  if (state.phase === 'HELD' && held?.by === 'foreign')
    return { ...weightless({ ...state, phase: held.from }, now), held: undefined };
  if (state.phase === 'HELD' && held !== undefined)
    return isOpen(held.from) ? { held: { ...held, from: 'SHIFTING' }, step: state.step ?? 0 } : {};
  if (state.phase === 'REVERSING')
    return { phase: state.reversal?.from ?? 'BAKING', reversal: undefined, quietUntil: iso(now + QUIET_MS) };
  return isOpen(state.phase)
    ? { phase: 'SHIFTING', step: state.step ?? 0, promotedBy: undefined }
    : { phase: state.phase };
}

/**
 * AWS refuses the move for good (no such version, no such function). A candidate that cannot have traffic
 * ends its release, and stable keeps it; a stable version that cannot be restored needs a person.
 */
export function refused(state: Release, intent: Intent, message: string, clock: number): Release {
  const now = Math.max(clock, Date.parse(state.updatedAt));
  if (state.phase === 'REVERSING' && state.reversal) {
    const { intent: _, reversal, ...rest } = state;
    return left({ ...rest, phase: reversal.from }, reversal.alarm, `AWS refuses: ${message}`, now);
  }
  if (raises(state, intent) || (state.stable === undefined && isOpen(state.phase)))
    return abort(
      state,
      Object.keys(intent.after.weights).length === 0
        ? message
        : `${message}; strategy allAtOnce needs no weights`,
      now,
    );
  return holdFor(state, 'refused', message, now);
}
