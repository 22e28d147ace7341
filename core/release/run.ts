import { messageOf as wordsOf } from '../errors/aws-errors.ts';
import type { AliasState } from '../ports/aws.ts';
import type { FoundRelease } from '../registry/registry.ts';
import { decide, unsighted } from './decide.ts';
import type { Aborted, Release } from './document/contract.ts';
import { type TickAnswer, type TickEvent, WORKER_METRICS } from './document/worker-contract.ts';
import { nameAndMessage } from './failures.ts';
import { followBatch } from './follow-batch.ts';
import { gatePart } from './gate-slice.ts';
import { refused } from './intended.ts';
import { asLooked, respond, scheduleTicks, tellPeople, type World } from './ports.ts';
import { gatherFacts } from './read-facts.ts';
import type { Action } from './state/action.ts';
import { allTraffic, describe, say, takenFrom } from './state/alias-target.ts';
import { unprovided } from './state/capacity.ts';
import { RESERVE_MS } from './state/durations.ts';
import { isUnreadable, type ReleaseFacts, type Unreadable } from './state/facts.ts';
import { next } from './state/next.ts';
import { abort } from './state/transitions.ts';
import { endOf, told } from './tick-answer.ts';
import { inputOf } from './tick-schedule.ts';
import { undocumented } from './undocumented.ts';
import { readmitted } from './waiting.ts';

/**
 * Actions in one invocation; a whole release takes about twenty, and each conflict with another worker one
 * more.
 */
const STEPS = 60;

/** Tries of a compare-and-set. */
const RACES = 8;

/**
 * Reads, decides and acts until there is nothing to do but wait. Anyone may call it at any time, also twice
 * at once.
 */
export async function runRelease(world: World, model: string): Promise<TickAnswer> {
  let broken: Unreadable | undefined;
  for (let step = 0; step < STEPS; step += 1) {
    const found = await world.registry.release(model);
    if (found === undefined) return { model, phase: 'NONE', running: false };
    if (found.release === undefined)
      return unknown(model, 'the registry was written by a newer version of the plugin');
    const state = found.release;
    const now = world.clock();
    if (found.lacking !== undefined) {
      await giveUp(world, found.lacking, found.etag, now);
      continue;
    }
    if (state.waiting !== undefined && (await readmitted(world, { ...found, release: state }, state.waiting)))
      continue;
    const { facts, instead } = await look(world, state, now, broken);
    const action = facts === undefined ? instead : decide(state, facts, now);
    world.log('decided', {
      model,
      release: state.release,
      rev: state.rev,
      phase: state.phase,
      stack: facts?.stack,
      alias: say(facts?.alias),
      action: action.do,
      ...(action.do === 'wait' && { reason: action.reason }),
    });
    if (action.do === 'wait' || action.do === 'stop') {
      await pruned(world, state, action.prune ?? []);
      if (!(await followed(world, state))) return paused(world, state, facts?.alias, 'the alias of batch');
    }
    if (action.do === 'wait') return paused(world, state, facts?.alias, action.reason);
    if (action.do === 'stop')
      return state.waiting === undefined
        ? stopped(world, state, facts?.alias)
        : paused(world, state, facts?.alias, 'a deploy waits until the status of its stack can be read');
    if (world.left() < RESERVE_MS) return paused(world, state, facts?.alias, 'goes on at the next tick');
    // Whoever gave this up wrote so before touching anything: with the document as it was after the facts
    // were read, its revision is the fence.
    if (FENCED.has(action.do) && (await world.registry.release(model))?.etag !== found.etag) continue;
    try {
      const done = await act(world, { ...found, release: state }, action, facts?.alias);
      if (done !== undefined) return paused(world, state, facts?.alias, done);
    } catch (error) {
      if (!OF_CAPACITY.has(action.do) || broken !== undefined) throw error;
      // A candidate is judged, somebody told and CloudFormation answered all the same.
      broken = { unreadable: nameAndMessage(error) };
      unseen(world, state, error);
    }
  }
  // Others keep changing what we read; the next tick goes on.
  return { model, phase: 'UNKNOWN', running: true, reason: `no end after ${STEPS} steps` };
}

/** What a release can do without for a while. */
const OF_CAPACITY: ReadonlySet<Action['do']> = new Set(['provide', 'release', 'scale']);

/**
 * Nothing that a slower worker may do once another one has decided otherwise. The alias has a revision
 * besides; capacity has none, so what changes between the look at the document and the very call goes
 * unnoticed.
 */
const FENCED: ReadonlySet<Action['do']> = new Set(['move', ...OF_CAPACITY]);

type Sight =
  | { readonly facts: ReleaseFacts; readonly instead?: undefined }
  | { readonly facts?: undefined; readonly instead: Action };

/**
 * The facts, or what to do without any.
 *
 * @param broken why capacity could not be changed a moment ago
 * @throws Error where alias or stack cannot be read, and nothing can be done about it
 */
async function look(
  world: World,
  state: Release,
  now: number,
  broken: Unreadable | undefined,
): Promise<Sight> {
  try {
    const facts = await gatherFacts(world, state, now);
    for (const [fact, value] of Object.entries(facts))
      if (isUnreadable(value))
        world.log('could not be read', { model: state.model, fact, reason: value.unreadable });
    return { facts: broken !== undefined && facts.held !== undefined ? { ...facts, held: broken } : facts };
  } catch (error) {
    unseen(world, state, error);
    const instead = unsighted(state, nameAndMessage(error), now);
    if (instead === undefined) throw error;
    return { instead };
  }
}

/** @returns whether the alias of batch is where it belongs; if not, there must be a next tick */
async function followed(world: World, state: Release): Promise<boolean> {
  try {
    await followBatch(world, state);
    return true;
  } catch (error) {
    unseen(world, state, error);
    return false;
  }
}

/** An alarm waits for a few of these. */
function unseen(world: World, { model, functionName }: Release, error: unknown): void {
  world.count(WORKER_METRICS.unreadable, functionName);
  world.log('could not be read or changed', { model, reason: nameAndMessage(error) });
}

type Ours = FoundRelease & { readonly release: Release };

/** @returns why nothing more can be done in this invocation; undefined: go on */
async function act(
  world: World,
  { release: state, etag }: Ours,
  action: Exclude<Action, { do: 'wait' | 'stop' }>,
  alias: AliasState | undefined,
): Promise<string | undefined> {
  const { functionName, model } = state;
  const write = async (to: Release): Promise<void> => {
    const written = await world.registry.move(to, etag).catch((error: unknown) => {
      unseen(world, state, error);
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
    case 'notify': {
      const { subject, text } = action.notice;
      try {
        await tellPeople(world, subject, text);
      } catch (error) {
        world.log('a notice could not be published', { model, subject, reason: wordsOf(error) });
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

/** A document that lacks what its phase needs: all traffic goes to stable, and people are told. */
async function giveUp(world: World, state: Aborted, etag: string, now: number): Promise<void> {
  const { model, functionName, reason = '' } = state;
  world.log('the document lacks what its phase needs', { model, reason });
  const to = abort(state, reason, Math.max(now, Date.parse(state.updatedAt)));
  if ((await world.registry.move(to, etag)) === 'ok') world.count(WORKER_METRICS.failed, functionName);
}

/** What an alarm waits for, and what a dashboard marks. */
function noteworthy(world: World, { phase }: Release, to: Release): void {
  if (phase === to.phase) return;
  if (to.phase === 'ROLLED_BACK' || to.phase === 'ABORTED')
    world.count(WORKER_METRICS.failed, to.functionName);
  else if (phase === 'PROMOTING') world.count(WORKER_METRICS.promoted, to.functionName);
}

function paused(world: World, state: Release, alias: AliasState | undefined, reason: string): TickAnswer {
  // Who holds a release manually knows of it.
  if (state.phase === 'HELD' && state.held.by !== 'person')
    world.count(WORKER_METRICS.held, state.functionName);
  return told(state, alias, reason);
}

async function stopped(world: World, state: Release, alias: AliasState | undefined): Promise<TickAnswer> {
  await world.schedules.remove(state.schedule);
  return told(state, alias, undefined);
}

async function pruned(world: World, state: Release, versions: readonly string[]): Promise<void> {
  for (const version of versions) {
    try {
      await world.versions.remove(state.functionName, version);
      world.log('removed a version', { functionName: state.functionName, version });
    } catch (error) {
      // Somebody needs it in a way that we do not see; it costs nothing but storage.
      world.log('a version could not be removed', { version, reason: wordsOf(error) });
    }
  }
}

/** One tick: from the schedule, from `sls deploy`, from an alarm, from anyone. */
export async function tick(world: World, { model, ...input }: TickEvent['tick']): Promise<TickAnswer> {
  let found: Awaited<ReturnType<World['registry']['release']>>;
  try {
    found = await world.registry.release(model);
  } catch (error) {
    world.count(WORKER_METRICS.unreadable, input.functionName);
    await takeAway(world, input);
    return unknown(model, `the registry cannot be read: ${nameAndMessage(error)}`);
  }
  if (found === undefined) {
    const answer = await undocumented(world, { model, ...input });
    if (answer !== undefined) return answer;
  }
  if (found !== undefined && found.release === undefined) await takeAway(world, input);
  // A schedule whose release is over ends itself.
  if (input.schedule !== undefined && found?.release && found.release.release !== input.release) {
    await world.schedules.remove(input.schedule);
  }
  const { deployment } = input;
  try {
    if (deployment !== undefined) await begunBy(world, model, deployment, input.release);
    return await runRelease(world, model);
  } catch (error) {
    // What cannot be noted is not done, so the document that was read tells by when this should have ended.
    if (found?.release !== undefined) await takeAway(world, inputOf(found.release).tick);
    throw error;
  }
}

/**
 * Which deploy it is whose record is to be completed: the first that ticks this very release. One that still
 * follows when another deploy has begun the next release is not the author of that.
 *
 * @param release of the deploy that ticks; an older command line does not tell it
 */
async function begunBy(world: World, model: string, id: string, release: string | undefined): Promise<void> {
  for (let race = 0; race < RACES; race += 1) {
    const found = await world.registry.release(model);
    if (found?.release === undefined || found.release.deployment !== undefined) return;
    if (release !== undefined && found.release.release !== release) return;
    const to = next(found.release, { deployment: { id } }, world.clock());
    if ((await world.registry.move(to, found.etag)) === 'ok') return;
  }
}

/**
 * Without a registry to read and write no weight rises; past the deadline, which the schedule itself tells,
 * it is taken away.
 */
async function takeAway(world: World, input: Omit<TickEvent['tick'], 'model'>): Promise<void> {
  const { functionName, alias: name, stable, deadline } = input;
  if (stable === undefined || deadline === undefined || !(world.clock() > Date.parse(deadline))) return;
  const alias = await world.aliases.get(functionName, name);
  // Promoted means past taking away: what then has 100 % is stable.
  if (alias === undefined || alias.version !== stable || Object.keys(alias.weights).length === 0) return;
  const to = { ...allTraffic(stable), description: takenFrom(input.release ?? 'unknown') };
  const written = await world.aliases.update(functionName, name, to, alias.revision);
  world.log('took the weight away past the deadline', { functionName, alias: name, written });
}

const unknown = (model: string, reason: string): TickAnswer => ({
  model,
  phase: 'UNKNOWN',
  running: true,
  reason,
});
