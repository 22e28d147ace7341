import { messageOf } from '../errors/aws-errors.ts';
import type { AliasState } from '../ports/aws.ts';
import type { FoundRelease } from '../registry/port.ts';
import type { Release } from './document/contract.ts';
import { WORKER_METRICS } from './document/worker-contract.ts';
import { nameAndMessage } from './failures.ts';
import { followBatch } from './follow-batch.ts';
import { gatePart } from './gate-slice.ts';
import { refused } from './intended.ts';
import { asLooked, respond, scheduleTicks, tellPeople, type World } from './ports.ts';
import { retired } from './prune.ts';
import type { Action } from './state/action.ts';
import { describe, say } from './state/alias-target.ts';
import { unprovided } from './state/capacity.ts';
import { next } from './state/next.ts';
import { endOf } from './tick-answer.ts';

/** Does what was decided, and writes down that it was done. */

type Ours = FoundRelease & { readonly release: Release };

/** @returns why nothing more can be done in this invocation; undefined: go on */
export async function act(
  world: World,
  { release: state, etag }: Ours,
  action: Exclude<Action, { do: 'wait' | 'stop' }>,
  alias: AliasState | undefined,
): Promise<string | undefined> {
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
      if (request?.url !== undefined) {
        const physicalId = `${functionName}:${state.alias}`;
        const caller = { ...request, url: request.url, stack: state.stack, physicalId };
        // What triggers jobs is made after this, and versions of a stack that rolls back are deleted: both
        // need the alias in its place.
        if (action.status === 'SUCCESS') await followBatch(world, state);
        await respond(world, caller, action.status, action.reason);
        // A gate may have taken longer than the alarm on missing sweeps looks back.
        asLooked(world, functionName);
      }
      await write(action.next);
      return undefined;
    }
    case 'gate':
      return gatePart(world, state, action, etag);
    case 'provide': {
      const given = await world.capacity.provide(functionName, action.version, action.instances);
      if (typeof given === 'object')
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
    case 'schedule':
      await scheduleTicks(world, state);
      await write(action.next);
      return undefined;
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
        world.log('a notice could not be published', { model, subject, reason: messageOf(error) });
        return 'a notice waits for its topic';
      }
      await write(action.next);
      return undefined;
    }
    case 'record': {
      await world.registry.ended(action.deployment, model, endOf(state));
      await write(action.next);
      return undefined;
    }
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
  const written =
    alias === undefined
      ? await world.aliases.create(functionName, name, to)
      : await world.aliases.update(functionName, name, to, alias.revision);
  world.log('moved the alias', { functionName, alias: name, from: say(alias), to: say(to), written });
  if (typeof written === 'object') await write(refused(state, intent, written.refused, world.clock()));
}

/** What an alarm waits for, and what a dashboard marks. */
function noteworthy(world: World, { phase }: Release, to: Release): void {
  if (phase === to.phase) return;
  if (to.phase === 'ROLLED_BACK' || to.phase === 'ABORTED')
    world.count(WORKER_METRICS.failed, to.functionName);
  else if (phase === 'PROMOTING') world.count(WORKER_METRICS.promoted, to.functionName);
}

/** An alarm waits for a few of these. */
export function countUnread(world: World, { model, functionName }: Release, error: unknown): void {
  world.count(WORKER_METRICS.unreadable, functionName);
  world.log('could not be read or changed', { model, reason: nameAndMessage(error) });
}
