import type { FileHandle } from 'node:fs/promises';
import type { Source } from '../../../core/tabular/cells/format.ts';

/** Read at a time. */
const CHUNK = 256 * 1024;

/** A file on disk, as readers of objects take it. @param told how many bytes were read */
export async function diskSource(
  file: FileHandle,
  told: (bytes: number) => void = () => {},
): Promise<Source> {
  const { size } = await file.stat();
  const range = async (start: number, end: number): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = new Uint8Array(end - start);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) throw new Error('The file became shorter while it was read.');
      done += bytesRead;
    }
    told(bytes.length);
    return bytes;
  };
  return {
    bytes: size,
    range,
    async *stream(start, end = size) {
      for (let at = start; at < end; at += CHUNK) yield await range(at, Math.min(end, at + CHUNK));
    },
  };
}
