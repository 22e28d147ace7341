import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isObjectFault } from '../../../../../core/errors/object-errors.ts';
import type { Rows } from '../../../../../core/tabular/cells/format.ts';
import { openCsv } from '../../../../../core/tabular/csv/read.ts';
import { input, type Read, readAll, readParts, signature, sourceOf } from '../setup.ts';

/** A line of a file, and what its reader owes us: a row, a row that is refused with a code, or nothing. */
type Line = {
  readonly text: string;
  readonly values?: readonly [number, string, string];
  readonly code?: string;
};

const model = signature([input('x', 'FP64', 1), input('t', 'BYTES', 1)]);
const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;

const number = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map(String),
  fc
    .double({ noDefaultInfinity: true, noNaN: true })
    .map((value) => (Object.is(value, -0) ? '0' : String(value))),
);
const inner = fc.string({
  unit: fc.constantFrom('a', ' ', ',', '"', '\n', '\r\n', '\r', 'é', '漢', '😀', '1', '\t', '\uFEFF'),
  maxLength: 12,
});
const bare = fc.string({ unit: fc.constantFrom('a', ' ', 'é', '漢', '😀', '1', '\r\t', '.'), maxLength: 8 });
const cell = fc.oneof(
  inner.map((text) => ({ text: quote(text), value: text })),
  bare.map((text) => ({ text, value: text })),
);
const good = fc.tuple(number, fc.boolean(), cell, cell).map(
  ([x, isQuoted, t, id]): Line => ({
    text: `${isQuoted ? quote(x) : x},${t.text},${id.text}`,
    values: [Number(x), t.value, id.value],
  }),
);
const bad = fc.oneof(
  fc
    .tuple(fc.constantFrom('', 'one', 'NaN', '"inf"', '1e999', '1 2', '""', '"1"" "'), cell, cell)
    .map(([x, t, id]): Line => ({ text: `${x},${t.text},${id.text}`, code: 'WRONG_VALUE' })),
  fc.tuple(number, cell).map(([x, t]): Line => ({ text: `${x},${t.text}`, code: 'WRONG_LENGTH' })),
  fc
    .tuple(number, fc.array(cell, { minLength: 3, maxLength: 5 }))
    .map(
      ([x, cells]): Line => ({ text: [x, ...cells.map(({ text }) => text)].join(), code: 'WRONG_LENGTH' }),
    ),
  // A quote out of place: what comes after it on the line may look like anything.
  fc
    .tuple(
      number,
      cell,
      fc.constantFrom('a"b', 'a"', '"a"b', '"a\nb" ', '"a" "b"', '""a""', 'a","b"'),
      fc.constantFrom('', ',1', ',"x', '"'),
    )
    .map(
      ([x, t, broken, rest]): Line => ({ text: `${x},${t.text},${broken}${rest}`, code: 'INVALID_REQUEST' }),
    ),
  fc.tuple(bare, bare).map(([t, id]): Line => ({ text: `1"2,${t},"${id}`, code: 'INVALID_REQUEST' })),
);
const blank = fc.constant<Line>({ text: '' });
const lines = (line: fc.Arbitrary<Line>) =>
  fc.record({
    lines: fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 25 }),
    head: fc.constantFrom('x,t,id\n', '\uFEFFx,t,id\r\n', '\n\r\nx,"t",id\n', '"x",t,"id"\n\n'),
    hasEnd: fc.boolean(),
  });
type File = { lines: [Line, string][]; head: string; hasEnd: boolean };

const textOf = ({ lines, head, hasEnd }: File): string =>
  head + lines.map(([{ text }, end], i) => text + (i === lines.length - 1 && !hasEnd ? '' : end)).join('');

const newlines = (text: string): number => text.split('\n').length - 1;

/** Rows and faults as the lines were made. */
function expected(file: File) {
  let line = 1 + newlines(file.head);
  let row = 0;
  const rows: unknown[] = [];
  const faults: unknown[] = [];
  for (const [{ text, values, code }] of file.lines) {
    if (values !== undefined || code !== undefined) row++;
    if (values !== undefined)
      rows.push({ row, line, values: { x: [values[0]], t: [values[1]] }, carried: [values[2]] });
    // What is after a broken quote's line end is another line: there is none in these.
    if (code !== undefined) faults.push({ row, line, code });
    line += 1 + newlines(text);
  }
  return { rows, faults };
}

const chunking = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
const partBytes = fc.integer({ min: 1, max: 300 });

describe('a CSV object', () => {
  it('has the rows that were written, once each and in order, however it is cut and however it comes', async () => {
    const file = lines(
      fc.oneof(
        { weight: 6, arbitrary: good },
        { weight: 3, arbitrary: bad },
        { weight: 1, arbitrary: blank },
      ),
    );
    await fc.assert(
      fc.asyncProperty(file, partBytes, chunking, async (file, partBytes, chunks) => {
        const text = textOf(file);
        const open = (chunks: readonly number[]) =>
          openCsv(sourceOf(text, chunks), model, { ids: ['id'], join: false });
        const whole = await readAll((await open([1e9])).all(1e9));
        const { rows, faults } = expected(file);
        expect(whole.rows.map(({ part, ...rest }) => ({ ...rest, part }))).toEqual(
          rows.map((row) => ({ ...(row as object), part: 0 })),
        );
        expect(whole.faults.map(({ row, line, code }) => ({ row, line, code }))).toEqual(faults);

        const all = await readAll((await open(chunks)).all(partBytes));
        const cut = await readParts(await open(chunks), partBytes);
        expect({ rows: cut.rows, faults: cut.faults }).toEqual(all);
        expect(all.rows.map((row) => ({ ...row, part: 0 }))).toEqual(whole.rows);
        expect(all.faults.map((fault) => ({ ...fault, part: 0 }))).toEqual(whole.faults);
        checkParts(cut.parts, Buffer.byteLength(text), partBytes);
        expect(cut.parts.map(({ part }) => part)).toEqual([
          ...new Set([...all.rows, ...all.faults].map(({ part }) => part).sort((a, b) => a - b)),
        ]);
      }),
      { numRuns: 400 },
    );
  });

  it('that is anything at all is read alike in parts, in order and at once, up to what makes it no CSV', async () => {
    const text = fc.string({ unit: fc.constantFrom('1', 'a', ',', '"', '\n', '\r', 'é'), maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(text, partBytes, chunking, async (text, partBytes, chunks) => {
        const read = async (way: (rows: Rows) => Promise<Read>) => {
          const rows = await openCsv(sourceOf(`x,t\n${text}`, chunks), signature(model.inputs), {
            ids: [],
            join: false,
          });
          try {
            const { rows: good, faults } = await way(rows);
            return { good, faults };
          } catch (error) {
            if (isObjectFault(error)) return error.message;
            throw error;
          }
        };
        const all = await read((rows) => readAll(rows.all(partBytes)));
        expect(await read((rows) => readParts(rows, partBytes))).toEqual(all);
        const whole = await read((rows) => readAll(rows.all(1e9)));
        if (typeof whole === 'string' || typeof all === 'string') expect(all).toBe(whole);
        else {
          const strip = (rows: readonly { part: number }[]) => rows.map((row) => ({ ...row, part: 0 }));
          expect([strip(all.good), strip(all.faults)]).toEqual([whole.good, whole.faults]);
        }
      }),
      { numRuns: 600 },
    );
  });

  it('has the rows that csv-parse finds in it', async () => {
    await fc.assert(
      fc.asyncProperty(lines(good), partBytes, async (file, partBytes) => {
        const text = textOf(file);
        const records: string[][] = parse(text, {
          bom: true,
          skip_empty_lines: true,
          record_delimiter: ['\n', '\r\n'],
        });
        const rows = await openCsv(sourceOf(text), model, { ids: [], join: true });
        expect(rows.carried).toEqual(['x', 't', 'id']);
        const found = await readParts(rows, partBytes);
        expect(found.faults).toEqual([]);
        expect(found.rows.map(({ carried }) => carried)).toEqual(records.slice(1));
      }),
      { numRuns: 200 },
    );
  });
});

/**
 * Parts are one after the other, of the size that was asked for but for the last row of each, and the last
 * one.
 */
function checkParts(
  parts: readonly { part: number; from: number; to: number }[],
  bytes: number,
  partBytes: number,
): void {
  parts.forEach(({ part, from, to }, i) => {
    expect(part).toBe(i);
    expect(to).toBeLessThanOrEqual(bytes);
    if (i > 0) expect(from).toBe(parts[i - 1]?.to);
    if (i < parts.length - 1) expect(to - from).toBeGreaterThanOrEqual(partBytes);
  });
}
