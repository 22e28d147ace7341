/** Files of some hundred bytes that say any number of rows: what is made of it before a row is read. */
import { describe, expect, it } from 'vitest';
import type { Part } from '../../../../../core/tabular/cells/contract.ts';
import { cutGroups } from '../../../../../core/tabular/parquet/parts.ts';
import { openParquet } from '../../../../../core/tabular/parquet/read.ts';
import { collected, input, refusal, signature, source } from '../arrays-setup.ts';
import { fileOfPages } from './pages-setup.ts';

/** Two rows, and as many as its end says. */
const open = (rows: number) => {
  const element = { name: 'x', type: 'FLOAT', repetition_type: 'REQUIRED' } as const;
  const body = new Uint8Array(new Float32Array([1, 2]).buffer);
  const bytes = fileOfPages(element, [{ kind: 'v1', body, count: 2, encoding: 'PLAIN' }], rows);
  expect(bytes.length).toBeLessThan(300);
  return openParquet(source(bytes), signature(input('x', 'FP32', 1)), { ids: [], join: false });
};

describe('rows that a Parquet file says it has', () => {
  it.each([2 ** 47, 2 ** 42, 2 ** 53 - 1])(
    'are refused where its bytes cannot have them: %d',
    async (rows) => {
      expect(await refusal(open(rows))).toMatch(
        new RegExp(
          `^UNREADABLE: .*row group 1 says ${rows} rows; the \\d+ bytes of its column x have \\d+ at most`,
        ),
      );
    },
  );

  it('are cut as they are asked for: nothing is made for the parts that do not come', async () => {
    // A row a part.
    const rows = await open(2 ** 23);
    const before = process.memoryUsage().heapUsed;
    const blocks = rows.all(1)[Symbol.asyncIterator]();
    for (const part of [0, 1]) expect((await blocks.next()).value).toMatchObject({ part, read: 1 });
    expect(await refusal(blocks.next())).toMatch(/^UNREADABLE: .*a column ends before its row group/);
    const first: Part[] = [];
    for await (const part of rows.plan?.(1) ?? []) if (first.push(part) === 2) break;
    expect(first).toEqual([0, 1].map((part) => ({ part, from: part, to: part + 1, row: part })));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 2 ** 20);
  });

  it('are too many for a plan, which is in memory, where they make more than a million parts', async () => {
    const planOf = async (rows: number): Promise<Part[]> => {
      const { plan } = await open(rows);
      return plan === undefined ? [] : collected(plan(1));
    };
    expect((await planOf(1_000_000)).at(-1)).toMatchObject({ part: 999_999, to: 1_000_000 });
    expect(await refusal(planOf(1_000_001))).toMatch(
      /^TOO_LARGE: .*more than 1000000 parts of 1 rows\. Upload it in several pieces/,
    );
  });
});

it('small row groups go together, large ones in pieces of equal size, empty ones in none', () => {
  const ends = (groups: readonly number[], most: number) =>
    Array.from(cutGroups(groups, most), ({ part, from, to, row }) => [part, from, to, row]);
  expect(ends([], 5)).toEqual([]);
  expect(ends([0, 0], 5)).toEqual([]);
  expect(ends([2, 2, 2, 0, 5], 5)).toEqual([
    [0, 0, 4, 0],
    [1, 4, 6, 4],
    [2, 6, 11, 6],
  ]);
  expect(ends([1, 11, 1, 1], 5)).toEqual([
    [0, 0, 1, 0],
    [1, 1, 4, 1],
    [2, 4, 8, 4],
    [3, 8, 12, 8],
    [4, 12, 14, 12],
  ]);
});
