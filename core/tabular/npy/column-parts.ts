import { objectFault } from '../../errors/object-errors.ts';
import type { Source } from '../cells/format.ts';

/** Bytes between two pieces that are read and passed over: another request would take longer. */
const GAP = 64 * 1024;
const AT_ONCE = 16;

/** Where pieces of equal length lie in an object: so many, each `stride` bytes after the one before. */
type Pieces = {
  readonly start: number;
  readonly own: number;
  readonly stride: number;
  readonly width: number;
};

/**
 * A piece of each column, one after the other. A request for each would take all of an invocation's time
 * where there are tens of thousands.
 */
export async function columnParts(
  source: Source,
  { start, own, stride, width }: Pieces,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts = new Uint8Array(width * own);
  if (stride - own > GAP) {
    const read = async (column: number): Promise<void> => {
      const at = start + column * stride;
      parts.set(await source.range(at, at + own), column * own);
    };
    for (let column = 0; column < width; column += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, width - column) }, (_, i) => read(column + i));
      await Promise.all(some);
    }
    return parts;
  }
  const bytes = (width - 1) * stride + own;
  let [column, within] = [0, 0];
  for await (const chunk of source.stream(start, start + bytes)) {
    for (let at = 0; at < chunk.length; ) {
      const isOwn = within < own;
      const piece = chunk.subarray(at, at + (isOwn ? own : stride) - within);
      if (isOwn) parts.set(piece, column * own + within);
      at += piece.length;
      within += piece.length;
      if (within < stride) continue;
      within = 0;
      column++;
    }
  }
  if (column * stride + within < bytes)
    throw objectFault('UNREADABLE', `The object ends within column ${column + 1}.`);
  return parts;
}
