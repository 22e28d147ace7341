/** The bytes that texts were last read from, as Node's own kind, which makes strings of them fastest. */
let buffer: Buffer | undefined;
/** Throws for what is not UTF-8. */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Texts of one or two ASCII characters by their codes, as most are: codes, flags, small counts. */
const SHORT: (string | undefined)[] = Array(128 * 129);

/** @returns undefined for what is not UTF-8 */
export function textAt(bytes: Uint8Array, from: number, to: number): string | undefined {
  let p = from;
  while (p < to && (bytes[p] as number) < 128) p++;
  if (p < to) return decoded(bytes.subarray(from, to));
  if (to - from > 2) return slice(bytes, from, to);
  if (from === to) return '';
  const number = (bytes[from] as number) * 129 + (to - from === 1 ? 128 : (bytes[from + 1] as number));
  SHORT[number] ??= slice(bytes, from, to);
  return SHORT[number];
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

function slice(bytes: Uint8Array, from: number, to: number): string {
  if (buffer?.buffer !== bytes.buffer) buffer = Buffer.from(bytes.buffer as ArrayBuffer);
  return buffer.toString('latin1', bytes.byteOffset + from, bytes.byteOffset + to);
}
