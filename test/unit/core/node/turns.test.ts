import { expect, it } from 'vitest';
import { turns } from '../../../../core/node/turns.ts';

it('so many run at a time, and all in the order in which they came, also after one that failed', async () => {
  const inTurn = turns(2);
  const began: number[] = [];
  const ends: (() => void)[] = [];
  const all = [0, 1, 2, 3, 4].map((one) =>
    inTurn(async () => {
      began.push(one);
      await new Promise<void>((resolve) => {
        ends[one] = resolve;
      });
      if (one === 0) throw new Error('zero');
      return one;
    }).catch((error: Error) => error.message),
  );
  for (const [ended, expected] of [
    [1, [0, 1, 2]],
    [0, [0, 1, 2, 3]],
    [3, [0, 1, 2, 3, 4]],
  ] as const) {
    await expect.poll(() => ends[ended]).toBeTypeOf('function');
    ends[ended]?.();
    await expect.poll(() => began).toEqual(expected);
  }
  ends[2]?.();
  await expect.poll(() => ends[4]).toBeTypeOf('function');
  ends[4]?.();
  expect(await Promise.all(all)).toEqual(['zero', 1, 2, 3, 4]);
  expect(await inTurn(async () => 'next')).toBe('next');
});
