/**
 * Protobuf’s wire format, as far as the Open Inference Protocol needs it. A tensor of raw bytes stays where
 * it lies in the message; a library would make a JavaScript array of every number of the others.
 * https://protobuf.dev/programming-guides/encoding/
 */
import { refusal } from '../../errors/refusals.ts';
import { decodedUtf8 } from '../../text/utf8.ts';

/** Where one reads, and the last varint in two halves: a number cannot hold its 64 bits. */
export type WireCursor = { readonly bytes: Uint8Array; at: number; low: number; high: number };

/** A field’s value: the bytes that it takes, and the varint where it is one. */
export type WireField = {
  readonly number: number;
  readonly wire: 'varint' | 'fixed64' | 'bytes' | 'fixed32';
  readonly from: number;
  readonly to: number;
};

const WIRES: readonly (WireField['wire'] | undefined)[] = [
  'varint',
  'fixed64',
  'bytes',
  // Groups, which proto3 has no more.
  undefined,
  undefined,
  'fixed32',
];

const broken = (): Error => refusal('INVALID_REQUEST', 'The message is no protobuf, or it is cut off.');

export const wireCursor = (bytes: Uint8Array): WireCursor => ({ bytes, at: 0, low: 0, high: 0 });

/** Reads one varint into the cursor. @throws Refusal where it goes beyond `end`, or 64 bits */
export function readVarint(cursor: WireCursor, end: number): void {
  const { bytes } = cursor;
  let { at } = cursor;
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (at >= end) throw broken();
    const byte = bytes[at++] as number;
    const part = byte & 0x7f;
    if (shift < 28) low |= part << shift;
    else if (shift === 28) {
      low |= part << 28;
      high |= part >> 4;
    } else high |= part << (shift - 32);
    if (byte < 0x80) {
      cursor.low = low >>> 0;
      cursor.high = high >>> 0;
      cursor.at = at;
      return;
    }
  }
  throw broken();
}

/** Walks through the fields of a message that lies from `from` to `to`. @throws Refusal `INVALID_REQUEST` */
export function eachField(
  bytes: Uint8Array,
  from: number,
  to: number,
  take: (field: WireField) => void,
): void {
  const cursor = wireCursor(bytes);
  cursor.at = from;
  while (cursor.at < to) {
    readVarint(cursor, to);
    const wire = WIRES[cursor.low & 7];
    const number = cursor.low >>> 3;
    if (wire === undefined || number === 0 || cursor.high !== 0) throw broken();
    let start = cursor.at;
    if (wire === 'bytes') {
      readVarint(cursor, to);
      start = cursor.at;
      if (cursor.high !== 0) throw broken();
      cursor.at += cursor.low;
    } else if (wire === 'varint') readVarint(cursor, to);
    else cursor.at += wire === 'fixed32' ? 4 : 8;
    if (cursor.at > to) throw broken();
    take({ number, wire, from: start, to: cursor.at });
  }
}

/** @throws Refusal `INVALID_ENCODING`, as proto3 has a text in UTF-8 alone */
export function fieldText(bytes: Uint8Array, { from, to }: WireField): string {
  const text = decodedUtf8(bytes.subarray(from, to));
  if (text === undefined) throw refusal('INVALID_ENCODING', 'A text of the message is not UTF-8.');
  return text;
}

const encoder = new TextEncoder();

/** The bytes of a message, in pieces: what is large is not copied until all are put together. */
export type WirePieces = readonly Uint8Array[];

const lengthOf = (pieces: WirePieces): number => pieces.reduce((sum, { length }) => sum + length, 0);

export function joinedPieces(pieces: WirePieces): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Writes 64 bits in two halves. @returns where it ends */
export function writeVarint(bytes: Uint8Array, at: number, low: number, high: number): number {
  let end = at;
  let [l, h] = [low >>> 0, high >>> 0];
  while (h !== 0 || l > 0x7f) {
    bytes[end++] = (l & 0x7f) | 0x80;
    l = ((l >>> 7) | (h << 25)) >>> 0;
    h >>>= 7;
  }
  bytes[end++] = l;
  return end;
}

/** Varints take so many bytes at most. */
export const VARINT_BYTES = 10;

function varints(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * VARINT_BYTES);
  let end = 0;
  // Floored, since a negative one has its sign in the upper half.
  for (const value of values) end = writeVarint(bytes, end, value, Math.floor(value / 2 ** 32));
  return bytes.subarray(0, end);
}

export const writtenBytes = (number: number, pieces: WirePieces): WirePieces => [
  varints(number * 8 + 2, lengthOf(pieces)),
  ...pieces,
];

/** Nothing for the empty text, as proto3 writes it. */
export const writtenText = (number: number, text: string): WirePieces =>
  text === '' ? [] : writtenBytes(number, [encoder.encode(text)]);

export const writtenBool = (number: number, value: boolean): WirePieces =>
  value ? [varints(number * 8, 1)] : [];

/** Packed whole numbers. */
export const writtenNumbers = (number: number, values: readonly number[]): WirePieces =>
  values.length === 0 ? [] : writtenBytes(number, [varints(...values)]);
