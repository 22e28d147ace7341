import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { openJsonl } from '../../../../../core/tabular/jsonl/read.ts';
import { input, readAll, readParts, signature, sourceOf } from '../setup.ts';

type Line = {
  readonly text: string;
  readonly row?: Readonly<Record<string, unknown>>;
  readonly code?: string;
};

const model = signature(
  [input('x', 'FP64', 1), input('n', 'INT32'), input('t', 'BYTES', 1), input('m', 'FP32', 2)],
  {
    outputs: [input('label', 'INT64')],
  },
);
const space = fc.constantFrom('', '', ' ', '\t', ' \r');
const text = fc.string({
  unit: fc.constantFrom('a', ' ', '"', '\\', '\n', '\r', 'é', '漢', '😀', '{', '}', '[', ',', ':', '\u2028'),
  maxLength: 8,
});
const number = fc.double({ noDefaultInfinity: true, noNaN: true });
const values = fc.record({
  x: fc.oneof(
    number,
    number.map((value) => [value]),
  ),
  n: fc.integer(),
  t: text,
  m: fc.array(fc.float({ noDefaultInfinity: true, noNaN: true }), { minLength: 2, maxLength: 2 }),
  id: fc.jsonValue({ maxDepth: 2 }).filter((value) => !JSON.stringify(value).includes('__proto__')),
  label: fc.jsonValue({ maxDepth: 1 }).filter((value) => !JSON.stringify(value).includes('__proto__')),
});
/** Members in any order, with blanks where JSON may have them, and keys with or without escapes. */
const written = fc
  .tuple(
    values,
    fc.shuffledSubarray(['x', 'n', 't', 'm', 'id', 'label'], { minLength: 6 }),
    fc.array(space, { minLength: 24, maxLength: 24 }),
    fc.boolean(),
  )
  .map(([row, order, spaces, isEscaped]): { row: typeof row; members: string[] } => ({
    row,
    members: order.map((key, i) => {
      const name = isEscaped
        ? `"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}"`
        : `"${key}"`;
      const value = JSON.stringify(row[key as keyof typeof row]);
      return `${spaces[4 * i]}${name}${spaces[4 * i + 1]}:${spaces[4 * i + 2]}${value}${spaces[4 * i + 3]}`;
    }),
  }));
const good = written.map(({ row, members }): Line => ({ text: `{${members.join()}}`, row }));
const bad = fc.tuple(written, fc.nat({ max: 5 })).chain(([{ members }, i]) =>
  fc.constantFrom<Line>(
    { text: `{${members.join()}`, code: 'INVALID_JSON' },
    { text: `{${members.join()}} 1`, code: 'INVALID_JSON' },
    { text: `{${members.join()},}`, code: 'INVALID_JSON' },
    { text: `{${members.join(' ')}}`, code: 'INVALID_JSON' },
    { text: `{${members.join()},"y":1}`, code: 'UNKNOWN_INPUT' },
    { text: `{${members.join()},"__proto__":{}}`, code: 'FORBIDDEN_KEY' },
    { text: `{${[...members, members[i]].join()}}`, code: 'DUPLICATE_NAME' },
    {
      text: `{${members.filter((member) => !/"(x|\\u0078)"/.test(member)).join()}}`,
      code: 'MISSING_INPUT',
    },
    {
      text: `{${members.filter((member) => !/"(id|\\u0069d)"/.test(member)).join()}}`,
      code: 'MISSING_INPUT',
    },
    { text: `{"x":"1",${members.join()}}`, code: 'WRONG_VALUE' },
    { text: `{"m":[1],${members.join()}}`, code: 'WRONG_LENGTH' },
    { text: '"x"', code: 'INVALID_REQUEST' },
    { text: '[1]', code: 'INVALID_REQUEST' },
    { text: 'x', code: 'INVALID_JSON' },
  ),
);
const blank = fc.constantFrom<Line>({ text: '' }, { text: ' \t' });
const file = (line: fc.Arbitrary<Line>) =>
  fc.record({
    lines: fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 20 }),
    head: fc.constantFrom('', '\uFEFF', '\n\r\n'),
    hasEnd: fc.boolean(),
  });
const chunking = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });

/** Beyond 2^53 there are bigints where JSON.parse has rounded. */
const plain = (values: readonly unknown[]): unknown =>
  JSON.parse(JSON.stringify(values, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));

describe('a JSONL object', () => {
  it('has the rows that were written, once each and in order, however it is cut and however it comes', async () => {
    const lines = file(
      fc.oneof(
        { weight: 6, arbitrary: good },
        { weight: 2, arbitrary: bad },
        { weight: 1, arbitrary: blank },
      ),
    );
    await fc.assert(
      fc.asyncProperty(lines, fc.integer({ min: 1, max: 600 }), chunking, async (file, partBytes, chunks) => {
        const { lines, head, hasEnd } = file;
        const content =
          head +
          lines.map(([{ text }, end], i) => text + (i === lines.length - 1 && !hasEnd ? '' : end)).join('');
        const first = head.split('\n').length;
        const rows: unknown[] = [];
        const faults: unknown[] = [];
        let row = 0;
        lines.forEach(([{ text, row: due, code }], i) => {
          if (due === undefined && code === undefined) return;
          row++;
          if (code !== undefined) faults.push({ row, line: first + i, code });
          else {
            // The oracle: what JSON.parse finds in the line.
            const { x, n, t, m, id } = JSON.parse(text);
            rows.push({
              row,
              line: first + i,
              values: { x: [x].flat(), n: [n], t: [t], m: m.map(Math.fround) },
              carried: plain([id]),
            });
          }
        });
        const open = (chunks: readonly number[]) =>
          openJsonl(sourceOf(content, chunks), model, { ids: ['id'], join: false });
        const whole = await readAll((await open([1e9])).all(1e9));
        expect(
          whole.rows.map(({ part, carried, ...rest }) => ({ ...rest, carried: plain(carried) })),
        ).toEqual(rows);
        expect(whole.faults.map(({ row, line, code }) => ({ row, line, code }))).toEqual(faults);
        const all = await readAll((await open(chunks)).all(partBytes));
        const { parts, ...cut } = await readParts(await open(chunks), partBytes);
        expect(cut).toEqual(all);
        expect(all.rows.map((row) => ({ ...row, part: 0 }))).toEqual(whole.rows);
        expect(all.faults.map((fault) => ({ ...fault, part: 0 }))).toEqual(whole.faults);
      }),
      { numRuns: 300 },
    );
  });

  it('may have rows of any size where the model leaves it open: a block has those of one size', async () => {
    const ragged = signature([input('ids', 'INT64', -1), input('mask', 'BOOL', -1, 2), input('k', 'FP32')]);
    const row = fc.record({
      ids: fc.array(fc.maxSafeInteger(), { maxLength: 3 }),
      mask: fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 2 }),
      k: fc.integer({ min: -5, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 12 }),
        fc.integer({ min: 1, max: 100 }),
        async (rows, partBytes) => {
          const source = sourceOf(rows.map((row) => JSON.stringify(row)).join('\n'));
          const opened = await openJsonl(source, ragged, { ids: [], join: false });
          const { rows: found, faults } = await readParts(opened, partBytes);
          expect(faults).toEqual([]);
          expect(found.map(({ values }) => values)).toEqual(
            rows.map(({ ids, mask, k }) => ({ ids: ids.map(BigInt), mask: mask.flat().map(Number), k: [k] })),
          );
        },
      ),
    );
  });

  it.each([
    ['FP32', '0', undefined, 'WRONG_LENGTH x has fewer elements than the shape’s 2116000000.'],
    ['FP32', 'null', 'nan', 'WRONG_LENGTH x[1] has 0 elements; the shape says 46000.'],
    ['BYTES', '""', undefined, 'WRONG_LENGTH x[1] has 0 elements; the shape says 46000.'],
  ] as const)(
    'may have a ragged row of %s, %s each, whose first lengths multiply beyond any memory: it alone is faulty',
    async (datatype, element, missing, reason) => {
      const first = `[${Array(46_000).fill(element).join()}]`;
      const good = `{"x":[[${element}]]}`;
      const source = sourceOf(`${good}\n{"x":[${first}${',[]'.repeat(45_999)}]}\n${good}\n`);
      const open = signature([input('x', datatype, -1, -1)]);
      const opened = await openJsonl(source, open, { ids: [], join: false, ...(missing && { missing }) });
      const rows: number[] = [];
      const faults: string[] = [];
      for await (const block of opened.all(2 ** 24)) {
        rows.push(...Array.from(block.rows));
        faults.push(...block.faults.map((fault) => `${fault.code} ${fault.reason}`));
        // Room that was made for it stays with the reader.
        expect(process.memoryUsage().arrayBuffers).toBeLessThan(2 ** 30);
      }
      expect({ rows, faults }).toEqual({ rows: [1, 3], faults: [reason] });
    },
  );
});

it('keys of a first row of any width, all of which are carried, are not looked for in each other', async () => {
  const names = Array.from({ length: 2000 }, (_, i) => `c${i}`);
  const row = `{${['x', ...names].map((name) => `"${name}":1`).join()}}\n`;
  const looks = vi.spyOn(Array.prototype, 'indexOf');
  const one = signature([input('x', 'FP32', 1)]);
  const opened = await openJsonl(sourceOf(row), one, { ids: [], join: true });
  const wide = looks.mock.contexts.filter((list) => Array.isArray(list) && list.length > 1000).length;
  looks.mockRestore();
  expect([opened.carried.length, wide]).toEqual([2001, 0]);
  expect((await readAll(opened.all(1e6))).rows).toMatchObject([{ values: { x: [1] } }]);
});

it('a key of many thousand characters is not carried: each faulty row would quote it', async () => {
  const one = signature([input('x', 'FP32', 1)]);
  const opened = (size: number, join = true) =>
    openJsonl(sourceOf(`{"x":1,"${'k'.repeat(size)}":2}\n`), one, { ids: [], join });
  expect((await opened(10_000)).carried).toHaveLength(2);
  await expect(opened(10_001)).rejects.toThrow(
    'A key of its first row has 10001 characters; at most 10000 are taken where all columns are carried. Shorten it, or name in `ids` what is carried.',
  );
  // A row's own fault where none is carried.
  expect((await opened(10_001, false)).carried).toEqual([]);
});
