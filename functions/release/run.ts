import type { AliasState } from '../shared/aws/ports.ts';
import type { Intent, Release, TickAnswer, TickEvent } from './contract.ts';
import { decide, refused } from './decide.ts';
import { describe, points, say, whole } from './target.ts';
import { respond, schedule, type World } from './world.ts';

/** Actions in one invocation; a release of one strategy takes about six, and each conflict with another worker one more. */
const STEPS = 30;

/** Reads, decides and acts until there is nothing to do but wait. Anyone may call it at any time, also twice at once. */
export async function run(world: World, model: string): Promise<TickAnswer> {
  for (let step = 0; step < STEPS; step += 1) {
    const found = await world.registry.release(model);
    if (found === undefined) return { model, phase: 'NONE', running: false };
    if (found.release === undefined)
      return unknown(model, 'the registry was written by a newer version of the plugin');
    const state = found.release;
    const alias = await world.aliases.get(state.functionName, state.alias);
    const stack = await world.stacks.state(state.stack);
    const action = decide(state, { alias, stack }, world.clock());
    world.log('decided', {
      model,
      release: state.release,
      rev: state.rev,
      phase: state.phase,
      stack,
      alias: say(alias),
      action: action.do,
    });
    switch (action.do) {
      case 'write': {
        const written = await world.registry.move(action.next, found.etag);
        if (written === 'ok' && action.reschedule === true) await schedule(world, action.next);
        break;
      }
      case 'move':
        await move(world, state, action.intent, alias, found.etag);
        break;
      case 'answer': {
        const { request, functionName } = state;
        if (request?.url !== undefined) {
          const physicalId = `${functionName}:${state.alias}`;
          await respond(
            world,
            { ...request, url: request.url, stack: state.stack, physicalId },
            action.status,
            action.reason,
          );
        }
        await world.registry.move(action.next, found.etag);
        break;
      }
      case 'wait':
        return answer(state, alias, action.reason);
      case 'stop':
        await world.schedules.remove(state.schedule);
        return answer(state, alias);
    }
  }
  // Others keep changing what we read; the next tick goes on.
  return { model, phase: 'UNKNOWN', running: true, reason: `no end after ${STEPS} steps` };
}

/** The one place that moves an alias. The state already holds the intent. */
async function move(
  world: World,
  state: Release,
  intent: Intent,
  alias: AliasState | undefined,
  etag: string,
): Promise<void> {
  const to = { ...intent.after, description: describe(intent) };
  const { functionName, alias: name } = state;
  const written =
    alias === undefined
      ? await world.aliases.create(functionName, name, to)
      : await world.aliases.update(functionName, name, to, alias.revision);
  world.log('moved the alias', { functionName, alias: name, from: say(alias), to: say(to), written });
  if (typeof written === 'object')
    await world.registry.move(refused(state, intent, written.refused, world.clock()), etag);
}

/** One tick: from the schedule, from `sls deploy`, from anyone. */
export async function tick(world: World, { model, ...input }: TickEvent['tick']): Promise<TickAnswer> {
  let found: Awaited<ReturnType<World['registry']['release']>>;
  try {
    found = await world.registry.release(model);
  } catch (error) {
    await takeAway(world, input);
    return unknown(model, `the registry cannot be read: ${messageOf(error)}`);
  }
  if (found !== undefined && found.release === undefined) await takeAway(world, input);
  // A schedule whose release is over, or that a removed registry left behind, ends itself.
  if (
    input.schedule !== undefined &&
    (found === undefined || (found.release && found.release.release !== input.release))
  ) {
    await world.schedules.remove(input.schedule);
  }
  return run(world, model);
}

/** Without a registry no weight rises; past the deadline, which the schedule itself tells, it is taken away. */
async function takeAway(world: World, input: Omit<TickEvent['tick'], 'model'>): Promise<void> {
  const { functionName, alias: name, stable, deadline } = input;
  if (stable === undefined || deadline === undefined || !(world.clock() > Date.parse(deadline))) return;
  const alias = await world.aliases.get(functionName, name);
  // Promoted means past taking away: what then has 100 % is stable.
  if (alias === undefined || alias.version !== stable || Object.keys(alias.weights).length === 0) return;
  const to = {
    version: stable,
    weights: {},
    description: 'serverless-models: weight taken away past the deadline',
  };
  const written = await world.aliases.update(functionName, name, to, alias.revision);
  world.log('took the weight away past the deadline', { functionName, alias: name, written });
}

const unknown = (model: string, reason: string): TickAnswer => ({
  model,
  phase: 'UNKNOWN',
  running: true,
  reason,
});

export const messageOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

function answer(state: Release, alias: AliasState | undefined, waiting?: string): TickAnswer {
  const reason = waiting ?? moved(state, alias) ?? state.reason;
  return {
    model: state.model,
    phase: state.phase,
    running: state.phase === 'PROMOTING' || state.intent !== undefined,
    ...(alias && { version: alias.version }),
    ...(state.candidate && { candidate: state.candidate.version }),
    ...(reason !== undefined && { reason }),
  };
}

/** Nobody calls on us when an alias is moved by hand after a release; whoever asks next is told. */
function moved({ phase, stable }: Release, alias: AliasState | undefined): string | undefined {
  if (phase !== 'DONE' || stable === undefined || alias === undefined || points(alias, whole(stable.version)))
    return undefined;
  return `the release ended with version ${stable.version} live, and the alias was moved since; the next deploy that changes the model goes on from there`;
}
