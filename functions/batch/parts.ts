import { createHash } from 'node:crypto';
import type { RefusalCode } from '../shared/http.ts';
import { type Entry, KEYS, METRICS } from './contract.ts';
import type { Files } from './folder.ts';
import { type DoneFile, errorsKey, type Folder, partKey, partNumber } from './job.ts';
import type { Written } from './model.ts';
import type { Block, PartWriter, RowFault } from './rows.ts';
import { type Run, scoreBlock } from './score.ts';
import { splitBlock } from './split.ts';
import type { World } from './world.ts';

/** How the rows of one object are scored and written. */
export type Scoring = {
  readonly run: Run;
  readonly most: number;
  readonly outputs: readonly Written[];
  readonly entry: Entry;
  readonly writer: () => PartWriter;
};

/**
 * A part on its way: rows come in order. It is one file, or several: the next is begun where answers fill one, and every few minutes,
 * so that what a slow model has scored is kept.
 */
export type OpenPart = {
  readonly part: number;
  /** @returns whether there was time for all of it; else what is scored is kept, and the rest is left to another run */
  add(block: Block): Promise<boolean>;
  close(): Promise<void>;
};

/** The files of a part that are there, in their order, and whether these are all. */
export type Progress = { readonly written: readonly DoneFile[]; readonly isWhole: boolean };

/** Rows that a model is tried with, until it is known how long it takes, and how much it answers. */
const FIRST_STEP = 32;
/** Milliseconds that rows go through the model for, about, until there is another look at the clock. */
const STEP = 20_000;
/** Milliseconds after which the next rows are another file's. */
const FILE_AGE = 300_000;
/** Milliseconds that an invocation keeps to itself: for a step that takes longer than those before, and for writing. */
const RESERVE = 120_000;
/** What a faulty row takes in memory, in bytes. */
const FAULT_BYTES = 200;

/** Codes of rows that may be fine: the model or its transform failed at them, for a reason that may pass. */
const FAILURES: readonly string[] = ['MODEL_FAILED', 'TRANSFORM_FAILED'] satisfies RefusalCode[];

export const isLate = (world: Pick<World, 'left'>): boolean => world.left() < RESERVE;

/** What a part needs of the world. */
type Around = Pick<World, 'files' | 'sizes' | 'clock' | 'left' | 'count'>;

/** @param there files of it that are written */
export function openPart(
  world: Around,
  folder: Folder,
  part: number,
  { run, most, outputs, entry, writer: make }: Scoring,
  there: readonly DoneFile[],
): OpenPart {
  const files = world.files(folder.bucket);
  const begin = () => ({ writer: make(), faults: [] as RowFault[], rows: 0, started: world.clock() });
  let number = there.length;
  let passed = there.reduce((sum, { rows }) => sum + rows, 0);
  let file = begin();
  /** Of the last step: rows a millisecond, and rows that a file has room for. */
  let last: { readonly pace: number; readonly room: number } | undefined;

  const size = (): number => file.writer.size() + file.faults.length * FAULT_BYTES;
  const isFull = (): boolean => size() >= world.sizes.file || world.clock() - file.started >= FILE_AGE;
  const stepOf = (rows: number): number =>
    Math.min(
      rows,
      last === undefined ? FIRST_STEP : Math.max(1, Math.floor(Math.min(STEP * last.pace, last.room))),
    );

  const end = async (isLast: boolean): Promise<void> => {
    const { writer, faults, rows, started } = file;
    const body = writer.end();
    const sha256 = createHash('sha256').update(body).digest('hex');
    const place = { part, number };
    // Errors first: a file that is there has its errors there, whenever the writer may die.
    const errorsAt = faults.length === 0 ? undefined : await keepErrors(files, folder, place, faults);
    const done: DoneFile = {
      key: partKey(folder, place, entry.outputFormat),
      rows,
      errors: faults.length,
      ...(errorsAt !== undefined && { errorsKey: errorsAt }),
      bytes: body.length,
      sha256,
      ms: Math.round(world.clock() - started),
    };
    const failed = faults.filter(({ code }) => FAILURES.includes(code)).length;
    if ((await files.create(done.key, body, metadataOf(done, failed, isLast))) === 'created')
      world.count({
        [METRICS.rows]: rows,
        [METRICS.rowErrors]: faults.length,
        ...(isLast && { [METRICS.partsDone]: 1 }),
      });
    // A twin has counted what it wrote. Where time cut its file elsewhere, what follows ours is not what follows that one.
    else {
      const found = await fileAt(files, done.key);
      if (found?.file.rows !== rows || found.isLast !== isLast)
        throw new Error(`${done.key} is another run’s, of other rows`);
    }
    number++;
    file = begin();
  };

  return {
    part,
    async add(block) {
      let rest: Block | undefined = block;
      if (passed >= block.read) {
        passed -= block.read;
        return true;
      }
      if (passed > 0) [, rest] = splitBlock(block, passed);
      passed = 0;
      while (rest !== undefined) {
        // The first step of a run is always taken: else one that is late at once would never get on.
        const late = last !== undefined && isLate(world);
        if (file.rows > 0 && (late || isFull())) await end(false);
        if (late) return false;
        const count = stepOf(rest.read);
        const [now, others]: readonly [Block, Block?] = count < rest.read ? splitBlock(rest, count) : [rest];
        const before = { size: size(), time: world.clock() };
        const scored = await scoreBlock(run, now, outputs, most, entry.outputFormat === 'npy');
        // A clock that was set back says nothing; one that stood still, that there is no hurry.
        const pace = count / Math.max(0, world.clock() - before.time);
        file.writer.add(scored.block, scored.outputs);
        file.rows += now.read;
        for (const fault of scored.block.faults) file.faults.push(fault);
        last = { pace, room: (world.sizes.file * count) / (size() - before.size) };
        rest = others;
      }
      return true;
    },
    close: () => end(true),
  };
}

/** @returns the key of the part's errors. A run that died before it wrote the file may have left others under the usual one: it ended elsewhere. */
async function keepErrors(
  files: Files,
  folder: Folder,
  place: Parameters<typeof errorsKey>[1],
  faults: readonly RowFault[],
): Promise<string> {
  const text = faults.map((fault) => `${JSON.stringify(fault)}\n`).join('');
  const usual = errorsKey(folder, place);
  if ((await files.create(usual, text)) === 'created') return usual;
  if ((await files.read(usual))?.text === text) return usual;
  const own = errorsKey(folder, place, createHash('sha256').update(text).digest('hex'));
  await files.create(own, text);
  return own;
}

const metadataOf = (
  { rows, errors, errorsKey: at, sha256, ms }: DoneFile,
  failed: number,
  isLast: boolean,
) => ({
  rows: String(rows),
  errors: String(errors),
  sha256,
  ms: String(ms),
  ...(at !== undefined && { 'errors-key': at.slice(at.lastIndexOf('/') + 1) }),
  ...(failed > 0 && { failed: String(failed) }),
  ...(!isLast && { more: 'true' }),
});

async function fileAt(
  files: Files,
  key: string,
): Promise<{ readonly file: DoneFile; readonly isLast: boolean } | undefined> {
  const found = await files.head(key);
  if (found === undefined) return undefined;
  const { rows = '0', errors = '0', sha256 = '', ms = '0', more, 'errors-key': errorsAt } = found.metadata;
  const file = {
    key,
    rows: Number(rows),
    errors: Number(errors),
    ...(errorsAt !== undefined && { errorsKey: key.slice(0, key.lastIndexOf('/') + 1) + errorsAt }),
    bytes: found.bytes,
    sha256,
    ms: Number(ms),
  };
  return { file, isLast: more === undefined };
}

export async function progressOf(
  files: Files,
  folder: Folder,
  part: number,
  { outputFormat }: Entry,
): Promise<Progress> {
  const written: DoneFile[] = [];
  for (;;) {
    const found = await fileAt(files, partKey(folder, { part, number: written.length }, outputFormat));
    if (found === undefined) return { written, isWhole: false };
    written.push(found.file);
    if (found.isLast) return { written, isWhole: true };
  }
}

/**
 * Takes away the files that have rows at which the model or its transform failed, and what follows them in their part: all of it is scored
 * anew. The last ones first, so that what is left is a part's beginning, whenever this is interrupted.
 */
export async function reopen(files: Files, { prefix }: Folder): Promise<void> {
  const keys = (await files.keys(`${prefix}${KEYS.part}`)).toSorted();
  const opened = new Set<number>();
  const taken: string[] = [];
  for (const key of keys) {
    const part = partNumber(key);
    if (part === undefined) continue;
    if ((await files.head(key))?.metadata.failed !== undefined) opened.add(part);
    if (opened.has(part)) taken.push(key);
  }
  for (const key of taken.reverse()) await files.remove(key);
}
