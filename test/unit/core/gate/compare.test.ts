import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare, type ExpectedTensor } from '../../../../core/gate/compare.ts';
import { parseGateJson, printExact } from '../../../../core/gate/json.ts';

const answer = (outputs: readonly unknown[]): unknown => ({ model_name: 'm', model_version: '1', outputs });
const one = (datatype: string, shape: readonly number[], data: readonly unknown[], name = 'y') => ({
  name,
  datatype,
  shape,
  data,
});
const at = (expected: ExpectedTensor, got: unknown, tolerance = 1e-4) =>
  compare([expected], answer([got]), tolerance).differences;

describe('what an answer is compared by', () => {
  it('values, at their place', () => {
    expect(at(one('FP32', [2, 2], [0, 1, 2, 3]), one('FP32', [2, 2], [0, 1, 2.5, 3]))).toEqual([
      { at: 'y[1, 0]', expected: '2', got: '2.5', difference: 0.5 },
    ]);
    expect(at(one('FP64', [], [1]), one('FP64', [], [2]))).toEqual([
      { at: 'y', expected: '1', got: '2', difference: 1 },
    ]);
  });

  it('floats by tolerance: absolute below 1, relative above', () => {
    const differs = (expected: number, got: number) =>
      at(one('FP32', [1], [expected]), one('FP32', [1], [got]), 0.01).length > 0;
    expect([differs(0, 0.0099), differs(0, 0.0101)]).toEqual([false, true]);
    expect([differs(1000, 1009.9), differs(1000, 1010.1)]).toEqual([false, true]);
    expect([differs(-1000, -990.1), differs(-1000, -989.9)]).toEqual([false, true]);
  });

  it('integers, booleans and texts exactly, to the last digit', () => {
    expect(at(one('INT64', [1], [7]), one('INT64', [1], [8]), 1)).toHaveLength(1);
    expect(at(one('BOOL', [1], [true]), one('BOOL', [1], [false]), 1)).toEqual([
      { at: 'y[0]', expected: 'true', got: 'false' },
    ]);
    expect(at(one('BYTES', [1], ['a']), one('BYTES', [1], ['b']), 1)).toEqual([
      { at: 'y[0]', expected: '"a"', got: '"b"' },
    ]);
    const [x, y] = [9007199254740993n, 9007199254740995n];
    expect(at(one('INT64', [1], [x]), one('INT64', [1], [y]))).toEqual([
      { at: 'y[0]', expected: String(x), got: String(y), difference: 2 },
    ]);
    expect(at(one('INT64', [1], [7n]), one('INT64', [1], [7]))).toEqual([]);
  });

  it('NaN equals NaN, an infinity itself, and nothing else', () => {
    const same = (a: number, b: number) => at(one('FP32', [1], [a]), one('FP32', [1], [b]), 1).length === 0;
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1];
    expect(values.map((a) => values.map((b) => same(a, b)))).toEqual([
      [true, false, false, false],
      [false, true, false, false],
      [false, false, true, false],
      [false, false, false, true],
    ]);
  });

  it('name, datatype, shape and count', () => {
    expect(at(one('FP32', [1], [1]), one('FP32', [1], [1], 'z'))).toEqual([
      { at: 'y', expected: 'an output', got: 'none' },
    ]);
    expect(at(one('FP32', [1], [1]), one('FP64', [1], [1]))).toEqual([
      { at: 'y.datatype', expected: 'FP32', got: 'FP64' },
    ]);
    expect(at(one('FP32', [1, 2], [1, 2]), one('FP32', [2, 1], [1, 2]))).toEqual([
      { at: 'y.shape', expected: '[1, 2]', got: '[2, 1]' },
    ]);
    expect(at(one('FP32', [2], [1, 2]), one('FP32', [2], [1]))).toEqual([
      { at: 'y.data', expected: '2 elements', got: '1 elements' },
    ]);
  });

  it('and not by outputs that nobody expects, nor a datatype that nobody told', () => {
    const { datatype: _, ...untyped } = one('FP32', [1], [1]);
    expect(compare([untyped], answer([one('FP64', [1], [1]), one('FP32', [1], [9], 'z')]), 0)).toEqual({
      differences: [],
      more: 0,
    });
  });

  it('an error of the endpoint is its code and words', () => {
    expect(compare([one('FP32', [1], [1])], { error: 'No.\u001b[31m', code: 'WRONG_VALUE' }, 0)).toEqual({
      differences: [{ at: 'answer', expected: 'outputs', got: 'WRONG_VALUE: No. [31m' }],
      more: 0,
    });
  });

  it('the first five are listed, the rest counted', () => {
    const { differences, more } = compare(
      [one('INT32', [9], Array(9).fill(0))],
      answer([one('INT32', [9], Array(9).fill(1))]),
      0,
    );
    expect([differences.length, more]).toEqual([5, 4]);
  });
});

const element = fc.oneof(fc.double(), fc.integer(), fc.bigInt(), fc.boolean(), fc.string());
const tensor = fc
  .tuple(
    fc.string(),
    fc.constantFrom('FP16', 'FP32', 'FP64', 'INT64', 'BOOL', 'BYTES'),
    fc.array(fc.nat(3), { maxLength: 3 }),
    element,
    fc.infiniteStream(element),
  )
  .map(([name, datatype, shape, , stream]) => {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    const isFloat = datatype.startsWith('FP');
    const data = [...stream.take(size)].map((value) => (isFloat && typeof value !== 'number' ? 0.5 : value));
    return { name, datatype, shape, data };
  });

describe('for all answers', () => {
  it('what equals itself has no difference, at any tolerance', () => {
    fc.assert(
      fc.property(tensor, fc.double({ min: 0, max: 1, noNaN: true }), (output, tolerance) => {
        // An integer NaN equals nothing, and no integer is one.
        fc.pre(output.datatype.startsWith('FP') || !output.data.some(Number.isNaN));
        expect(compare([output], answer([output]), tolerance).differences).toEqual([]);
      }),
    );
  });

  it('more tolerance never finds more', () => {
    const tolerance = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double(), fc.double())), tolerance, tolerance, (pairs, a, b) => {
        const count = (allowed: number): number => {
          const [want, got] = [0, 1].map((side) =>
            one(
              'FP64',
              [pairs.length],
              pairs.map((pair) => pair[side]),
            ),
          );
          const found = compare([want as ExpectedTensor], answer([got]), allowed);
          return found.differences.length + found.more;
        };
        expect(count(Math.max(a, b))).toBeLessThanOrEqual(count(Math.min(a, b)));
      }),
    );
  });

  it('hostile ones are differences, not exceptions', () => {
    const hostile = fc.oneof(
      fc.anything({ withBigInt: true, withNullPrototype: true }),
      fc.anything().map((outputs) => ({ outputs })),
      fc
        .array(
          fc.record({
            name: fc.constant('y'),
            datatype: fc.anything(),
            shape: fc.anything(),
            data: fc.anything(),
          }),
        )
        .map(answer),
    );
    fc.assert(
      fc.property(hostile, (got) => {
        const { differences } = compare([one('FP32', [2], [1, 2])], got, 1e-4);
        for (const { expected, got: shown } of differences) {
          expect(expected.length).toBeLessThanOrEqual(200);
          expect(shown.length).toBeLessThanOrEqual(200);
        }
      }),
      {
        numRuns: 500,
        // JSON brings what no text can be made of.
        examples: [[answer([{ ...one('FP32', [2], [1, 2]), datatype: { toString: 1, valueOf: 1 } }])]],
      },
    );
    let deep: unknown = [1];
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(at(one('FP32', [1], [2]), one('FP32', [1], deep as unknown[]))).toHaveLength(1);
  });
});

describe('JSON with every digit', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }), fc.integer(), fc.string())),
        (values) => {
          const text = printExact({ values });
          expect(printExact(parseGateJson(text))).toBe(text);
        },
      ),
    );
    expect(parseGateJson('[9007199254740993]')).toEqual([9007199254740993n]);
    expect(parseGateJson('[0.12345678901234566, 1e30, "12345678901234567890"]')).toEqual([
      0.12345678901234566,
      1e30,
      '12345678901234567890',
    ]);
  });
});
