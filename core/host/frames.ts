/** Messages on a stream of bytes between host and process: sizes, a head of JSON, a body as it is. */
import { Buffer } from 'node:buffer';

/** Sizes of head and body before them, four bytes each. */
const SIZES = 8;

/** Far more than a request or an answer has, with its headers: what says more is none. */
const FRAME_BYTES = 64 * 1024 * 1024;

/** A body up to so many bytes is copied behind its head: one piece costs less than two. */
export const COPIED_BYTES = 16 * 1024;

/** @returns what goes onto the stream, in one piece or two */
export function framed(head: unknown, body: Buffer): readonly Buffer[] {
  const text = JSON.stringify(head);
  const length = Buffer.byteLength(text);
  const copied = body.length <= COPIED_BYTES;
  const bytes = Buffer.allocUnsafe(SIZES + length + (copied ? body.length : 0));
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt32LE(body.length, 4);
  bytes.write(text, SIZES);
  if (!copied) return [bytes, body];
  bytes.set(body, SIZES + length);
  return [bytes];
}

/**
 * @param take called with each frame that is whole; its body may share memory with a chunk
 * @param broken called once, where what comes is no frame: nobody knows any more where the next one begins
 * @returns takes the stream’s chunks, in whatever pieces they come
 */
export function frameReader(
  take: (head: unknown, body: Buffer) => void,
  broken: (why: string) => void,
): (chunk: Buffer) => void {
  let over = false;
  const fail = (why: string): void => {
    over = true;
    broken(why);
  };
  /** Sizes that are not whole yet. */
  let begun: Buffer = Buffer.alloc(0);
  /** A frame whose sizes are known, and how much of it is there. */
  let frame: Buffer | undefined;
  let headBytes = 0;
  let filled = 0;
  const tell = (bytes: Buffer, headSize: number): void => {
    let head: unknown;
    try {
      head = JSON.parse(bytes.toString('utf8', 0, headSize));
    } catch {
      fail('a head that is no JSON');
      return;
    }
    take(head, bytes.subarray(headSize));
  };
  return (chunk) => {
    let at = 0;
    while (at < chunk.length && !over) {
      if (frame !== undefined) {
        const part = Math.min(frame.length - filled, chunk.length - at);
        chunk.copy(frame, filled, at, at + part);
        filled += part;
        at += part;
        if (filled < frame.length) return;
        const whole = frame;
        frame = undefined;
        tell(whole, headBytes);
        continue;
      }
      if (begun.length + chunk.length - at < SIZES) {
        begun = Buffer.concat([begun, chunk.subarray(at)]);
        return;
      }
      const missing = SIZES - begun.length;
      const sizes =
        begun.length === 0
          ? chunk.subarray(at, at + SIZES)
          : Buffer.concat([begun, chunk.subarray(at, at + missing)]);
      at += missing;
      begun = begun.subarray(0, 0);
      const head = sizes.readUInt32LE(0);
      const size = head + sizes.readUInt32LE(4);
      if (size > FRAME_BYTES) {
        fail(`a message of ${size} bytes, where ${FRAME_BYTES} are the most`);
        return;
      }
      if (size <= chunk.length - at) {
        tell(chunk.subarray(at, at + size), head);
        at += size;
        continue;
      }
      frame = Buffer.allocUnsafe(size);
      headBytes = head;
      filled = 0;
    }
  };
}
