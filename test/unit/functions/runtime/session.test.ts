import { expect, test } from 'vitest';
import { threadsFor } from '../../../../functions/runtime/session.ts';

test.each([
  [undefined, 1],
  ['128', 1],
  ['1769', 1],
  ['3537', 1],
  ['3538', 2],
  ['10240', 5],
])('%s MB are %i threads', (memory, threads) => {
  expect(threadsFor(memory)).toBe(threads);
});
