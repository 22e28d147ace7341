import { describe, expect, it } from 'vitest';
import type { Signal } from '../../../../core/drift/contract.ts';
import { createTally, numberTaker } from '../../../../core/drift/drift-tally.ts';
import { numericSignal } from '../../../reference.ts';

/** Half of the reference answers exactly 0.75, the rest lies evenly beside it. */
const ATOM = Math.fround(0.75);
const data = Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? ATOM : 0.5 + i / 4000));

function scoreOf(of: Signal['of'], value: number): { readonly a: number; readonly cell: number } {
  const signal = numericSignal({ name: 's', of, tensor: 'p', value: 'confidence' }, data);
  const tally = createTally([signal]);
  numberTaker(signal, 0, tally)(value);
  return { a: tally.a[0] ?? Number.NaN, cell: tally.last[0] ?? -1 };
}

describe('an answer that is frequent', () => {
  it('is in its place whatever rounding made of its last digits', () => {
    const own = scoreOf('output', ATOM);
    for (const off of [-2.4e-7, -6e-8, 6e-8, 2.4e-7])
      expect(scoreOf('output', ATOM + off), String(off)).toEqual(own);
  });

  it('is another one beyond that', () => {
    expect(scoreOf('output', ATOM + 1e-4)).not.toEqual(scoreOf('output', ATOM));
    expect(scoreOf('output', ATOM - 1e-4).cell).toBeLessThanOrEqual(scoreOf('output', ATOM).cell);
  });

  it('of inputs is what it is: no arithmetic lies between', () => {
    expect(scoreOf('input', ATOM + 2.4e-7)).not.toEqual(scoreOf('input', ATOM));
  });
});
