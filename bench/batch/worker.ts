/**
 * One process with the employment model: `node worker.ts <task.json>` scores a file as a batch function
 * does, from its bytes to those of the written parts, or runs a bare session on the same rows; writes `{ms,
 * rows, peak}` to file descriptor 3. A task:
 *
 *   ours: scores `file` of `format`, `times` times
 *   bare: `session.run` in blocks on tensors made before, `times` times
 *   both: in turns
 */
import {
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { BATCH_METRICS, type Entry, type Format, SIZES } from '../../core/batch/contract.ts';
import { openRows, writerFor } from '../../core/batch/formats.ts';
import { mostRows, runOf } from '../../core/batch/model.ts';
import { type OpenPart, openPart, type Scoring } from '../../core/batch/parts.ts';
import { writtenOutputs } from '../../core/batch/widths.ts';
import type { Manifest } from '../../core/endpoint/contract.ts';
import type { Files } from '../../core/ports/files.ts';
import type { Session } from '../../core/ports/session.ts';
import type { Rows, Source } from '../../core/tabular/cells/format.ts';
import { firstRow } from '../../core/tabular/cells/split.ts';
import type { Tensors } from '../../core/tensor/tensors.ts';
import { openSession } from '../../functions/runtime/session.ts';

export type Task = {
  readonly manifest: Manifest;
  readonly file: string;
  readonly format: Format;
  readonly folder: string;
  readonly sides: readonly ('ours' | 'bare')[];
  /** Timed runs of each, after one that is not. */
  readonly times: number;
  /** Bytes of a part. */
  readonly part: number;
};
export type Answer = {
  readonly ours: readonly number[];
  readonly bare: readonly number[];
  readonly rows: number;
  /** MB: most memory that the process ever had. */
  readonly peak: number;
  /** What is written of the first rows, as text; of other formats than csv nothing. */
  readonly written: string;
};

function fileSource(path: string): Source {
  const handle = openSync(path, 'r');
  const bytes = statSync(path).size;
  // As much as the SDK hands over at once.
  const CHUNK = 64 * 1024;
  return {
    bytes,
    async *stream(start, end = bytes) {
      for (let at = start; at < end; at += CHUNK) {
        const chunk = new Uint8Array(Math.min(CHUNK, end - at));
        readSync(handle, chunk, 0, chunk.length, at);
        yield chunk;
      }
    },
    async range(start, end) {
      const all = new Uint8Array(end - start);
      readSync(handle, all, 0, all.length, start);
      return all;
    },
  };
}

/** Whole lines. */
function beginOf(path: string): string {
  const handle = openSync(path, 'r');
  const bytes = new Uint8Array(64 * 1024);
  const text = Buffer.from(bytes.subarray(0, readSync(handle, bytes, 0, bytes.length, 0))).toString();
  return text.slice(0, text.lastIndexOf('\n'));
}

function folderFiles(folder: string): Files {
  mkdirSync(folder, { recursive: true });
  const never = (): never => {
    throw new Error('not asked for here');
  };
  return {
    create: async (key, body) => {
      writeFileSync(join(folder, key.replaceAll('/', '-')), body);
      return 'created';
    },
    replace: never,
    read: never,
    head: never,
    keys: never,
    remove: never,
  };
}

async function scoreAll(rows: Rows, scoring: Scoring, files: Files, part: number): Promise<number> {
  let open: OpenPart | undefined;
  let count = 0;
  const world = {
    files: () => files,
    sizes: { ...SIZES, part },
    clock: Date.now,
    left: () => Number.POSITIVE_INFINITY,
    count: (metrics: Readonly<Record<string, number>>): void => {
      count += metrics[BATCH_METRICS.rows] ?? 0;
    },
  };
  for await (const block of rows.all(part)) {
    if (block.part !== open?.part) {
      await open?.close();
      open = openPart(world, { bucket: '', prefix: '' }, block.part, scoring, firstRow(block), []);
    }
    await open.add(block);
  }
  await open?.close();
  return count;
}

async function bareOf(rows: Rows, session: Session, part: number): Promise<() => void> {
  const blocks: Tensors[] = [];
  for await (const { tensors } of rows.all(part)) blocks.push(tensors);
  return () => {
    for (const tensors of blocks) session.run(tensors);
  };
}

async function main(task: Task): Promise<Answer> {
  const { manifest, file, format, folder, sides, times, part } = task;
  const session = await openSession(manifest, process.env);
  const entry: Entry = {
    input: { bucket: '', prefix: '', suffix: '' },
    output: { bucket: '', prefix: '' },
    format,
    outputFormat: format,
    tolerate: 0,
    ids: [],
    join: false,
    emit: [],
  };
  const source = fileSource(file);
  const run = runOf(manifest, session, {});
  const rows = await openRows(entry, source, manifest);
  const outputs = await writtenOutputs(manifest, run, entry, rows);
  const scoring: Scoring = {
    run,
    most: mostRows(manifest),
    outputs,
    entry,
    writer: await writerFor(entry, rows, outputs),
  };
  const files = folderFiles(folder);
  const bare = sides.includes('bare') ? await bareOf(rows, session, part) : () => {};
  let count = 0;
  const call = {
    ours: async () => {
      count = await scoreAll(await openRows(entry, source, manifest), scoring, files, part);
    },
    bare: async () => bare(),
  };
  const taken: { ours: number[]; bare: number[] } = { ours: [], bare: [] };
  for (let turn = -1; turn < times; turn++) {
    for (const side of turn % 2 === 0 ? sides : sides.toReversed()) {
      const started = performance.now();
      await call[side]();
      if (turn >= 0) taken[side].push(performance.now() - started);
    }
  }
  const [first = ''] = readdirSync(folder).toSorted();
  const written = format === 'csv' ? beginOf(join(folder, first)) : '';
  rmSync(folder, { recursive: true, force: true });
  return { ...taken, rows: count, written, peak: process.resourceUsage().maxRSS / 1024 };
}

const task: Task = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
writeSync(3, JSON.stringify(await main(task)));
