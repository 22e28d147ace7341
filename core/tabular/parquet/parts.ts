import { objectFault } from '../../errors/object-errors.ts';
import type { Part } from '../cells/contract.ts';
import type { ReadColumn } from './columns.ts';
import type { RowGroup } from './library.ts';
import { PAGE_VALUES } from './pages.ts';

/**
 * Parts of a Parquet object, by what its end says of row groups. A hundred bytes may say any number of rows,
 * so nothing is made for a part before it is asked for.
 */

/** Bytes of a page at the least that says it has `PAGE_VALUES`: its head alone. */
const LEAST_PAGE = 10;
/** Parts of a plan, which is in memory: 16 TB of rows, where a part has 16 MB of them. */
const MOST_PARTS = 1_000_000;

/**
 * Rows by row group.
 * @throws Error where a column has not as many bytes as their pages have at the least
 */
export function rowsByGroup(groups: readonly RowGroup[], columns: readonly ReadColumn[]): readonly number[] {
  return groups.map((group, i) => {
    const rows = Number(group.num_rows);
    for (const { leaf, name } of columns) {
      const size = Number(group.columns[leaf]?.meta_data?.total_compressed_size ?? Number.POSITIVE_INFINITY);
      const most = Math.floor(size / LEAST_PAGE) * PAGE_VALUES;
      if (rows > most)
        throw new Error(
          `its row group ${i + 1} says ${rows} rows; the ${size} bytes of its column ${name} have ${most} at most`,
        );
    }
    return rows;
  });
}

/** Small row groups together, large ones in pieces of equal size. @param most rows of a part */
export function* cutGroups(groups: readonly number[], most: number): Generator<Part, undefined> {
  let part = 0;
  let from = 0;
  let to = 0;
  for (const rows of groups) {
    if (to - from + rows > most && to > from) {
      yield { part: part++, from, to, row: from };
      from = to;
    }
    const pieces = Math.max(1, Math.ceil(rows / most));
    const start = to;
    for (let piece = 1; piece <= pieces; piece++) {
      to = start + Math.floor((rows * piece) / pieces);
      if (pieces === 1 || to === from) continue;
      yield { part: part++, from, to, row: from };
      from = to;
    }
  }
  if (to > from) yield { part, from, to, row: from };
}

/** The same, of an object whose parts are put into a list. @throws an object fault `TOO_LARGE` */
export function* planGroups(groups: readonly number[], most: number): Generator<Part, undefined> {
  for (const part of cutGroups(groups, most)) {
    if (part.part >= MOST_PARTS)
      throw objectFault(
        'TOO_LARGE',
        `Its row groups say so many rows that it has more than ${MOST_PARTS} parts of ${most} rows. Upload it in several pieces.`,
      );
    yield part;
  }
}
