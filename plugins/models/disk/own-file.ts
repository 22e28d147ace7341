import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);

/** Our own sources are TypeScript in the repository and JavaScript in the published package. */
const OWN_EXTENSION = extname(here);

/** @returns absolute path of a file of ours: `ownFile('functions/infer/handler')` */
export function ownFile(name: string): string {
  return join(dirname(here), '..', '..', '..', `${name}${OWN_EXTENSION}`);
}
