import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { objectFault } from '../../errors/object-errors.ts';
import type { Source } from './format.ts';

/** Unpacked at a time. */
const CHUNK = 256 * 1024;

/** Found by its first bytes, as names and headers of objects say it or do not. No text starts so. */
export async function isGzip(source: Source): Promise<boolean> {
  if (source.bytes < 2) return false;
  const [first, second] = await source.range(0, 2);
  return first === 0x1f && second === 0x8b;
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
  try {
    yield* gunzip;
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
