import type { Side } from '../../judge/contract.ts';
import { exceeded, slowEdge, warm } from '../../judge/slow.ts';
import { iso } from '../../units/time.ts';
import type { Judging, Promoting, Release, Shifting } from '../document/contract.ts';
import type { Basis, Intent, Phase, VersionRef } from '../document/parts-contract.ts';
import { type Action, wait, write } from '../state/action.ts';
import { allTraffic, pointsAt, split } from '../state/alias-target.ts';
import { topUp } from '../state/capacity.ts';
import { PATIENCE_MS, SOON_MS } from '../state/durations.ts';
import { isUnreadable, type ReleaseFacts } from '../state/facts.ts';
import { become, type Changes, next } from '../state/next.ts';
import { behavesAlike, isPromoted, isWatched, standing, weightOf } from '../state/predicates.ts';
import { isStuck, late, stuck, unfinished } from '../state/stuck.ts';
import { abort, intend, rewindowed } from '../state/transitions.ts';
import { deadline } from './gating.ts';
import { foreign } from './hold.ts';

/** SHIFTING: the candidate's weight is raised to that of the step. */
export function shifting(state: Shifting, facts: ReleaseFacts, now: number): Action {
  const { stable, candidate, step, steps } = state;
  const to = steps[step];
  if (to === undefined) return write(abort(state, 'there is no step to take', now));
  const waiting = blocked(state, facts, now);
  if (waiting !== undefined) return waiting;
  if (!pointsAt(facts.alias, standing(state) ?? null)) return foreign(state, facts, now);
  const before = unpassedBefore(state);
  if (before !== undefined) return write(stepBack(state, stable, before, now));
  if (state.basis === undefined) return basis(state, facts, now);
  const capacity = instances(state, facts, now);
  if (capacity !== undefined) return capacity;
  const after = split(stable.version, candidate.version, to.weight);
  return raise(state, after, 'JUDGING', now, lengthened(state, now));
}

/**
 * What waiting for the stack took is given back: else a candidate would be refused for time that it never
 * had.
 */
function lengthened(state: Shifting, now: number): Partial<Pick<Shifting, 'deadline'>> {
  const { steps, step, settings } = state;
  const all = deadline(steps.slice(step), settings, now);
  return Date.parse(all.deadline) - PATIENCE_MS > Date.parse(state.deadline) ? all : {};
}

/**
 * By the settings as they are now: a step of a dry run, or without data, is not passed any more once a deploy
 * ends that.
 */
function isPassed({ settings, judgements }: Release, of: number): boolean {
  const verdict = judgements.find(({ step }) => step === of)?.verdict;
  return verdict === 'pass' || settings.dryRun || (verdict === 'nodata' && settings.onNoData === 'pass');
}

/**
 * PROMOTING: the step to be judged first, if the last one is not passed. What a person promotes skips that.
 */
function unpassed(state: Promoting): number | undefined {
  const last = state.steps.length - 1;
  if (last < 0 || isPromoted(state) || isPassed(state, last)) return undefined;
  // Held after a person promoted it: the steps go on from the weight that it has.
  return underway(state);
}

/** The step whose weight is in force: a person may promote in any. */
const underway = ({ shifts }: Release): number => shifts.findLast(({ weight }) => weight > 0)?.step ?? 0;

/**
 * A raise that is not made yet, on a step that is not passed any more by the settings as they are now: given
 * up. The alias is written again where it stands, so that a slower worker cannot make the raise after all.
 */
export function reconsidered(
  state: Shifting | Promoting,
  { after }: Intent,
  now: number,
): Shifting | Judging | undefined {
  const { stable } = state;
  const to = state.phase === 'PROMOTING' ? promotedTo(state, after) : unpassedBefore(state);
  const stands = standing(state);
  if (to === undefined || stable === undefined || stands === undefined) return undefined;
  return stepBack(state, stable, to, now, (then) => intend(state, stands, then, now, [stands, after]));
}

const promotedTo = (state: Promoting, after: Intent['after']): number | undefined =>
  after.version === state.candidate.version ? unpassed(state) : undefined;

/** SHIFTING: the step before, if it is not passed. */
const unpassedBefore = (state: Shifting): number | undefined =>
  state.step > 0 && !isPassed(state, state.step - 1) ? state.step - 1 : undefined;

/**
 * The step before is judged first, with all the time that it and those after it have; without its weight it
 * is taken again.
 */
function stepBack(
  state: Shifting | Promoting,
  stable: VersionRef,
  step: number,
  now: number,
  intent: (then: Phase) => Intent | undefined = () => undefined,
): Judging | Shifting {
  const { basis, steps, settings } = state;
  const changes = { stable, step, ...deadline(steps.slice(step), settings, now) };
  return weightOf(state) > 0 && basis !== undefined
    ? become(state, 'JUDGING', { ...changes, basis, intent: intent('JUDGING') }, now)
    : become(state, 'SHIFTING', { ...changes, intent: intent('SHIFTING') }, now);
}

/** PROMOTING: the candidate gets all of it. */
export function promoting(state: Promoting, facts: ReleaseFacts, now: number): Action {
  const { stable, candidate, settings } = state;
  const waiting = blocked(state, facts, now);
  if (waiting !== undefined) return waiting;
  const step = unpassed(state);
  if (step !== undefined && stable !== undefined) return write(stepBack(state, stable, step, now));
  const watched = behavesAlike(stable, candidate)
    ? isWatched({ ...state, ...rewindowed(state, settings, now) }, now)
    : stable !== undefined && settings.rollbackWindow > 0;
  const then = watched ? 'BAKING' : 'DONE';
  // Before a first version is live nobody calls the alias, so whatever is there may be replaced.
  if (stable === undefined)
    return write(next(state, { intent: intend(state, allTraffic(candidate.version), then, now) }, now));
  if (!pointsAt(facts.alias, standing(state) ?? null)) return foreign(state, facts, now);
  const capacity = instances(state, facts, now);
  if (capacity !== undefined) return capacity;
  return raise(state, allTraffic(candidate.version), then, now);
}

function raise(
  state: Shifting | Promoting,
  after: Intent['after'],
  then: Phase,
  now: number,
  changes: Changes = {},
): Action {
  const before = [standing(state) ?? null];
  return write(next(state, { ...changes, intent: intend(state, after, then, now, before) }, now));
}

/** Why a candidate may not get more traffic now. */
export function blocked(
  state: Shifting | Promoting,
  { stack }: ReleaseFacts,
  now: number,
): Action | undefined {
  if (stack === 'gone')
    return write(become(state, 'ABORTED', { intent: undefined, reason: 'the stack is gone' }, now));
  const left = Date.parse(state.deadline) - now;
  const waiting = stack !== 'done' && state.promote === 'afterStack';
  // A stack may take hours; that is waiting, not death. One that is stuck has until the deadline.
  if (waiting && !isStuck(stack) && left < SOON_MS)
    return write(next(state, deadline(state.steps.slice(state.step ?? 0), state.settings, now), now));
  if (left <= 0) return write(abort(state, late(state, waiting ? stack : 'done'), now));
  return waiting ? (judgedOn(state, now) ?? wait(unfinished(state, stack), stuck(state, stack))) : undefined;
}

/** The instances that it needs before it gets more. */
function instances(state: Shifting | Promoting, { held }: ReleaseFacts, now: number): Action | undefined {
  const action = topUp(state, held);
  return action?.do === 'wait' ? (judgedOn(state, now) ?? action) : action;
}

/** What has a weight is judged on, whatever more of it waits for. */
function judgedOn(state: Shifting | Promoting, now: number): Action | undefined {
  const { stable, basis, intent } = state;
  const step = state.phase === 'PROMOTING' ? underway(state) : state.step - 1;
  return stable && basis && weightOf(state) > 0 && step >= 0 && intent === undefined
    ? write(become(state, 'JUDGING', { stable, basis, step }, now))
    : undefined;
}

/**
 * Fixed for the whole release before the first weight: which slow edge is judged, which outputs, and whether
 * refusals are.
 */
function basis(state: Shifting, { hour }: ReleaseFacts, now: number): Action {
  const { stable, candidate } = state;
  const shared = (candidate.signals ?? []).filter((signal) => stable.signals?.includes(signal));
  // Without an objective, or with another one than the stable version counts by, latency is not judged.
  const judged = candidate.p95 !== undefined && stable.p95 === candidate.p95;
  if (judged && hour === undefined) return wait('the latency before the release is to be read');
  if (judged && isUnreadable(hour))
    return wait(`metrics cannot be read, so no weight is raised: ${hour.unreadable}`, {
      subject: 'metrics cannot be read, so no weight is raised',
      why: hour.unreadable,
      todo: 'give the release worker cloudwatch:GetMetricData again; the release then goes on by itself.',
    });
  const slow = judged && hour !== undefined && !isUnreadable(hour) ? slownessOf(hour) : {};
  // By model alone the counts of both versions are one sum.
  const rejected = stable.rejected && candidate.rejected;
  return write(next(state, { basis: { ...slow, outputs: shared, ...(rejected && { rejected }) } }, now));
}

function slownessOf(hour: Side): Pick<Basis, 'slow' | 'slower'> {
  const slow = slowEdge(hour);
  return { slow, ...(warm(hour) > 0 && { slower: exceeded(hour, slow) }) };
}

/** When the weight of the step under way was put in force. */
export const weightSince = (state: Release): string =>
  state.shifts.findLast(({ step, weight }) => step === (state.step ?? 0) && weight > 0)?.at ?? iso(0);
