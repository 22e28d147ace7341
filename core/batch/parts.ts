import { createHash } from 'node:crypto';
import type { RefusalCode } from '../errors/refusals.ts';
import type { Taken } from '../tabular/cells/columns.ts';
import type { Block, PartWriter, RowFault } from '../tabular/cells/format.ts';
import { splitBlock } from '../tabular/cells/split.ts';
import { formatOf } from '../tabular/formats.ts';
import { allFinite } from '../tensor/finite.ts';
import { fromHalf } from '../tensor/half.ts';
import type { Tensors } from '../tensor/tensors.ts';
import { isFloat } from '../tensor/values.ts';
import { BATCH_METRICS, type Entry } from './contract.ts';
import { type DoneFile, type Folder, partKey } from './job.ts';
import { fileAt, fileMetadata, keepErrors } from './part-files.ts';
import type { BatchWorld } from './ports.ts';
import { type RunModel, scoreBlock } from './score.ts';
import type { Written } from './widths.ts';

/** How the rows of one object are scored and written. */
export type Scoring = {
  readonly run: RunModel;
  readonly most: number;
  readonly outputs: readonly Written[];
  readonly entry: Entry;
  /** How the object's columns were taken; absent where it has no row. */
  readonly taken?: Taken;
  readonly writer: () => PartWriter;
};

/**
 * A part on its way: rows come in order. It is one file, or several: the next is begun where answers fill
 * one, and every few minutes, so that what a slow model has scored is kept.
 */
export type OpenPart = {
  readonly part: number;
  /**
   * @returns false where the rest is left to another invocation: there is no time for it, or a twin has
   * written it that is cut elsewhere. What is written stays.
   */
  add(block: Block): Promise<boolean>;
  close(): Promise<boolean>;
};

/** Rows that a model is tried with, until it is known how long it takes, and how much it answers. */
const FIRST_STEP = 32;
/**
 * Milliseconds that rows go through the model for at once, about. More makes a model that slow no faster, and
 * its memory grows with the rows: one with attention over 256 tokens takes 4 MB for each.
 */
const STEP = 1_000;
/** Times as many rows as the step before: those to come may take longer than those that were. */
const GROWTH = 8;
/** Milliseconds after which the next rows are another file's. */
const FILE_AGE = 300_000;
/**
 * Milliseconds that an invocation keeps to itself: for a step that takes longer than those before, and for
 * writing.
 */
const RESERVE = 120_000;
/** What a faulty row takes in memory beside its reason, in bytes. */
const FAULT_BYTES = 200;

/** Codes of rows that may be fine: the model or its transform failed at them, for a reason that may pass. */
const FAILURES: readonly string[] = ['MODEL_FAILED', 'TRANSFORM_FAILED'] satisfies RefusalCode[];

export const isLate = (world: Pick<BatchWorld, 'left'>): boolean => world.left() < RESERVE;

/** What a part needs of the world. */
type Around = Pick<BatchWorld, 'files' | 'sizes' | 'clock' | 'left' | 'count'>;

/** @param there files of it that are written; `first` the number of its first row */
export function openPart(
  world: Around,
  folder: Folder,
  part: number,
  { run, most, outputs, entry, taken, writer: make }: Scoring,
  first: number,
  there: readonly DoneFile[],
): OpenPart {
  const files = world.files(folder.bucket);
  let number = there.length;
  let passed = there.reduce((sum, { rows }) => sum + rows, 0);
  const begin = (row: number) => ({
    first: row,
    writer: make(),
    faults: [] as RowFault[],
    faultBytes: 0,
    rows: 0,
    missing: 0,
    started: world.clock(),
  });
  let file = begin(first + passed);
  /**
   * The last step with rows for the model: how many they were, how many a millisecond, and how many a file
   * has room for.
   */
  let last: { readonly good: number; readonly pace: number; readonly room: number } | undefined;
  let isBegun = false;

  const size = (): number => file.writer.size() + file.faultBytes;
  const isFull = (): boolean => size() >= world.sizes.file || world.clock() - file.started >= FILE_AGE;
  // Rows that go through one by one, and have answers of any size, may take another time each.
  const isRagged = most === 1 && outputs.some(({ width }) => width === undefined);
  const stepOf = (rows: number): number => {
    if (isRagged) return 1;
    if (last === undefined) return Math.min(rows, FIRST_STEP);
    return Math.min(rows, Math.max(1, Math.floor(Math.min(STEP * last.pace, last.room, GROWTH * last.good))));
  };

  const end = async (isLast: boolean): Promise<boolean> => {
    const { first: row, writer, faults, rows, missing, started } = file;
    const body = writer.end();
    const sha256 = createHash('sha256').update(body).digest('hex');
    const place = { part, number };
    // Errors first: a file that is there has its errors there, whenever the writer may die.
    const errorsAt = faults.length === 0 ? undefined : await keepErrors(files, folder, place, faults);
    const done: DoneFile = {
      key: partKey(folder, place, entry.outputFormat),
      first: row,
      rows,
      errors: faults.length,
      ...(errorsAt !== undefined && { errorsKey: errorsAt }),
      ...(missing > 0 && { missing }),
      bytes: body.length,
      sha256,
      ms: Math.round(world.clock() - started),
    };
    const failed = faults.filter(({ code }) => FAILURES.includes(code)).length;
    if ((await files.create(done.key, body, fileMetadata(done, failed, isLast, taken))) === 'created')
      world.count({
        [BATCH_METRICS.rows]: rows,
        [BATCH_METRICS.rowErrors]: faults.length,
        ...(isLast && { [BATCH_METRICS.partsDone]: 1 }),
      });
    // A twin has counted what it wrote. Where time cut its file elsewhere, what follows ours is not what
    // follows that one.
    else {
      const found = await fileAt(files, done.key);
      if (found?.file.first !== row || found.file.rows !== rows || found.isLast !== isLast) return false;
    }
    number++;
    file = begin(row + rows);
    return true;
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
        const late = isBegun && isLate(world);
        if (file.rows > 0 && (late || isFull()) && !(await end(false))) return false;
        if (late) return false;
        const count = stepOf(rest.read);
        const [now, others]: readonly [Block, Block?] = count < rest.read ? splitBlock(rest, count) : [rest];
        const before = { size: size(), time: world.clock() };
        if (entry.missing !== undefined) file.missing += missingIn(now.tensors);
        const scored = await scoreBlock(run, now, outputs, most, formatOf(entry.outputFormat).isArray);
        isBegun = true;
        // Rows that are faulty before the model say nothing of it, nor does a clock that was set back; one
        // that stood still, that there is no hurry.
        const good = now.rows.length;
        const pace = good / Math.max(0, world.clock() - before.time);
        for (const one of scored) file.writer.add(one.block, one.outputs);
        file.rows += now.read;
        for (const fault of scored[0].block.faults) {
          file.faults.push(fault);
          file.faultBytes += FAULT_BYTES + fault.reason.length;
        }
        if (good > 0) last = { good, pace, room: (world.sizes.file * count) / (size() - before.size) };
        rest = others;
      }
      return true;
    },
    close: () => end(true),
  };
}

/** Elements that are NaN. */
function missingIn(tensors: Tensors): number {
  let count = 0;
  for (const { datatype, data } of Object.values(tensors)) {
    if (!isFloat(datatype) || allFinite(datatype, data)) continue;
    const isHalf = datatype === 'FP16';
    for (const value of data as Float64Array) if (Number.isNaN(isHalf ? fromHalf(value) : value)) count++;
  }
  return count;
}
