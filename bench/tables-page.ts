/**
 * A page of docs/ that a simulation writes: what it is about, every table, and the machine and versions that
 * made it.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Table } from './release/cells.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * @param name of the file in docs/
 * @param machine the bench's own description, of which a simulation depends on little
 */
export async function writePage(
  name: string,
  head: string,
  tables: readonly Table[],
  machine: Readonly<Record<string, string>>,
): Promise<void> {
  const page = join(root, 'docs', name);
  const chosen = ['Processor', 'System', 'Node.js', 'Date'].flatMap((key) =>
    machine[key] === undefined ? [] : [[key, machine[key]] as const],
  );
  const versions = { title: 'Machine and versions', about: '', head: ['', ''], rows: chosen };
  await writeFile(page, `${[head, ...[...tables, versions].map(section)].join('\n\n')}\n`);
  await promisify(execFile)(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', page]);
}

function section({ title, about, head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const grid = [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
  return [`## ${title}`, ...(about === '' ? [] : [about]), grid].join('\n\n');
}
