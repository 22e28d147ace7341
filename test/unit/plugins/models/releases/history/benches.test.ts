import { expect, it } from 'vitest';
import type { BenchDocument } from '../../../../../../core/capacity/contract.ts';
import { benchLine, withBenches } from '../../../../../../plugins/models/releases/history/benches.ts';
import type { Past } from '../../../../../../plugins/models/releases/history/past.ts';
import { historyText } from '../../../../../../plugins/models/releases/history/text.ts';

const past = (to: string, startedAt: string): Past => ({
  ...{ model: 'churn', release: 'r', startedAt, to, judgements: [], phase: 'DONE', outcome: 'promoted' },
});
const bench: BenchDocument = {
  ...({
    schema: 1,
    kind: 'MLPerf-like',
    model: 'churn',
    plugin: '1',
    strict: false,
    interrupted: false,
  } as const),
  at: '2026-11-27T15:00:00.000Z',
  target: { kind: 'function', name: 'shop-dev-churn:live', version: '4' },
  machine: {},
  asked: { from: 'of cases.jsonl', requests: 9, bytes: 90 },
  curve: { points: [], capacity: 41.2 },
  scenarios: [
    {
      ...{
        scenario: 'Server',
        verdict: 'VALID',
        faults: [],
        seconds: 60,
        requests: 1200,
        rate: 20,
        samples: 20,
      },
      outcomes: { ok: 1200, wrong: 0, refused: 0, failed: 0, late: 0, unsent: 0 },
      ...{ cold: { count: 0 }, mean: 9, distribution: [], bytes: 9, outstanding: 3, ceilings: [] },
      percentiles: [{ percentile: 0.99, ms: 31.4, bound: 36 }],
      ...{ sustained: { rate: 20 }, lateness: { p50: 0, p99: 0, max: 0 } },
      promised: {
        percentile: 0.99,
        seeds: [1, 2, 3, 4, 5],
        runs: [30, 31, 32, 33, 34],
        upper: 35.6,
        lower: 28,
      },
    },
  ],
};

it('a release shows the bench of its version, if it is from its time', () => {
  const pasts = [past('4', '2026-11-27T12:00:00.000Z'), past('3', '2026-11-26T12:00:00.000Z')];
  const [newest, older] = withBenches(pasts, [bench]);
  expect(newest?.bench && benchLine(newest.bench)).toBe(
    '2026-11-27 15:00 UTC; Server at 20/s: VALID, p99 31.4 ms, p99 promised 35.6 ms; capacity 41.2/s',
  );
  expect(older).not.toHaveProperty('bench');
  // A function that is made anew counts from 1 again.
  expect(withBenches([past('4', '2026-11-28T12:00:00.000Z')], [bench])[0]).not.toHaveProperty('bench');
  expect(historyText('churn', [{ ...past('4', '2026-11-27T12:00:00.000Z'), bench: 'told' }])).toMatch(
    /^ {6}bench {5}told$/m,
  );
});

it('a release of a function that is gone does not show the bench of one that was made anew', () => {
  const [anew, gone] = [past('4', '2026-11-27T12:00:00.000Z'), past('4', '2026-11-20T12:00:00.000Z')];
  const pasts = [
    { ...anew, fingerprint: 'new' },
    { ...gone, fingerprint: 'old' },
  ];
  expect(withBenches(pasts, [bench]).map((one) => one.bench?.at)).toEqual([bench.at, undefined]);
  // Its own, from before.
  const before = { ...bench, at: '2026-11-21T15:00:00.000Z' };
  expect(withBenches(pasts, [before]).map((one) => one.bench?.at)).toEqual([undefined, before.at]);
  // Two releases of one version have it both.
  const again = pasts.map((one) => ({ ...one, fingerprint: 'same' }));
  expect(withBenches(again, [bench]).map((one) => one.bench?.at)).toEqual([bench.at, bench.at]);
});
