import { PAYLOAD_BYTES, UNPACKED_BYTES } from '../endpoint/contract.ts';
import { refusal } from '../errors/refusals.ts';
import type { Base64 } from '../ports/base64.ts';
import { FRESH_MEMORY, type Memory } from '../tensor/memory.ts';
import { decodedUtf8 } from '../text/utf8.ts';
import { bodyBytes, type EndpointRequest, utf8 } from './event.ts';

/**
 * A body as far as it can be read without knowing what it is: text where it came as such, else unpacked
 * bytes.
 */
export type Body = string | Uint8Array<ArrayBuffer>;

/** What undoes compression, as `node:zlib` has it. */
export type Zlib = Readonly<Record<'gunzipSync' | 'inflateSync' | 'inflateRawSync', Undo>>;
type Undo = (bytes: Uint8Array, limit: { readonly maxOutputLength: number }) => Uint8Array<ArrayBuffer>;

export const BODY_LIMITS = `The body may have ${PAYLOAD_BYTES / 1024 ** 2} MB as it is sent, and ${UNPACKED_BYTES / 1024 ** 2} MB when it is unpacked.`;

const tooLarge = (): Error => refusal('BODY_TOO_LARGE', BODY_LIMITS);

/**
 * Compression is found by its magic bytes, as gateways differ in what they undo and in whether they keep the
 * header. The first byte after the JSON part lies at a multiple of 8, so that tensors can be read in place.
 * @param zlib called with the first compressed body: a cold start without one does not wait for it
 * @throws Refusal `BODY_TOO_LARGE` before memory is taken for it, `INVALID_ENCODING`, or
 * `UNSUPPORTED_MEDIA_TYPE` for another compression
 */
export function readBody(
  request: EndpointRequest,
  base64: Base64,
  zlib: () => Zlib,
  memory: Memory = FRESH_MEMORY,
): Body {
  const { body, headers } = request;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined) checkEncoding(encoding);
  // Base64 is how it comes to a function, not how it was sent.
  const sent = body === undefined ? 0 : request.base64 ? Math.floor((body.length * 3) / 4) : body.length;
  if (sent > PAYLOAD_BYTES) throw tooLarge();
  if (!request.base64) {
    if (body?.startsWith(GZIP_AS_TEXT)) throw spoilt('The compressed body');
    return body ?? '';
  }
  const before = (8 - ((headerLength(headers) ?? 0) % 8)) % 8;
  const bytes = bodyBytes(request, base64, (size) => {
    const { buffer, offset } = memory.take(before + size);
    return { buffer, offset: offset + before };
  });
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return unpack(() => zlib().gunzipSync(bytes, LIMIT));
  if (encoding?.trim().toLowerCase() !== 'deflate') return bytes;
  // RFC 9110 means zlib's format by deflate, and some clients send the bare one; a gateway may have undone
  // either.
  if (beginsAsJson(bytes) || isText(bytes)) return bytes;
  const framed = ((bytes[0] ?? 0) & 0x0f) === 8 && (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) % 31 === 0;
  return unpack(() => (framed ? zlib().inflateSync(bytes, LIMIT) : zlib().inflateRawSync(bytes, LIMIT)));
}

/** The magic bytes of gzip, of which the second is no UTF-8. */
const GZIP_AS_TEXT = '\u001F\uFFFD';

/** What may come behind the brace of an object: a space, a key, or the object’s end. */
const BEHIND_BRACE = [0x09, 0x0a, 0x0d, 0x20, 0x22, 0x7d];

/**
 * Perhaps with binary tensors behind it. What is packed begins with a brace, too, where the text’s first
 * letter is none of ASCII, or is a byte order mark; another of these never follows.
 */
const beginsAsJson = ([first = 0, second = 0]: Uint8Array): boolean =>
  first === 0x5b || (first === 0x7b && BEHIND_BRACE.includes(second));

/**
 * What is packed has bytes that no text has: short ones end with seven bits of 0. Tried with 200,000 texts,
 * each packed in both ways.
 */
function isText(bytes: Uint8Array): boolean {
  const text = decodedUtf8(bytes);
  return text !== undefined && !CONTROL.test(text);
}
const CONTROL = /(?![\t\n\r])\p{Cc}/u;

/** https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1 */
const ENCODINGS = ['gzip', 'x-gzip', 'deflate', 'identity', ''];

/**
 * @throws Refusal `UNSUPPORTED_MEDIA_TYPE`: bytes of another encoding would be told as no JSON, or taken for
 * a tensor's
 */
function checkEncoding(encoding: string): void {
  if (ENCODINGS.includes(encoding.trim().toLowerCase())) return;
  throw refusal(
    'UNSUPPORTED_MEDIA_TYPE',
    'Content-Encoding must be gzip, deflate or identity: compress the body with one of these, or not at all.',
  );
}

const LIMIT = { maxOutputLength: UNPACKED_BYTES };

function unpack(work: () => Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  try {
    return work();
  } catch (error) {
    const limit = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw limit ? tooLarge() : refusal('INVALID_ENCODING', 'The compressed body is broken.');
  }
}

/** Bytes of JSON before binary tensors, as the client states them; undefined where the body is JSON alone. */
function headerLength(headers: EndpointRequest['headers']): number | undefined {
  const stated = headers['inference-header-content-length'];
  if (stated === undefined) return undefined;
  if (/^\d{1,9}$/.test(stated)) return Number(stated);
  throw refusal('INVALID_REQUEST', 'Inference-Header-Content-Length must be a number of bytes.');
}

const spoilt = (what: string): Error =>
  refusal(
    'INVALID_ENCODING',
    `${what} came as text, in which some bytes are lost. Send the content type application/octet-stream; a REST API passes such a body on where its binaryMediaTypes have that.`,
  );

/** https://www.rfc-editor.org/rfc/rfc8259#section-8.1 lets a reader of JSON pass over a byte order mark. */
export const withoutMark = (text: string): string => (text.startsWith('\uFEFF') ? text.slice(1) : text);

/**
 * A body as the protocol has it: JSON, and the binary tensors behind it where the header says so.
 * @throws Refusal `INVALID_ENCODING` for tensors that a gateway made text of: what is no UTF-8 is U+FFFD
 * then, which may have as many bytes, so that they would be other numbers
 */
export function splitBody(
  body: Body,
  headers: EndpointRequest['headers'],
): { readonly json: string; readonly tail: Uint8Array<ArrayBuffer> | undefined } {
  const length = headerLength(headers);
  if (length === undefined)
    return { json: withoutMark(typeof body === 'string' ? body : utf8(body)), tail: undefined };
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  if (length > bytes.length) {
    throw refusal('INVALID_REQUEST', 'Inference-Header-Content-Length is more than the body has.');
  }
  const [json, tail] = [withoutMark(utf8(bytes.subarray(0, length))), bytes.subarray(length)];
  if (typeof body === 'string' && decodedUtf8(tail)?.includes('\uFFFD') !== false)
    throw spoilt('The binary tensors');
  return { json, tail };
}
