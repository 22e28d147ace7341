/**
 * A reader of protobuf messages over random access: what is not asked for is stepped over unread, and a
 * hostile length allocates nothing. https://protobuf.dev/programming-guides/encoding/
 */

/** Reads bytes at a place; fewer than asked for only at the end. */
export type MessageSource = {
  readonly bytes: number;
  readonly read: (at: number, length: number) => Uint8Array;
  /** Called with each field that is given; it may throw, where there are too many. */
  readonly given?: () => void;
};

/** protobuf's default recursion limit is 100. */
const DEPTH = 100;
const NAME_BYTES = 4096;
/** Bytes at most of a tensor's packed lengths: more dimensions than any runtime takes. */
const LENGTHS_BYTES = 4096;

/** Where a message, or a field's value, lies. */
export type MessagePart = { readonly at: number; readonly end: number; readonly depth: number };
export type MessageField = MessagePart & {
  readonly number: number;
  readonly value: number;
  readonly isNumber: boolean;
};

/** Bytes that are looked at together. */
const CHUNK = 64 * 1024;
const NOTHING = new Uint8Array(0);

/** Numbers of fields, each below 32. */
type FieldNumbers = Uint8Array;
export const fieldNumbers = (...numbers: readonly number[]): FieldNumbers =>
  Uint8Array.from({ length: 32 }, (_, number) => (numbers.includes(number) ? 1 : 0));

/**
 * The fields of one message: a number in `value`, or a range of bytes.
 *
 * @param wanted the fields that are given; the others are stepped over, of which a forest of trees has tens
 * of millions. Absent: all
 */
export function* messageFields(
  source: MessageSource,
  { at, end, depth }: MessagePart,
  wanted?: FieldNumbers,
): Generator<MessageField> {
  if (depth > DEPTH) throw new Error('The graph is nested too deep.');
  let place = at;
  let chunk: Uint8Array = NOTHING;
  let start = at;
  const varint = (): number => {
    let value = 0;
    for (let index = 0, scale = 1; index < 10; index += 1, scale *= 128) {
      if (place >= start + chunk.length || place < start) {
        chunk = source.read(place, Math.min(CHUNK, end - place));
        start = place;
      }
      const byte = chunk[place - start];
      if (byte === undefined) break;
      place += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw broken();
  };
  while (place < end) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number === 0) throw broken();
    let value = 0;
    let from = place;
    if (wire === 0) value = varint();
    else if (wire === 1) place += 8;
    else if (wire === 5) place += 4;
    else if (wire === 2) {
      const length = varint();
      from = place;
      place += length;
    } else throw broken();
    if (place > end) throw broken();
    if (wanted !== undefined && wanted[number] !== 1) continue;
    source.given?.();
    yield { number, value, isNumber: wire !== 2, at: from, end: place, depth: depth + 1 };
  }
}

function broken(): Error {
  return new Error('The file is no ONNX model, or is cut off.');
}

/** A name, in UTF-8. */
export function nameIn(source: MessageSource, { at, end }: MessagePart): string {
  if (end - at > NAME_BYTES) throw new Error(`A name in the graph is over ${NAME_BYTES} bytes.`);
  return Buffer.from(source.read(at, end - at)).toString('utf8');
}

/** Key and value of a StringStringEntryProto. */
export function pairIn(source: MessageSource, part: MessagePart): readonly [string, string] {
  let key = '';
  let value = '';
  for (const field of messageFields(source, part)) {
    if (field.number === 1) key = nameIn(source, field);
    if (field.number === 2) value = nameIn(source, field);
  }
  return [key, value];
}

/** Lengths of a tensor: one, or several that are packed. */
export function* lengthsIn(source: MessageSource, field: MessageField): Generator<number> {
  if (field.isNumber) return yield field.value;
  let value = 0;
  let place = 1;
  for (const byte of source.read(field.at, Math.min(field.end - field.at, LENGTHS_BYTES))) {
    value += (byte & 0x7f) * place;
    place *= 128;
    if (byte >= 0x80) continue;
    yield value;
    [value, place] = [0, 1];
  }
}
