import { ordered } from './command/command.ts';
import type { PersonCommand, RollbackTarget } from './command/ordered.ts';
import type { Release } from './document/contract.ts';
import type { CommandAnswer } from './document/worker-contract.ts';
import { nameAndMessage } from './failures.ts';
import { scheduleTicks, type World } from './ports.ts';
import { runRelease } from './run.ts';
import { isPending, lastGood } from './state/predicates.ts';

/** Tries of a compare-and-set; each loss means that another worker got on. */
const RACES = 8;

/** Does what a person asks, then goes on as a tick does. */
export async function runPersonCommand(world: World, asked: PersonCommand): Promise<CommandAnswer> {
  const { model, functionName, alias: name } = asked;
  let tried: { readonly next: Release; readonly text: string } | undefined;
  let isTicked = false;
  for (let race = 0; race < RACES; race += 1) {
    const found = await world.registry.release(model);
    if (found?.release === undefined)
      return {
        done: false,
        refused:
          found === undefined
            ? `${model} was never released`
            : 'the registry was written by a newer version of the plugin',
      };
    const state = found.release;
    if (state.functionName !== functionName || state.alias !== name)
      return { done: false, refused: `${model} is served by ${state.functionName}:${state.alias}` };
    // The answer to a write that succeeded may be lost; repeated by the SDK it meets what it wrote itself.
    if (tried !== undefined && isSame(tried.next, state)) return doneAs(world, tried);
    if (race === 0 && state.intent !== undefined && asked.verb !== 'rollback') {
      // A move that is under way, or that a dead worker left, is made first.
      await runRelease(world, model);
      continue;
    }
    const [alias, stack, target] = await Promise.all([
      world.aliases.get(functionName, name),
      world.stacks.state(state.stack),
      targetOf(world, asked, state),
    ]);
    const answer = ordered(state, asked, { alias, stack }, target, world.clock());
    world.log('info', 'command', { model, verb: asked.verb, by: asked.by, to: asked.to, answer: answer.do });
    if (answer.do === 'refuse') {
      if (state.intent === undefined || isTicked) return { done: false, refused: answer.reason };
      // What was asked for may be written down, and still be to be done: a worker could not move the alias.
      isTicked = true;
      await runRelease(world, model);
      continue;
    }
    const { told: _, ...at } = answer.next.schedule;
    const next = { ...answer.next, schedule: at };
    tried = { next, text: answer.text };
    if ((await world.registry.move(next, found.etag)) === 'ok') return doneAs(world, tried);
  }
  return { done: false, refused: 'the release moves too fast: try again' };
}

const isSame = (one: Release, other: Release): boolean => JSON.stringify(one) === JSON.stringify(other);

/** It is written down: what follows from it is done now, or by the next tick. */
async function doneAs(
  world: World,
  { next, text }: { readonly next: Release; readonly text: string },
): Promise<CommandAnswer> {
  const { model } = next;
  // A release that was over has no tick any more, and this worker may die before it is done.
  await scheduleTicks(world, next).catch((error) =>
    world.log('warn', 'the tick could not be scheduled', { model, reason: nameAndMessage(error) }),
  );
  return { done: true, text, tick: await runRelease(world, model) };
}

/** The version that a rollback leads to, by its name or as the last good one. */
async function targetOf(
  world: World,
  { model, functionName, verb, to }: PersonCommand,
  state: Release,
): Promise<RollbackTarget | undefined> {
  const version = to ?? (verb === 'rollback' && !isPending(state) ? lastGood(state)?.version : undefined);
  if (version === undefined) return undefined;
  try {
    const [record, published] = await Promise.all([
      world.registry.known(model, version),
      world.versions.list(functionName),
    ]);
    return { record, published: published.includes(version) };
  } catch (error) {
    if (to !== undefined) throw error;
    // It was live before, so as a rule it is there: nobody waits with an incident until that can be told.
    return undefined;
  }
}
