import { PAYLOAD_BYTES } from '../../endpoint/contract.ts';
import { refusal } from '../../errors/refusals.ts';
import { DATATYPES, type Datatype } from '../../tensor/contract.ts';
import { KINDS } from '../../tensor/datatypes.ts';
import { outOfRange } from '../../tensor/values.ts';
import {
  eachField,
  joinedPieces,
  readVarint,
  VARINT_BYTES,
  type WireField,
  type WirePieces,
  wireCursor,
  writeVarint,
  writtenBytes,
} from './wire.ts';

/** A field of `InferTensorContents`; FP16 has none, and comes as raw bytes alone. */
type Place = { readonly number: number; readonly name: string };

const PLACES: Readonly<Record<Exclude<Datatype, 'FP16'>, Place>> = {
  BOOL: { number: 1, name: 'bool_contents' },
  INT8: { number: 2, name: 'int_contents' },
  INT16: { number: 2, name: 'int_contents' },
  INT32: { number: 2, name: 'int_contents' },
  INT64: { number: 3, name: 'int64_contents' },
  UINT8: { number: 4, name: 'uint_contents' },
  UINT16: { number: 4, name: 'uint_contents' },
  UINT32: { number: 4, name: 'uint_contents' },
  UINT64: { number: 5, name: 'uint64_contents' },
  FP32: { number: 6, name: 'fp32_contents' },
  FP64: { number: 7, name: 'fp64_contents' },
  BYTES: { number: 8, name: 'bytes_contents' },
};

export const isDatatype = (text: string): text is Datatype => DATATYPES.some((one) => one === text);

/**
 * The elements of an `InferTensorContents` as the protocol has them in raw form: little-endian, row-major,
 * BYTES each with 4 bytes of length before it.
 * @param fields its places in the message; several are read as one, as protobuf says
 * @param datatype as the message says it. One that nobody knows has no elements here, nor has what is no
 *   shape: the request is refused for these.
 * @param elements how many the shape says; NaN where it is none
 * @param path of the tensor, for what is refused
 * @throws Refusal `WRONG_LENGTH`, `WRONG_VALUE`, `WRONG_DATATYPE`, `INVALID_REQUEST`, `BODY_TOO_LARGE`
 */
export function rawContents(
  bytes: Uint8Array,
  fields: readonly WireField[],
  datatype: string,
  elements: number,
  path: string,
): WirePieces {
  if (!isDatatype(datatype) || Number.isNaN(elements)) return [];
  if (datatype === 'FP16')
    throw refusal('INVALID_REQUEST', `${path}: FP16 has no contents; send it in raw_input_contents.`);
  const place = PLACES[datatype];
  // Where its elements lie, ends after starts: numbers alone, as a message may have millions of them.
  const spans: number[] = [];
  for (const { from, to } of fields)
    eachField(bytes, from, to, (field) => {
      if (field.number === place.number) spans.push(field.from, field.to);
      else if (field.to > field.from)
        throw refusal('WRONG_DATATYPE', `${path}.contents: ${datatype} is sent in ${place.name} alone.`);
    });
  const where = `${path}.contents.${place.name}`;
  const count = spans.length / 2;
  if (datatype === 'BYTES') {
    if (count !== elements) throw wrongLength(where, count, elements);
    return [rawTexts(bytes, spans, path)];
  }
  const { size } = KINDS[datatype];
  const isFixed = datatype === 'FP32' || datatype === 'FP64';
  // Packed or not, they are the same bytes one after another; each varint ends with a byte below 128.
  const found = isFixed ? lengthIn(spans) / size : varintsIn(bytes, spans);
  if (found !== elements) throw wrongLength(where, found, elements);
  if (elements * size > PAYLOAD_BYTES) throw tooLarge(path);
  if (!isFixed) return [integers(bytes, spans, datatype, elements, where)];
  return [count === 1 ? bytes.subarray(spans[0], spans[1]) : together(bytes, spans)];
}

const wrongLength = (where: string, found: number, elements: number): Error =>
  refusal('WRONG_LENGTH', `${where} has ${Math.floor(found)} elements; the shape says ${elements}.`);

const tooLarge = (path: string): Error =>
  refusal(
    'BODY_TOO_LARGE',
    `${path}: tensors may take ${PAYLOAD_BYTES / 1024 / 1024} MB together, as raw bytes.`,
  );

const startOf = (spans: readonly number[], at: number): number => spans[at] as number;
const endOf = (spans: readonly number[], at: number): number => spans[at + 1] as number;

function lengthIn(spans: readonly number[]): number {
  let length = 0;
  for (let at = 0; at < spans.length; at += 2) length += endOf(spans, at) - startOf(spans, at);
  return length;
}

function varintsIn(bytes: Uint8Array, spans: readonly number[]): number {
  let count = 0;
  for (let at = 0; at < spans.length; at += 2)
    for (let p = startOf(spans, at); p < endOf(spans, at); p++) if ((bytes[p] as number) < 0x80) count++;
  return count;
}

function together(bytes: Uint8Array, spans: readonly number[]): Uint8Array {
  const raw = new Uint8Array(lengthIn(spans));
  let end = 0;
  for (let at = 0; at < spans.length; at += 2)
    for (let p = startOf(spans, at); p < endOf(spans, at); p++) raw[end++] = bytes[p] as number;
  return raw;
}

function integers(
  bytes: Uint8Array,
  spans: readonly number[],
  datatype: Exclude<Datatype, 'BYTES' | 'FP16'>,
  elements: number,
  where: string,
): Uint8Array {
  const { size, least, greatest } = KINDS[datatype];
  const raw = new Uint8Array(elements * size);
  const view = new DataView(raw.buffer);
  const cursor = wireCursor(bytes);
  const isSigned = datatype.startsWith('INT');
  let at = 0;
  for (let span = 0; span < spans.length; span += 2) {
    cursor.at = startOf(spans, span);
    while (cursor.at < endOf(spans, span)) {
      readVarint(cursor, endOf(spans, span));
      const { low, high } = cursor;
      if (size === 8) {
        view.setUint32(at, low, true);
        view.setUint32(at + 4, high, true);
      } else {
        // The upper half of 32 bits is their sign, which protobuf’s own readers cut off.
        const value = datatype === 'BOOL' ? Number((low | high) !== 0) : isSigned ? low | 0 : low;
        if (value < least || value > greatest)
          throw refusal('WRONG_VALUE', `${where}[${at / size}] ${outOfRange(datatype)}`);
        if (size === 4) view.setUint32(at, value, true);
        else if (size === 2) view.setUint16(at, value, true);
        else raw[at] = value;
      }
      at += size;
    }
  }
  return raw;
}

function rawTexts(bytes: Uint8Array, spans: readonly number[], path: string): Uint8Array {
  const size = spans.length * 2 + lengthIn(spans);
  if (size > PAYLOAD_BYTES) throw tooLarge(path);
  const raw = new Uint8Array(size);
  const view = new DataView(raw.buffer);
  let end = 0;
  for (let at = 0; at < spans.length; at += 2) {
    view.setUint32(end, endOf(spans, at) - startOf(spans, at), true);
    end += 4;
    for (let p = startOf(spans, at); p < endOf(spans, at); p++) raw[end++] = bytes[p] as number;
  }
  return raw;
}

/** Does `contents` have a field for these? */
export const hasContents = (datatype: Datatype): boolean => datatype !== 'FP16';

/** Raw elements as an `InferTensorContents`. @param datatype not FP16 */
export function contentsOf(datatype: Datatype, raw: Uint8Array): WirePieces {
  if (datatype === 'FP16' || raw.length === 0) return [];
  const { number } = PLACES[datatype];
  if (datatype === 'BYTES') return textsOf(number, raw);
  // The same bytes: a bool’s varint is its byte, and floats are little-endian on the wire, too.
  if (datatype === 'BOOL' || datatype === 'FP32' || datatype === 'FP64') return writtenBytes(number, [raw]);
  const { size } = KINDS[datatype];
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const packed = new Uint8Array((raw.length / size) * VARINT_BYTES);
  let end = 0;
  for (let at = 0; at < raw.length; at += size) {
    if (size === 8) {
      end = writeVarint(packed, end, view.getUint32(at, true), view.getUint32(at + 4, true));
      continue;
    }
    const value = readInteger(view, datatype, at);
    end = writeVarint(packed, end, value, value < 0 ? -1 : 0);
  }
  return writtenBytes(number, [packed.subarray(0, end)]);
}

function readInteger(view: DataView, datatype: Datatype, at: number): number {
  switch (datatype) {
    case 'INT8':
      return view.getInt8(at);
    case 'INT16':
      return view.getInt16(at, true);
    case 'INT32':
      return view.getInt32(at, true);
    case 'UINT8':
      return view.getUint8(at);
    case 'UINT16':
      return view.getUint16(at, true);
    default:
      return view.getUint32(at, true);
  }
}

function textsOf(number: number, raw: Uint8Array): WirePieces {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < raw.length; ) {
    const end = at + 4 + view.getUint32(at, true);
    pieces.push(...writtenBytes(number, [raw.subarray(at + 4, end)]));
    at = end;
  }
  return [joinedPieces(pieces)];
}
