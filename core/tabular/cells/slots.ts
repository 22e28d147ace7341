import { type Layout, rowDimensions } from './layout.ts';
import type { Slot } from './row-buffer.ts';

/** The model's inputs, with as many elements a row as the file has columns for them. */
export const slotsOf = ({ tensors }: Layout): readonly Slot[] =>
  tensors.map(({ spec, width }) => {
    const inner = rowDimensions(spec);
    return { spec, shape: inner.some((dimension) => dimension < 0) ? [width] : inner };
  });

/** Dimensions of a row, by input. */
export const shapesOf = (slots: readonly Slot[]): ReadonlyMap<string, readonly number[]> =>
  new Map(slots.map(({ spec, shape }) => [spec.name, shape]));
