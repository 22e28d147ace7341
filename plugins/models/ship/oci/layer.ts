import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { cacheFolder, once } from '../../disk/cache.ts';
import type { ArchiveEntry } from '../../disk/files.ts';
import { folderTar, writeTar } from '../../disk/tar-write.ts';

/** Files that an image lays over those of the layers before. */
export type OciLayer = {
  /** sha256 of the tar: what the layer is, whichever zlib packed it. */
  readonly diffId: string;
  /** sha256 and bytes of the tar packed with gzip: what a registry keeps. */
  readonly digest: string;
  readonly size: number;
  /** Absolute path of that, in the cache. */
  readonly file: string;
};

const FILE = 'layer.tar.gz';
const FACTS = 'facts.json';

/**
 * Where gzip's head has the system that packed (https://www.rfc-editor.org/rfc/rfc1952#page-5), and what zlib
 * writes on Linux. With macOS's own the same layer had another digest, and registries were sent it again.
 */
const SYSTEM_BYTE = 9;
const LINUX = 3;

/** zlib's own default. */
const LEVEL = 6;

/**
 * Makes a layer of files, the same of the same paths and contents. It is packed once and then taken from the
 * cache, so that a machine knows one digest of it.
 *
 * @param level of gzip
 * @throws ProblemError where a file changes meanwhile, or the cache cannot be written
 */
export const writeLayer = (entries: readonly ArchiveEntry[], level = LEVEL): Promise<OciLayer> =>
  packed(() => writeTar(entries), level);

/** Makes a layer of one folder, with nothing in it. */
export const writeFolder = (path: string): Promise<OciLayer> => packed(() => [folderTar(path)], LEVEL);

/** @param tarOf is called twice */
async function packed(
  tarOf: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  level: number,
): Promise<OciLayer> {
  const tar = createHash('sha256');
  for await (const chunk of tarOf()) tar.update(chunk);
  const hex = tar.digest('hex');
  const folder = await once(cacheFolder('image-layers', hex), async (draft) => {
    const [unpacked, whole] = [createHash('sha256'), createHash('sha256')];
    let size = 0;
    await pipeline(
      noting(tarOf(), (chunk) => unpacked.update(chunk)),
      createGzip({ level }),
      (source: AsyncIterable<Uint8Array>) =>
        noting(source, (chunk) => {
          if (size === 0) chunk[SYSTEM_BYTE] = LINUX;
          whole.update(chunk);
          size += chunk.length;
        }),
      createWriteStream(join(draft, FILE)),
    );
    if (unpacked.digest('hex') !== hex) throw new Error('A file of the layer changed while it was packed.');
    const sha256 = whole.digest('hex');
    await writeFile(join(draft, FACTS), JSON.stringify({ digest: `sha256:${sha256}`, size }));
    return { [FILE]: sha256 };
  });
  const { digest, size }: Pick<OciLayer, 'digest' | 'size'> = JSON.parse(
    await readFile(join(folder, FACTS), 'utf8'),
  );
  return { diffId: `sha256:${hex}`, digest, size, file: join(folder, FILE) };
}

async function* noting(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  note: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    note(chunk);
    yield chunk;
  }
}
