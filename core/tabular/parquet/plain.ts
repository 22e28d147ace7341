/**
 * Values of a page that are no numbers, one by one: an array of them all would take a hundred bytes for each,
 * and a page of a hundred bytes may say that it has millions of empty ones. None reaches beyond its page,
 * behind which memory has whatever was there before.
 */

const beyond = (): Error => new Error('a page has fewer bytes than its values');

/** Each has its length before it. */
export function* byteArraysIn(bytes: Uint8Array, count: number): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0, at = 0; i < count; i++) {
    const start = at + 4;
    if (start > bytes.length) throw beyond();
    at = start + view.getUint32(at, true);
    yield between(bytes, start, at);
  }
}

export function* fixedArraysIn(bytes: Uint8Array, count: number, length: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield between(bytes, i * length, (i + 1) * length);
}

/**
 * @param shared bytes that each begins with of the one before
 * @param lengths of the rest, which lie one after the other
 */
export function* joinedArraysIn(
  bytes: Uint8Array,
  shared: Int32Array | undefined,
  lengths: Int32Array,
): Generator<Uint8Array> {
  let before = new Uint8Array(0);
  for (let i = 0, at = 0; i < lengths.length; i++) {
    const start = at;
    at += lengths[i] as number;
    const rest = between(bytes, start, at);
    const count = shared?.[i] ?? 0;
    if (count === 0) before = rest;
    else {
      const whole = new Uint8Array(count + rest.length);
      whole.set(between(before, 0, count));
      whole.set(rest, count);
      before = whole;
    }
    yield before;
  }
}

function between(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  if (end < start || end > bytes.length) throw beyond();
  return bytes.subarray(start, end) as Uint8Array<ArrayBuffer>;
}

/** A bit each. @returns 1 or 0 for each */
export function bitsIn(bytes: Uint8Array, count: number): Uint8Array {
  if (count > bytes.length * 8) throw beyond();
  const bits = new Uint8Array(count);
  for (let i = 0; i < count; i++) bits[i] = ((bytes[i >> 3] as number) >> (i & 7)) & 1;
  return bits;
}

/** @param width bytes of a value */
export function checkWidth(bytes: Uint8Array, count: number, width: number): void {
  if (count * width > bytes.length) throw beyond();
}
