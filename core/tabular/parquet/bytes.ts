import type { Source } from '../cells/format.ts';

/** Bytes of an object, as a column's pages are read. */
export type ByteReader = {
  /** From a place on, at least as many as asked for; fewer at the end of what may be read. */
  readonly read: (at: number, least: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** Nothing refers to the bytes before that place, up to which all was read: their memory may go. */
  readonly free: (before: number) => void;
};

/** Reads what is in memory. @param start byte of the object that `bytes` begins with */
export const inMemory = (bytes: Uint8Array<ArrayBuffer>, start: number): ByteReader => ({
  read: async (at) => bytes.subarray(Math.max(0, at - start)),
  free: () => {},
});

/** Where a column lies in the object. */
type Piece = { readonly start: number; readonly end: number };

/** Bytes between two pieces that are read and passed over: another request would take longer. */
const GAP = 64 * 1024;

/**
 * Reads pieces that are small, those that lie near one another at once. A request for each would take all of
 * an invocation's time where there are tens of thousands, and its memory.
 * @param most bytes of a request, unless one piece has more
 */
export function together({ range }: Source, pieces: readonly Piece[], most: number): readonly ByteReader[] {
  const readers = new Array<ByteReader>(pieces.length);
  const order = [...pieces.entries()].sort(([, one], [, other]) => one.start - other.start);
  for (let first = 0; first < order.length; ) {
    const { start } = (order[first] as (typeof order)[number])[1];
    let end = start;
    let next = first;
    for (; next < order.length; next++) {
      const [, piece] = order[next] as (typeof order)[number];
      if (next > first && (piece.start - end > GAP || piece.end - start > most)) break;
      end = Math.max(end, piece.end);
    }
    const bytes = range(start, end);
    // Whether it fails is asked for when it is needed.
    bytes.catch(() => {});
    const read: ByteReader['read'] = async (at) => (await bytes).subarray(Math.max(0, at - start));
    for (const [place] of order.slice(first, next)) readers[place] = { read, free: () => {} };
    first = next;
  }
  return readers;
}

/**
 * A window that moves on, and has the next one fetched meanwhile: at most three windows are in memory, or
 * what one read asks for.
 * @param window bytes
 */
export function windowed(source: Source, start: number, end: number, window: number): ByteReader {
  let bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  let base = start;
  let coming: { readonly at: number; readonly bytes: Promise<Uint8Array<ArrayBuffer>> } | undefined;
  const fetch = (at: number, size: number): void => {
    const to = Math.min(end, at + size);
    const wanted = at < to ? { at, bytes: source.range(at, to) } : undefined;
    // Whether it fails is asked for when it is needed.
    wanted?.bytes.catch(() => {});
    coming = wanted;
  };
  // All columns of a row group are asked for at once, before the first is waited for.
  fetch(start, window);
  const read: ByteReader['read'] = async (at, least) => {
    const held = base + bytes.length;
    bytes = at < base || at > held ? new Uint8Array(0) : bytes.subarray(at - base);
    base = at;
    const parts = [bytes];
    let next = base + bytes.length;
    const to = Math.min(end, at + least);
    while (next < to) {
      if (coming?.at !== next) fetch(next, Math.max(window, to - next));
      const more = (await coming?.bytes) ?? new Uint8Array(0);
      parts.push(more);
      next += more.length;
      fetch(next, Math.max(window, to - next));
    }
    if (parts.length > 1)
      bytes = bytes.length === 0 && parts.length === 2 ? (parts[1] as typeof bytes) : joined(parts);
    return bytes;
  };
  const free = (before: number): void => {
    if (before < base || before > base + bytes.length) return;
    bytes = restOf(bytes, before - base);
    base = before;
  };
  return { read, free };
}

/** The bytes from a place on. Those before are freed once they are the most of what is in memory. */
function restOf(bytes: Uint8Array<ArrayBuffer>, from: number): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(from);
  if (rest.length * 2 > rest.buffer.byteLength) return rest;
  const own = rest.slice();
  release(rest);
  return own;
}

/** @param parts that nothing refers to, but the first */
function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  for (const part of parts.slice(1)) release(part);
  return bytes;
}

/** Now: V8 frees what arrays refer to when it collects, which it does after some 64 MB of them. */
const release = ({ buffer }: Uint8Array<ArrayBuffer>): unknown => buffer.transfer(0);
