import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { place } from '../../disk/cache.ts';
import { writeWhole } from '../../disk/whole.ts';
import { problemError } from '../../problems/errors.ts';
import type { OciImage } from './image.ts';

/** What a layout got that it did not have. */
export type LaidOut = {
  readonly blobs: number;
  readonly writtenBlobs: number;
  readonly writtenBytes: number;
};

/**
 * Writes an image into a folder as other tools read it (`skopeo copy oci:DIR:TAG …`). Blobs that are there
 * already stay; the folder has this one image afterwards.
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
    if (there.length > 0 && !there.includes('oci-layout'))
      throw refuse(
        `${folder} has other files in it.`,
        'Name a folder that is empty, not there yet, or an OCI layout.',
      );
    await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
    let [writtenBlobs, writtenBytes] = [0, 0];
    const manifest = {
      ...image.manifest,
      size: image.manifest.bytes.length,
      from: { bytes: image.manifest.bytes },
    };
    const blobs = [...image.blobs, manifest];
    for (const { digest, size, from } of blobs) {
      const to = join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length));
      if ((await stat(to).catch(() => undefined))?.size === size) continue;
      // What is there is whole: a copy that was ended has another name.
      const draft = `${to}.part`;
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
    const annotations = { 'org.opencontainers.image.ref.name': tag };
    await writeWhole(
      join(folder, 'index.json'),
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        manifests: [{ mediaType, digest, size, annotations }],
      }),
    );
    await writeWhole(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
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
