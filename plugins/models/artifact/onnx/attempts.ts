import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DAY_MS } from '../../../../core/units/time.ts';
import { cacheFolder, once } from '../../disk/cache.ts';

/** What is kept of an attempt. */
type Attempt = {
  /** When it was given up for want of time or memory: another hour, or machine, may have them. */
  readonly gaveUp?: number;
};

/**
 * What was given up is tried again, once a day: a laptop that slept meanwhile is no reason for good. Each
 * attempt is called by the day of the one before, so that the one that succeeds is found for ever.
 *
 * @param kind folder of the cache
 * @param file what `make` writes into the folder that it is given: JSON
 */
export async function latestAttempt<R extends Attempt>(
  kind: string,
  name: string,
  file: string,
  make: (draft: string) => Promise<void>,
): Promise<R & { readonly folder: string }> {
  const read = async (name: string): Promise<R & { readonly folder: string }> => {
    const folder = await once(cacheFolder(kind, name), make);
    return { ...(JSON.parse(await readFile(join(folder, file), 'utf8')) as R), folder };
  };
  let found = await read(name);
  while (found.gaveUp !== undefined && Date.now() - found.gaveUp >= DAY_MS)
    found = await read(`${name}-${Math.floor(found.gaveUp / DAY_MS)}`);
  return found;
}
