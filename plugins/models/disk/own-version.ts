import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

let known: Promise<string> | undefined;

/** This package's version, read once. */
export function ownVersion(): Promise<string> {
  known ??= readVersion();
  return known;
}

/** package.json is three folders above the sources, and one more above `dist/`. */
async function readVersion(): Promise<string> {
  const above = join(import.meta.dirname, '..', '..', '..');
  const text = await readFile(join(above, 'package.json'), 'utf8').catch(() =>
    readFile(join(above, '..', 'package.json'), 'utf8'),
  );
  const { version }: { version: string } = JSON.parse(text);
  return version;
}
