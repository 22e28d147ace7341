import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../../../core/errors/refusals.ts';
import { parseCsv } from '../../../../core/protocol/csv-body.ts';
import { recordsOf, rowOf } from '../../../../core/tabular/csv/records.ts';
import { input } from '../tabular/setup.ts';

const x2 = [input('x', 'FP32', 2)];
const texts = [input('x', 'BYTES', 2)];
const rowsOf = (text: string, inputs = x2): unknown[] =>
  Array.from((parseCsv(text, inputs).tensors.x?.data ?? []) as ArrayLike<unknown>);
function refusalOf(text: string, inputs = x2): string {
  try {
    parseCsv(text, inputs);
  } catch (error) {
    if (isRefusal(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('It is not refused.');
}

describe('a body of csv', () => {
  it('is read by the parser of batch, whose rules are these since', () => {
    // Each was otherwise before: the first two were refused, the others with what stands behind the first
    // fault.
    expect(rowsOf('\uFEFFa,b\n1,2')).toEqual([1, 2]);
    expect(rowsOf('a\rb,c\n', texts)).toEqual(['a\rb', 'c']);
    expect(refusalOf('1,z\n1\n')).toBe('WRONG_VALUE: Row 1, column 2 must be a number.');
    expect(refusalOf('1,2,3\n1,2\n')).toBe('WRONG_SHAPE: The body has 3 columns; the model takes 2.');
    expect(refusalOf('a,b\n1,2\n3,"4"5\n')).toMatch(
      /^INVALID_REQUEST: Row 2 is not CSV: a quote is out of place;/,
    );
  });

  it('is refused by its first row that is at fault, and not remembered', () => {
    expect(refusalOf('1.5,2\n1.5,z\n')).toBe('WRONG_VALUE: Row 2, column 2 must be a number.');
    expect(rowsOf('3.5,4\n')).toEqual([3.5, 4]);
    expect(refusalOf('1,2\n3,"4\n')).toBe('INVALID_REQUEST: Row 2 is not CSV: a quote is out of place.');
  });

  it.each([
    [
      ',age,plan\n0,1,x\n',
      /^UNKNOWN_INPUT: Column 1 of the first line is none of the model’s, .*"age", "plan"/,
    ],
    ['age\n1\n', /^MISSING_INPUT: The first line lacks the column "plan" of the model/],
    ['plan,Age\nx,1\n', /^MISSING_INPUT: The first line lacks the column "age" of the model/],
    ['age,plan,age\n1,x,1\n', /^DUPLICATE_NAME: Column 3 of the first line is there twice/],
    ['age,plan\n', /^INVALID_REQUEST: The body has a line of names, and no row/],
    ['Age,Plan\n1,x\n', /^WRONG_VALUE: Row 1, column 1 must be a number/],
  ])('of several inputs is told what does not fit of its names: %j', (text, says) => {
    expect(refusalOf(text, [input('age', 'FP32'), input('plan', 'BYTES')])).toMatch(says);
  });

  it('of several inputs has the name of one in a row of texts', () => {
    const inputs = [input('age', 'FP32'), input('plan', 'BYTES')];
    expect(parseCsv('1,age\n2,plan\n', inputs).tensors.plan?.data).toEqual(['age', 'plan']);
    const texts = [input('a', 'BYTES'), input('b', 'BYTES')];
    expect(parseCsv('b,x\ny,z\n', texts).tensors.a?.data).toEqual(['b', 'y']);
    expect(refusalOf('a,b\n', texts)).toBe('INVALID_REQUEST: The body has a line of names, and no row.');
  });

  it('has all of its rows, however many there are, whatever was asked before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(1, 2, 15, 16, 17, 4096, 4097, 9000), fc.boolean()), {
          minLength: 1,
          maxLength: 4,
        }),
        (asked) => {
          for (const [count, isNamed] of asked) {
            const rows = Array.from({ length: count }, (_, i) => [i / 2 + 0.25, -i]);
            const header = isNamed ? 'b,a\n' : '';
            const known = { columns: { names: ['a', 'b'], bind: true } };
            const { tensors } = parseCsv(`${header}${rows.map((row) => row.join()).join('\n')}`, x2, known);
            const expected = rows.flatMap(([a, b]) => (isNamed ? [b, a] : [a, b]));
            expect(tensors.x?.shape).toEqual([count, 2]);
            expect(
              Array.from(tensors.x?.data as Float32Array).every((value, i) => value === expected[i]),
            ).toBe(true);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('memory of the tensors of a body of csv', () => {
  /** 32 bytes a row, and 8 in the body: 64 MB of memory are 16 MB of text. */
  const wide = [input('x', 'FP64', 4)];
  const MOST = 2 ** 21;
  const asked = (rows: number): string | readonly number[] | undefined => {
    try {
      return parseCsv('1,2,3,5\n'.repeat(rows), wide).tensors.x?.shape;
    } catch (error) {
      return isRefusal(error) ? `${error.code}: ${error.message}` : String(error);
    }
  };

  it('is bounded as that of JSON is, before there is room for more', () => {
    expect(asked(MOST)).toEqual([MOST, 4]);
    expect(asked(MOST + 1)).toMatch(/^TENSOR_TOO_LARGE: .*64 MB.* Send fewer rows at once\.$/);
  });

  it('is bounded where one row has all of it', () => {
    const open = [{ name: 'x', datatype: 'FP64', shape: [-1, -1] } as const];
    expect(refusalOf(`1.5${',1.5'.repeat(2 ** 23)}\n`, open)).toMatch(/^TENSOR_TOO_LARGE: /);
  });
});

describe('a line of csv', () => {
  it('that is written is read as it was', () => {
    const cell = fc.oneof(fc.string(), fc.constantFrom('', '"', 'a,b', '\n', '\r\n', ' ', '1'));
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1 }), (rows) => {
        const written = rows.map((row) => `${rowOf(row.map((text) => JSON.stringify(text)))}\n`).join('');
        // A mark at the start of a text is none of it.
        fc.pre(!written.startsWith('\uFEFF'));
        expect(recordsOf(written)).toEqual(rows);
      }),
    );
  });
});
