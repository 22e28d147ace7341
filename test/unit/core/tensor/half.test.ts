import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHalf, isFiniteHalf, toHalf } from '../../../../core/tensor/half.ts';

// The language's own, of Node 24; TypeScript does not know it yet.
const { f16round } = Math as unknown as { f16round(value: number): number };

test('all 65,536 halves survive both ways', () => {
  for (let bits = 0; bits <= 0xffff; bits++) {
    const value = fromHalf(bits);
    if (Number.isNaN(value)) expect(fromHalf(toHalf(value))).toBeNaN();
    else expect(toHalf(value)).toBe(bits);
    expect(isFiniteHalf(bits)).toBe(Number.isFinite(value));
  }
});

test('any double rounds as the language rounds it', () => {
  const near = fc
    .tuple(fc.integer({ min: 0, max: 0x7bff }), fc.double({ min: -1, max: 1, noNaN: true }))
    .map(([bits, part]) => {
      const low = fromHalf(bits);
      return low + ((fromHalf(bits + 1) - low) * (1 + part)) / 2;
    });
  fc.assert(
    fc.property(fc.oneof(fc.double(), near), (value) => {
      expect(fromHalf(toHalf(value))).toBe(f16round(value));
    }),
    { numRuns: 5000 },
  );
});

test('ties go to the even neighbour', () => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const middle = (fromHalf(bits) + fromHalf(bits + 1)) / 2;
    expect(toHalf(middle)).toBe(bits % 2 === 0 ? bits : bits + 1);
  }
});
