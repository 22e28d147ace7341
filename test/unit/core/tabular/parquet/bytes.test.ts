import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import type { Source } from '../../../../../core/tabular/cells/format.ts';
import { windowed } from '../../../../../core/tabular/parquet/bytes.ts';
import { openParquet } from '../../../../../core/tabular/parquet/read.ts';
import { input, signature, source } from '../arrays-setup.ts';

const DATA = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) % 251);

/** Gives new memory for each range, and keeps what it gave. */
function remembered(): { readonly source: Source; readonly given: Uint8Array[] } {
  const given: Uint8Array[] = [];
  return {
    given,
    source: {
      bytes: DATA.length,
      async *stream() {},
      async range(start, end) {
        const bytes = DATA.slice(start, end);
        given.push(bytes);
        return bytes;
      },
    },
  };
}

it('a window that moves on has what is asked for, and keeps what it is not told to be done with', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 900 }),
      fc.array(
        fc.record({
          skip: fc.integer({ min: 0, max: 300 }),
          least: fc.integer({ min: 1, max: 1200 }),
          isDone: fc.boolean(),
        }),
        { maxLength: 40 },
      ),
      async (window, reads) => {
        const { source } = remembered();
        const end = 4000;
        const { read, free } = windowed(source, 100, end, window);
        let at = 100;
        let kept: [number, Uint8Array][] = [];
        for (const { skip, least, isDone } of reads) {
          at = Math.min(end, at + skip);
          const bytes = await read(at, least);
          expect(bytes.length).toBeGreaterThanOrEqual(Math.min(least, end - at));
          expect([...bytes]).toEqual([...DATA.subarray(at, at + bytes.length)]);
          kept.push([at, bytes.subarray(0, least)]);
          for (const [from, held] of kept)
            expect([...held]).toEqual([...DATA.subarray(from, from + held.length)]);
          at = Math.min(end, at + least);
          // An empty read says nothing of what was read before.
          await read(at, 0);
          if (!isDone) continue;
          free(at);
          kept = [];
        }
      },
    ),
  );
});

it('what a window is done with is freed at once', async () => {
  const { source, given } = remembered();
  const { read, free } = windowed(source, 0, DATA.length, 100);
  const page = await read(0, 1000);
  // The first window, the rest, and the window after them: the first two are together now.
  expect(given.map(({ length }) => length)).toEqual([0, 0, 100]);
  expect(page.length).toBe(1000);
  free(1000);
  expect(page.length).toBe(0);
  expect([...(await read(1000, 100))]).toEqual([...DATA.subarray(1000, 1100)]);
});

describe('columns of a row group', () => {
  /** Reads that are under way, at most, and how many there were. */
  function watched(bytes: Uint8Array) {
    const inner = source(bytes);
    const seen = { open: 0, most: 0, count: 0 };
    const range: Source['range'] = async (start, end) => {
      seen.count++;
      seen.most = Math.max(seen.most, ++seen.open);
      await new Promise((resolve) => setImmediate(resolve));
      seen.open--;
      return inner.range(start, end);
    };
    return { seen, source: { ...inner, range } };
  }

  it.each([
    // Chunks of 3 kB and of 72 kB: as large as a window, and larger.
    [3000, 750, 10],
    [150, 18_000, 1000],
  ])('%i with %i rows are read some at a time, small ones together', async (width, rows, reads) => {
    const data = Array.from({ length: width }, (_, column) =>
      Float32Array.from({ length: rows }, (__, row) => column + row / 1024),
    );
    const columnData = data.map((values, column) => ({
      ...({ name: `x_${column}`, data: values, type: 'FLOAT', nullable: false, encoding: 'PLAIN' } as const),
    }));
    const written = parquetWriteBuffer({
      columnData,
      rowGroupSize: rows,
      codec: 'UNCOMPRESSED',
      statistics: false,
    });
    const { seen, source: from } = watched(new Uint8Array(written));
    const opened = await openParquet(from, signature(input('x', 'FP32', width)), { ids: [], join: false });
    let row = 0;
    for await (const { tensors, read } of opened.all(2 ** 25)) {
      const values = tensors.x?.data as Float32Array;
      for (const column of [0, 1, width - 1])
        expect(values[column]).toBe((data[column] as Float32Array)[row]);
      row += read;
    }
    expect(row).toBe(rows);
    expect(seen.most).toBeLessThanOrEqual(16);
    expect(seen.count).toBeLessThan(reads);
  });
});
