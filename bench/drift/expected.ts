/**
 * The power table as numpy and scipy gave it when the method was chosen (20,000 windows a cell, 200,000
 * without drift), rounded as written here. The bench's own must agree within the noise of both.
 */
import { CHANGE_NAMES, type ChangeName } from './pool.ts';
import type { Power } from './power.ts';

type Row = readonly [n: number, rule: string, falseAlarms: string, ...found: readonly string[]];
const EXPECTED: readonly Row[] = [
  [50, 'PSI > 0.2', '27.5', '.51', '.89', '1', '.84', '.51'],
  [50, 'PSI, corrected', '.08', '.01', '.12', '.96', '.08', '.01'],
  [50, 'K-S', '.05', '.03', '.33', '1', '.02', '.01'],
  [50, 'S2', '.12', '.04', '.47', '1', '.53', '.08'],
  [100, 'PSI > 0.2', '1.8', '.18', '.87', '1', '.76', '.19'],
  [100, 'PSI, corrected', '.14', '.04', '.57', '1', '.42', '.04'],
  [100, 'chi²', '.11', '.04', '.66', '1', '.60', '.10'],
  [100, 'K-S', '.07', '.10', '.79', '1', '.07', '.03'],
  [100, 'S2', '.11', '.14', '.90', '1', '.91', '.21'],
  [300, 'PSI > 0.2', '0', '.00', '.86', '1', '.63', '.00'],
  [300, 'S2', '.10', '.72', '1', '1', '1', '.76'],
  [1000, 'PSI > 0.2', '0', '.00', '.93', '1', '.52', '.00'],
  [1000, 'S2', '.12', '1', '1', '1', '1', '1'],
  [5000, 'PSI > 0.2', '0', '.00', '.99', '1', '.38', '.00'],
  [5000, 'S2', '.10', '1', '1', '1', '1', '1'],
];
const WINDOWS = { still: 200_000, drifted: 20_000 };

/** Half of the last digit that is written; whole numbers stand for two digits. */
const rounding = (text: string): number => 0.5 * 10 ** -(text.split('.')[1]?.length ?? 2);

/** The greatest difference between both tables beyond rounding, in standard errors. */
export function furthest({ of }: Power, runs: number): number {
  const off = (ours: number, text: string, unit: number, mine: number, theirs: number): number => {
    const expected = Number(text) * unit;
    // A share of nearly 0 or 1 still has the noise of one window.
    const p = Math.min(1 - 1 / theirs, Math.max(1 / theirs, (ours + expected) / 2));
    const error = Math.sqrt(p * (1 - p) * (1 / mine + 1 / theirs));
    return Math.max(0, Math.abs(ours - expected) - rounding(text) * unit) / error;
  };
  return Math.max(
    ...EXPECTED.flatMap(([n, rule, falseAlarms, ...found]) => [
      off(of(n, rule), falseAlarms, 0.01, runs, WINDOWS.still),
      ...found.map((text, i) => {
        const change: ChangeName | undefined = CHANGE_NAMES[i];
        return off(of(n, rule, change), text, 1, Math.ceil(runs / 20), WINDOWS.drifted);
      }),
    ]),
  );
}
