/** Figures that a person acts on: a share is told as all, and evidence as enough, where it is. */
import { expect, it } from 'vitest';
import { percentWords } from '../../../../core/advice/words.ts';
import { ofRequests } from '../../../../core/capacity/words.ts';
import { driftNotice } from '../../../../core/drift/notice.ts';
import { shareWords } from '../../../../core/drift/text.ts';
import { boundAndLimit, odds, of, percent } from '../../../../core/judge/format.ts';
import { baselineOf, numeric } from '../drift/scene.ts';

it.each([
  [0, '0 %'],
  [0.0083, '0.83 %'],
  [0.125, '12.5 %'],
  [0.999, '99.9 %'],
  [0.9996, '99.96 %'],
  [0.999_999, '99.9999 %'],
  [1, '100 %'],
  [1.02, '102 %'],
])('a share of %d is %s', (share, words) => {
  expect(percent(share)).toBe(words);
});

it.each([
  [0.0186, 0.02, '1.9', '2'],
  [0.0204, 0.02, '2.04', '2'],
  [0.019_97, 0.02, '1.997', '2'],
  [0.033_38, 0.01 / 0.3, '3.34', '3.33'],
  [0.02, 0.02, '2', '2'],
  [0.020_000_000_1, 0.02, '2', '2'],
  [Number.POSITIVE_INFINITY, 0.02, 'Infinity', '2'],
])('a bound of %d beside a limit of %d', (bound, limit, ...words) => {
  expect(boundAndLimit(bound, limit)).toEqual(words.map((word) => `${word} percentage points`));
});

it('100 % are all, wherever a share is told', () => {
  expect(of(9996, 10_000)).toBe('9,996 of 10,000 (99.96 %)');
  expect(ofRequests(996, 1000)).toBe('996 of 1000 requests (99.6 %)');
  expect(ofRequests(1000, 1000)).toBe('1000 of 1000 requests (100 %)');
  expect(percentWords(0.9997)).toBe('99.97 %');
  expect(percentWords(1)).toBe('100 %');
});

it('missing and unseen values are neither all nor none where they are not', () => {
  const words = (share: number, before: number) =>
    shareWords({
      ...{ name: 'age', label: 'age', n: 1, cells: [], nulls: 1, drifted: true },
      missing: { share, before, size: 9, p: 0 },
    });
  expect(words(0.997, 0)).toEqual(['missing in 99.7 % of rows, 0 % in the reference']);
  expect(words(1, 0.000_02)).toEqual(['missing in 100 % of rows, 0.002 % in the reference']);
  expect(words(0.5, 0.0123)).toEqual(['missing in 50 % of rows, 1 % in the reference']);
});

it('a picture of cells draws no cell as all or none that is neither', () => {
  const [signal] = [numeric('age', { counts: [997, 3], edges: [0.9] })];
  const one = { name: 'age', label: 'age', n: 500, cells: [499, 1], nulls: 0, size: 1, drifted: true };
  const window = {
    schema: 1,
    model: 'churn',
    baseline: '',
    requests: 500,
    rows: 500,
    signals: [one],
  } as const;
  const { text } = driftNotice(
    { model: 'churn', functionName: 'shop-dev-churn' },
    { ...window, from: '2026-01-31T10:00:00.000Z', to: '2026-01-31T11:00:00.000Z' },
    baselineOf([signal]),
    { inputs: [one], classes: [] },
  );
  const lines = text.split('\n').filter((line) => / %/.test(line) && /^ {2}\d/.test(line));
  expect(lines.map((line) => line.match(/[<>]?\d+ %/g))).toEqual([
    ['>99 %', '>99 %'],
    ['<1 %', '<1 %'],
  ]);
});

it('evidence just below what is needed does not read as if it were enough', () => {
  expect(odds(Math.log(39.7))).toBe('39 to 1');
  expect(odds(Math.log(40))).toBe('40 to 1');
  expect(odds(Math.log(19.99))).toBe('19 to 1');
  expect(odds(Math.log(1.84))).toBe('1.8 to 1');
});
