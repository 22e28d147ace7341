import { createHash } from 'node:crypto';
import type { Entry } from './contract.ts';
import type { Files } from './folder.ts';
import { type DonePart, errorsKey, type Folder, partKey } from './job.ts';
import type { Written } from './model.ts';
import type { Block, PartWriter, RowFault } from './rows.ts';
import { type Run, scoreBlock } from './score.ts';

/** How the rows of one object are scored and written. */
export type Scoring = {
  readonly run: Run;
  readonly most: number;
  readonly outputs: readonly Written[];
  readonly entry: Entry;
  readonly writer: () => PartWriter;
};

/** A part on its way: rows come in order, and it is kept once they are all there. */
export type OpenPart = {
  readonly part: number;
  add(block: Block): Promise<void>;
  /** `isNew`: nobody wrote it before. */
  close(): Promise<DonePart & { readonly isNew: boolean }>;
};

export function openPart(
  part: number,
  { run, most, outputs, entry, writer: make }: Scoring,
  files: Files,
  folder: Folder,
  clock: () => number,
): OpenPart {
  const allowsNonFinite = entry.outputFormat === 'npy';
  const writer = make();
  const faults: RowFault[] = [];
  const started = clock();
  let rows = 0;
  return {
    part,
    async add(block) {
      const scored = await scoreBlock(run, block, outputs, most, allowsNonFinite);
      writer.add(scored.block, scored.outputs);
      rows += block.read;
      faults.push(...scored.block.faults);
    },
    async close() {
      const body = writer.end();
      const sha256 = createHash('sha256').update(body).digest('hex');
      // Errors first: a part that is there has its errors there, whenever the writer may die.
      if (faults.length > 0)
        await files.create(
          errorsKey(folder, part),
          faults.map((fault) => `${JSON.stringify(fault)}\n`).join(''),
        );
      const key = partKey(folder, part, entry.outputFormat);
      const done = {
        key,
        rows,
        errors: faults.length,
        bytes: body.length,
        sha256,
        ms: Math.round(clock() - started),
      };
      const metadata = Object.fromEntries(
        (['rows', 'errors', 'sha256', 'ms'] as const).map((name) => [name, String(done[name])]),
      );
      const written = await files.create(key, body, metadata);
      return { ...done, isNew: written === 'created' };
    },
  };
}

/** A part that is there. @returns undefined where it is not */
export async function donePart(
  files: Files,
  folder: Folder,
  part: number,
  { outputFormat }: Entry,
): Promise<DonePart | undefined> {
  const key = partKey(folder, part, outputFormat);
  const found = await files.head(key);
  if (found === undefined) return undefined;
  const { rows = '0', errors = '0', sha256 = '', ms = '0' } = found.metadata;
  return { key, rows: Number(rows), errors: Number(errors), bytes: found.bytes, sha256, ms: Number(ms) };
}
