import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonBin } from '../python.ts';
import type { Cost } from './reference-child.ts';

export const ROWS = 1_000_000;
/** What building a baseline of a million rows of 50 columns may take. */
const SECONDS = 30;
const MEGABYTES = 300;
const FILES = ['rows.csv', 'rows.jsonl', 'rows.npy', 'one.parquet', 'groups.parquet'];

const run = promisify(execFile);

/**
 * Builds a baseline of the same rows in each format, in a process each, and holds them against one another.
 * @returns seconds, and the most memory that each process had at a time
 */
export async function referenceData(rows: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'soak-reference-'));
  try {
    await run(await pythonBin(), [join(import.meta.dirname, 'reference.py'), folder, String(rows)]);
    const figures: string[] = [];
    let digest: string | undefined;
    for (const file of FILES) {
      const cost = await costOf(folder, file);
      digest ??= cost.digest;
      figures.push(`${file} ${cost.seconds.toFixed(1)} s ${cost.megabytes.toFixed(0)} MB`);
      if (cost.seconds > SECONDS || cost.megabytes > MEGABYTES)
        throw new Error(`${figures.join(', ')}: more than ${SECONDS} s or ${MEGABYTES} MB`);
      if (cost.rows !== rows || cost.digest !== digest)
        throw new Error(`${file} with its ${cost.rows} rows is not what ${FILES[0]} is`);
    }
    return figures.join(', ');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function costOf(folder: string, file: string): Promise<Cost> {
  const { stdout } = await run(
    process.execPath,
    [join(import.meta.dirname, 'reference-child.ts'), join(folder, file)],
    { env: { ...process.env, SERVERLESS_MODELS_CACHE: join(folder, 'cache') } },
  );
  return JSON.parse(stdout);
}
