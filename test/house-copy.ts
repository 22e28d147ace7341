import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * The sources in a temporary folder, for tests that add to them: what a person does who adds one more to a
 * seam.
 */
export async function houseCopy() {
  const folder = await mkdtemp(join(tmpdir(), 'house-'));
  for (const room of ['core', 'aws', 'plugins', 'layers', 'package.json'])
    await cp(join(root, room), join(folder, room), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return {
    add: (path: string, text: string): Promise<void> => writeFile(join(folder, path), text, { flag: 'wx' }),
    /** Replaces what must be there once. */
    change: async (path: string, from: string, to: string): Promise<void> => {
      const text = await readFile(join(folder, path), 'utf8');
      if (text.split(from).length !== 2) throw new Error(`${path} has not once: ${from}`);
      await writeFile(
        join(folder, path),
        text.replace(from, () => to),
      );
    },
    /** Runs an ES module there. @returns what it prints, as JSON */
    run: (program: string): unknown =>
      JSON.parse(
        execFileSync(process.execPath, ['--input-type=module', '-e', program], {
          cwd: folder,
          encoding: 'utf8',
        }),
      ),
    remove: (): Promise<void> => rm(folder, { recursive: true, force: true }),
  };
}
