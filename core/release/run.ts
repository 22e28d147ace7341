import type { AliasState } from '../ports/aws.ts';
import { act } from './act.ts';
import { decide, unsighted } from './decide.ts';
import type { Aborted, Release } from './document/contract.ts';
import { type TickAnswer, WORKER_METRICS } from './document/worker-contract.ts';
import { nameAndMessage } from './failures.ts';
import { followBatch } from './follow-batch.ts';
import { countUnread, type World } from './ports.ts';
import { pruned } from './prune.ts';
import { gatherFacts } from './read-facts.ts';
import type { Action, Postponable } from './state/action.ts';
import { say } from './state/alias-target.ts';
import { RESERVE_MS } from './state/durations.ts';
import { isUnreadable, type ReleaseFacts, type Unreadable } from './state/facts.ts';
import { abort } from './state/transitions.ts';
import { told, unknownAnswer } from './tick-answer.ts';
import { readmitted } from './waiting.ts';
import { writtenBack } from './write-back.ts';

/**
 * Actions in one invocation; a whole release takes about twenty, and each conflict with another worker one
 * more.
 */
const STEPS = 60;

/**
 * Reads, decides and acts until there is nothing to do but wait. Anyone may call it at any time, also twice
 * at once.
 */
export async function runRelease(world: World, model: string): Promise<TickAnswer> {
  let broken: Unreadable | undefined;
  const postponed = new Map<Postponable, string>();
  let isFreed = false;
  for (let step = 0; step < STEPS; step += 1) {
    const found = await world.registry.release(model);
    if (found === undefined) return { model, phase: 'NONE', running: false };
    if (found.release === undefined)
      return unknownAnswer(model, 'the registry was written by a newer version of the plugin');
    const state = found.release;
    const now = world.clock();
    if (found.lacking !== undefined) {
      await giveUp(world, found.lacking, found.etag, now);
      continue;
    }
    if (state.waiting !== undefined && (await readmitted(world, { ...found, release: state }, state.waiting)))
      continue;
    const { facts, instead } = await look(world, state, now, broken);
    const action = facts === undefined ? instead : decide(state, { ...facts, postponed }, now);
    world.log('info', 'decided', {
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
      const batch = await followed(world, state);
      if (batch === 'failed') return paused(world, state, facts?.alias, 'the alias of batch');
      // The document that told where to may be another one by now, and nobody else may come to see it.
      if (batch === 'moved' && (await world.registry.release(model))?.etag !== found.etag) continue;
      const back = await writtenBack(world, { ...found, release: state }, facts);
      if (back === 'changed') continue;
      if (back === 'pending' && action.do === 'stop')
        return paused(world, state, facts?.alias, 'MLflow is still to be told what is live');
    }
    const [left] = postponed.values();
    if (action.do === 'wait') return paused(world, state, facts?.alias, left ?? action.reason);
    if (action.do === 'stop' && left !== undefined) return paused(world, state, facts?.alias, left);
    if (action.do === 'stop')
      return state.waiting === undefined
        ? stopped(world, state, facts?.alias)
        : paused(world, state, facts?.alias, 'a deploy waits until the status of its stack can be read');
    if (world.left() < RESERVE_MS) return paused(world, state, facts?.alias, 'goes on at the next tick');
    // Whoever gave this up wrote so before touching anything: with the document as it was after the facts
    // were read, its revision is the fence.
    if (FENCED.has(action.do) && (await world.registry.release(model))?.etag !== found.etag) continue;
    try {
      const done = await act(world, { ...found, release: state }, action, facts?.alias, isFreed);
      isFreed ||= action.do === 'release';
      if (done === undefined) continue;
      if ('pause' in done) return paused(world, state, facts?.alias, done.pause);
      postponed.set(done.postpone, done.why);
    } catch (error) {
      if (!OF_CAPACITY.has(action.do) || broken !== undefined) throw error;
      // A candidate is judged, somebody told and CloudFormation answered all the same.
      broken = { unreadable: nameAndMessage(error) };
      countUnread(world, state, error);
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
const FENCED: ReadonlySet<Action['do']> = new Set(['move', 'retire', ...OF_CAPACITY]);

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
        world.log('warn', 'could not be read', { model: state.model, fact, reason: value.unreadable });
    return { facts: broken !== undefined && facts.held !== undefined ? { ...facts, held: broken } : facts };
  } catch (error) {
    countUnread(world, state, error);
    const instead = unsighted(state, nameAndMessage(error), now);
    if (instead === undefined) throw error;
    return { instead };
  }
}

/** @returns `failed`: the alias of batch may not be where it belongs, so there must be a next tick */
async function followed(world: World, state: Release): Promise<'moved' | 'stays' | 'failed'> {
  try {
    return (await followBatch(world, state)) ? 'moved' : 'stays';
  } catch (error) {
    countUnread(world, state, error);
    return 'failed';
  }
}

/** A document that lacks what its phase needs: all traffic goes to stable, and people are told. */
async function giveUp(world: World, state: Aborted, etag: string, now: number): Promise<void> {
  const { model, functionName, reason = '' } = state;
  world.log('error', 'the document lacks what its phase needs', { model, reason });
  const to = abort(state, reason, Math.max(now, Date.parse(state.updatedAt)));
  if ((await world.registry.move(to, etag)) === 'ok') world.count(WORKER_METRICS.failed, functionName);
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
