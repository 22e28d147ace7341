import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../../../core/json/is-object.ts';
import { place } from '../../disk/cache.ts';
import { sha256Of } from '../../disk/files.ts';
import { underLock } from '../../disk/lock.ts';
import { writeWhole } from '../../disk/whole.ts';
import { problemError } from '../../problems/errors.ts';
import type { OciImage } from './image.ts';

/** What a layout got that it did not have. */
export type LaidOut = {
  readonly blobs: number;
  readonly writtenBlobs: number;
  readonly writtenBytes: number;
};

const NAME = 'org.opencontainers.image.ref.name';

/**
 * Writes an image into a folder as other tools read it (`skopeo copy oci:DIR:TAG …`). Blobs that are there
 * already, and are what they are named by, stay; so do images of other tags.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 *
 * @param key of the option that names the folder
 * @throws ProblemError `MODELS_IMAGE_PUSH` where the folder cannot be written, or holds something else
 */
export async function writeLayout(
  image: OciImage,
  folder: string,
  tag: string,
  key: string,
): Promise<LaidOut> {
  const refuse = (message: string, fix: string, cause?: unknown): Error =>
    problemError([{ code: 'MODELS_IMAGE_PUSH', key, value: folder, message, fix }], cause);
  try {
    await mkdir(folder, { recursive: true });
    const there = await readdir(folder);
    // It begins with this name while another command writes it.
    if (there.length > 0 && !there.some((name) => name.startsWith('oci-layout')))
      throw refuse(
        `${folder} has other files in it.`,
        'Name a folder that is empty, not there yet, or an OCI layout.',
      );
    const othersIn = async (): Promise<readonly unknown[]> => {
      const others = await imagesIn(folder, tag);
      if (others !== undefined) return others;
      throw refuse(
        `${folder} is an OCI layout whose index.json cannot be read.`,
        'Name another folder, or delete this one.',
      );
    };
    // Told before gigabytes are copied.
    await othersIn();
    // First: a folder that was left in the middle is known by it, and is taken the next time.
    await writeWhole(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
    let [writtenBlobs, writtenBytes] = [0, 0];
    const manifest = {
      ...image.manifest,
      size: image.manifest.bytes.length,
      from: { bytes: image.manifest.bytes },
    };
    const blobs = [...image.blobs, manifest];
    for (const { digest, size, from } of blobs) {
      const hex = digest.slice('sha256:'.length);
      const to = join(folder, 'blobs', 'sha256', hex);
      if ((await stat(to).catch(() => undefined))?.size === size && (await sha256Of(to)) === hex) continue;
      // What has its name is whole: a copy that was ended has another.
      const draft = `${to}.${process.pid}.${randomBytes(4).toString('hex')}.part`;
      try {
        if ('bytes' in from) await writeFile(draft, from.bytes);
        else await place(from.file, draft);
        await rename(draft, to);
      } finally {
        await rm(draft, { force: true });
      }
      writtenBlobs += 1;
      writtenBytes += size;
    }
    const { mediaType, digest, size } = manifest;
    const index = join(folder, 'index.json');
    // Another command may have brought an image meanwhile.
    await underLock(`${index}.lock`, async () =>
      writeWhole(
        index,
        JSON.stringify({
          schemaVersion: 2,
          mediaType: 'application/vnd.oci.image.index.v1+json',
          manifests: [...(await othersIn()), { mediaType, digest, size, annotations: { [NAME]: tag } }],
        }),
      ),
    );
    return { blobs: blobs.length, writtenBlobs, writtenBytes };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw refuse(
      `${folder} cannot be written (${code}).`,
      'Give it room and write permission, or name another folder.',
      error,
    );
  }
}

/** @returns what an index names beside this tag; undefined where there is one that cannot be read */
async function imagesIn(folder: string, tag: string): Promise<readonly unknown[] | undefined> {
  const text = await readFile(join(folder, 'index.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return [];
  try {
    const { manifests }: { readonly manifests?: unknown } = JSON.parse(text);
    if (!Array.isArray(manifests)) return undefined;
    return manifests.filter(
      (one: unknown) => !(isObject(one) && isObject(one.annotations) && one.annotations[NAME] === tag),
    );
  } catch {
    return undefined;
  }
}
