import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Source } from '../../../../../core/tabular/cells/format.ts';
import { windowed } from '../../../../../core/tabular/parquet/bytes.ts';

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
