import { parsed } from '../json/parsed.ts';
import { turns } from '../node/turns.ts';
import type { Files } from '../ports/files.ts';
import { BATCH_TIMEOUT, KEYS } from './contract.ts';
import { type Failed, type Folder, partNumber } from './job.ts';
import type { BatchWorld } from './ports.ts';

/** Parts at once: a job of some hundred gigabytes has more of them than one after the other get through. */
const AT_ONCE = 16;

/** Milliseconds: whoever has claimed a folder for longer is dead. */
const CLAIMED = BATCH_TIMEOUT * 1000;

/**
 * Takes away the files of a failed job that have rows at which the model or its transform failed, and what
 * follows them in their part: all of it is scored anew, as a person asked.
 *
 * @returns false where somebody else is at the job: it is to be asked for again
 */
export async function reopen(
  world: Pick<BatchWorld, 'files' | 'running' | 'clock'>,
  folder: Folder,
): Promise<boolean> {
  const files = world.files(folder.bucket);
  if ((await world.running(folder)).own) return false;
  const claim = await claimOf(files, folder, 'reopening', world.clock());
  if (claim !== 'claimed') return claim === 'nothing';
  if ((await files.head(`${folder.prefix}${KEYS.success}`)) !== undefined) return false;
  const keys = (await files.keys(`${folder.prefix}${KEYS.part}`)).toSorted();
  const parts = Map.groupBy(keys, partNumber);
  parts.delete(undefined);
  const inTurn = turns(AT_ONCE);
  const ended = await Promise.allSettled(
    [...parts.values()].map((part) => inTurn(() => openAgain(files, part))),
  );
  // Once nothing is under way: an instance that is frozen meanwhile would take files away that are new then.
  const failed = ended.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  await files.remove(`${folder.prefix}${KEYS.failed}`);
  return true;
}

/** @param keys of a part's files, in their order */
async function openAgain(files: Files, keys: readonly string[]): Promise<void> {
  let kept = 0;
  for (const key of keys) {
    if ((await files.head(key))?.metadata.failed !== undefined) break;
    kept++;
  }
  // The last ones first: what is left is a part's beginning, whenever this is interrupted.
  for (const key of keys.slice(kept).reverse()) await files.remove(key);
}

/**
 * Before `_SUCCESS.json` of a job that had failed: nobody may take its files away any more.
 *
 * @param etag of its `_FAILED.json` before its files were looked at
 * @throws where somebody takes files away: what is there then is to be looked at anew
 */
export async function holdJob(
  world: Pick<BatchWorld, 'files' | 'clock'>,
  folder: Folder,
  etag: string,
): Promise<void> {
  const claim = await claimOf(world.files(folder.bucket), folder, 'ending', world.clock(), etag);
  if (claim !== 'claimed') throw new Error('another run has taken up the job again');
}

async function claimOf(
  files: Files,
  { prefix }: Folder,
  what: 'reopening' | 'ending',
  now: number,
  due?: string,
): Promise<'claimed' | 'busy' | 'nothing'> {
  const key = `${prefix}${KEYS.failed}`;
  const found = await files.read(key);
  if (found === undefined) return 'nothing';
  const failed = parsed(found.text) as Partial<Failed>;
  const isFresh = (time: string | undefined): boolean =>
    time !== undefined && now - Date.parse(time) < CLAIMED;
  if (isFresh(failed.reopening) || (what === 'reopening' && isFresh(failed.ending))) return 'busy';
  const next: Partial<Failed> = { ...failed, [what]: new Date(now).toISOString() };
  const isMine =
    (due ?? found.etag) === found.etag &&
    (await files.replace(key, `${JSON.stringify(next, null, 2)}\n`, found.etag)) === 'ok';
  return isMine ? 'claimed' : 'busy';
}
