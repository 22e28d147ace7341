import type { Side } from '../../judge/contract.ts';
import type { Minute } from '../../judge/minutes.ts';
import type { AlarmPort, AliasState, Provided, Rate, StackState } from '../../ports/aws.ts';
import type { Release } from '../document/contract.ts';
import type { Postponable } from './action.ts';
import { LAST_MS } from './durations.ts';
import { minuteAt } from './minutes.ts';
import { isEnd, isWatched, weightOf } from './predicates.ts';

/**
 * What is read of AWS before a decision: always alias and stack, the rest where the phase asks for it
 * (`needs`).
 */
export type ReleaseFacts = {
  readonly alias: AliasState | undefined;
  readonly stack: StackState;
  /** Request rate of the last 24 hours. */
  readonly rate?: Rate | Unreadable;
  readonly held?: Held | Unreadable;
  readonly limits?: AccountConcurrency | Unreadable;
  /** What the stable version did in the hour before the release. */
  readonly hour?: Side | Unreadable;
  readonly look?: readonly Minute[] | Unreadable;
  readonly alarms?: Alarms | Unreadable;
  /** The latest minutes of the live version, read when its `crashes` alarm is on. */
  readonly latest?: readonly Minute[];
  /** Published versions. */
  readonly versions?: readonly string[] | Unreadable;
  /** What AWS did not take a moment ago, and why: all else is done without. */
  readonly postponed?: ReadonlyMap<Postponable, string>;
};
type Alarms = Awaited<ReturnType<AlarmPort['states']>>;
export type Unreadable = { readonly unreadable: string };

export const isUnreadable = (value: unknown): value is Unreadable =>
  typeof value === 'object' && value !== null && 'unreadable' in value;

export type Need = 'rate' | 'held' | 'limits' | 'hour' | 'look' | 'alarms' | 'versions';

/** Which facts the next decision needs. Pure. An intent needs none. */
export function needs(state: Release, clock: number): ReadonlySet<Need> {
  const found = new Set<Need>();
  const now = Math.max(clock, Date.parse(state.updatedAt));
  const { phase, settings } = state;
  if (state.intent !== undefined && state.request?.url === undefined) return found;
  if (phase === 'GATING') {
    if (state.steps === undefined && state.stable !== undefined && settings.strategy === 'auto')
      found.add('rate');
    return found;
  }
  const provisioned = settings.capacity?.provisioned !== undefined || state.scaled !== undefined;
  if (provisioned || isEnd(phase) || phase === 'BAKING') found.add('held');
  if (phase === 'WARMING' && settings.capacity?.provisioned !== undefined) found.add('limits');
  if (state.phase === 'SHIFTING' && state.basis === undefined && state.candidate.p95 !== undefined)
    found.add('hour');
  if (lookIsDue(state, now)) found.add('look');
  if (phase === 'BAKING' || (isEnd(phase) && isWatched(state, now))) found.add('alarms');
  if (phase === 'BAKING' || isEnd(phase)) found.add('versions');
  return found;
}

/** What was read; undefined where it was not asked for, or cannot be read. */
export const known = <T>(value: T | Unreadable | undefined): T | undefined =>
  isUnreadable(value) ? undefined : value;

/** Must CloudFormation be answered now, whatever there is to say? */
export const isOverdue = ({ request }: Pick<Release, 'request'>, now: number): boolean =>
  request?.url !== undefined && now >= Date.parse(request.answerBy);

/**
 * Must a stack that rolls back be answered although the alias is not in its place? It deletes versions once
 * it is.
 */
export const isLast = (state: Pick<Release, 'request'>, now: number): boolean =>
  isOverdue(state, now - (state.request?.kind === 'rollback' ? LAST_MS : 0));

/** Each complete minute is looked at once, however often somebody ticks. */
export function lookIsDue(state: Release, now: number): boolean {
  const judging = state.phase === 'JUDGING' || (state.phase === 'HELD' && weightOf(state) > 0);
  const last = judging
    ? state.judgements.at(-1)
    : state.phase === 'REVERSING' && state.reversal.half !== undefined
      ? (state.reversal.judgement ?? { at: state.reversal.half.at })
      : undefined;
  if (!judging && last === undefined) return false;
  return (
    last === undefined ||
    minuteAt(Date.parse(last.at)) < minuteAt(now) ||
    last.at < (state.shifts.at(-1)?.at ?? '')
  );
}

/** Versions that hold provisioned concurrency. */
export type Held = ReadonlyMap<string, Provided>;

export type AccountConcurrency = { readonly reserved?: number; readonly unreserved: number };
