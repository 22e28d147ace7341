import { createHash } from 'node:crypto';
import { objectFault } from '../errors/object-errors.ts';
import type { Files } from '../ports/files.ts';
import { COLUMN_NOTICES, type ColumnNotice, type Taken } from '../tabular/cells/columns.ts';
import type { RowFault } from '../tabular/cells/format.ts';
import type { Entry } from './contract.ts';
import { type DoneFile, errorsKey, type Folder, partKey } from './job.ts';

/**
 * The files of a part that are there, in their order, whether these are all, and how the columns of the
 * object were taken.
 */
export type PartProgress = {
  readonly written: readonly DoneFile[];
  readonly isWhole: boolean;
  readonly taken?: Taken;
};

/**
 * @returns the key of the part's errors. A run that died before it wrote the file may have left others under
 * the usual one: it ended elsewhere.
 */
export async function keepErrors(
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

/** What a file's object says of it: `fileAt` reads it again. */
export const fileMetadata = (
  { first, rows, errors, errorsKey: at, missing, sha256, ms }: DoneFile,
  failed: number,
  isLast: boolean,
  taken: Taken | undefined,
) => ({
  first: String(first),
  rows: String(rows),
  errors: String(errors),
  sha256,
  ms: String(ms),
  ...(at !== undefined && { 'errors-key': at.slice(at.lastIndexOf('/') + 1) }),
  ...(failed > 0 && { failed: String(failed) }),
  ...(missing !== undefined && { missing: String(missing) }),
  ...(taken && { columns: [taken.by, ...taken.notices].join() }),
  ...(!isLast && { more: 'true' }),
});

export async function fileAt(
  files: Files,
  key: string,
): Promise<
  { readonly file: DoneFile; readonly isLast: boolean; readonly taken: Taken | undefined } | undefined
> {
  const found = await files.head(key);
  if (found === undefined) return undefined;
  const { first, rows, errors, sha256 = '', ms, more, missing, columns } = found.metadata;
  const { 'errors-key': errorsAt } = found.metadata;
  const file = {
    key,
    first: Number(first),
    rows: Number(rows),
    errors: Number(errors),
    ...(errorsAt !== undefined && { errorsKey: key.slice(0, key.lastIndexOf('/') + 1) + errorsAt }),
    ...(missing !== undefined && { missing: Number(missing) }),
    bytes: found.bytes,
    sha256,
    ms: Number(ms),
  };
  return { file, isLast: more === undefined, taken: takenIn(columns) };
}

/** @param columns as `fileMetadata` writes it; absent in files of a version before */
function takenIn(columns: string | undefined): Taken | undefined {
  const [by, ...notices] = columns?.split(',') ?? [];
  if (by !== 'name' && by !== 'order') return undefined;
  return { by, notices: notices.filter((code): code is ColumnNotice => Object.hasOwn(COLUMN_NOTICES, code)) };
}

/**
 * @param first number of the part's first row, where that is known
 * @throws an object fault `FILES_DISAGREE` where a file does not begin where the one before it ends: that one
 * was taken away and written anew, cut elsewhere
 */
export async function partProgress(
  files: Files,
  folder: Folder,
  part: number,
  first: number | undefined,
  { outputFormat }: Entry,
): Promise<PartProgress> {
  const written: DoneFile[] = [];
  let known: { readonly taken?: Taken } = {};
  for (let due = first; ; ) {
    const found = await fileAt(files, partKey(folder, { part, number: written.length }, outputFormat));
    if (found === undefined) return { written, isWhole: false, ...known };
    const { file, isLast, taken } = found;
    if (taken !== undefined) known = { taken };
    checkFirst(file, due ?? file.first);
    written.push(file);
    if (isLast) return { written, isWhole: true, ...known };
    due = file.first + file.rows;
  }
}

/** @throws an object fault `FILES_DISAGREE` */
export function checkFirst({ key, first }: DoneFile, due: number): void {
  if (first === due) return;
  if (Number.isNaN(first))
    throw objectFault(
      'FILES_DISAGREE',
      `${key} does not say which rows it has: somebody else wrote it, or copied it without its metadata. Delete it and those of its part after it, and ask again.`,
    );
  throw objectFault(
    'FILES_DISAGREE',
    `${key} begins with row ${first} of the object, where row ${due} is expected: a file before it was deleted. Delete this one and those of its part after it, and ask again.`,
  );
}
