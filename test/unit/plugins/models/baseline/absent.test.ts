import { describe, expect, it } from 'vitest';
import { nullsPhiOf } from '../../../../../plugins/models/baseline/absent.ts';
import { windowsOf } from '../../../../../plugins/models/baseline/numeric.ts';
import { csv, input, newFolder, rowsOf } from './setup.ts';

const values = (count: number, isNull: (row: number) => boolean): Float64Array =>
  Float64Array.from({ length: count }, (_, row) => (isNull(row) ? Number.NaN : row));
/** A number from 0 to 1 for each row, without an order. */
const mixed = (row: number): number => (row * 0.618_033_988_75 + ((row * 7919) % 104_729) / 104_729) % 1;

describe('overdispersion of rows without a value', () => {
  it('is none where they come by chance, or where all or none have one', () => {
    expect(nullsPhiOf(values(10_000, (row) => mixed(row) < 0.05))).toBeUndefined();
    expect(nullsPhiOf(values(10_000, () => false))).toBeUndefined();
    expect(nullsPhiOf(values(10_000, () => true))).toBeUndefined();
    expect(nullsPhiOf(values(3, (row) => row === 1))).toBeUndefined();
    // A few of ten thousand, each in a window of its own.
    expect(nullsPhiOf(values(10_000, (row) => row % 3000 === 100))).toBeUndefined();
  });

  it('is the mean of chi² of windows, each against all other rows', () => {
    const isNull = (row: number): boolean => row % 2000 < 100;
    const chi = windowsOf(10_000).map(({ start, end }) => {
      const here = Array.from({ length: end - start }, (_, i) => start + i).filter(isNull).length;
      // As scipy.stats.chi2_contingency without its correction: n(ad − bc)² over the sums.
      const [a, b, c, d] = [here, end - start - here, 500 - here, 9500 - (end - start - here)];
      return (10_000 * (a * d - b * c) ** 2) / ((a + b) * (c + d) * (a + c) * (b + d));
    });
    const mean = chi.reduce((sum, one) => sum + one, 0) / chi.length;
    expect(mean).toBeGreaterThan(20);
    expect(nullsPhiOf(values(10_000, isNull))).toBeCloseTo(mean, 9);
  });
});

const folder = newFolder();

it('a baseline has it of columns that have no value in bursts, and packaging says so', async () => {
  const rows = rowsOf(3000, (i) => `${i % 600 < 60 ? '' : i},${mixed(i) < 0.1 ? '' : i}`);
  const path = await folder.write('bursts.csv', csv('sensor,age', ...rows));
  const { baseline, notices } = await folder.ship(path, [input('sensor', 'FP32'), input('age', 'FP32')]);
  const [sensor, age] = baseline.signals;
  expect(sensor?.nullsPhi).toBeGreaterThan(10);
  expect(age).not.toHaveProperty('nullsPhi');
  expect(notices.at(-1)).toMatch(
    /^How many rows have no value of sensor \(φ \d+\) differs from window to window in the reference itself: only larger changes of it are told\.$/,
  );
});
