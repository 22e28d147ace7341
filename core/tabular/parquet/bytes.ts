import type { Source } from '../cells/format.ts';

/**
 * Bytes of an object from a place on, at least as many as asked for; fewer at the end of what may be read.
 */
export type ReadAt = (at: number, least: number) => Promise<Uint8Array<ArrayBuffer>>;

/** Reads what is in memory. @param start byte of the object that `bytes` begins with */
export const inMemory =
  (bytes: Uint8Array<ArrayBuffer>, start: number): ReadAt =>
  async (at) =>
    bytes.subarray(Math.max(0, at - start));

/**
 * A window that moves on, and has the next one fetched meanwhile: at most three windows are in memory, or
 * what one read asks for.
 * @param window bytes
 */
export function windowed(source: Source, start: number, end: number, window: number): ReadAt {
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
  return async (at, least) => {
    const held = base + bytes.length;
    if (at < base || at > held) {
      bytes = new Uint8Array(0);
      base = at;
    } else {
      bytes = bytes.subarray(at - base);
      base = at;
    }
    while (bytes.length < least && base + bytes.length < end) {
      const next = base + bytes.length;
      if (coming?.at !== next) fetch(next, Math.max(window, least - bytes.length));
      const more = (await coming?.bytes) ?? new Uint8Array(0);
      fetch(next + more.length, window);
      if (bytes.length === 0) bytes = more;
      else {
        const both = new Uint8Array(bytes.length + more.length);
        both.set(bytes);
        both.set(more, bytes.length);
        bytes = both;
      }
    }
    return bytes;
  };
}
