import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { bodyBytes, type Request } from '../shared/event.ts';
import { refusal } from '../shared/http.ts';
import { PAYLOAD_BYTES, UNPACKED_BYTES } from './contract.ts';

/** A body as far as it can be read without knowing what it is: text where it came as such, else unpacked bytes. */
export type Body = string | Buffer<ArrayBuffer>;

const tooLarge = (limit: number): Error =>
  refusal('BODY_TOO_LARGE', `The body may have ${limit / 1024 / 1024} MB, also when unpacked.`);

/**
 * Compression is found by its magic bytes, as gateways differ in what they undo and in whether they keep the header.
 * @throws Refusal `BODY_TOO_LARGE` before memory is taken for it, or `INVALID_ENCODING`
 */
export function readBody(request: Request): Body {
  const { body, base64, headers } = request;
  if (body !== undefined && body.length > PAYLOAD_BYTES) throw tooLarge(PAYLOAD_BYTES);
  if (!base64) return body ?? '';
  const bytes = bodyBytes(request);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return unpack(() => gunzipSync(bytes, LIMIT));
  if (headers['content-encoding']?.toLowerCase() !== 'deflate') return bytes;
  // RFC 9110 means zlib's format by deflate, and some clients send the bare one; a gateway may have undone either.
  if (bytes[0] === 0x7b || bytes[0] === 0x5b) return bytes;
  const zlib = ((bytes[0] ?? 0) & 0x0f) === 8 && (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) % 31 === 0;
  return unpack(() => (zlib ? inflateSync(bytes, LIMIT) : inflateRawSync(bytes, LIMIT)));
}

const LIMIT = { maxOutputLength: UNPACKED_BYTES };

function unpack(work: () => Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  try {
    return work();
  } catch (error) {
    const limit = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw limit ? tooLarge(UNPACKED_BYTES) : refusal('INVALID_ENCODING', 'The compressed body is broken.');
  }
}

/**
 * Splits off the JSON before binary tensors.
 * @param headerLength bytes of JSON, as the client said; undefined where the body is JSON alone
 */
export function splitBody(
  body: Body,
  headerLength: string | undefined,
): { json: string | Buffer<ArrayBuffer>; tail: Buffer<ArrayBuffer> | undefined } {
  if (headerLength === undefined) return { json: body, tail: undefined };
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const length = /^\d{1,9}$/.test(headerLength.trim()) ? Number(headerLength) : -1;
  if (length < 0 || length > bytes.length) {
    throw refusal(
      'INVALID_REQUEST',
      'Inference-Header-Content-Length must be the number of bytes of the JSON.',
    );
  }
  return { json: bytes.subarray(0, length), tail: bytes.subarray(length) };
}
