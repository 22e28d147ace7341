import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DATATYPES, type Datatype } from '../../../../core/tensor/contract.ts';
import { KINDS, type NumericData } from '../../../../core/tensor/datatypes.ts';
import { toHalf } from '../../../../core/tensor/half.ts';
import { placeInArray, type ScanFault, scanArray } from '../../../../core/tensor/scan.ts';

type Numeric = Exclude<Datatype, 'BYTES'>;

function scan(text: string, datatype: Numeric, shape: number[]): NumericData | ScanFault {
  const out = KINDS[datatype].allocate(shape.reduce((product, dimension) => product * dimension, 1));
  return scanArray(text, datatype, shape, out) ?? out;
}
const read = (text: string, datatype: Numeric, length: number): unknown[] => {
  const found = scan(text, datatype, [length]);
  if (!('length' in found)) throw new Error(`${found.reason} at ${found.at} of ${text}`);
  return Array.from<unknown>(found);
};
const reasonOf = (text: string, datatype: Numeric = 'FP32', shape: number[] = [1]): string | undefined => {
  const found = scan(text, datatype, shape);
  return 'reason' in found ? found.reason : undefined;
};

/** Texts of numbers as people, languages and enemies write them. */
const digits = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 40 })
  .map((list) => list.join(''));
const whole = fc.oneof(
  fc.constant('0'),
  digits.map((text) => text.replace(/^0+(?=.)/, '')),
);
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    whole,
    fc.option(digits),
    fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.integer({ min: 0, max: 340 }))),
  )
  .map(([sign, integer, fraction, exponent]) =>
    [sign, integer, fraction === null ? '' : `.${fraction}`, exponent === null ? '' : exponent.join('')].join(
      '',
    ),
  );
const float32 = fc.float({ noNaN: true, noDefaultInfinity: true }).map(String);
const float64 = fc.double({ noNaN: true, noDefaultInfinity: true }).map(String);
const python = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((x) => x.toFixed(18));
/** Just beside the middle of two floats, where a rounding that is nearly right goes wrong. */
const nearMiddle = fc
  .tuple(fc.float({ min: 1, max: 1e6, noNaN: true }), fc.integer({ min: -3, max: 3 }))
  .map(([x, steps]) => {
    const bits = new Int32Array(Float32Array.of(x).buffer);
    const next = new Float32Array(Int32Array.of((bits[0] ?? 0) + 1).buffer)[0] ?? 0;
    const middle = (Math.fround(x) + next) / 2;
    return String(middle + steps * middle * 2 ** -52);
  });
const anyNumber = fc.oneof(numberText, float32, float64, python, nearMiddle);
const space = fc.constantFrom('', ' ', '\n', '\t  ', '\r\n ');
const listOf = (element: fc.Arbitrary<string>): fc.Arbitrary<[string, string[]]> =>
  fc
    .array(fc.tuple(space, element, space), { minLength: 1, maxLength: 12 })
    .map((parts) => [`[${parts.map((part) => part.join('')).join(',')}]`, parts.map(([, text]) => text)]);

describe('equal to JSON.parse, to the bit', () => {
  test('FP32', () => {
    fc.assert(
      fc.property(listOf(anyNumber), ([text, elements]) => {
        const expected = elements.map((element) => Math.fround(Number(element)));
        if (expected.every(Number.isFinite)) {
          expect(read(text, 'FP32', elements.length)).toEqual(expected);
        } else {
          expect(reasonOf(text, 'FP32', [elements.length])).toBe('range');
        }
      }),
      { numRuns: 20_000 },
    );
  });

  test('FP64', () => {
    fc.assert(
      fc.property(listOf(anyNumber), ([text, elements]) => {
        const expected = elements.map(Number);
        if (expected.every(Number.isFinite)) {
          expect(read(text, 'FP64', elements.length)).toEqual(expected);
        } else {
          expect(reasonOf(text, 'FP64', [elements.length])).toBe('range');
        }
      }),
      { numRuns: 10_000 },
    );
  });

  test('FP16', () => {
    fc.assert(
      fc.property(listOf(fc.oneof(anyNumber, python)), ([text, elements]) => {
        const expected = elements.map((element) => toHalf(Number(element)));
        if (elements.every((element) => Math.abs(Number(element)) < 65_520)) {
          expect(read(text, 'FP16', elements.length)).toEqual(expected);
        } else {
          expect(reasonOf(text, 'FP16', [elements.length])).toBe('range');
        }
      }),
    );
  });

  test('a million floats as JavaScript writes them', () => {
    const values = new Float32Array(1_000_000);
    const words = new Uint32Array(values.buffer);
    let seed = 1;
    for (let i = 0; i < words.length; i++) {
      seed = Math.imul(seed, 1_664_525) + 1_013_904_223;
      words[i] = seed;
      if (!Number.isFinite(values[i])) values[i] = 0;
    }
    const found = scan(JSON.stringify(Array.from(values)), 'FP32', [values.length]) as Float32Array;
    // Bits, since NaN aside −0 must stay; JSON.stringify has written it as 0.
    expect(found.findIndex((value, i) => value !== values[i])).toBe(-1);
  });
});

describe('integers', () => {
  test('64 bits keep every digit, and beyond is refused', () => {
    for (const [datatype, least, greatest] of [
      ['INT64', -(2n ** 63n), 2n ** 63n - 1n],
      ['UINT64', 0n, 2n ** 64n - 1n],
    ] as const) {
      fc.assert(
        fc.property(fc.bigInt({ min: least - 5n, max: greatest + 5n }), (value) => {
          if (value >= least && value <= greatest) {
            expect(read(`[${value}]`, datatype, 1)).toEqual([value]);
          } else expect(reasonOf(`[${value}]`, datatype)).toBe('range');
        }),
      );
      for (const edge of [least, greatest]) expect(read(`[${edge}]`, datatype, 1)).toEqual([edge]);
      expect(reasonOf(`[${least - 1n}]`, datatype)).toBe('range');
      expect(reasonOf(`[${greatest + 1n}]`, datatype)).toBe('range');
    }
  });

  test('an integer whose digits an exponent hides is refused, a small one is not', () => {
    expect(reasonOf('[9.007199254740993e15]', 'INT64')).toBe('range');
    expect(reasonOf('[1e18]', 'INT64')).toBe('range');
    expect(read('[1e3]', 'INT64', 1)).toEqual([1000n]);
    expect(read('[7.0]', 'INT64', 1)).toEqual([7n]);
    expect(reasonOf('[7.5]', 'INT64')).toBe('kind');
  });

  test.each(['INT8', 'INT16', 'INT32', 'UINT8', 'UINT16', 'UINT32'] as const)(
    '%s has its range',
    (datatype) => {
      const { least, greatest } = KINDS[datatype];
      expect(read(`[${least}, ${greatest}]`, datatype, 2)).toEqual([least, greatest]);
      expect(reasonOf(`[${least - 1}]`, datatype)).toBe('range');
      expect(reasonOf(`[${greatest + 1}]`, datatype)).toBe('range');
      expect(reasonOf('[0.5]', datatype)).toBe('kind');
    },
  );
});

describe('shapes', () => {
  const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 });
  const nest = (shape: readonly number[], next: () => number): unknown =>
    shape.length === 0 ? next() : Array.from({ length: shape[0] ?? 0 }, () => nest(shape.slice(1), next));

  test('nested and flat data are the same', () => {
    fc.assert(
      fc.property(shapes, fc.boolean(), (shape, pretty) => {
        let i = 0;
        const text = JSON.stringify(
          nest(shape, () => i++ / 8),
          null,
          pretty ? 1 : 0,
        );
        const elements = shape.reduce((product, dimension) => product * dimension, 1);
        const expected = Array.from({ length: elements }, (_, k) => k / 8);
        // A dimension of 0 ends the nesting early: then what stands there is no longer the shape's.
        if (elements > 0) expect(Array.from(scan(text, 'FP32', shape) as Float32Array)).toEqual(expected);
        expect(Array.from(scan(JSON.stringify(expected), 'FP32', shape) as Float32Array)).toEqual(expected);
      }),
    );
  });

  test('nesting that differs from the shape anywhere is refused', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), shapes, (value, shape) => {
        if (!Array.isArray(value)) return;
        const isAsShape = (part: unknown, [dimension, ...rest]: readonly number[]): boolean =>
          dimension === undefined
            ? typeof part === 'number' && Number.isFinite(Math.fround(part))
            : Array.isArray(part) && part.length === dimension && part.every((each) => isAsShape(each, rest));
        const elements = shape.reduce((product, dimension) => product * dimension, 1);
        const fits = isAsShape(value, shape) || isAsShape(value, [elements]);
        const found = scan(JSON.stringify(value), 'FP32', shape);
        expect('reason' in found).toBe(!fits);
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['[[1,2],[3]]', [2, 2], 'length'],
    ['[[1,2,3],[4]]', [2, 2], 'length'],
    ['[1,[2]]', [2], 'kind'],
    ['[[1],2]', [2, 1], 'nesting'],
    ['[[[1]]]', [1, 1], 'nesting'],
    ['[1,2]', [3], 'length'],
    ['[1,2,3,4]', [3], 'length'],
    ['[]', [1], 'length'],
    [`${'['.repeat(40)}1${']'.repeat(40)}`, [1], 'depth'],
  ] as const)('%s in %j: %s', (text, shape, reason) => {
    expect(reasonOf(text, 'FP32', [...shape])).toBe(reason);
  });
});

describe('what JSON does not allow', () => {
  const wrong = [
    ...[
      '',
      '[',
      '[1',
      '[1,',
      '[1,]',
      '[,1]',
      '[1 2]',
      '[1]]',
      '[1],[1]',
      '[+1]',
      '[.5]',
      '[1.]',
      '[-]',
      '[01]',
      '[-01]',
    ],
    ...[
      '[1e]',
      '[1e+]',
      '[1.5e]',
      '[0x10]',
      '[1_000]',
      '[NaN]',
      '[Infinity]',
      '[nan]',
      '[null]',
      '["1"]',
      '[{}]',
      '[١]',
      '[1\u00a0]',
    ],
    ...['[ı]', '[1\0]', '[--1]', '[1.2.3]', '[1;2]', '[1}', '[tru]', '[True]'],
  ];
  const datatypes = DATATYPES.filter((datatype) => datatype !== 'BYTES');
  test.each(datatypes)('%s', (datatype) => {
    for (const text of wrong) {
      expect(reasonOf(text, datatype), text).toBeDefined();
      // What an earlier text left behind must neither complete it nor be looked at.
      scan(`[${'1,'.repeat(40)}1]`, 'FP32', [41]);
      const found = scan(text, datatype, [1]);
      expect('at' in found ? found.at : Number.NaN, text).toBeLessThanOrEqual(text.length);
    }
  });

  test('whatever text: read only if JSON.parse reads the same', () => {
    const pieces = fc.constantFrom(
      ...'[]{}",.-+eE0123456789 \n'.split(''),
      'true',
      'false',
      'null',
      '1.5',
      '12345678',
      '\u0131',
    );
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 12 }),
        fc.constantFrom('FP32', 'INT64', 'UINT8', 'BOOL'),
        (parts, datatype) => {
          const text = `[${parts.join('')}]`;
          const found = scan(text, datatype, [2]);
          if ('reason' in found) return;
          const parsed: unknown[] = JSON.parse(text);
          // Integers have no -0.
          const stored = (x: unknown): number =>
            datatype === 'FP32' ? Math.fround(Number(x)) : Number(x) + 0;
          expect(parsed.flat(9).map(stored)).toEqual(Array.from<unknown, number>(found, Number));
        },
      ),
      { numRuns: 20_000 },
    );
  });
});

test('a place in an array is where its bracket says', () => {
  expect(placeInArray('[[1, 2], [3, x]]', '[[1, 2], [3, '.length)).toBe('[1][1]');
  expect(placeInArray('[x]', 1)).toBe('[0]');
});
