import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../../core/json/is-object.ts';

/** The framework's own name for it. */
const STATE = 'serverless-state.json';

/**
 * The framework keeps whole paths of zips in a package. Where it was made in another folder, they are not
 * there, or are those of a later package: the ones that came along are deployed. What cannot be read is left
 * to the framework, which says so.
 *
 * @param folder `.serverless`, with what `--package` named
 * @param functions ours, by key
 */
export async function ownZips(folder: string, functions: readonly string[]): Promise<void> {
  const path = join(folder, STATE);
  const state = await readFile(path, 'utf8')
    .then(JSON.parse)
    .catch(() => undefined);
  const there = isObject(state) && isObject(state.service) ? state.service.functions : undefined;
  if (!isObject(there)) return;
  let moved = false;
  for (const key of functions) {
    const definition = Object.hasOwn(there, key) ? there[key] : undefined;
    const zip = isObject(definition) ? definition.package : undefined;
    if (!isObject(zip) || typeof zip.artifact !== 'string') continue;
    const own = join(folder, zip.artifact.split(/[\\/]/).at(-1) ?? '');
    if (zip.artifact === own) continue;
    Object.assign(zip, { artifact: own });
    moved = true;
  }
  if (moved) await writeFile(path, JSON.stringify(state, null, 2));
}
