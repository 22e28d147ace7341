import { expect, it } from 'vitest';
import { isTold } from '../../../../functions/host/told.ts';

const answer = { ordinal: 0, status: 200, headers: {}, took: 1 };

it.each([
  ['content-type', true],
  ['x-request-id', true],
  // Node throws for it beside a length, in the front, which would end.
  ['trailer', false],
  ['Trailer', false],
  ['transfer-encoding', false],
])('an answer may have the header %s: %s', (name, may) => {
  expect(isTold({ ...answer, headers: { [name]: 'a' } })).toBe(may);
});
