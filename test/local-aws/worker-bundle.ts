import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownFile } from '../../plugins/models/disk/own-file.ts';
import { importPath } from '../../plugins/models/ship/bundle.ts';
import { bundled } from '../bundled.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The release worker, bundled as it is deployed. */
export function workerBundle(): Promise<string> {
  const source = `export { handler } from ${importPath(ownFile('functions/release/handler'))};`;
  return bundled(source, root, 'models');
}
