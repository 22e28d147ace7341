import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanArray } from '../../../../core/tensor/scan.ts';

/** Flat arrays of more than 32 K characters are read in parts; nothing may come of where they are cut. */
const element = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }).map(String),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
);
const comma = fc.constantFrom(',', ', ', ' ,\n', ',\t  ');
/**
 * Around 35,000 characters and more, so that there is at least one cut, at a place that differs each time.
 */
const long = fc
  .tuple(fc.array(element, { minLength: 20, maxLength: 60 }), comma, fc.integer({ min: 100, max: 300 }))
  .map(([some, between, times]) => {
    const texts = Array.from({ length: times }, () => some).flat();
    while (texts.join(between).length < 35_000) texts.push(...some);
    return { texts, between, span: `[${texts.join(between)}]` };
  });

describe('a long flat array', () => {
  it('gives what JSON.parse gives', () => {
    fc.assert(
      fc.property(long, ({ span, texts }) => {
        const out = new Float32Array(texts.length);
        expect(scanArray(span, 'FP32', [texts.length], out)).toBeUndefined();
        const expected: number[] = JSON.parse(span);
        expect(out.every((value, i) => Object.is(value, Math.fround(expected[i] ?? Number.NaN)))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('is refused at the very place that is wrong, wherever the cuts are', () => {
    const damage = fc.constantFrom('é', 'İ', 'x', '"', '[', '01', '.5', '1.', '--1', '', '1 2', 'true', '٣');
    fc.assert(
      fc.property(long, fc.nat(), damage, ({ texts, between }, at, bad) => {
        const place = at % texts.length;
        const before = texts.slice(0, place).map((text) => text + between);
        const span = `[${[...texts.slice(0, place), bad, ...texts.slice(place + 1)].join(between)}]`;
        const start = 1 + before.join('').length;
        const fault = scanArray(span, 'FP32', [texts.length], new Float32Array(texts.length));
        expect(fault).toBeDefined();
        expect(fault?.at).toBeGreaterThanOrEqual(start);
        expect(fault?.at).toBeLessThanOrEqual(start + bad.length + between.length);
      }),
      { numRuns: 200 },
    );
  });

  it('is refused where a letter of two bytes is the last before a cut', () => {
    const texts = Array<string>(20_000).fill('1.5');
    for (let place = 8_150; place < 8_250; place++) {
      const span = `[${texts.with(place, '1.5é').join()}]`;
      expect(scanArray(span, 'FP32', [20_000], new Float32Array(20_000))?.reason, `${place}`).toBe('kind');
    }
  });

  it('needs as many elements as the shape says', () => {
    const span = `[${'1.25,'.repeat(10_000)}2]`;
    expect(scanArray(span, 'FP32', [10_001], new Float32Array(10_001))).toBeUndefined();
    for (const count of [10_000, 10_002])
      expect(scanArray(span, 'FP32', [count], new Float32Array(count))?.reason).toBe('length');
    expect(scanArray(`${span.slice(0, -2)}]`, 'FP32', [10_000], new Float32Array(10_000))?.reason).toBe(
      'kind',
    );
  });

  it('may have no comma for longer than a part', () => {
    const spaces = ' '.repeat(100_000);
    const out = new Float32Array(2);
    expect(scanArray(`[${spaces}1,${spaces}2${spaces}]`, 'FP32', [2], out)).toBeUndefined();
    expect([...out]).toEqual([1, 2]);
    const digits = `1.${'3'.repeat(100_000)}`;
    expect(scanArray(`[1,${digits}]`, 'FP32', [2], out)).toBeUndefined();
    expect(out[1]).toBe(Math.fround(4 / 3));
  });

  it.each(['BOOL', 'INT64', 'INT8', 'FP64'] as const)('of %s is read in parts, too', (datatype) => {
    const text = datatype === 'BOOL' ? 'true' : '17';
    const length = 20_000;
    const out =
      datatype === 'BOOL'
        ? new Uint8Array(length)
        : datatype === 'INT64'
          ? new BigInt64Array(length)
          : datatype === 'INT8'
            ? new Int8Array(length)
            : new Float64Array(length);
    expect(scanArray(`[${Array(length).fill(text).join()}]`, datatype, [length], out)).toBeUndefined();
    expect(new Set(Array.from(out, Number))).toEqual(new Set([datatype === 'BOOL' ? 1 : 17]));
  });
});
