import type { Core, Found } from '../shared/registry.ts';
import { type Admission, admit, type Facts } from './admit.ts';
import type { Release } from './contract.ts';
import type { Incoming } from './events.ts';
import { messageOf, run } from './run.ts';
import { iso, next } from './steps.ts';
import { whole } from './target.ts';
import { respond, schedule, type World } from './world.ts';

type Ask = Extract<Incoming, { kind: 'ask' }>;
type Remove = Extract<Incoming, { kind: 'delete' }>;

/** Tries of a compare-and-set before giving up; each loss means that another worker got on. */
const TRIES = 8;

/**
 * A Create or Update. Until the tick is scheduled every failure is answered at once, nothing touched; from then on
 * an error is thrown, and Lambda's retry or the next tick goes on where this one stopped.
 */
export async function serve(world: World, ask: Ask): Promise<void> {
  try {
    if (!(await take(world, ask))) return;
  } catch (error) {
    world.log('the request could not be taken on', { requestId: ask.asked.id, error: messageOf(error) });
    await respond(world, ask.caller, 'FAILED', `nothing was changed: ${messageOf(error)}`);
    return;
  }
  await run(world, ask.asked.model);
}

/** Writes the request down and schedules the tick. @returns false where it is answered already. */
async function take(world: World, ask: Ask): Promise<boolean> {
  const { asked, caller } = ask;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const alias = await world.aliases.get(asked.functionName, asked.alias);
    const facts: Facts = { alias, stack: await world.stacks.state(asked.stack) };
    let found: Found | undefined;
    try {
      found = await world.registry.release(asked.model);
    } catch (error) {
      return withoutRegistry(
        world,
        ask,
        facts,
        undefined,
        `the registry cannot be read: ${messageOf(error)}`,
      );
    }
    const newer = found !== undefined && found.release === undefined;
    if (newer && asked.type === 'Update') {
      return withoutRegistry(
        world,
        ask,
        facts,
        found?.core,
        'the registry was written by a newer version of the plugin; use that',
      );
    }
    const admission = admit(found?.release, asked, facts, world.clock());
    world.log('request', {
      requestId: asked.id,
      type: asked.type,
      model: asked.model,
      version: asked.version,
      stack: facts.stack,
      admission: admission.do,
    });
    if (admission.do === 'stale') {
      await respond(world, caller, 'FAILED', admission.reason);
      return false;
    }
    if (admission.do === 'repeat') {
      // Taken on before, perhaps by a worker that died before it could schedule the tick.
      if (found?.release?.request?.id === asked.id && found.release.request.url !== undefined)
        await schedule(world, found.release);
      return true;
    }
    if (await write(world, ask, admission, found)) return true;
  }
  throw new Error(`the registry changed under each of ${TRIES} attempts`);
}

/** @returns false where another worker was faster. @throws Error where the tick cannot be scheduled. */
async function write(
  world: World,
  { asked, record }: Ask,
  admission: Extract<Admission, { do: 'write' }>,
  found: Found | undefined,
): Promise<boolean> {
  await world.registry.version(record);
  if (found !== undefined && found.release === undefined) {
    await world.registry.archive({ model: asked.model, text: found.text, at: iso(world.clock()) });
  } else if (found?.release !== undefined && admission.archive) {
    const running = found.release.phase === 'PROMOTING' || found.release.phase === 'HELD';
    await world.registry.archive({
      model: asked.model,
      release: running ? { ...found.release, phase: 'SUPERSEDED' } : found.release,
    });
  }
  if ((await world.registry.move(admission.next, found?.etag)) === 'changed') return false;
  try {
    await schedule(world, admission.next);
  } catch (error) {
    // A rollback must get through with or without a tick; Lambda's own retries stand behind it.
    if (admission.next.request?.kind === 'rollback') return true;
    await takeBack(world, admission.next, found?.release);
    throw error;
  }
  return true;
}

/** The document as it was, the request remembered: it is refused, and a late repetition must not revive it. */
async function takeBack(world: World, written: Release, before: Release | undefined): Promise<void> {
  const found = await world.registry.release(written.model);
  if (found?.release?.rev !== written.rev || found.release.release !== written.release) return;
  const { request, requests, highest } = written;
  const { url: _, ...answered } = { ...request, answered: 'FAILED' as const };
  const kept = {
    rev: written.rev,
    requests,
    highest,
    request: request && {
      ...answered,
      id: request.id,
      kind: request.kind,
      logicalId: request.logicalId,
      answerBy: request.answerBy,
    },
  };
  const base: Release = {
    ...(before ?? { ...written, phase: 'ABORTED' as const }),
    ...(kept as Partial<Release>),
  } as Release;
  await world.registry.move(
    next(
      base,
      before === undefined ? { intent: undefined, reason: 'the tick could not be scheduled' } : {},
      world.clock(),
    ),
    found.etag,
  );
}

/**
 * The last resort, with nothing to read but the template: a stack that rolls back gets all traffic on the version
 * that it goes back to (or the older one that has it), since failing would leave it stuck half-way. Anything else fails.
 */
async function withoutRegistry(
  world: World,
  ask: Ask,
  facts: Facts,
  core: Core | undefined,
  reason: string,
): Promise<false> {
  const { asked, caller, before } = ask;
  const version = Number(asked.version);
  const back = facts.stack === 'rollingBack' || version < (core?.highest ?? Number(before ?? 0));
  if (asked.type !== 'Update' || !back) throw new Error(reason);
  let alias = facts.alias;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const stable = [
      core?.functionName === asked.functionName ? core.stable?.version : undefined,
      alias?.version,
    ].find((known) => known !== undefined && Number(known) <= version);
    const to = { ...whole(stable ?? asked.version), description: `serverless-models ${asked.id}` };
    const written =
      alias === undefined
        ? await world.aliases.create(asked.functionName, asked.alias, to)
        : await world.aliases.update(asked.functionName, asked.alias, to, alias.revision);
    if (written !== 'changed') {
      await respond(world, caller, 'SUCCESS', `all traffic on version ${to.version}; ${reason}`);
      return false;
    }
    alias = await world.aliases.get(asked.functionName, asked.alias);
  }
  throw new Error(reason);
}

/**
 * Delete: stops the release, then takes away whatever there is of schedule, capacity and alias, absent and half-made
 * things included. Writes nothing to the registry, which `sls remove` may have emptied before.
 */
export async function remove(world: World, { caller, functionName, alias, model }: Remove): Promise<void> {
  try {
    const found = await world.registry.release(model).catch(() => undefined);
    const release = found?.release;
    if (release?.functionName === functionName) await world.schedules.remove(release.schedule);
    for (const qualifier of await world.capacity.list(functionName))
      await world.capacity.release(functionName, qualifier);
    await world.aliases.remove(functionName, alias);
  } catch (error) {
    await respond(world, caller, 'FAILED', messageOf(error));
    return;
  }
  await respond(world, caller, 'SUCCESS', `${functionName}:${alias} is gone`);
}
