import { type TickAnswer, type TickEvent, WORKER_METRICS } from './document/worker-contract.ts';
import { nameAndMessage } from './failures.ts';
import { logAliasWrite, type World } from './ports.ts';
import { runRelease } from './run.ts';
import { allTraffic, takenFrom } from './state/alias-target.ts';
import { next } from './state/next.ts';
import { inputOf } from './state/tick-schedule.ts';
import { unknownAnswer } from './tick-answer.ts';
import { undocumented } from './undocumented.ts';

/** Tries of a compare-and-set. */
const RACES = 8;

/** One tick: from the schedule, from `sls deploy`, from an alarm, from anyone. */
export async function tick(world: World, { model, ...input }: TickEvent['tick']): Promise<TickAnswer> {
  let found: Awaited<ReturnType<World['registry']['release']>>;
  try {
    found = await world.registry.release(model);
  } catch (error) {
    world.count(WORKER_METRICS.unreadable, input.functionName);
    await takeAway(world, input);
    return unknownAnswer(model, `the registry cannot be read: ${nameAndMessage(error)}`);
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
    // One that lacks something is given up first, as it is.
    if (found?.release === undefined || found.lacking !== undefined) return;
    if (found.release.deployment !== undefined) return;
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
  logAliasWrite(world, 'warn', 'took the weight away past the deadline', {
    functionName,
    alias: name,
    written,
  });
}
