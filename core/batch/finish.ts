import { parsed } from '../json/parsed.ts';
import type { Files } from '../ports/files.ts';
import { COLUMN_NOTICES } from '../tabular/cells/columns.ts';
import type { RowFault } from '../tabular/cells/format.ts';
import { BATCH_METRICS, type Entry, KEYS } from './contract.ts';
import { type DoneFile, type Failed, type Folder, type Job, type Success, urlOf } from './job.ts';
import { tellLatest } from './latest.ts';
import { isSameOwner, ownerKey, ownerName, takeOwner } from './owner.ts';
import { checkFirst, type PartProgress, partProgress } from './part-files.ts';
import type { BatchWorld } from './ports.ts';
import { holdJob } from './retry.ts';

/** Requests at once to S3. */
const AT_ONCE = 16;

/** Rows that a reason names. */
const NAMED = 3;

/** As a double 1.4 % is a little less than 14 of 1000. One row more is more than that of any object's. */
const ROUNDED = 1 + 1e-12;

/** Seconds after which the execution that asks how its job ends is over. */
const OVER = 60;

/** Characters of a reason: names of an object's columns have no limit of their own. */
const REASON = 4_000;

/**
 * All parts of a job were tried: is it complete, and good enough?
 * @throws an object fault where its files do not follow one another
 */
export async function finishJob(world: BatchWorld, job: Job, folder: Folder, parts: number): Promise<void> {
  const files = world.files(folder.bucket);
  const entry = world.entries[job.entry] as Entry;
  // Before the files are looked at.
  const failed = await files.read(`${folder.prefix}${KEYS.failed}`);
  const done = await partsOf(files, folder, parts, entry);
  const missing = done.flatMap(({ isWhole }, number) => (isWhole ? [] : [number]));
  if (missing.length > 0) {
    const head = await world.head(job.object);
    if (head?.etag !== job.object.etag) {
      const { bucket, key, etag } = job.object;
      // A later version has the same content, and its event found the parts of this one at work.
      if ((await world.head({ bucket, key }))?.etag === etag)
        return world.queue.again(JSON.stringify({ object: { bucket, key } }), OVER, job.startedAt);
      const reason = 'the object was overwritten or deleted while it was scored';
      return world.log('info', 'A job is given up.', { job: urlOf(folder), reason });
    }
    // It had another content in between, which parts may have met, and the event of this one found them at
    // work.
    if (head.modified !== job.object.modified) return world.queue.again(job.message, OVER);
    const which = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ', …' : '');
    // Which of the two it was, nothing that is written says.
    const reason = `${missing.length} of ${parts} parts are not there to their end (${which}): they could not be scored, and the log of the batch function and the execution of its state machine say why, or their files were deleted meanwhile, manually or by a rule of the bucket. Ask for the object again: what is there is kept.`;
    return fail(world, job, folder, { code: 'PARTS_MISSING', reason });
  }
  const all = done.flatMap(({ written }) => written);
  let rows = 0;
  for (const file of all) {
    checkFirst(file, rows + 1);
    rows += file.rows;
  }
  const errors = all.reduce((sum, file) => sum + file.errors, 0);
  if (rows > 0 && errors / rows > entry.tolerate * ROUNDED) {
    const reason = `${errors} of ${rows} rows failed; ${percent(entry.tolerate)} are tolerated. ${await examples(files, all)}`;
    return fail(world, job, folder, { code: 'TOO_MANY_ERRORS', reason });
  }
  const taken = done.find((part) => part.taken !== undefined)?.taken;
  const notices = (taken?.notices ?? []).map((code) => COLUMN_NOTICES[code]);
  const finishedAt = world.clock();
  const success: Success = {
    schema: 1,
    model: job.model,
    identity: job.identity,
    version: job.version,
    object: job.object,
    rows,
    errors,
    ...(entry.missing !== undefined && { missing: all.reduce((sum, file) => sum + (file.missing ?? 0), 0) }),
    ...(taken && { columns: taken.by }),
    ...(notices.length > 0 && { notices }),
    files: all,
    startedAt: job.startedAt,
    finishedAt: new Date(finishedAt).toISOString(),
  };
  if (failed !== undefined) await holdJob(world, folder, failed.etag);
  const written = await files.create(
    `${folder.prefix}${KEYS.success}`,
    `${JSON.stringify(success, null, 2)}\n`,
  );
  await completeJob(world, job, folder, entry);
  if (written === 'there') return;
  const duration = finishedAt - Date.parse(job.startedAt);
  world.count({ [BATCH_METRICS.jobsDone]: 1, [BATCH_METRICS.jobDuration]: duration });
  world.log(notices.length > 0 ? 'warn' : 'info', 'A job is done.', {
    job: urlOf(folder),
    rows,
    errors,
    ...(success.missing !== undefined && { missing: success.missing }),
    ...(taken && { columns: [taken.by, ...taken.notices].join() }),
    parts,
    ms: duration,
  });
}

/**
 * What comes after `_SUCCESS.json`; again for who comes later, since the first one may have died before it.
 */
export async function completeJob(world: BatchWorld, job: Job, folder: Folder, entry: Entry): Promise<void> {
  const files = world.files(folder.bucket);
  // Only what is there: in a versioned bucket each removal would leave a mark.
  const failed = `${folder.prefix}${KEYS.failed}`;
  if ((await files.head(failed)) !== undefined) await files.remove(failed);
  const owner = await takeOwner(files, ownerKey(job.model, entry), world.owner);
  if (!isSameOwner(owner, world.owner)) {
    world.count({ [BATCH_METRICS.jobsNotOwned]: 1 });
    return world.log('error', 'The output belongs to another service or stage, so `latest` is not moved.', {
      job: urlOf(folder),
      owner: ownerName(owner),
    });
  }
  await tellLatest(world, job, folder, entry);
}

/**
 * The attempt is over: told to those who look into the folder, and to those who look into the queue of
 * failures. Once an attempt.
 */
export async function fail(
  world: BatchWorld,
  job: Job,
  folder: Folder,
  why: { readonly code: string; readonly reason: string },
): Promise<void> {
  const { code } = why;
  const reason = why.reason.length <= REASON ? why.reason : `${why.reason.slice(0, REASON)}…`;
  const files = world.files(folder.bucket);
  const key = `${folder.prefix}${KEYS.failed}`;
  for (let isTold = false; ; isTold = true) {
    const found = await files.read(key);
    const before = parsed(found?.text) as Partial<Failed>;
    if (before.startedAt === job.startedAt) return;
    // The message first: lost it would be by a death in between, and twice it does no harm.
    if (!isTold) await world.queue.fail(job.message, { code, reason, job: urlOf(folder) });
    const failed: Failed = {
      schema: 1,
      model: job.model,
      version: job.version,
      object: job.object,
      code,
      reason,
      startedAt: job.startedAt,
      failedAt: new Date(world.clock()).toISOString(),
      // Whoever has claimed the folder is at it still.
      ...(before.reopening !== undefined && { reopening: before.reopening }),
      ...(before.ending !== undefined && { ending: before.ending }),
    };
    const text = `${JSON.stringify(failed, null, 2)}\n`;
    if ((await files.replace(key, text, found?.etag)) === 'ok') break;
  }
  world.count({ [BATCH_METRICS.jobsFailed]: 1 });
  // Not the reason, which may have a transform's own words about a row: that is for those who may read the
  // job's files.
  world.log('error', 'A job failed.', { job: urlOf(folder), code });
}

export async function failedAttempt(files: Files, { prefix }: Folder): Promise<Failed | undefined> {
  const found = parsed((await files.read(`${prefix}${KEYS.failed}`))?.text);
  return typeof found.startedAt === 'string' ? (found as unknown as Failed) : undefined;
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(6))} %`;

async function partsOf(
  files: Files,
  folder: Folder,
  count: number,
  entry: Entry,
): Promise<readonly PartProgress[]> {
  const done: PartProgress[] = [];
  for (let first = 0; first < count; first += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, i) => first + i);
    done.push(
      ...(await Promise.all(some.map((part) => partProgress(files, folder, part, undefined, entry)))),
    );
  }
  return done;
}

/** The first faulty rows, with their lines and reasons. */
async function examples(files: Files, done: readonly DoneFile[]): Promise<string> {
  const key = done.find(({ errorsKey }) => errorsKey !== undefined)?.errorsKey;
  const found = key === undefined ? undefined : await files.read(key);
  const faults = (found?.text ?? '')
    .split('\n', NAMED)
    .filter(Boolean)
    .map((text): RowFault => JSON.parse(text));
  return faults
    .map(
      ({ row, line, code, reason }) =>
        `${line === undefined ? `Row ${row}` : `Line ${line}`}: ${code}, ${reason}`,
    )
    .join(' ');
}
