import type { AliasState, Schedule } from '../../ports/aws.ts';
import type { Release } from '../document/contract.ts';
import type { TickEvent } from '../document/worker-contract.ts';
import { pointsAt } from './alias-target.ts';
import { isEnd, isOpen, isWatched, standing, weightOf } from './predicates.ts';

/** How often a release is ticked, and what its schedule tells. Pure. */

/**
 * A minute is the grain of what is judged. What only waits (for an alarm, which calls by itself, for a
 * person, or for the end of its window) is ticked seldom: that finds what an event did not tell, and costs
 * 144 invocations a day.
 */
export function everyOf(state: Release): string {
  const busy =
    isOpen(state.phase) ||
    state.phase === 'REVERSING' ||
    state.intent !== undefined ||
    state.waiting !== undefined ||
    weightOf(state) > 0;
  return busy ? 'rate(1 minute)' : 'rate(10 minutes)';
}

/**
 * Does nothing call for a tick any more? As `decide` finds it of a release that it stops, as far as the
 * document tells: instances that are to be put away the tick itself sees to before it ends.
 */
export function isAtRest(state: Release, alias: AliasState, now: number): boolean {
  const { phase, intent, request, waiting, notices, deployment, writeBack, blind, scaled } = state;
  if (!isEnd(phase) || intent !== undefined || notices.length > 0) return false;
  // What AWS did not take of instances, or is not told of them yet.
  if (blind !== undefined || scaled?.key === '') return false;
  if (writeBack?.is === 'pending') return false;
  if (request?.url !== undefined || waiting !== undefined) return false;
  if (deployment !== undefined && deployment.told !== phase) return false;
  // An alias that somebody moved since is theirs, and not watched; instances are kept as long all the same.
  const isOurs = pointsAt(alias, standing(state) ?? null);
  return !(isWatched(state, now) && (isOurs || state.watch?.keeps !== undefined));
}

/**
 * With stable and deadline the weight can be taken away even if the registry cannot be read. HELD has no
 * deadline, and a reversed canary outlives its own. With the stack's id a tick whose document is gone knows
 * whether anybody misses it.
 */
export function inputOf(state: Release): TickEvent {
  const { model, functionName, alias, release, stable, deadline, stack, schedule, phase } = state;
  const { group, name } = schedule;
  return {
    tick: {
      model,
      functionName,
      alias,
      release,
      ...(stable && { stable: stable.version }),
      ...(phase !== 'HELD' && phase !== 'REVERSING' && { deadline }),
      stack,
      schedule: { group, name },
    },
  };
}

/** What a schedule was told, to see whether it must be told anew. */
export const telling = (state: Release): string => {
  const { stable, deadline, stack } = inputOf(state).tick;
  return [everyOf(state), stable, deadline, stack].join(' ');
};

export const scheduleOf = (
  state: Release,
  worker: { readonly arn: string; readonly scheduleRole: string },
): Schedule => ({
  group: state.schedule.group,
  name: state.schedule.name,
  every: everyOf(state),
  target: worker.arn,
  role: worker.scheduleRole,
  input: JSON.stringify(inputOf(state)),
});
