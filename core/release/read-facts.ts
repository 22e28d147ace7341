import { messageOf } from '../errors/aws-errors.ts';
import type { Minute } from '../judge/minutes.ts';
import type { Release } from './document/contract.ts';
import type { WeightShift } from './document/parts-contract.ts';
import { ALARMS } from './document/worker-contract.ts';
import type { World } from './ports.ts';
import { alarmNames } from './state/alarm-names.ts';
import { HOUR_BEFORE_MS, LATEST_MS, METRICS_KEPT_MS, RATE_MS } from './state/durations.ts';
import { type Held, isUnreadable, needs, type ReleaseFacts, type Unreadable } from './state/facts.ts';
import { allMinutes, alone, minuteAt, minutesOf, type Sides, since } from './state/minutes.ts';

/**
 * @param clock the one that is decided by: a minute that ends in between would be judged without its numbers
 * @throws Error where alias or stack cannot be read; whatever else cannot is a fact
 */
export async function gatherFacts(world: World, state: Release, clock: number): Promise<ReleaseFacts> {
  const { functionName, alias: name, stable } = state;
  const now = Math.max(clock, Date.parse(state.updatedAt));
  const asked = needs(state, now);
  const sides = (versions: readonly string[], from: number, to: number, signals: readonly string[] = []) =>
    world.metrics.sides(functionName, name, versions, from, to, signals);
  const [alias, stack, rate, held, limits, hour, look, alarms, versions] = await Promise.all([
    world.aliases.get(functionName, name),
    world.stacks.state(state.stack),
    asked.has('rate')
      ? readable(() => world.metrics.rate(functionName, name, now - RATE_MS, now))
      : undefined,
    asked.has('held') ? readable(() => heldBy(world, functionName)) : undefined,
    asked.has('limits') ? readable(() => world.capacity.limits(functionName)) : undefined,
    asked.has('hour') && stable !== undefined
      ? readable(async () => {
          const until = hourEnds(Date.parse(state.startedAt), now);
          return allMinutes(await sides([stable.version], until - HOUR_BEFORE_MS, until), stable.version);
        })
      : undefined,
    asked.has('look') ? readable(() => looked(state, now, sides)) : undefined,
    asked.has('alarms') ? readable(() => world.alarms.states(alarmNames(functionName))) : undefined,
    asked.has('versions') ? readable(() => world.versions.list(functionName)) : undefined,
  ]);
  const crashes = isUnreadable(alarms) ? undefined : alarms?.get(`${functionName}-${ALARMS.crashes}`);
  const latest =
    crashes?.state === 'ALARM' && stable !== undefined
      ? await readable(async () => {
          const to = minuteAt(now);
          // The minute of its promotion, too: what is counted is this version's alone.
          const from = Math.max(to - LATEST_MS, minuteAt(Date.parse(state.watch?.since ?? state.startedAt)));
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

/**
 * The hour before a release; the latest one where it was held for longer than minutes are kept, without a
 * weight so far: its stable version has all traffic still.
 */
const hourEnds = (started: number, now: number): number =>
  minuteAt(now - started < METRICS_KEPT_MS ? started : now);

type Read = (
  versions: readonly string[],
  from: number,
  to: number,
  signals?: readonly string[],
) => Promise<Sides>;

async function looked(state: Release, now: number, read: Read): Promise<readonly Minute[]> {
  const [candidate, stable, shifts] = pairOf(state);
  if (candidate === undefined || stable === undefined) return [];
  const to = minuteAt(now);
  const from = since(shifts, to);
  if (from >= to) return [];
  const sides = await read([candidate, stable], from, to, state.basis?.outputs);
  return minutesOf(sides, candidate, stable, shifts, to);
}

/** Who is judged against whom, and at which weights. In a reversed canary the live version is the suspect. */
function pairOf(state: Release): readonly [string | undefined, string | undefined, readonly WeightShift[]] {
  const { candidate, stable, shifts } = state;
  if (state.phase !== 'REVERSING') return [candidate?.version, stable?.version, shifts];
  const { half, to } = state.reversal;
  return [state.stable.version, to.version, half === undefined ? [] : [{ ...half, step: 0, weight: 50 }]];
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
