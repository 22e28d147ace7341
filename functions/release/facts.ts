import { messageOf } from '../shared/aws/errors.ts';
import type { AlarmPort, AliasState, StackState } from '../shared/aws/ports.ts';
import { alarmNames } from './alarm.ts';
import type { Held, Limits } from './capacity.ts';
import type { Release, Shift } from './contract.ts';
import { ALARMS } from './contract.ts';
import type { Side } from './judge/contract.ts';
import type { Minute } from './judge/minutes.ts';
import { alone, minuteOf, minutesOf, type Sides, since, together } from './minutes.ts';
import { DAY, HOUR, isEnd, weightOf } from './steps.ts';
import type { World } from './world.ts';

/** What is read of AWS before a decision: always alias and stack, the rest where the phase asks for it (`needs`). */
export type Facts = {
  readonly alias: AliasState | undefined;
  readonly stack: StackState;
  /** Requests per second of the last 24 hours. */
  readonly rate?: number | Unreadable;
  readonly held?: Held;
  readonly limits?: Limits;
  /** What the stable version did in the hour before the release. */
  readonly hour?: Side | Unreadable;
  readonly look?: readonly Minute[] | Unreadable;
  readonly alarms?: Alarms | Unreadable;
  /** The latest minutes of the live version, read when its `crashes` alarm is on. */
  readonly latest?: readonly Minute[];
  /** Published versions. */
  readonly versions?: readonly string[];
};
export type Alarms = Awaited<ReturnType<AlarmPort['states']>>;
export type Unreadable = { readonly unreadable: string };

export const isUnreadable = (value: unknown): value is Unreadable =>
  typeof value === 'object' && value !== null && 'unreadable' in value;

export type Need = 'rate' | 'held' | 'limits' | 'hour' | 'look' | 'alarms' | 'versions';

/** Minutes that `crashesNow` looks at. */
const LATEST = 10 * 60_000;

/** Which facts the next decision needs. Pure. An intent and an answer need none. */
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
  if (phase === 'WARMING' && provisioned) found.add('limits');
  if (phase === 'SHIFTING' && state.basis === undefined && settings.p95 !== undefined) found.add('hour');
  if (lookIsDue(state, now)) found.add('look');
  if (phase === 'BAKING') found.add('alarms');
  if (phase === 'DONE') found.add('versions');
  return found;
}

/** Each complete minute is looked at once, however often somebody ticks. */
export function lookIsDue(state: Release, now: number): boolean {
  const judging = state.phase === 'JUDGING' || (state.phase === 'HELD' && weightOf(state) > 0);
  const last = judging
    ? state.judgements.at(-1)
    : state.phase === 'REVERSING' && state.reversal?.half !== undefined
      ? (state.reversal.judgement ?? { at: state.reversal.half.at })
      : undefined;
  if (!judging && last === undefined) return false;
  return (
    last === undefined ||
    minuteOf(Date.parse(last.at)) < minuteOf(now) ||
    last.at < (state.shifts.at(-1)?.at ?? '')
  );
}

/** @throws Error where alias, capacity or versions cannot be read; metrics and alarms that cannot are a fact. */
export async function gather(world: World, state: Release): Promise<Facts> {
  const { functionName, alias: name, stable } = state;
  const now = Math.max(world.clock(), Date.parse(state.updatedAt));
  const asked = needs(state, now);
  const [alias, stack] = await Promise.all([
    world.aliases.get(functionName, name),
    world.stacks.state(state.stack),
  ]);
  const sides = (versions: readonly string[], from: number, to: number, signals: readonly string[] = []) =>
    world.metrics.sides(functionName, name, versions, from, to, signals);
  const [rate, held, limits, hour, look, alarms, versions] = await Promise.all([
    asked.has('rate') ? readable(() => world.metrics.rate(functionName, name, now - DAY, now)) : undefined,
    asked.has('held') ? heldBy(world, functionName) : undefined,
    asked.has('limits') ? world.capacity.limits(functionName) : undefined,
    asked.has('hour') && stable !== undefined
      ? readable(async () => {
          const until = minuteOf(Date.parse(state.startedAt));
          return together(await sides([stable.version], until - HOUR, until), stable.version);
        })
      : undefined,
    asked.has('look') ? readable(() => looked(state, now, sides)) : undefined,
    asked.has('alarms') ? readable(() => world.alarms.states(alarmNames(functionName))) : undefined,
    asked.has('versions') ? world.versions.list(functionName) : undefined,
  ]);
  const crashes = isUnreadable(alarms) ? undefined : alarms?.get(`${functionName}-${ALARMS.crashes}`);
  const latest =
    crashes?.state === 'ALARM' && stable !== undefined
      ? await readable(async () => {
          const to = minuteOf(now);
          const from = Math.max(
            to - LATEST,
            minuteOf(Date.parse(state.promotedAt ?? state.startedAt)) + 60_000,
          );
          return from < to ? alone(await sides([stable.version], from, to), stable.version, from, to) : [];
        })
      : undefined;
  return {
    alias,
    stack,
    ...(rate !== undefined && { rate }),
    ...(held && { held }),
    ...(limits && { limits }),
    ...(hour && { hour }),
    ...(look && { look }),
    ...(alarms && { alarms }),
    ...(latest && !isUnreadable(latest) && { latest }),
    ...(versions && { versions }),
  };
}

type Read = (
  versions: readonly string[],
  from: number,
  to: number,
  signals?: readonly string[],
) => Promise<Sides>;

async function looked(state: Release, now: number, read: Read): Promise<readonly Minute[]> {
  const [candidate, stable, shifts] = pairOf(state);
  if (candidate === undefined || stable === undefined) return [];
  const to = minuteOf(now);
  const from = since(shifts, to);
  if (from >= to) return [];
  const sides = await read([candidate, stable], from, to, state.basis?.outputs);
  return minutesOf(sides, candidate, stable, shifts, to);
}

/** Who is judged against whom, and at which weights. In a reversed canary the live version is the suspect. */
function pairOf({
  phase,
  candidate,
  stable,
  shifts,
  reversal,
}: Release): readonly [string | undefined, string | undefined, readonly Shift[]] {
  if (phase !== 'REVERSING') return [candidate?.version, stable?.version, shifts];
  const half = reversal?.half;
  return [
    stable?.version,
    reversal?.to.version,
    half === undefined ? [] : [{ ...half, step: 0, weight: 50 }],
  ];
}

async function heldBy(world: World, functionName: string): Promise<Held> {
  const versions = await world.capacity.list(functionName);
  const found = await Promise.all(
    versions.map(async (version) => [version, await world.capacity.provided(functionName, version)] as const),
  );
  return new Map(
    found.flatMap(([version, provided]) => (provided === undefined ? [] : [[version, provided]])),
  );
}

async function readable<T>(read: () => Promise<T>): Promise<T | Unreadable> {
  try {
    return await read();
  } catch (error) {
    return { unreadable: messageOf(error) };
  }
}
