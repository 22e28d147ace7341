/** Throws for what is not UTF-8. A byte order mark is a character like others. */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Texts of one or two ASCII characters by their codes, as most are: codes, flags, small counts. */
const SHORT: (string | undefined)[] = Array(128 * 129);
/** Up to here putting characters together takes less time than a call of the decoder. */
const FEW_BYTES = 32;

/** @returns undefined for what is not UTF-8 */
export function decodedUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The same of a part, which is mostly a short one. */
export function textAt(bytes: Uint8Array, from: number, to: number): string | undefined {
  if (to - from > FEW_BYTES) return decodedUtf8(bytes.subarray(from, to));
  let p = from;
  while (p < to && (bytes[p] as number) < 128) p++;
  if (p < to) return decodedUtf8(bytes.subarray(from, to));
  if (to - from > 2) return ascii(bytes, from, to);
  if (from === to) return '';
  const number = (bytes[from] as number) * 129 + (to - from === 1 ? 128 : (bytes[from + 1] as number));
  SHORT[number] ??= ascii(bytes, from, to);
  return SHORT[number];
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  let p = from;
  for (; p + 8 <= to; p += 8) {
    text += String.fromCharCode(
      bytes[p] as number,
      bytes[p + 1] as number,
      bytes[p + 2] as number,
      bytes[p + 3] as number,
      bytes[p + 4] as number,
      bytes[p + 5] as number,
      bytes[p + 6] as number,
      bytes[p + 7] as number,
    );
  }
  if (p + 4 <= to) {
    text += String.fromCharCode(
      bytes[p] as number,
      bytes[p + 1] as number,
      bytes[p + 2] as number,
      bytes[p + 3] as number,
    );
    p += 4;
  }
  for (; p < to; p++) text += String.fromCharCode(bytes[p] as number);
  return text;
}
