import { messageOf } from '../errors/aws-errors.ts';
import type { AliasState } from '../ports/aws.ts';
import type { Notice } from './document/parts-contract.ts';
import { type TickAnswer, type TickEvent, WORKER_METRICS } from './document/worker-contract.ts';
import { logAliasWrite, tellPeople, type World } from './ports.ts';
import { allTraffic, say, takenWithout } from './state/alias-target.ts';
import { notice } from './state/notices.ts';

/**
 * A tick whose release has no document: somebody deleted it, or the worker reads another registry than
 * before. Nobody can judge what has a weight then, so the weight is taken away, and somebody is told. What
 * the tick brings is all that is known.
 */

/** Tries of a compare-and-set. */
const RACES = 4;

type Tick = TickEvent['tick'];

/**
 * The schedule stays until no weight is left that the release gave, and somebody was told.
 *
 * @returns what to answer; undefined where a document has appeared meanwhile
 */
export async function undocumented(world: World, tick: Tick): Promise<TickAnswer | undefined> {
  const { model, functionName, alias: name, schedule, stack } = tick;
  try {
    if (schedule === undefined) return nothing(model, await world.aliases.get(functionName, name));
    if (stack !== undefined && (await world.stacks.state(stack)) === 'gone') {
      await world.schedules.remove(schedule);
      return nothing(model, undefined);
    }
    const left = await withoutWeight(world, tick);
    if (left === 'documented') return undefined;
    // A model that was removed is missed by nobody.
    if (left !== undefined || (await world.versions.list(functionName)).length > 0) {
      const { subject, text } = gone(tick, left, world.clock());
      await tellPeople(world, subject, text);
    }
    await world.schedules.remove(schedule);
    return nothing(model, left);
  } catch (error) {
    world.count(WORKER_METRICS.unreadable, functionName);
    world.log('error', 'a release without a document could not be ended', {
      model,
      reason: messageOf(error),
    });
    const reason =
      schedule === undefined
        ? `no release has a document, and the alias cannot be read: ${messageOf(error)}`
        : `its release document is gone, and the next tick tries again: ${messageOf(error)}`;
    return { model, phase: 'NONE', running: false, reason };
  }
}

/** @returns the alias as it stands afterwards; undefined where there is none */
async function withoutWeight(
  world: World,
  { model, functionName, alias: name, stable, release = 'unknown' }: Tick,
): Promise<AliasState | 'documented' | undefined> {
  for (let race = 0; race < RACES; race += 1) {
    const alias = await world.aliases.get(functionName, name);
    if (alias === undefined || !isSplit(alias) || alias.version !== stable) return alias;
    // Whoever moves the alias writes so before: what appears from now on changes the alias's revision first.
    if ((await world.registry.release(model)) !== undefined) return 'documented';
    const to = { ...allTraffic(stable), description: takenWithout(release) };
    const written = await world.aliases.update(functionName, name, to, alias.revision);
    logAliasWrite(world, 'warn', 'took the weight away without a document', {
      functionName,
      alias: name,
      from: say(alias),
      written,
    });
    if (typeof written === 'object') throw new Error(`the weight stays: ${written.refused}`);
  }
  const now = await world.aliases.get(functionName, name);
  if (now !== undefined && isSplit(now) && now.version === stable)
    throw new Error(`the alias changed under each of ${RACES} attempts`);
  return now;
}

const isSplit = ({ weights }: AliasState): boolean => Object.keys(weights).length > 0;

/** What is told. Pure. */
function gone(tick: Tick, alias: AliasState | undefined, now: number): Notice {
  const { model, functionName, release = 'unknown' } = tick;
  const lines = [
    `What was done: ${done(tick, alias, alias?.description === takenWithout(release))}`,
    `What it means: releases/${model}/live.json is gone from the registry that the release worker reads. Nobody judges a release of this model or watches its live version, and no alarm brings a version back. Which versions were refused and which one was the last good one is lost.`,
    `What to do: see "sls models status --model ${model}". Find out who deleted the document, or named another registry. "sls deploy" begins a new release of what the folder offers, beside what is live now.`,
  ];
  return notice({ model, functionName }, 'its release document is gone', lines, true, now);
}

function done({ alias: name, stable }: Tick, alias: AliasState | undefined, taken: boolean): string {
  if (alias === undefined) return `nothing; the alias ${name} is gone, too, and callers get errors.`;
  const at = `it points to ${say(alias)}`;
  if (taken && !isSplit(alias) && alias.version === stable)
    return `version ${stable} has all traffic again; the version that was being released has none.`;
  if (stable === undefined)
    return `nothing: no version was live when the release began, so none is known to be good. The alias is as it was found: ${at}.`;
  if (alias.version === stable) return `nothing: version ${stable} has all traffic.`;
  return `nothing: version ${stable} was live when the schedule was last told, and the alias was moved since. The alias is as it was found: ${at}.`;
}

/** A release that is not recorded. Weights that stand all the same are not kept quiet about. */
const nothing = (model: string, alias: AliasState | undefined): TickAnswer => ({
  model,
  phase: 'NONE',
  running: false,
  ...(alias !== undefined && { version: alias.version }),
  ...(alias !== undefined &&
    isSplit(alias) && {
      reason: `the alias points to ${say(alias)}, and nobody judges it: no release has a document`,
    }),
});
