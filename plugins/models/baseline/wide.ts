import type { FileHandle } from 'node:fs/promises';
import type { Components, NumericSignal } from '../../../core/drift/contract.ts';
import { createResidual, elementPlaces } from '../../../core/drift/residual.ts';
import type { RowTensor } from '../../../core/tabular/cells/layout.ts';
import { breathe } from './breathe.ts';
import { componentsOf } from './components.ts';
import { readBlocks, type Stored } from './store.ts';

/** Rows that components are made of, and that are held against them: some seconds' work, and 80 MB. */
const MOST_ROWS = 10_000;
/** Components of fewer rows are those of chance. */
const LEAST_ROWS = 1000;
/** Parts of the rows: every other one makes the components. */
const PARTS = 20;

/** What is watched of a wide row, a value a row. */
export type Summary = {
  readonly value: NumericSignal['value'];
  readonly values: Float64Array<ArrayBuffer>;
  /** How many rows were looked at, where that is not all of them. */
  readonly rows?: number;
  readonly components?: Components;
};

/**
 * Euclidean norm, mean and standard deviation of all of a row; and what principal components of its elements
 * leave of it, of rows that these were not made of: of their own they would leave less than of any later one.
 * A row that lacks an element has none of them. In one pass, since a row may be an image.
 */
export async function summaries(
  file: FileHandle,
  stored: Stored,
  { spec, first, width }: RowTensor,
  notices: string[],
): Promise<readonly Summary[]> {
  const norm = new Float64Array(stored.rows);
  const mean = new Float64Array(stored.rows);
  const sd = new Float64Array(stored.rows);
  const chosen = choose(stored.rows, elementPlaces(width));
  await readBlocks(file, stored, first, first + width, async (block, firstRow, count) => {
    for (let row = 0; row < count; row++) {
      let sum = 0;
      let squares = 0;
      for (const values of block) {
        const x = values[row] as number;
        sum += x;
        squares += x * x;
      }
      const average = sum / width;
      let apart = 0;
      for (const values of block) {
        const d = (values[row] as number) - average;
        apart += d * d;
      }
      norm[firstRow + row] = Math.sqrt(squares);
      mean[firstRow + row] = average;
      sd[firstRow + row] = Math.sqrt(apart / width);
      chosen.take(firstRow + row, (place) => (block[place] as ArrayLike<number>)[row] as number);
    }
    await breathe();
  });
  const residual = await residuals(chosen, width);
  if (residual === undefined)
    notices.push(
      `The residual of ${spec.name} is not watched: that takes ${LEAST_ROWS} rows without a gap, and the reference has fewer.`,
    );
  return [
    { value: 'norm', values: norm },
    { value: 'mean', values: mean },
    { value: 'sd', values: sd },
    ...(residual === undefined ? [] : [residual]),
  ];
}

type Chosen = {
  /** Elements of a row. */
  readonly size: number;
  /** The rows that make the components, and the others; one row after the other, in the file's order. */
  readonly making: Float64Array<ArrayBuffer>;
  readonly held: Float64Array<ArrayBuffer>;
  /** To be called with every row, in order. */
  readonly take: (row: number, at: (place: number) => number) => void;
};

/** Evenly spaced rows of all; by parts and not in turn, as neighbours may be alike. */
function choose(rows: number, places: Int32Array): Chosen {
  const count = Math.min(rows, MOST_ROWS);
  const isMaking = (i: number): boolean => Math.floor((i * PARTS) / count) % 2 === 0;
  const half = Array.from({ length: count }, (_, i) => isMaking(i)).filter(Boolean).length;
  const size = places.length;
  const making = new Float64Array(half * size);
  const held = new Float64Array((count - half) * size);
  let [next, made, kept] = [0, 0, 0];
  return {
    size,
    making,
    held,
    take(row, at) {
      if (next === count || row !== Math.floor((next * rows) / count)) return;
      const isOfMaking = isMaking(next++);
      const into = isOfMaking ? making : held;
      const start = (isOfMaking ? made++ : kept++) * size;
      for (let i = 0; i < size; i++) into[start + i] = at(places[i] as number);
    },
  };
}

async function residuals({ size, making, held }: Chosen, width: number): Promise<Summary | undefined> {
  const parts = await componentsOf(making, size, LEAST_ROWS / 2);
  if (parts === undefined) return undefined;
  const residual = createResidual(parts);
  const values = Float64Array.from({ length: held.length / size }, (_, i) =>
    residual(held.subarray(i * size, (i + 1) * size)),
  );
  return { value: 'residual', values, rows: values.length, components: { width, ...parts } };
}
