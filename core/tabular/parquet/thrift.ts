/**
 * Heads of Parquet are in Thrift's compact protocol, which the library reads as it finds it: a list of a few
 * bytes may say that it has millions of elements, for all of which room is made, lists in it too; and a
 * number of any length takes the square of it. So they are looked at before.
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */

/** What a field or an element is; 1 and 2 are true and false. */
const [BYTE, I64, DOUBLE, BINARY, LIST, STRUCT] = [3, 6, 7, 8, 9, 12] as const;
/** Bytes of a number of 64 bits, at most; and of one of 32, as lengths and numbers of fields are. */
const NUMBER_BYTES = 10;
const SMALL_BYTES = 5;
const SMALL = 2 ** 31;
/** Heads are nested a few deep. */
const MOST_DEEP = 32;

/** The field of a column that has its statistics. */
const STATISTICS = 12;

const broken = (): Error => new Error('a head is broken, or is cut off');

/**
 * @param bytes that begin with a struct, and are overwritten: statistics, which nobody reads here and the
 * library makes numbers of, are zeros then
 * @throws Error where there is more in it than there are bytes
 */
export function checkStruct(bytes: Uint8Array): void {
  let at = 0;
  const byte = (): number => {
    const found = bytes[at++];
    if (found === undefined) throw broken();
    return found;
  };
  const number = (most: number): number => {
    let value = 0;
    for (let i = 0; i < most; i++) {
      const part = byte();
      value += (part & 0x7f) * 2 ** (7 * i);
      if (part < 0x80) return value;
    }
    throw broken();
  };
  // What has more bits the library takes for something else.
  const small = (): number => {
    const value = number(SMALL_BYTES);
    if (value >= SMALL) throw broken();
    return value;
  };
  const pass = (count: number): void => {
    if (count > bytes.length - at) throw broken();
    at += count;
  };
  /** @param of number of the field that this is in */
  const element = (type: number, of: number, deep: number): void => {
    if (type === BYTE) pass(1);
    else if (type > BYTE && type <= I64) number(NUMBER_BYTES);
    else if (type === DOUBLE) pass(8);
    else if (type === BINARY) pass(small());
    else if (type === LIST) list(of, deep + 1);
    else if (type === STRUCT) struct(of, deep + 1);
    else if (type > 2) throw broken();
  };
  const list = (of: number, deep: number): void => {
    const head = byte();
    const type = head & 0x0f;
    const count = head >> 4 === 15 ? small() : head >> 4;
    // None takes less than a byte; of true and false each has one.
    if (count > bytes.length - at || deep > MOST_DEEP) throw broken();
    for (let i = 0; i < count; i++) element(Math.max(type, BYTE), of, deep);
  };
  const struct = (of: number, deep: number): void => {
    if (deep > MOST_DEEP) throw broken();
    for (let field = 0; ; ) {
      const head = byte();
      const type = head & 0x0f;
      if (type === 0) return;
      if (head >> 4 > 0) field += head >> 4;
      else {
        const zigzag = small();
        field = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      }
      const from = at;
      element(type, field, deep);
      if (of === STATISTICS && type === BINARY) blank(from);
    }
  };
  const blank = (from: number): void => {
    const to = at;
    at = from;
    small();
    bytes.fill(0, at, to);
    at = to;
  };
  struct(0, 0);
}
