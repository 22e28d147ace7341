import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../unit/docs/pages.ts';

/** Where `npm test` has all calls written to, for those who look at them afterwards. */
export const CALLS = join(root, '.local', 'aws-calls');

/**
 * Where a run writes while it runs: another one in the same checkout takes nothing from it, and adds nothing.
 *
 * @param run what no other run is called, for example its process id
 */
export function callsOf(run: string | number, folder = CALLS) {
  const own = `${folder}-${run}`;
  return {
    own,
    /** The run is over: what it wrote takes the place of what the one before has left. */
    keep: (): void => {
      if (!existsSync(own)) return;
      rmSync(folder, { recursive: true, force: true });
      renameSync(own, folder);
    },
    remove: (): void => rmSync(own, { recursive: true, force: true }),
  };
}
