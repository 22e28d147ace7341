/** Programs of others that read, keep and run images: tests use those that are there, the soak wants all. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Each with the package of Debian that brings it. */
const TOOLS = {
  skopeo: 'skopeo',
  umoci: 'umoci',
  'docker-registry': 'docker-registry',
  runc: 'runc',
  bwrap: 'bubblewrap',
} as const;
export type Tool = keyof typeof TOOLS;

/** @returns its path; undefined where it is not on the PATH */
export function toolPath(name: string): string | undefined {
  // What only root uses is not on everybody's PATH.
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Elsewhere, perhaps.
    }
  }
  return undefined;
}

/** @returns those that are not there */
export const lackingTools = (
  isThere = (name: Tool): boolean => toolPath(name) !== undefined,
): readonly Tool[] =>
  (Object.keys(TOOLS) as Tool[]).filter((name) => process.platform !== 'linux' || !isThere(name));

/** @returns the command that brings them */
export const bringTools = (tools: readonly Tool[]): string =>
  `apt install ${tools.map((name) => TOOLS[name]).join(' ')}`;
