import { array, assert, boolean, constantFrom, integer, property, record } from 'fast-check';
import { expect, it } from 'vitest';
import { bytesStored, cutFor, parametersOf, rungsOf, scaleBytes } from '../../../../core/advice/device.ts';

it('seven billion parameters are 28, 14, 7 and 3.5 GB, and scales add an eighth to int8 and a quarter to int4', () => {
  const size = { weights: [{ elements: 7e9, bits: 32, canShrink: true }], rest: 0 };
  expect(rungsOf(size)).toEqual([
    { name: 'fp32', bytes: 28e9 },
    { name: 'fp16', bytes: 14e9 },
    { name: 'int8', bytes: 7e9 },
    { name: 'int4', bytes: 3.5e9 },
  ]);
  expect([scaleBytes(size) / 7e9, scaleBytes(size) / 3.5e9]).toEqual([0.125, 0.25]);
  expect(cutFor(3.5e9, 512 * 1024)).toBe(7000);
});

it.each([
  [5, 10, 1],
  [10, 10, 1],
  [11, 10, 2],
  [199, 10, 20],
  [201, 10, 30],
])('%d bytes into %d: one of %d', (bytes, room, cut) => {
  expect(cutFor(bytes, room)).toBe(cut);
});

it('no precision takes more than what is stored, each less than the one before, and nothing vanishes', () => {
  const weights = array(
    record({
      elements: integer({ min: 0, max: 1_000_000 }),
      bits: constantFrom(4, 8, 16, 32, 64),
      canShrink: boolean(),
    }),
    { maxLength: 6 },
  );
  assert(
    property(weights, integer({ min: 0, max: 10_000 }), (given, rest) => {
      const size = { weights: given, rest };
      const sizes = rungsOf(size).map(({ bytes }) => bytes);
      expect(sizes).toEqual([...sizes].sort((one, other) => other - one));
      for (const bytes of sizes) {
        expect(bytes).toBeLessThanOrEqual(bytesStored(size));
        expect(bytes).toBeGreaterThanOrEqual(rest);
      }
      expect(parametersOf(size)).toBeLessThanOrEqual(given.reduce((sum, { elements }) => sum + elements, 0));
    }),
  );
});

it('trees and indices have no smaller precision', () => {
  expect(rungsOf({ weights: [{ elements: 10, bits: 64, canShrink: false }], rest: 100_000 })).toEqual([]);
});
