import { open } from 'node:fs/promises';
import type { Fault } from '../../../../core/tabular/cells/layout.ts';
import { emptyText, fill, skipMark, type Text } from '../../../../core/tabular/cells/text-window.ts';

/** Read at a time; a line may be longer, up to the most. */
const BUFFER = 1024 ** 2;
const LINE_BYTES = 64 * 1024 ** 2;

/**
 * Opens a text file and reads its start, without a byte order mark.
 * @param use `more` reads on, keeping what is not parsed; false when there is nothing new
 */
export async function withText(
  path: string,
  fault: Fault,
  progress: (share: number) => void,
  use: (text: Text, more: () => Promise<boolean>) => Promise<void>,
): Promise<void> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const text = emptyText(BUFFER);
    let read = 0;
    const more = async (): Promise<boolean> => {
      if (text.done) return false;
      read += await fill(
        text,
        async (bytes, from, length) => (await file.read(bytes, from, length, null)).bytesRead,
        (rest) => {
          if (rest > LINE_BYTES) {
            throw fault(
              `Line ${text.line} is longer than ${LINE_BYTES / 1024 ** 2} MB.`,
              'End each row with a line end.',
            );
          }
        },
      );
      progress(Math.min(1, read / size));
      return true;
    };
    await more();
    skipMark(text);
    await use(text, more);
  } finally {
    await file.close();
  }
}
