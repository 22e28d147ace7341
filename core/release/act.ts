import { messageOf } from '../errors/aws-errors.ts';
import type { AliasState } from '../ports/aws.ts';
import type { FoundRelease } from '../registry/port.ts';
import { recordEnd } from './deploy-record.ts';
import type { Release } from './document/contract.ts';
import { WORKER_METRICS } from './document/worker-contract.ts';
import { nameAndMessage } from './failures.ts';
import { followBatch } from './follow-batch.ts';
import { gatePart } from './gate-slice.ts';
import { refused } from './intended.ts';
import {
  asLooked,
  countUnread,
  logAliasWrite,
  respond,
  scheduleTicks,
  tellPeople,
  type World,
} from './ports.ts';
import { retired } from './prune.ts';
import type { Action, Postponable } from './state/action.ts';
import { describe, say } from './state/alias-target.ts';
import { unprovided } from './state/capacity.ts';
import { isOverdue } from './state/facts.ts';
import { next } from './state/next.ts';

/** Does what was decided, and writes down that it was done. */

type Ours = FoundRelease & { readonly release: Release };

/**
 * `pause`: why nothing more can be done in this invocation. `postpone`: what alone is left to the next tick,
 * and why.
 */
type Unfinished = { readonly pause: string } | { readonly postpone: Postponable; readonly why: string };

/** @param isFreed instances of another version were given up a moment ago. @returns undefined: go on */
export async function act(
  world: World,
  { release: state, etag }: Ours,
  action: Exclude<Action, { do: 'wait' | 'stop' }>,
  alias: AliasState | undefined,
  isFreed: boolean,
): Promise<Unfinished | undefined> {
  const { functionName, model } = state;
  const write = async (to: Release): Promise<void> => {
    const written = await world.registry.move(to, etag).catch((error: unknown) => {
      countUnread(world, state, error);
      throw error;
    });
    if (written === 'ok') noteworthy(world, state, to);
  };
  switch (action.do) {
    case 'write':
      await write(action.next);
      return undefined;
    case 'move':
      await move(world, state, action, alias, write);
      return undefined;
    case 'answer': {
      const { request } = state;
      if (request?.url === undefined) {
        await write(action.next);
        return undefined;
      }
      const physicalId = `${functionName}:${state.alias}`;
      const caller = { ...request, url: request.url, stack: state.stack, physicalId };
      const { status, reason, next: to } = await withBatch(world, state, action);
      await respond(world, caller, status, reason);
      // A gate may have taken longer than the alarm on missing sweeps looks back.
      asLooked(world, functionName);
      await write(to);
      return undefined;
    }
    case 'gate': {
      const pause = await gatePart(world, state, action, etag);
      return pause === undefined ? undefined : { pause };
    }
    case 'provide': {
      const given = await world.capacity.provide(functionName, action.version, action.instances);
      if (typeof given !== 'object') return undefined;
      // What was given up counts for some seconds still: the next tick knows better.
      if (isFreed) return { pause: `instances that were given up may count still: ${given.refused}` };
      await write(unprovided(state, action.version, given.refused, world.clock()));
      return undefined;
    }
    case 'release':
      await world.capacity.release(functionName, action.version);
      return undefined;
    case 'scale':
      await world.capacity.scale(functionName, action.version, action.scaling);
      await write(action.next);
      return undefined;
    case 'schedule': {
      try {
        await scheduleTicks(world, state);
      } catch (error) {
        countUnread(world, state, error);
        return { postpone: 'schedule', why: `its schedule could not be changed: ${nameAndMessage(error)}` };
      }
      await write(action.next);
      return undefined;
    }
    case 'retire': {
      const now = Math.max(world.clock(), Date.parse(state.updatedAt));
      await write(next(state, { batches: await retired(world, state, action.batches, now) }, now));
      return undefined;
    }
    case 'notify': {
      const { subject, text } = action.notice;
      try {
        await tellPeople(world, subject, text);
      } catch (error) {
        world.log('warn', 'a notice could not be published', { model, subject, reason: messageOf(error) });
        return { postpone: 'notify', why: 'a notice waits for its topic' };
      }
      await write(action.next);
      return undefined;
    }
    case 'record': {
      try {
        await recordEnd(world, action.deployment, state);
      } catch (error) {
        countUnread(world, state, error);
        return { postpone: 'record', why: `the record of its deploy waits: ${nameAndMessage(error)}` };
      }
      await write(action.next);
      return undefined;
    }
  }
}

type Answer = Extract<Action, { do: 'answer' }>;

/**
 * What triggers jobs is made after an answer, and versions of a stack that rolls back are deleted: both need
 * the alias of batch in its place. Where it cannot be had in time, CloudFormation is told why; only a stack
 * that rolls back would be stuck half-way by that.
 */
async function withBatch(world: World, state: Release, answer: Answer): Promise<Answer> {
  if (answer.status !== 'SUCCESS') return answer;
  try {
    await followBatch(world, state);
    return answer;
  } catch (error) {
    const now = Math.max(world.clock(), Date.parse(state.updatedAt));
    if (!isOverdue(state, now)) throw error;
    countUnread(world, state, error);
    const { request } = answer.next;
    if (request === undefined || request.kind === 'rollback') return answer;
    const to = next(state, { request: { ...request, answered: 'FAILED' } }, now);
    return { ...answer, status: 'FAILED', reason: nameAndMessage(error), next: to };
  }
}

/** The one place that moves an alias. The state already holds the intent. */
async function move(
  world: World,
  state: Release,
  { intent }: Extract<Action, { do: 'move' }>,
  alias: AliasState | undefined,
  write: (to: Release) => Promise<void>,
): Promise<void> {
  const to = { ...intent.after, description: describe(intent) };
  const { functionName, alias: name } = state;
  const written = await (alias === undefined
    ? world.aliases.create(functionName, name, to)
    : world.aliases.update(functionName, name, to, alias.revision)
  ).catch((error: unknown) => {
    // What was to lose its traffic has it still.
    countUnread(world, state, error);
    throw error;
  });
  logAliasWrite(world, 'info', 'moved the alias', {
    functionName,
    alias: name,
    from: say(alias),
    to: say(to),
    written,
  });
  if (typeof written === 'object') await write(refused(state, intent, written.refused, world.clock()));
}

/** What an alarm waits for, and what a dashboard marks. */
function noteworthy(world: World, before: Release, to: Release): void {
  const { phase, functionName } = to;
  if (before.phase === phase) return;
  // Tested beside the last good version, the live one stays: no release failed by that.
  const stays = before.phase === 'REVERSING' && before.stable.version === to.stable?.version;
  if ((phase === 'ROLLED_BACK' || phase === 'ABORTED') && !stays)
    world.count(WORKER_METRICS.failed, functionName);
  else if (before.phase === 'PROMOTING' && (phase === 'BAKING' || phase === 'DONE'))
    world.count(WORKER_METRICS.promoted, functionName);
}
