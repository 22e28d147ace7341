import { isUtf8 } from 'node:buffer';

/** The bytes that texts were last read from, as Node's own kind, which makes strings of them fastest. */
let buffer = Buffer.alloc(0);
/** Texts of one or two ASCII characters by their codes, as most are: codes, flags, small counts. */
const SHORT: (string | undefined)[] = Array(128 * 129);

/** @returns undefined for what is not UTF-8 */
export function textAt(bytes: Uint8Array, from: number, to: number): string | undefined {
  let p = from;
  while (p < to && (bytes[p] as number) < 128) p++;
  if (p < to) return isUtf8(bytes.subarray(from, to)) ? slice(bytes, 'utf8', from, to) : undefined;
  if (to - from > 2) return slice(bytes, 'latin1', from, to);
  if (from === to) return '';
  const number = (bytes[from] as number) * 129 + (to - from === 1 ? 128 : (bytes[from + 1] as number));
  SHORT[number] ??= slice(bytes, 'latin1', from, to);
  return SHORT[number];
}

function slice(bytes: Uint8Array, encoding: 'utf8' | 'latin1', from: number, to: number): string {
  if (buffer.buffer !== bytes.buffer) buffer = Buffer.from(bytes.buffer as ArrayBuffer);
  return buffer.toString(encoding, from, to);
}
