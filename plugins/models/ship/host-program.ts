import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ownFile } from '../disk/own-file.ts';
import { bundles, importPath } from './bundle.ts';

/** The host's program, as files in a folder. */
export const HOST_FILES = { host: 'host.mjs', child: 'child.mjs' } as const;

/**
 * Bundles the host, and beside it the program of a model's process.
 * @param page script of the docs page
 */
export async function writeHost(folder: string, page: string): Promise<void> {
  const start = importPath(ownFile('functions/host/start'));
  const made = await bundles(
    {
      host: `import { fileURLToPath } from 'node:url';
import { startHost } from ${start};
await startHost(fileURLToPath(new URL('./${HOST_FILES.child}', import.meta.url)), ${JSON.stringify(page)});
`,
      child: `import ${importPath(ownFile('functions/host/child'))};\n`,
    },
    folder,
    'models',
  );
  await writeFile(join(folder, HOST_FILES.host), made.host);
  await writeFile(join(folder, HOST_FILES.child), made.child);
}
