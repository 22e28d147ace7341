import { buffer } from 'node:stream/consumers';
import { open } from 'yauzl';

/** @returns path → content of every file in a zip. */
export function unzip(path: string): Promise<Record<string, Uint8Array>> {
  return new Promise((resolve, reject) => {
    const found: Record<string, Uint8Array> = {};
    open(path, { lazyEntries: true }, (error, zip) => {
      if (error) return reject(error);
      zip.on('error', reject).on('end', () => resolve(found));
      zip.on('entry', (entry) => {
        zip.openReadStream(entry, async (failed, stream) => {
          if (failed) return reject(failed);
          found[entry.fileName] = new Uint8Array(await buffer(stream));
          zip.readEntry();
        });
      });
      zip.readEntry();
    });
  });
}
