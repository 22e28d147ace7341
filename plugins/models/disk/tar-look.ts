import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Parser, type ReadEntry } from 'tar';

/** What an archive has under a path. */
export type TarLook = {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'hardlink' | 'other';
  /** Where a link leads. */
  readonly to?: string;
};

const KINDS: Readonly<Record<string, TarLook['kind']>> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  Directory: 'folder',
  SymbolicLink: 'link',
  Link: 'hardlink',
};

/**
 * Looks at what is in an archive, packed (by gzip or zstd) or not, and unpacks nothing.
 *
 * @param take called for each entry, in its order; it may return what reads the file's bytes
 * @throws Error where it is no whole archive
 */
export async function lookIntoTar(
  archive: Readable,
  take: (entry: TarLook) => ((chunk: Buffer) => void) | undefined,
): Promise<void> {
  let broken: Error | undefined;
  /** As a step of a build makes one that changes no file; the parser knows it for none. */
  let isEmpty = true;
  let isEnded = false;
  const parser = new Parser({
    // Nothing is kept of what is unpacked, and a log of a user with a large number is gigabytes of zeros.
    maxDecompressionRatio: Number.POSITIVE_INFINITY,
    onReadEntry: (entry: ReadEntry) => {
      isEmpty = false;
      const { linkpath } = entry;
      const read = take({
        path: entry.path.replace(/^(\.?\/)+/, '').replace(/\/+$/, ''),
        kind: KINDS[entry.type] ?? 'other',
        ...(linkpath !== undefined && linkpath !== '' && { to: linkpath }),
      });
      if (read !== undefined) entry.on('data', read);
      entry.resume();
    },
    onwarn: (code, message) => {
      if (code !== 'TAR_ENTRY_INFO' && code !== 'TAR_ENTRY_UNSUPPORTED' && !(isEmpty && isEnded))
        broken ??= new Error(`the archive is broken: ${message}`);
    },
  });
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  parser.once('end', () => end());
  parser.once('eof', () => {
    isEnded = true;
  });
  await pipeline(archive, async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      if (broken !== undefined) throw broken;
      if (!parser.write(chunk)) await new Promise<void>((done) => parser.once('drain', () => done()));
    }
  });
  parser.end();
  await ended;
  if (broken !== undefined) throw broken;
}
