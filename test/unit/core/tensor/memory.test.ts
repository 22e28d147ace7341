import { expect, test } from 'vitest';
import { borrow } from '../../../../core/tensor/memory.ts';

test('the second request of a size lies where the first one lay, and parts never overlap', () => {
  const sizes = [10_000, 100, 50_001, 4096];
  const first = borrow();
  for (const size of sizes) first.take(size);
  first.giveBack();
  const second = borrow();
  const parts = sizes.map((size) => ({ size, ...second.take(size) }));
  second.giveBack();
  const third = borrow();
  const again = sizes.map((size) => ({ size, ...third.take(size) }));
  third.giveBack();
  expect(again.map(({ offset }) => offset)).toEqual(parts.map(({ offset }) => offset));
  expect(again[0]?.buffer).toBe(parts[0]?.buffer);
  for (const a of parts) {
    expect(a.offset % 64).toBe(0);
    expect(a.offset + a.size).toBeLessThanOrEqual(a.buffer.byteLength);
    for (const b of parts) {
      if (a !== b && a.buffer === b.buffer) {
        expect(a.offset + a.size <= b.offset || b.offset + b.size <= a.offset).toBe(true);
      }
    }
  }
});

test('who comes while it is lent gets fresh memory', () => {
  const one = borrow();
  const two = borrow();
  expect(two.take(10_000).buffer).not.toBe(one.take(10_000).buffer);
  two.giveBack();
  expect(borrow().take(10_000).buffer).not.toBe(one.take(10_000).buffer);
  one.giveBack();
});
