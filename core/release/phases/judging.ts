import type { Judgement } from '../../judge/contract.ts';
import { crashesNow } from '../../judge/crashes.ts';
import { usable } from '../../judge/minutes.ts';
import { type JudgeFinding, judge, unread } from '../../judge/verdict.ts';
import type { StackState } from '../../ports/aws.ts';
import { withStop } from '../../text/stop.ts';
import { iso } from '../../units/time.ts';
import type { Judging, Promoting, Release, Shifting } from '../document/contract.ts';
import type { VersionRef } from '../document/parts-contract.ts';
import { type Action, type Blind, wait, write } from '../state/action.ts';
import { pointsAt } from '../state/alias-target.ts';
import { topUp } from '../state/capacity.ts';
import { isUnreadable, lookIsDue, type ReleaseFacts } from '../state/facts.ts';
import { become, type Changes, next } from '../state/next.ts';
import { notice, numbers } from '../state/notices.ts';
import { isPromoted, standing } from '../state/predicates.ts';
import { isStuck, late, stuck } from '../state/stuck.ts';
import { abort, tell } from '../state/transitions.ts';
import { foreign, holdFor } from './hold.ts';
import { rollBack } from './rollback.ts';
import { weightSince } from './shifting.ts';

/**
 * JUDGING: the candidate has its weight, and each complete minute is looked at until the step passes or
 * fails.
 */
export function judging(state: Judging, facts: ReleaseFacts, now: number): Action {
  if (facts.stack === 'gone')
    return write(become(state, 'ABORTED', { intent: undefined, reason: 'the stack is gone' }, now));
  if (!pointsAt(facts.alias, standing(state) ?? null)) return foreign(state, facts, now);
  if (now >= Date.parse(state.deadline)) return write(expired(state, facts.stack, now));
  if (!lookIsDue(state, now))
    return (
      instances(state, facts, now) ??
      wait(
        state.judgements.at(-1)?.reason ?? 'the first complete minute is awaited',
        unlooked(state) ?? stuck(state, facts.stack),
      )
    );
  const looked = judgeMinutes(state, facts, now);
  const { dryRun } = state.settings;
  const judged = { judgements: keptJudgements(state, looked) };
  // What a person promoted is judged only while it waits for the stack or for instances.
  const promoted = isPromoted(state) && facts.stack === 'done';
  const over = promoted || now >= ends(state).bake;
  if (dryRun) return write(dry(state, looked, over, judged, now));
  if (looked.verdict === 'fail')
    return write(rollBack({ ...state, ...judged }, state.stable, looked.reason, looked, now));
  if (looked.verdict === 'pass' || promoted) return write(onward(state, judged, now));
  // A single call that is throttled does not tell what a step came to.
  const isPassing = looked.verdict === 'error' && state.judgements.at(-1)?.verdict !== 'error';
  const { patience } = ends(state);
  if (now < patience || isPassing) return write(next(state, judged, now));
  // One look that reads nothing tells nobody, and is borne with.
  const isTold = wasLookedAt(state, patience) && state.judgements.at(-1)?.verdict !== 'error';
  return write(unjudged({ ...state, ...judged }, looked, isTold, now));
}

/**
 * Its time is over. What had passed, and only its stack or instances that were not ready kept from going on,
 * is not to blame, so it is not refused.
 */
function expired(state: Judging, stack: StackState, now: number): Release {
  const why = late(state, stack);
  return isStuck(stack) || hasPassed(state)
    ? abort(state, why, now)
    : rollBack(state, state.stable, why, undefined, now);
}

/** What has passed goes on at once, unless something keeps it. */
function hasPassed({ judgements, step }: Judging): boolean {
  const last = judgements.at(-1);
  return last?.step === step && last.verdict === 'pass';
}

/** Between two looks at a step that only instances keep from going on: they are seen to at each tick. */
function instances(state: Judging, { held, stack }: ReleaseFacts, now: number): Action | undefined {
  if (stack !== 'done' || !hasPassed(state) || now < ends(state).bake) return undefined;
  return topUp(state, held) ?? write(onward(state, {}, now));
}

/**
 * Was the step looked at since? What its end had to tell is told then, although it is judged on until the
 * next weight can be given.
 */
function wasLookedAt({ judgements, step }: Judging, since: number): boolean {
  const last = judgements.at(-1);
  return last?.step === step && Date.parse(last.at) >= since;
}

/** A step that could not be judged in its time. @param isTold who passes it without data has heard of it */
function unjudged(state: Judging, looked: Judgement, isTold: boolean, now: number): Release {
  const { onNoData, maxWait } = state.settings;
  const why = `step ${state.step + 1} could not be judged within its time and ${maxWait} s more: ${looked.reason}`;
  if (onNoData === 'rollback') return rollBack(state, state.stable, why, looked, now);
  // What could not be read at all is not passed on anybody's word.
  if (onNoData === 'pass' && looked.verdict !== 'error')
    return onward(state, isTold ? {} : told(state, 'a step passed without data', why, looked, now), now);
  return holdFor(state, 'nodata', why, now, looked);
}

/** The next step, or promotion; what a person promoted takes no more steps. */
function onward(state: Judging, changes: Changes<Judging>, now: number): Shifting | Promoting {
  const step = state.step + 1;
  const more = step < state.steps.length && !isPromoted(state);
  return more
    ? become(state, 'SHIFTING', { ...changes, step }, now)
    : become(state, 'PROMOTING', changes, now);
}

/** Judges and says what it would have done, once a step, and goes on when the bake is over. */
function dry(
  state: Judging,
  looked: Judgement,
  over: boolean,
  judged: Pick<Judging, 'judgements'>,
  now: number,
): Release {
  const news =
    looked.verdict === 'fail'
      ? wouldRollBack(state, state.candidate, looked, now)
      : over && looked.verdict !== 'pass' && !wasLookedAt(state, ends(state).bake)
        ? told(state, `dry run: step ${state.step + 1} would not have passed yet`, looked.reason, looked, now)
        : {};
  return over ? onward(state, { ...judged, ...news }, now) : next(state, { ...judged, ...news }, now);
}

/** A dry run does not act on a look that fails: it is told, once a step. */
export function wouldRollBack(
  state: Release,
  { version }: VersionRef,
  looked: Judgement,
  now: number,
): Partial<Pick<Release, 'notices'>> {
  const before = state.judgements.at(-1);
  if (before?.step === looked.step && before?.verdict === 'fail') return {};
  return told(state, `dry run: version ${version} would have been rolled back`, looked.reason, looked, now);
}

const told = (state: Release, what: string, why: string, looked: Judgement, now: number) =>
  tell(state, notice(state, what, [`Why: ${withStop(why)}`, ...numbers(looked)], false, now));

/** One look at all minutes so far. */
export function judgeMinutes(state: Release, facts: ReleaseFacts, now: number): Judgement {
  const step = state.step ?? 0;
  return { at: iso(now), step, ...find(state, facts, now) };
}

const UNREAD = 'metrics cannot be read: ';

function find(state: Release, { look: minutes }: ReleaseFacts, now: number): JudgeFinding {
  if (minutes === undefined) return unread('metrics were not read');
  if (isUnreadable(minutes)) return unread(`${UNREAD}${minutes.unreadable}`);
  const { settings, basis, steps = [], step = 0 } = state;
  const ready = usable(minutes, now, [], settings.timeout);
  const following = steps[step + 1];
  const position = {
    index: step,
    ...(following && { nextWeight: following.weight / 100 }),
    bakeOver: now >= ends(state).bake,
  };
  const found = judge(ready, position, {
    ...settings,
    slow: basis?.slow,
    rejected: basis?.rejected,
    outputs: basis?.outputs ?? [],
  });
  const crashing = crashesNow(minutes);
  return crashing === undefined || found.verdict === 'fail'
    ? found
    : { ...found, verdict: 'fail', reason: crashing };
}

/** The latest look could not read anything: whoever can change that hears of it before the step is over. */
export function unlooked({ judgements, candidate }: Release): Blind | undefined {
  const last = judgements.at(-1);
  if (last?.verdict !== 'error' || last.signals.length > 0) return undefined;
  return {
    subject: `metrics cannot be read, so version ${candidate?.version} is not judged`,
    why: last.reason.replace(UNREAD, ''),
    todo: 'give the release worker cloudwatch:GetMetricData again; judging then goes on by itself. Look at the model’s errors yourself until then.',
  };
}

/** One judgement a step: its last. */
export function keptJudgements(state: Release, looked: Judgement): readonly Judgement[] {
  return [...state.judgements.filter(({ step }) => step !== looked.step), looked];
}

/** When the step's bake is over, and when nobody waits for data any longer. Milliseconds. */
export function ends(state: Release): { readonly bake: number; readonly patience: number } {
  const bake = Date.parse(weightSince(state)) + (state.steps?.[state.step ?? 0]?.bake ?? 0) * 1000;
  return { bake, patience: bake + state.settings.maxWait * 1000 };
}
