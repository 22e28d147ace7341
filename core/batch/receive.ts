import { isObjectFault, objectFault } from '../errors/object-errors.ts';
import type { Files } from '../ports/files.ts';
import type { Part } from '../tabular/cells/contract.ts';
import type { Rows } from '../tabular/cells/format.ts';
import { firstRow } from '../tabular/cells/split.ts';
import { DAY_MS } from '../units/time.ts';
import { type Entry, KEYS, type PartAnswer } from './contract.ts';
import { completeJob, fail, failedAttempt, finishJob } from './finish.ts';
import { openRows, writerFor } from './formats.ts';
import { entryFor, type Folder, folderOf, type Job, partKey, urlOf } from './job.ts';
import { isSuperseded, latestKey } from './latest.ts';
import { type Message, readMessage } from './message.ts';
import { mostRows, unstacked } from './model.ts';
import { partProgress } from './part-files.ts';
import { isLate, type OpenPart, openPart, type Scoring } from './parts.ts';
import { isFolderMark, isOwnDocument } from './passed-over.ts';
import type { BatchWorld } from './ports.ts';
import { reopen } from './retry.ts';
import { uncounted } from './score.ts';
import { writtenOutputs } from './widths.ts';

/** Seconds after which a large object asks again whether it is its turn. */
const TURN = 60;

/** Seconds after which somebody asks again who found another one at the same job. */
const SOON = 10;

/** Seconds after which an object that no entry takes asks again, which is SQS's most. */
const UNKNOWN = 900;

/** Milliseconds in which a plan is written, and its execution started. */
const PLANNED = 20_000;

/** Milliseconds in which a release ends, most likely. */
const PROMOTED_MS = DAY_MS;

/**
 * A message: an object was created, or somebody asks for one. Whatever is done is done once: what is there
 * already is not done again, and what another one writes first is left.
 *
 * @throws where a call failed that may succeed later: the message comes again
 */
export async function receiveMessage(
  world: BatchWorld,
  { body, again, since, askedAt }: Message,
): Promise<void> {
  const asked = readMessage(body);
  if (asked === undefined)
    return world.queue.fail(body, {
      code: 'UNKNOWN_MESSAGE',
      reason: 'The message is neither an event "Object Created" of S3 nor one of `sls models batch`.',
    });
  if (isOwnDocument(asked.key)) return;
  // What a person asks for is tried whatever became of it before, also where it had to wait for its entry.
  const isAsked = since === undefined && (again || asked.etag === undefined);
  const number = entryFor(world.entries, asked.bucket, asked.key);
  const entry = world.entries[number];
  if (entry === undefined) {
    // Rules are new with the deploy, the version that knows their entries is live once it is promoted.
    const began = since ?? askedAt ?? new Date(world.clock()).toISOString();
    if (world.clock() - Date.parse(began) < PROMOTED_MS)
      return world.queue.again(body, UNKNOWN, began, isAsked);
    return world.queue.fail(body, {
      code: 'NO_ENTRY',
      reason: `No entry under batch takes s3://${asked.bucket}/${asked.key}, and has not for a day.`,
    });
  }
  const head = await world.head(asked);
  if (isFolderMark(asked.key, head?.bytes)) return;
  const object = { bucket: asked.bucket, key: asked.key };
  if (head === undefined || (asked.etag !== undefined && head.etag !== asked.etag)) {
    const reason = head === undefined ? 'it was deleted' : 'it was overwritten, and its own event follows';
    return world.log('info', 'An object is passed over.', {
      object: `s3://${asked.bucket}/${asked.key}`,
      reason,
    });
  }
  const job: Job = {
    model: world.manifest.model,
    identity: world.manifest.identity,
    version: world.version,
    entry: number,
    object: { ...object, ...head, ...(asked.sequencer !== undefined && { sequencer: asked.sequencer }) },
    startedAt: since ?? new Date(world.clock()).toISOString(),
    message: body,
  };
  const folder = folderOf(job, entry);
  const files = world.files(folder.bucket);
  const [success, found, failed] = await Promise.all([
    files.head(`${folder.prefix}${KEYS.success}`),
    files.read(latestKey(job.model, entry, asked.key)),
    failedAttempt(files, folder),
  ]);
  if (success !== undefined) return completeJob(world, job, folder, entry);
  if (await isSuperseded(world, job, found?.text))
    return world.log('info', 'An object is passed over.', {
      object: urlOf(folder),
      reason: 'a later one is scored',
    });
  // The same version would fail the same way; a person who asks again gets it tried. What goes on by itself
  // may have a twin that failed meanwhile.
  const isOver = failed?.version === job.version && (since === undefined || failed.failedAt > since);
  if (isOver && !isAsked)
    return world.log('info', 'An object is passed over.', {
      object: urlOf(folder),
      reason: `it has failed with this version (${failed.code}); it is tried again where somebody asks`,
    });
  if (failed?.code === 'TOO_MANY_ERRORS' && isAsked && !(await reopen(world, folder)))
    return world.queue.again(body, SOON);
  try {
    await attempt(world, job, folder, entry, isAsked);
  } catch (error) {
    await ended(world, job, folder, error);
  }
}

/** @param isAsked then an execution that runs still is not what was asked for */
async function attempt(
  world: BatchWorld,
  job: Job,
  folder: Folder,
  entry: Entry,
  isAsked: boolean,
): Promise<void> {
  const rows = await rowsOf(world, job, entry);
  // Before anything is planned: what is wrong with its columns is told once.
  const scoring = await scoringOf(world, entry, rows);
  if (rows.plan === undefined || job.object.bytes <= world.sizes.whole)
    return whole(world, job, folder, scoring, rows);
  const running = await world.running(folder);
  if (running.others) return world.queue.again(job.message, TURN, job.startedAt);
  const files = world.files(folder.bucket);
  const key = `${folder.prefix}${KEYS.plan}`;
  if ((await files.head(key)) === undefined) {
    const parts: Part[] = [];
    for await (const part of rows.plan(world.sizes.part)) {
      if (world.left() < PLANNED) throw unplanned();
      parts.push(part);
    }
    await files.create(key, `[\n${parts.map((part) => JSON.stringify(part)).join(',\n')}\n]\n`);
  }
  const isNew = !running.own && (await world.spread(job, folder)) === 'started';
  if (!isNew && isAsked) return world.queue.again(job.message, TURN);
}

/** What is wrong with the object ends the job; anything else may succeed later. */
async function ended(world: BatchWorld, job: Job, folder: Folder, error: unknown): Promise<void> {
  if (!isObjectFault(error)) throw error;
  if (error.objectFault === 'CHANGED' || error.objectFault === 'GONE')
    return world.log('info', 'A job is given up.', { job: urlOf(folder), reason: error.message });
  await fail(world, job, folder, { code: error.objectFault, reason: error.message });
}

/** From the first row to the last, a part at a time. */
async function whole(
  world: BatchWorld,
  job: Job,
  folder: Folder,
  scoring: Scoring,
  rows: Rows,
): Promise<void> {
  const files = world.files(folder.bucket);
  const again = (): Promise<void> => world.queue.again(job.message, 0, job.startedAt);
  const close = async (): Promise<boolean> => open === undefined || (await open.close());
  let open: OpenPart | undefined;
  let count = 0;
  let isBegun = false;
  for await (const block of rows.all(world.sizes.part)) {
    if (block.part !== count - 1) {
      if (!(await close())) return again();
      if (isBegun && isLate(world)) return again();
      count = block.part + 1;
      const first = firstRow(block);
      const { written, isWhole } = await partProgress(files, folder, block.part, first, scoring.entry);
      open = isWhole ? undefined : openPart(world, folder, block.part, scoring, first, written);
    }
    if (open === undefined) continue;
    if (!isBegun && isLate(world) && count > 1) throw tooLarge();
    isBegun = true;
    if (!(await open.add(block))) return again();
  }
  if (!(await close())) return again();
  await finishJob(world, job, folder, count);
}

/** Each further invocation would begin anew, and be ended as this one would. */
const unplanned = (): Error =>
  objectFault(
    'TOO_LARGE',
    'The pass that plans its parts takes all of an invocation’s time. Upload the object in several pieces.',
  );

/** Each further invocation would have as little time for the rest. */
const tooLarge = (): Error =>
  objectFault(
    'TOO_LARGE',
    'Reading what is scored already takes all of an invocation’s time. Upload the object unpacked, or in several pieces.',
  );

/** One part of a job that several invocations share. */
export async function scorePart(world: BatchWorld, job: Job, part: Part): Promise<PartAnswer> {
  const entry = world.entries[job.entry] as Entry;
  const folder = folderOf(job, entry);
  const first = part.row + 1;
  try {
    const { written, isWhole } = await partProgress(
      world.files(folder.bucket),
      folder,
      part.part,
      first,
      entry,
    );
    if (isWhole) return { more: false };
    const rows = await rowsOf(world, job, entry);
    const scoring = await scoringOf(world, entry, rows);
    const open = openPart(world, folder, part.part, scoring, first, written);
    for await (const block of rows.part?.(part) ?? []) if (!(await open.add(block))) return { more: true };
    return { more: !(await open.close()) };
  } catch (error) {
    await ended(world, job, folder, error);
  }
  return { more: false };
}

/** Every part of the plan was tried. */
export async function finishLargeJob(world: BatchWorld, job: Job): Promise<void> {
  const entry = world.entries[job.entry] as Entry;
  const folder = folderOf(job, entry);
  const files = world.files(folder.bucket);
  const plan = await files.read(`${folder.prefix}${KEYS.plan}`);
  try {
    await finishJob(world, job, folder, await plannedParts(files, folder, entry, plan?.text));
  } catch (error) {
    await ended(world, job, folder, error);
  }
}

/**
 * How many parts a job has.
 * @throws an object fault where its plan is not the one that its parts were scored by
 */
async function plannedParts(
  files: Files,
  folder: Folder,
  entry: Entry,
  text: string | undefined,
): Promise<number> {
  const key = `${folder.prefix}${KEYS.plan}`;
  if (text === undefined)
    throw objectFault(
      'FILES_DISAGREE',
      `${key} is gone, which says what parts there are: somebody deleted it, or a rule of the bucket. Ask for the object again.`,
    );
  const parts = partsIn(text);
  // One with fewer parts would make a part of the rows look like all of them.
  if (parts !== undefined) {
    const next = partKey(folder, { part: parts.length, number: 0 }, entry.outputFormat);
    if ((await files.head(next)) === undefined) return parts.length;
  }
  throw objectFault(
    'FILES_DISAGREE',
    `${key} does not say what parts there are: somebody else wrote it. Delete it, and ask for the object again: what is scored is kept.`,
  );
}

/** @returns undefined for what is no plan */
function partsIn(text: string): readonly Part[] | undefined {
  try {
    const parts = JSON.parse(text) as readonly (Partial<Part> | null)[];
    return Array.isArray(parts) && parts.every((one, i) => one?.part === i) ? parts : undefined;
  } catch {
    return undefined;
  }
}

function rowsOf(world: BatchWorld, { object }: Job, entry: Entry): Promise<Rows> {
  return openRows(entry, world.source(object, object), world.manifest);
}

async function scoringOf(world: BatchWorld, entry: Entry, rows: Rows): Promise<Scoring> {
  const run = unstacked(world.manifest, world.run);
  const outputs = await writtenOutputs(world.manifest, run, entry, rows);
  return {
    run: entry.drift === false ? uncounted(run) : run,
    most: mostRows(world.manifest),
    outputs,
    entry,
    ...(rows.taken && { taken: rows.taken }),
    writer: await writerFor(entry, rows, outputs),
  };
}
