import { expect, it } from 'vitest';
import { type Random, randomOf } from '../../../../bench/release/random.ts';
import type { Baseline, NumericSignal } from '../../../../core/drift/contract.ts';
import { clear, createTally, numberTaker } from '../../../../core/drift/drift-tally.ts';
import { judgeSignals } from '../../../../core/drift/window-judge.ts';
import { numericPart } from '../../../../plugins/models/baseline/numeric.ts';

/** Hours that are played, and requests in each. */
const HOURS = 24 * 6;
const ROWS = 3000;
const REFERENCE = 10_000;

/** A value whose mean swings by 0.2 σ to both sides in a day. */
const valueAt = (random: Random, hour: number): number =>
  random.normal() + 0.2 * Math.sin((2 * Math.PI * hour) / 24);

/** How often a window drifted after one that had, too, in windows of so many hours. */
function counted(hours: number, effect: number): number {
  const random = randomOf('day and night');
  const reference = Float64Array.from({ length: REFERENCE }, () => valueAt(random, 24 * random.uniform()));
  const signal: NumericSignal = {
    ...{ name: 'x', label: 'x', of: 'input', tensor: 'x', column: 0, kind: 'numeric', value: 'element' },
    ...numericPart(reference),
  };
  const baseline: Pick<Baseline, 'rows' | 'signals'> = { rows: REFERENCE, signals: [signal] };
  const tally = createTally([signal]);
  const take = numberTaker(signal, 0, tally);
  // What a budget of one a month gives.
  const q = Math.sqrt(hours / 720);
  let [before, count] = [false, 0];
  for (let from = 0; from < HOURS; from += hours) {
    clear(tally);
    for (let hour = from; hour < from + hours; hour++)
      for (let row = 0; row < ROWS; row++) take(valueAt(random, hour + random.uniform()));
    const [a = 0, b = 0] = [tally.a[0], tally.b[0]];
    const cells = Array.from(tally.cells[0] ?? []);
    const sums = { signals: [{ n: hours * ROWS, nulls: 0, a, b, cells }] };
    const [found] = judgeSignals(sums, baseline as Baseline, { q, effect });
    const isDrift = found?.drifted === true;
    if (isDrift && before) count += 1;
    before = isDrift;
  }
  return count;
}

it('rows that differ by the hour are drift in windows of an hour, and none in windows of a day', () => {
  expect(counted(1, 0.1)).toBeGreaterThan(6);
  expect(counted(24, 0.1)).toBe(0);
  expect(counted(1, 0.3)).toBe(0);
});
