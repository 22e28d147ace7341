import type { Core, FoundRelease } from '../registry/port.ts';
import { iso } from '../units/time.ts';
import { type Admission, admit, type BeforeAdmission as Facts, unchanged } from './admission/admission.ts';
import { deletedBy, passedOver } from './admission/deletion.ts';
import { givenBack } from './admission/given-back.ts';
import { endedBy } from './admission/withdraw.ts';
import type { Release } from './document/contract.ts';
import type { VersionRecord } from './document/history-contract.ts';
import type { Incoming, StackCaller } from './events/events.ts';
import { nameAndMessage, untilAgain } from './failures.ts';
import { respond, scheduleTicks, type World } from './ports.ts';
import { runRelease } from './run.ts';
import { allTraffic, rolledBackWithout } from './state/alias-target.ts';
import { type Kept, keep, recordedAt, tickable } from './write-down.ts';

type Ask = Extract<Incoming, { kind: 'ask' }>;
type Remove = Extract<Incoming, { kind: 'delete' }>;

/** Tries of a compare-and-set; each loss means that another worker got on. */
const RACES = 8;

/** `run`: taken on, go on. `answered`: all is done. `refused`: answer FAILED, nothing was touched. */
type Taken = Kept | 'answered' | { readonly refused: string };

/**
 * A Create or Update. Until the tick is scheduled every failure is answered at once, nothing touched; from
 * then on an error is thrown, and Lambda's retry or the next tick goes on where this one stopped.
 */
export async function serve(world: World, ask: Ask): Promise<void> {
  const taken = await take(world, ask);
  if (typeof taken === 'object') {
    world.log('info', 'the request is refused', { requestId: ask.asked.id, reason: taken.refused });
    await respond(world, ask.caller, 'FAILED', unchanged(taken.refused));
  }
  if (taken === 'run') await runRelease(world, ask.asked.model);
}

/** Writes the request down and schedules the tick. */
async function take(world: World, ask: Ask): Promise<Taken> {
  let [races, failures] = [0, 0];
  for (;;) {
    try {
      const taken = await attempt(world, ask, (error) => untilAgain(error, failures + 1) !== undefined);
      if (taken !== 'changed') return taken;
      races += 1;
      if (races === RACES) return { refused: `the registry changed under each of ${RACES} attempts` };
    } catch (error) {
      failures += 1;
      const pause = untilAgain(error, failures);
      if (pause === undefined) return { refused: nameAndMessage(error) };
      await world.pause(pause);
    }
  }
}

/** @throws Error where a call failed, and trying again may help */
async function attempt(
  world: World,
  ask: Ask,
  mayPass: (error: unknown) => boolean,
): Promise<Taken | 'changed'> {
  const { asked, caller } = ask;
  const alias = await world.aliases.get(asked.functionName, asked.alias);
  const facts: Facts = { alias, stack: await world.stacks.state(asked.stack) };
  let found: FoundRelease | undefined;
  try {
    found = await world.registry.release(asked.model);
  } catch (error) {
    if (mayPass(error)) throw error;
    return withoutRegistry(
      world,
      ask,
      facts,
      undefined,
      `the registry cannot be read: ${nameAndMessage(error)}`,
    );
  }
  if (found !== undefined && found.release === undefined && asked.type === 'Update') {
    return withoutRegistry(
      world,
      ask,
      facts,
      found.core,
      'the registry was written by a newer version of the plugin; use that',
    );
  }
  const recorded = await recordedAt(world, asked, alias, found?.release);
  const admission = admit(found?.release, asked, { ...facts, recorded }, world.clock());
  const { id, type, model, version } = asked;
  world.log('info', 'request', {
    requestId: id,
    type,
    model,
    version,
    stack: facts.stack,
    admission: admission.do,
  });
  switch (admission.do) {
    case 'stale':
      if (
        admission.next !== undefined &&
        (await world.registry.move(admission.next, found?.etag)) === 'changed'
      )
        return 'changed';
      await respond(world, caller, 'FAILED', admission.reason);
      return 'answered';
    case 'repeat': {
      // Taken on before, perhaps by a worker that died before it could schedule the tick.
      const { request: open, waiting } = found?.release ?? {};
      const isOpen = (open?.id === id && open.url !== undefined) || waiting?.asked.id === id;
      return isOpen && found?.release !== undefined ? tickable(world, found.release, 'unknown') : 'run';
    }
    case 'refuse':
    case 'write':
      try {
        return await note(world, ask, admission, found);
      } catch (error) {
        if (mayPass(error)) throw error;
        const reason = `the registry cannot be written: ${nameAndMessage(error)}`;
        return withoutRegistry(world, ask, facts, found?.core, reason);
      }
  }
}

async function note(
  world: World,
  { asked, record }: Ask,
  admission: Extract<Admission, { do: 'write' | 'refuse' }>,
  found: FoundRelease | undefined,
): Promise<Kept | 'changed'> {
  if (admission.do === 'write') {
    await world.registry.version(await whole(world, record));
    await world.registry.serves(asked.functionName, asked.model);
    if (found !== undefined && found.release === undefined)
      await world.registry.archive({ model: asked.model, text: found.text, at: iso(world.clock()) });
  }
  return keep(world, admission, found);
}

/** With the digest of its image: the template has its tag only. What cannot be read is recorded without. */
async function whole(world: World, record: VersionRecord): Promise<VersionRecord> {
  const { image, functionName, version } = record;
  if (image === undefined) return record;
  const digests = await world.versions.digests(functionName).catch((error: unknown) => {
    world.log('warn', 'the digest of an image could not be read', { version, reason: nameAndMessage(error) });
    return undefined;
  });
  const digest = digests?.get(version);
  return digest === undefined ? record : { ...record, image: { ...image, digest } };
}

/**
 * The last resort, with nothing to read but the template: a stack that rolls back gets all traffic on the
 * version that has it, unless the stack is about to delete that one, since failing would leave it stuck
 * half-way. Anything else fails.
 */
async function withoutRegistry(
  world: World,
  ask: Ask,
  facts: Facts,
  core: Core | undefined,
  reason: string,
): Promise<Taken> {
  const { asked, caller } = ask;
  if (asked.type !== 'Update' || facts.stack !== 'rollingBack') return { refused: reason };
  const gone = asked.before !== asked.version ? asked.before : undefined;
  const recorded = core?.functionName === asked.functionName ? core.stable?.version : undefined;
  let alias = facts.alias;
  for (let race = 0; race < RACES; race += 1) {
    const stable = [recorded, alias?.version].find((known) => known !== undefined && known !== gone);
    const to = { ...allTraffic(stable ?? asked.version), description: rolledBackWithout(asked.id) };
    const written =
      alias === undefined
        ? await world.aliases.create(asked.functionName, asked.alias, to)
        : await world.aliases.update(asked.functionName, asked.alias, to, alias.revision);
    if (written !== 'changed') {
      const done =
        typeof written === 'object'
          ? `the alias could not be moved to version ${to.version}: ${written.refused}`
          : `all traffic on version ${to.version}`;
      await respond(world, caller, 'SUCCESS', `${done}; ${reason}`);
      return 'answered';
    }
    alias = await world.aliases.get(asked.functionName, asked.alias);
  }
  return { refused: reason };
}

/**
 * Delete: stops the release, then takes away whatever there is of schedule, capacity and alias, absent and
 * half-made things included. Makes no document in the registry, which `sls remove` may have emptied before.
 */
export async function remove(world: World, asked: Remove): Promise<void> {
  let done: string;
  try {
    done = await takenAway(world, asked);
  } catch (error) {
    await respond(world, asked.caller, 'FAILED', nameAndMessage(error));
    return;
  }
  await respond(world, asked.caller, 'SUCCESS', done);
}

/** @returns what is so now */
async function takenAway(
  world: World,
  { caller, functionName, alias, model, batch }: Remove,
): Promise<string> {
  const found = await world.registry.release(model).catch(() => undefined);
  const release = found?.release;
  const late = release && passedOver(release, caller, functionName);
  if (late !== undefined) return `${functionName}:${alias} is left as it is: ${late}`;
  if (release?.functionName === functionName) await world.schedules.remove(release.schedule);
  for (const qualifier of await world.capacity.list(functionName))
    await world.capacity.release(functionName, qualifier);
  if (batch !== undefined) await world.aliases.remove(batch, alias);
  await world.aliases.remove(functionName, alias);
  if (found !== undefined && release?.functionName === functionName)
    await giveBack(world, caller.stack, { ...found, release });
  await remember(world, model, caller);
  return `${functionName}:${alias} is gone`;
}

/** Never throws: a Delete must get through. */
async function remember(world: World, model: string, caller: StackCaller): Promise<void> {
  try {
    for (let race = 0; race < RACES; race += 1) {
      const found = await world.registry.release(model);
      if (found?.release === undefined) return;
      if ((await world.registry.move(deletedBy(found.release, caller, world.clock()), found.etag)) === 'ok')
        return;
    }
  } catch (error) {
    world.log('warn', 'a deletion could not be noted', { model, reason: nameAndMessage(error) });
  }
}

const WITHDRAWN = 'the stack rolled back, and its function went with that';

/**
 * After a rollback CloudFormation asks for the deletion of what a failed update had made in place of
 * something else, and for no update back: the function from before serves on, and its document is archived.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
 * Never throws: a Delete must get through.
 */
async function giveBack(
  world: World,
  stack: string,
  { release: found, etag }: FoundRelease & { readonly release: Release },
): Promise<void> {
  const { model } = found;
  try {
    if ((await world.stacks.state(stack)) !== 'done') return;
    const latest = (await world.registry.archives(model)).at(-1);
    const before = latest === undefined ? undefined : await world.registry.archived(model, latest);
    if (before === undefined || before.functionName === found.functionName) return;
    if ((await world.aliases.get(before.functionName, before.alias)) === undefined) return;
    const now = world.clock();
    await world.registry.archive({ model, release: endedBy(found, WITHDRAWN, now) });
    const to = givenBack(found, before, now);
    // Another worker has written meanwhile: it has the document.
    if ((await world.registry.move(to, etag)) !== 'ok') return;
    await scheduleTicks(world, to);
    world.log('info', 'the function from before is released again', { model, functionName: to.functionName });
  } catch (error) {
    world.log('warn', 'the document of the function from before was not restored', {
      model,
      reason: nameAndMessage(error),
    });
  }
}
