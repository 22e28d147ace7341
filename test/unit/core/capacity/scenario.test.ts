import { expect, it } from 'vitest';
import { poissonArrivals } from '../../../../core/capacity/arrivals.ts';
import type { BenchAnswer, BenchOutcome } from '../../../../core/capacity/contract.ts';
import { requestsFor } from '../../../../core/capacity/early-stopping.ts';
import type { Issued } from '../../../../core/capacity/generator.ts';
import { type BenchRun, judgeScenario } from '../../../../core/capacity/scenario.ts';

type More = { outcome?: BenchOutcome; cold?: boolean; lateness?: number; done?: number };
const one = (scheduled: number, latency: number, more: More = {}): Issued<BenchAnswer> => ({
  scheduled,
  issued: scheduled,
  lateness: more.lateness ?? 0,
  done: more.done ?? scheduled + latency,
  answer: { outcome: more.outcome ?? 'ok', cold: more.cold ?? false, duration: latency / 2, bytes: 100 },
});
const run = (issued: readonly Issued<BenchAnswer>[], seed = 1, unsent: readonly number[] = []): BenchRun => ({
  seed,
  length: 60_000,
  generated: { issued, unsent, ended: 70_000 },
});
/** Latencies of 10 to 20 ms that do not depend on each other. */
const healthy = (seed: number, more: (i: number) => More = () => ({})): BenchRun =>
  run(
    poissonArrivals(20, 60, seed).map((at, i) => one(at, 10 + ((i * 7919 * seed) % 101) / 10, more(i))),
    seed,
  );
const five = (more?: (i: number) => More) => [1, 2, 3, 4, 5].map((seed) => healthy(seed, more));
const server = { scenario: 'Server', rows: 1, rate: 20, interrupted: false } as const;
const kindsOf = (given: Parameters<typeof judgeScenario>[0]) =>
  judgeScenario(given).faults.map(({ kind }) => kind);

it('a healthy target within its objective is valid, with a bound', () => {
  const objective = { percentile: 0.99, ms: 25 };
  const result = judgeScenario({ ...server, runs: five(), objective });
  expect(result).toMatchObject({ verdict: 'VALID', faults: [], seconds: 300, objective });
  expect(result.promised).toMatchObject({ percentile: 0.99, seeds: [1, 2, 3, 4, 5] });
  expect(result.promised?.upper).toBeLessThan(25);
  expect(result.percentiles.map(({ percentile }) => percentile)).toEqual([0.5, 0.9, 0.95, 0.99, 0.999]);
  expect(result.samples).toBeCloseTo(20, 0);
  expect(result.duration).toBeCloseTo(7.5, 0);
  expect(result.bytes).toBe(100);
});

it('each reason not to believe a run is named', () => {
  const runs = five();
  expect(kindsOf({ ...server, runs, objective: { percentile: 0.99, ms: 15 } })).toEqual([
    'objective',
    'queries',
  ]);
  expect(kindsOf({ ...server, runs, interrupted: true })).toEqual(['interrupted']);
  expect(kindsOf({ ...server, runs: five(() => ({ lateness: 4 })) })).toEqual(['generator']);
  expect(kindsOf({ ...server, runs: five((i) => ({ outcome: i % 50 === 0 ? 'wrong' : 'ok' })) })).toEqual([
    'errors',
  ]);
  expect(kindsOf({ ...server, runs: five((i) => ({ outcome: i % 200 === 0 ? 'failed' : 'ok' })) })).toEqual(
    [],
  );
  expect(kindsOf({ ...server, runs: [] })).toEqual(['queries']);
});

it('a target that slows down without end is told so, and its unsent requests count as late', () => {
  const scheduled = poissonArrivals(20, 60, 1);
  const answered = scheduled.slice(0, 600).map((at, i) => one(at, 0, { done: Math.max(at + 1, i * 110) }));
  const result = judgeScenario({ ...server, runs: [run(answered, 1, scheduled.slice(600))] });
  expect(result.faults.map(({ kind }) => kind)).toEqual(['errors', 'backlog']);
  expect(result.outcomes.unsent).toBe(scheduled.length - 600);
  expect(result.percentiles.at(-1)?.ms).toBeGreaterThan(30_000);
});

it('failed requests are above any objective, cold ones apart', () => {
  const objective = { percentile: 0.99, ms: 25 };
  const failing = five((i) => ({ outcome: i % 60 === 0 ? 'failed' : 'ok' }));
  expect(kindsOf({ ...server, runs: failing, objective })).toContain('objective');
  const runs = five((i) => (i === 0 ? { cold: true, done: 90_000 } : {}));
  const { cold, percentiles, verdict } = judgeScenario({ ...server, runs, objective });
  expect(verdict).toBe('VALID');
  expect(cold.count).toBe(5);
  expect(cold.max).toBeGreaterThan(80_000);
  expect(percentiles.at(-1)?.ms).toBeLessThan(25);
});

it('what failed is above all that answered in a promise, too', () => {
  const objective = { percentile: 0.99, ms: 22 };
  // Three of 500 requests take 24 ms, and four fail: the 99th percentile of all is 24 ms, that of answers 20.
  const runs = [1, 2, 3, 4, 5].map((seed) =>
    run(
      Array.from({ length: 1500 }, (_, i) => {
        const [at, place] = [i * 40, (i * 211 + seed * 37) % 500];
        return one(at, place < 3 ? 24 : 10 + place / 50, { outcome: place > 495 ? 'refused' : 'ok' });
      }),
      seed,
    ),
  );
  const found = judgeScenario({ ...server, runs, objective });
  expect(found.faults.map(({ kind }) => kind)).toContain('objective');
  expect(found.promised?.runs).toEqual([24, 24, 24, 24, 24]);
  expect(found.promised?.upper).toBeCloseTo(24, 6);
});

it('a bound by early stopping counts what failed among those above it', () => {
  const latencies = Array.from({ length: 990 }, (_, i) => i + 1);
  const of = (failed: number) => {
    const issued = [...latencies, ...Array(failed).fill(5)].map((ms, i) =>
      one(i * 900, ms, { outcome: i < latencies.length ? 'ok' : 'failed' }),
    );
    const single = { scenario: 'SingleStream', rows: 1, interrupted: false } as const;
    return judgeScenario({ ...single, runs: [run(issued)] }).percentiles.find((p) => p.percentile === 0.99);
  };
  // Fewer than 1,001 have the second largest for their bound.
  expect(of(0)).toEqual({ percentile: 0.99, ms: 981, bound: 989 });
  expect(of(1)).toEqual({ percentile: 0.99, ms: 981, bound: 990 });
  expect(of(2)).toEqual({ percentile: 0.99, ms: 981, needs: requestsFor(3, 0.99) });
});

it('where the percentile of a run is a request that failed there is no bound', () => {
  const objective = { percentile: 0.99, ms: 25 };
  const runs = [1, 2, 3, 4, 5].map((seed) =>
    healthy(seed, (i) => ({ outcome: seed === 3 && i % 25 === 0 ? 'failed' : 'ok' })),
  );
  const { promised } = judgeScenario({ ...server, runs, objective });
  expect(promised).toMatchObject({ without: 'so many requests of a run failed that it is one of them' });
  expect(promised?.upper).toBeUndefined();
  expect(promised?.runs).toHaveLength(4);
  expect(JSON.stringify(promised)).not.toContain('null');
});

it('SingleStream needs the 64 requests of its p90; Offline its samples where they are asked for', () => {
  const issued = Array.from({ length: 63 }, (_, i) => one(i * 900, 900));
  const single = { scenario: 'SingleStream', rows: 1, interrupted: false } as const;
  expect(kindsOf({ ...single, runs: [run(issued)] })).toEqual(['queries']);
  expect(kindsOf({ ...single, runs: [run([...issued, one(56_700, 900)])] })).toEqual([]);
  const offline = { scenario: 'Offline', rows: 64, interrupted: false, runs: [run(issued)] } as const;
  expect(kindsOf(offline)).toEqual([]);
  expect(kindsOf({ ...offline, leastSamples: 24_576 })).toEqual(['queries']);
  // 63 · 64 rows until the last answer.
  expect(judgeScenario(offline).samples).toBeCloseTo((63 * 64) / 56.7, 6);
});

it('the percentile of the objective is told, too, and why there is no bound', () => {
  const objective = { percentile: 0.97, ms: 25 };
  const result = judgeScenario({ ...server, runs: [healthy(1)], objective });
  expect(result.percentiles.map(({ percentile }) => percentile)).toContain(0.97);
  expect(result.promised).toMatchObject({ without: 'a bound needs 5 runs with different seeds, not 1' });
});

it('says how long one run must last for a bound, and all of them, which share the time that is asked for', () => {
  const objective = { percentile: 0.999, ms: 25 };
  const without = judgeScenario({ ...server, runs: five(), objective }).promised?.without ?? '';
  const [, one, all] =
    /1000 of those in a run: a run must last (\d+) s, and all 5 of them (\d+) s$/.exec(without) ?? [];
  expect(Number(all)).toBe(5 * Number(one));
});

it('latency counts from the time at which a request was to be sent, not from when it was', () => {
  const held = poissonArrivals(20, 60, 1).map((at) => ({ ...one(at, 500), issued: at + 490 }));
  const { percentiles } = judgeScenario({ ...server, runs: [run(held)] });
  expect(percentiles[0]?.ms).toBeCloseTo(500, 6);
});
