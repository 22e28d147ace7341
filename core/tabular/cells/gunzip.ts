import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { objectFault } from '../../errors/object-errors.ts';
import type { Source } from './format.ts';

/** Unpacked at a time. */
const CHUNK = 256 * 1024;

/** Bytes at the beginning that tell how it is packed. */
const LOOKED_AT = 10;

/** Other ways to pack, by their first bytes, which no text begins with. */
const OTHERS = [
  // RFC 8878
  ['Zstandard', '(\xb5/\xfd'],
  // https://tukaani.org/xz/xz-file-format.txt
  ['xz', '\xfd7zXZ\0'],
  // https://en.wikipedia.org/wiki/Bzip2#File_format
  ['bzip2', 'BZh91AY&SY'],
  // https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
  ['LZ4', '\x04"M\x18'],
  // https://github.com/google/snappy/blob/main/framing_format.txt
  ['Snappy', '\xff\x06\0\0sNaPpY'],
] as const;

const isPacked = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Found by its first bytes, as names and headers of objects say it or do not. No text starts so.
 * @throws ObjectFault `UNREADABLE` where it is packed otherwise: each of its bytes would be told as a fault
 */
export async function isGzip(source: Source): Promise<boolean> {
  const bytes = await source.range(0, Math.min(LOOKED_AT, source.bytes));
  if (isPacked(bytes)) return true;
  // A digit of bzip2’s says how large its blocks are.
  const begin = String.fromCharCode(...bytes).replace(/^BZh[1-9]/, 'BZh9');
  const other = OTHERS.find(([, magic]) => begin.startsWith(magic));
  if (other === undefined) return false;
  throw objectFault('UNREADABLE', `The object is packed with ${other[0]}. Pack it with gzip, or not at all.`);
}

/**
 * The text in a gzip object, as a stream; several members, one after the other, are one text (RFC 1952).
 * @param stream of the whole object
 * @throws ObjectFault `UNREADABLE` where it is broken or ends too early, or something else is behind it
 */
export async function* unpacked(
  source: Source,
  stream: AsyncIterable<Uint8Array> = source.stream(0),
): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  // Its errors come out of what it is piped to.
  pipeline(stream, gunzip, () => {});
  let isStart = true;
  try {
    for await (const chunk of gunzip) {
      // As where one tool packs, and another one packs what it sends or stores.
      if (isStart && isPacked(chunk))
        throw objectFault('UNREADABLE', 'The object is packed with gzip twice. Pack it once, or not at all.');
      isStart = false;
      yield chunk;
    }
  } catch (error) {
    if (!isBroken(error)) throw error;
    throw unreadable();
  }
  // Node takes what begins with a zero behind a member for padding, and reads no further.
  const read = gunzip.bytesWritten;
  if (read === source.bytes) return;
  for await (const chunk of source.stream(read)) if (chunk.some((byte) => byte !== 0)) throw unreadable();
}

const unreadable = (): Error =>
  objectFault('UNREADABLE', 'The gzip data are broken, or end too early. Upload the object again.');

const isBroken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
