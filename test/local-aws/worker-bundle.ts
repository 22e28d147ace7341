import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownFile } from '../../plugins/models/disk/own-file.ts';
import { bundle, importPath } from '../../plugins/models/ship/bundle.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
let made: Promise<string> | undefined;

/**
 * The release worker, bundled as it is deployed; once a process, since its sources stay as they are
 * meanwhile.
 */
export function workerBundle(): Promise<string> {
  const source = `export { handler } from ${importPath(ownFile('functions/release/handler'))};`;
  made ??= bundle(source, root, 'models');
  return made;
}
