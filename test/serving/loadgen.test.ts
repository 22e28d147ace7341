import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestsFor, stoppedEarly } from '../../core/capacity/early-stopping.ts';
import { mlperfJudged } from '../../core/capacity/mlperf.ts';
import { ascending, quantile } from '../../core/capacity/order-statistics.ts';
import { runPython } from '../python.ts';

/**
 * MLPerf's own LoadGen as the judge of our rules: one trace of a run of its, in nanoseconds, to both.
 * https://github.com/mlcommons/inference/tree/master/loadgen
 */
type Told = {
  readonly latencies: readonly number[];
  readonly verdict: 'VALID' | 'INVALID';
  /** By percent, `99.00`. */
  readonly percentiles: Readonly<Record<string, string>>;
  readonly estimates: Readonly<Record<string, string>>;
  readonly satisfied: Readonly<Record<string, string>>;
  /** Requests that it would have to run more. */
  readonly more: string | null;
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'loadgen-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const loadgen = async (...args: readonly (string | number)[]): Promise<Told> => {
  const [scenario = '', seed = 0, count = 0, objective = 20, percentile = 0.99] = args;
  const script = join(import.meta.dirname, 'loadgen.py');
  const given = [scenario, seed, count, folder, objective, percentile].map(String);
  return JSON.parse(await runPython(script, given, { timeout: 280_000 }));
};

const samePercentiles = ({ latencies, percentiles }: Told): void => {
  const sorted = ascending(latencies);
  expect(Object.keys(percentiles)).toContain('99.90');
  for (const [percent, value] of Object.entries(percentiles))
    expect([percent, quantile(sorted, Number(percent) / 100)]).toEqual([percent, Number(value)]);
};

describe.each([
  [1, 63],
  [2, 64],
  [3, 661],
  [4, 662],
  [5, 1500],
  [6, 4000],
])('SingleStream, seed %d: %d requests', (seed, count) => {
  it('has the percentiles, the estimates and the verdict of LoadGen', async () => {
    const told = await loadgen('SingleStream', seed, count);
    samePercentiles(told);
    const sorted = ascending(told.latencies);
    expect(sorted).toHaveLength(count);
    const ours = Object.fromEntries(
      [0.9, 0.99].flatMap((p) => {
        const bound = stoppedEarly(sorted, p);
        return bound === undefined ? [] : [[(100 * p).toFixed(1), String(bound)]];
      }),
    );
    expect(ours).toEqual(told.estimates);
    const { earlyStopping } = mlperfJudged('SingleStream', sorted, undefined);
    expect(earlyStopping).toBe(told.satisfied['Early stopping'] === 'Yes');
    expect(earlyStopping ? 'VALID' : 'INVALID').toBe(told.verdict);
    expect(earlyStopping).toBe(count >= requestsFor(1, 0.9));
  });
});

describe.each([
  [1, 800, 1000, 0.99],
  [2, 458, 1000, 0.99],
  [3, 459, 1000, 0.99],
  [4, 1500, 12, 0.95],
  [5, 1500, 4, 0.9],
  [6, 3000, 8, 0.95],
  [7, 2000, 2, 0.5],
])('Server, seed %d: %d requests, objective %d ms at %d', (seed, count, objective, percentile) => {
  it('has the percentiles and the verdict of LoadGen', async () => {
    const told = await loadgen('Server', seed, count, objective, percentile);
    samePercentiles(told);
    const sorted = ascending(told.latencies);
    const {
      isWithin,
      earlyStopping,
      needs = 0,
    } = mlperfJudged('Server', sorted, {
      percentile,
      ms: objective * 1e6,
    });
    expect({ isWithin, earlyStopping }).toEqual({
      isWithin: told.satisfied['Performance constraints'] === 'Yes',
      earlyStopping: told.satisfied['Early stopping'] === 'Yes',
    });
    expect(isWithin && earlyStopping ? 'VALID' : 'INVALID').toBe(told.verdict);
    if (told.more !== null) expect(needs - count).toBe(Number(told.more));
  });
});
