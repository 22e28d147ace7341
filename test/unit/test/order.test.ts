import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { inTurn, LONG, longFirst } from '../../order.ts';

const files = (folder: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `test/${folder}/${at}.test.ts`);

it('every file runs once', () => {
  const all = [...files('journeys', 7), ...LONG, ...files('ship', 20), ...files('golden', 1)];
  expect([...inTurn(all)].sort()).toEqual([...all].sort());
  expect(inTurn([])).toEqual([]);
});

it('long files are begun first, whatever order they come in', () => {
  const order = inTurn([...files('journeys', 20), ...files('ship', 40), ...LONG.toReversed()]);
  expect(order[0]).toBe(LONG[0]);
  for (const waits of [true, false]) {
    const ofKind = (file: string): boolean => file.startsWith('test/journeys/') === waits;
    const long = LONG.filter(ofKind);
    expect(order.filter(ofKind).slice(0, long.length)).toEqual(long);
  }
  expect(longFirst([...files('unit', 3), ...LONG]).slice(0, LONG.length)).toEqual(LONG);
});

it('files that wait run beside files that compute, to the end', () => {
  const order = inTurn([...files('journeys', 10), ...files('ship', 20)]);
  for (let at = 0; at < order.length; at += 3)
    expect(order.slice(at, at + 3).filter((file) => file.includes('journeys'))).toHaveLength(1);
});

it('what is listed as long is there', () => {
  expect(LONG.filter((file) => !existsSync(file))).toEqual([]);
});
