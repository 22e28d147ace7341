import type { Tally } from './drift-tally.ts';

/**
 * Writes a request's line into one buffer that is kept, digit by digit: forty fresh numbers made into texts,
 * and these into one, cost V8 more than all the scoring.
 *
 * @param head of the line, up to the number of rows; ASCII
 * @param mostRows beyond which no count of a cell can go
 * @returns the line without its closing brace
 */
export function createLineWriter(
  head: string,
  { a, b, last, cells }: Tally,
  mostRows: number,
): (rows: number, isSingle: boolean) => string {
  const places = cells.reduce((sum, { length }) => sum + length, 0) + cells.length;
  const digits = String(mostRows).length;
  const [open, middle, end] = [',"a":[', '],"b":[', '],"cells":'].map(bytesOf) as [Buffer, Buffer, Buffer];
  const own = head.length + open.length + middle.length + end.length;
  const bytes = Buffer.alloc(own + digits + 2 * a.length * SUM_BYTES + places * (digits + 3) + 4);
  const start = bytes.write(head, 'latin1');
  return (rows, isSingle) => {
    let at = putBytes(bytes, putWhole(bytes, start, rows), open);
    at = putBytes(bytes, putSums(bytes, at, a), middle);
    at = putBytes(bytes, putSums(bytes, at, b), end);
    at = isSingle ? putCells(bytes, at, last) : putCounts(bytes, at, cells);
    return bytes.toString('latin1', 0, at);
  };
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
function putBytes(bytes: Buffer, start: number, own: Buffer): number {
  for (let i = 0; i < own.length; i++) bytes[start + i] = own[i] as number;
  return start + own.length;
}

/** Scores are about 1, so that four digits behind the point are more than anybody's sums can tell. */
const UNIT = 1e4;
/** Bytes of a sum at most: up to 2⁵³ units, with sign, point and comma. */
const SUM_BYTES = 20;
const [COMMA, MINUS, POINT, ZERO] = [0x2c, 0x2d, 0x2e, 0x30] as const;
const [A, QUOTE, OPEN, CLOSE] = [0x61, 0x22, 0x5b, 0x5d] as const;

/** @returns whole units of 10⁻⁴; 0 of what could not be a sum of scores */
export function unitsOf(sum: number): number {
  const units = Math.round(sum * UNIT);
  return Math.abs(units) <= Number.MAX_SAFE_INTEGER ? units : 0;
}

function putSums(bytes: Buffer, start: number, sums: Float64Array): number {
  let at = start;
  for (let i = 0; i < sums.length; i++) {
    if (i > 0) bytes[at++] = COMMA;
    let units = unitsOf(sums[i] as number);
    if (units < 0) {
      bytes[at++] = MINUS;
      units = -units;
    }
    const whole = Math.floor(units / UNIT);
    at = putWhole(bytes, at, whole);
    let rest = (units - whole * UNIT) | 0;
    if (rest === 0) continue;
    bytes[at++] = POINT;
    for (let unit = UNIT / 10; rest > 0; unit /= 10) {
      const digit = (rest / unit) | 0;
      bytes[at++] = ZERO + digit;
      rest -= digit * unit;
    }
  }
  return at;
}

function putWhole(bytes: Buffer, start: number, number: number): number {
  if (number < 10) {
    bytes[start] = ZERO + number;
    return start + 1;
  }
  const at = putWhole(bytes, start, Math.floor(number / 10));
  bytes[at] = ZERO + (number % 10);
  return at + 1;
}

/** Base 36; there are never more than ten or so. @param last the only row's */
function putCells(bytes: Buffer, start: number, last: Int32Array): number {
  let at = start;
  bytes[at++] = QUOTE;
  for (let i = 0; i < last.length; i++) {
    const cell = last[i] as number;
    bytes[at++] = cell === -1 ? MINUS : cell < 10 ? ZERO + cell : A + cell - 10;
  }
  bytes[at++] = QUOTE;
  return at;
}

function putCounts(bytes: Buffer, start: number, cells: readonly Int32Array[]): number {
  let at = start;
  bytes[at++] = OPEN;
  for (let i = 0; i < cells.length; i++) {
    if (i > 0) bytes[at++] = COMMA;
    bytes[at++] = OPEN;
    const counts = cells[i] as Int32Array;
    for (let cell = 0; cell < counts.length; cell++) {
      if (cell > 0) bytes[at++] = COMMA;
      at = putWhole(bytes, at, counts[cell] as number);
    }
    bytes[at++] = CLOSE;
  }
  bytes[at++] = CLOSE;
  return at;
}
