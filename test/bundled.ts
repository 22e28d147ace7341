import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '../plugins/models/ship/bundle.ts';

/** The folder that all of `npm test` has for what functions consist of; undefined: tests run alone. */
const shared = process.env.MODELS_AWS_CODE;
const made = new Map<string, Promise<string>>();

/**
 * `bundle`, once a run of `npm test`: a start of esbuild is half a second, and sources stay as they are
 * meanwhile.
 */
export function bundled(source: string, folder: string, key: string): Promise<string> {
  const name = createHash('sha256')
    .update(JSON.stringify([source, folder, key]))
    .digest('hex');
  const found = made.get(name) ?? kept(name, () => bundle(source, folder, key));
  made.set(name, found);
  return found;
}

async function kept(name: string, make: () => Promise<string>): Promise<string> {
  if (shared === undefined) return make();
  const file = join(shared, 'bundles', `${name}.mjs`);
  const before = await readFile(file, 'utf8').catch(() => undefined);
  if (before !== undefined) return before;
  const text = await make();
  await mkdir(join(shared, 'bundles'), { recursive: true });
  // Whole or not at all: others read it meanwhile.
  await writeFile(`${file}.${process.pid}`, text);
  await rename(`${file}.${process.pid}`, file);
  return text;
}
