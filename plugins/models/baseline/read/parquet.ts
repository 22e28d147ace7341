import { type FileHandle, open } from 'node:fs/promises';
import { type AsyncBuffer, parquetMetadataAsync, parquetSchema } from 'hyparquet';
import { COMPRESSORS } from '../../../../core/tabular/cells/compressors.ts';
import type { Fault } from '../../../../core/tabular/cells/layout.ts';
import { isProblemError } from '../../declaration/errors.ts';
import { pagesOf } from './pages.ts';
import { putColumn, type Reading } from './reading.ts';

/** Apache Parquet, a page of a column of a row group at a time. */
export async function readParquet({ path, fault, open: opened, progress }: Reading): Promise<void> {
  const handle = await open(path);
  try {
    const file = await bufferOf(handle);
    const metadata = await parquetMetadataAsync(file);
    const root = parquetSchema(metadata);
    const columns = root.children;
    const names = columns.map(({ element }) => element.name);
    const sink = await opened({ names, widths: names.map(() => 1) });
    const { targets, store } = sink;
    await store.expect(metadata.row_groups.reduce((sum, { num_rows }) => sum + Number(num_rows), 0));
    let first = 0;
    for (const group of metadata.row_groups) {
      const rows = Number(group.num_rows);
      for (const [i, column] of columns.entries()) {
        const target = targets[i] as number;
        if (target < 0) continue;
        if (column.children.length > 0 || column.element.repetition_type === 'REPEATED')
          throw nested(names[i] as string, fault);
        let row = first;
        for await (const run of pagesOf(file, group, [root, column], COMPRESSORS)) {
          await putColumn(sink, target, row, run, fault);
          row += run.length;
        }
        progress((first + (rows * (i + 1)) / columns.length) / store.rows());
      }
      first += rows;
    }
  } catch (error) {
    if (isProblemError(error) || !(error instanceof Error)) throw error;
    throw fault(
      `It cannot be read as Parquet (${error.message.slice(0, 200)}).`,
      'Write it again, with Snappy or without compression, or as CSV.',
    );
  } finally {
    await handle.close();
  }
}

const nested = (name: string, fault: Fault): Error =>
  fault(
    `Its column ${name} is nested.`,
    'Give each element a column of its own, or write JSON lines (.jsonl), whose values may be arrays.',
  );

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start));
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
        if (bytesRead === 0) throw new Error('the file ends too early');
        done += bytesRead;
      }
      return bytes.buffer;
    },
  };
}
