import { writeFile } from 'node:fs/promises';
import { usage } from '../context/context.ts';
import { writeWhole } from '../disk/whole.ts';

/**
 * Writes what is in an image: where somebody says, else beside the folder that got the image. There each
 * model has a name of its own, and the name without a model is of the one that was written last.
 *
 * @param path of `--sbom`
 * @param folder of `--output`
 * @returns path of the file; undefined where there is no place for one
 * @throws ProblemError where it cannot be written
 */
export async function writeBom(
  bom: object,
  model: string,
  { path, folder }: { readonly path?: string | undefined; readonly folder?: string | undefined },
): Promise<string | undefined> {
  const text = `${JSON.stringify(bom, null, 2)}\n`;
  // It may be no file, for example /dev/stdout.
  if (path !== undefined) return written('--sbom', path, writeFile(path, text));
  if (folder === undefined) return undefined;
  const last = `${folder}.cdx.json`;
  await written('--output', last, writeWhole(last, text));
  const own = `${folder}.${model}.cdx.json`;
  return written('--output', own, writeWhole(own, text));
}

const written = (key: string, path: string, work: Promise<void>): Promise<string> =>
  work.then(
    () => path,
    (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw usage(key, `${path} cannot be written: ${why}.`, 'Name a file in a folder that exists.');
    },
  );
