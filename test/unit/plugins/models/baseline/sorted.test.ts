import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sortedValues } from '../../../../../plugins/models/baseline/sorted.ts';

/** Few different ones, too: then digits are passed over. */
const numbers = (one: fc.Arbitrary<number>) =>
  fc.oneof(
    fc.array(one, { maxLength: 400 }),
    fc.array(one, { minLength: 1, maxLength: 3 }).chain((few) => fc.array(fc.constantFrom(...few))),
    fc.array(fc.integer({ min: -100, max: 100 })),
  );
const finite = { noNaN: true, noDefaultInfinity: true };

it.each([
  ['floats', numbers(fc.float(finite)).map((values) => Float32Array.from([1, ...values]).subarray(1))],
  ['doubles', numbers(fc.double(finite)).map((values) => Float64Array.from([1, ...values]).subarray(1))],
])('%s are in the order that the language has them in, and where they were, too', (_name, values) => {
  fc.assert(
    fc.property(values, (given) => {
      const before = [...given];
      const sorted = sortedValues(given);
      expect([...sorted]).toEqual([...given.slice().sort()]);
      expect(sorted.constructor).toBe(given.constructor);
      expect([...given]).toEqual(before);
    }),
    { numRuns: 300 },
  );
});
