import { messageOf } from '../errors/aws-errors.ts';
import type { AliasState } from '../ports/aws.ts';
import type { FoundRelease } from '../registry/port.ts';
import { UNATTENDED, WORKER_METRICS } from './document/worker-contract.ts';
import type { World } from './ports.ts';
import { RESERVE_MS } from './state/durations.ts';
import { isAtRest, scheduleOf } from './state/tick-schedule.ts';

/**
 * The stack's own schedule looks after those of the releases: one that is lost is made again, weights that
 * nobody looks at are counted for an alarm, and so is each look itself, since an alarm hears of a sweep that
 * stays away, too.
 */

/** Models that are looked at beside each other. */
const AT_ONCE = 8;

/** The one alias of a function that no document tells of. */
const ALIAS = 'live';

/**
 * @throws Error where the registry cannot be listed; what cannot be read of one model keeps nobody from the
 * others
 */
export async function sweep(world: World): Promise<void> {
  const [models, functions] = await Promise.all([world.registry.models(), world.registry.functions()]);
  const documented = new Set<string>();
  await each(world, models, async (model) => {
    const found = await world.registry.release(model);
    if (found === undefined) return;
    documented.add(found.core.functionName);
    await ofDocument(world, model, found);
  });
  const others = functions.filter((name) => !documented.has(name));
  await each(world, others, (functionName) => ofFunction(world, functionName, new Set(models)));
  world.log('info', 'swept', { models: models.length, functions: functions.length });
}

/**
 * A model with a document. One whose alias is gone was removed, or its next tick or deploy sees to it.
 *
 * A schedule that is there may be unable to call, for example since a deploy replaced its role: where nobody
 * looks at weights it is told anew. Else it is left as it is, since a tick may be changing it.
 */
async function ofDocument(world: World, model: string, found: FoundRelease): Promise<void> {
  const { functionName, alias: name } = found.core;
  const state = found.release;
  const alias = await readable(world, functionName, () => world.aliases.get(functionName, name));
  if (alias === undefined) return;
  const isSeen = await weighed(world, functionName, alias, async () => {
    const ticked = state === undefined ? 0 : Date.parse(state.updatedAt);
    if (world.clock() - ticked < UNATTENDED * 1000) return true;
    // Written before each move: weights that came between the two looks are nobody's neglect.
    return (await world.registry.release(model))?.etag !== found.etag;
  });
  if (state !== undefined && !isAtRest(state, alias, world.clock())) {
    const schedule = scheduleOf(state, world.worker);
    const made = await readable(world, functionName, () => world.schedules.make(schedule));
    if (made === 'there' && !isSeen) await readable(world, functionName, () => world.schedules.put(schedule));
    const { release, phase } = state;
    if (made === 'made') world.log('info', 'put a schedule back', { model, release, phase });
    else if (!isSeen) world.log('info', 'told a schedule anew', { model, release, phase });
  }
  world.count(WORKER_METRICS.swept, functionName);
}

/** A function whose model has no document, or one that is of another function. */
async function ofFunction(world: World, functionName: string, models: ReadonlySet<string>): Promise<void> {
  const model = await world.registry.modelOf(functionName);
  const found =
    model !== undefined && models.has(model)
      ? await readable(world, functionName, () => world.registry.release(model))
      : undefined;
  if (found?.core.functionName === functionName) return;
  const alias = await world.aliases.get(functionName, ALIAS);
  if (alias === undefined) return;
  await weighed(world, functionName, alias, async () => {
    const now = model === undefined ? undefined : await world.registry.release(model);
    return now?.core.functionName === functionName;
  });
  world.count(WORKER_METRICS.swept, functionName);
}

/** Counts weights that nobody looks at. @returns false of such */
async function weighed(
  world: World,
  functionName: string,
  { version, weights }: AliasState,
  isAttended: () => Promise<boolean>,
): Promise<boolean> {
  if (Object.keys(weights).length === 0 || (await isAttended())) return true;
  world.count(WORKER_METRICS.unattended, functionName);
  world.log('error', 'nobody looks at the weights of an alias', { functionName, version, weights });
  return false;
}

/** What cannot be read or made is counted for the function that it is about. */
async function readable<T>(world: World, functionName: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    world.count(WORKER_METRICS.unreadable, functionName);
    throw error;
  }
}

/**
 * Some beside each other; an error ends one look. What there is no time for is found missing by its alarm.
 */
async function each(
  world: World,
  names: readonly string[],
  look: (name: string) => Promise<void>,
): Promise<void> {
  const waiting = [...names];
  const workers = Array.from({ length: Math.min(AT_ONCE, names.length) }, async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      if (world.left() < RESERVE_MS) {
        world.log('warn', 'there was no time to look', { name });
        continue;
      }
      try {
        await look(name);
      } catch (error) {
        world.log('warn', 'could not be looked at', { name, reason: messageOf(error) });
      }
    }
  });
  await Promise.all(workers);
}
