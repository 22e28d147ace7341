/**
 * Parquet's runs of small numbers: https://parquet.apache.org/docs/file-format/data-pages/encodings/ (RLE,
 * bit-packed).
 */

const broken = (): Error => new Error('a run of levels or indexes is broken');

/** Where `varint` ended. */
let next = 0;
function varint(bytes: Uint8Array, from: number): number {
  let value = 0;
  let shift = 0;
  next = from;
  for (;;) {
    const byte = bytes[next++];
    if (byte === undefined || shift > 28) throw broken();
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
    shift += 7;
  }
}

/**
 * Which of a page's rows have no value.
 * @param bytes the levels, each a bit
 * @returns 1 for a row without a value; undefined where all have one
 */
export function nullsIn(bytes: Uint8Array, rows: number): Uint8Array | undefined {
  let nulls: Uint8Array | undefined;
  for (let p = 0, row = 0; row < rows; ) {
    const head = varint(bytes, p);
    p = next;
    if ((head & 1) === 0) {
      const count = Math.min(head >>> 1, rows - row);
      if (p >= bytes.length || count === 0) throw broken();
      if (bytes[p++] === 0) {
        nulls ??= new Uint8Array(rows);
        nulls.fill(1, row, row + count);
      }
      row += count;
      continue;
    }
    const count = Math.min((head >>> 1) * 8, rows - row);
    if (p + count / 8 > bytes.length || count === 0) throw broken();
    nulls ??= new Uint8Array(rows);
    for (let i = 0; i < count; i++) nulls[row + i] = 1 ^ (((bytes[p + (i >> 3)] as number) >> (i & 7)) & 1);
    p += head >>> 1;
    row += count;
  }
  return nulls?.includes(1) ? nulls : undefined;
}

/** A page's booleans, each 1 or 0. @param bytes how many they are, then the runs */
export function booleansIn(bytes: Uint8Array, count: number): Uint8Array {
  if (bytes.length < 4) throw broken();
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const zeros = nullsIn(bytes.subarray(4, 4 + length), count);
  return new Uint8Array(count).map((_, i) => (zeros?.[i] === 1 ? 0 : 1));
}

/** Places in a dictionary, in no more bytes than they need: a page of a megabyte has some of all rows. */
export type EntryPlaces = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/**
 * A page's places in the dictionary.
 * @param bytes their width in bits, then the runs
 * @param size entries of the dictionary
 */
export function indexesIn(bytes: Uint8Array, count: number, size: number): EntryPlaces {
  const width = bytes[0] ?? 0;
  if (width > 32 || (count > 0 && bytes.length === 0)) throw broken();
  const out = new (width <= 8 ? Uint8Array : width <= 16 ? Uint16Array : Int32Array)(count);
  if (width === 0) {
    if (size === 0 && count > 0) throw broken();
    return out;
  }
  const whole = (width + 7) >> 3;
  const mask = width === 32 ? -1 : (1 << width) - 1;
  for (let p = 1, done = 0; done < count; ) {
    const head = varint(bytes, p);
    p = next;
    if ((head & 1) === 0) {
      const run = Math.min(head >>> 1, count - done);
      if (run === 0 || p + whole > bytes.length) throw broken();
      let value = 0;
      for (let i = 0; i < whole; i++) value |= (bytes[p + i] as number) << (8 * i);
      // Its bytes may say more than its width does.
      if (value >>> 0 >= size) throw broken();
      out.fill(value, done, done + run);
      p += whole;
      done += run;
      continue;
    }
    const run = Math.min((head >>> 1) * 8, count - done);
    // The last group may be cut where no value of it is needed.
    if (run === 0 || p + Math.ceil((run * width) / 8) > bytes.length) throw broken();
    if (width <= 24) unpack(bytes, p, width, mask, out, done, run);
    else unpackWide(bytes, p, width, mask, out, done, 0, run);
    p += (head >>> 1) * width;
    done += run;
  }
  if (2 ** width > size) for (let i = 0; i < count; i++) if ((out[i] as number) >>> 0 >= size) throw broken();
  return out;
}

/** A word that holds a value whole is read for each: no value waits for the one before. */
function unpack(
  bytes: Uint8Array,
  from: number,
  width: number,
  mask: number,
  out: EntryPlaces,
  at: number,
  count: number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, bytes.length - from);
  const whole = Math.max(0, Math.min(count, Math.floor(((view.byteLength - 4) * 8) / width)));
  for (let i = 0, bit = 0; i < whole; i++, bit += width)
    out[at + i] = (view.getInt32(bit >> 3, true) >>> (bit & 7)) & mask;
  unpackWide(bytes, from, width, mask, out, at, whole, count);
}

/** Values that need more than a word, and those before the end, where there is no whole one. */
function unpackWide(
  bytes: Uint8Array,
  from: number,
  width: number,
  mask: number,
  out: EntryPlaces,
  at: number,
  first: number,
  count: number,
): void {
  for (let i = first; i < count; i++) {
    const bit = i * width;
    const p = from + Math.floor(bit / 8);
    let value = 0;
    for (let k = 0; k < 5; k++) value += (bytes[p + k] ?? 0) * 2 ** (8 * k);
    out[at + i] = Math.floor(value / 2 ** (bit % 8)) & mask;
  }
}
