import { backlog, mostOutstanding } from './backlog.ts';
import type { BenchAnswer, BenchOutcome, Objective, Scenario, ScenarioResult } from './contract.ts';
import type { Generated, Issued } from './generator.ts';
import { lateness } from './lateness.ts';
import { ascending, quantile } from './order-statistics.ts';
import { benchPercentile, distributionOf } from './percentiles.ts';
import { LEAST_RUNS, type Promised, promised } from './promise.ts';
import { type RunCourse, scenarioFaults } from './scenario-faults.ts';
import { sustained } from './sustained.ts';
import { nameOfPercentile } from './words.ts';

const PERCENTILES = [0.5, 0.9, 0.95, 0.99, 0.999] as const;
/** The percentile of Server without an objective: what most agreements name. */
const USUAL = 0.99;

/** One run of a scenario. */
export type BenchRun = {
  /** Absent where the arrivals are none of chance. */
  readonly seed?: number;
  /** Milliseconds in which requests were sent. */
  readonly length: number;
  readonly generated: Generated<BenchAnswer>;
};

export type ScenarioGiven = {
  readonly scenario: Scenario;
  readonly runs: readonly BenchRun[];
  /** Rows of a request. */
  readonly rows: number;
  readonly rate?: number | undefined;
  readonly objective?: Objective | undefined;
  readonly interrupted: boolean;
  readonly leastSamples?: number | undefined;
};

const isSlow = ({ outcome }: BenchAnswer): boolean => outcome === 'ok' || outcome === 'late';
const latencyOf = ({ scheduled, done }: Pick<Issued<unknown>, 'scheduled' | 'done'>): number =>
  done - scheduled;

/** Everything that a scenario's runs say, and whether it may be believed. */
export function judgeScenario(given: ScenarioGiven): ScenarioResult {
  const { scenario, runs, rows, rate, objective } = given;
  const issued = runs.flatMap(({ generated }) => generated.issued);
  const unsent = runs.flatMap(({ generated }) => generated.unsent.map((at) => generated.ended - at));
  const warm = issued.filter(({ answer }) => !answer.cold);
  const cold = ascending(issued.filter(({ answer }) => answer.cold).map(latencyOf));
  const inits = ascending(issued.flatMap(({ answer: { init } }) => (init === undefined ? [] : [init])));
  const slow = warm.filter(({ answer }) => isSlow(answer)).map(latencyOf);
  const sorted = ascending([...slow, ...unsent]);
  const failures = warm.filter(({ answer }) => !isSlow(answer)).map(() => Number.POSITIVE_INFINITY);
  const outcomes = { ...counted(issued), unsent: unsent.length };
  const seconds = runs.reduce((sum, { length }) => sum + length, 0) / 1000;
  const courses = runs.map((run) => courseOf(run, scenario));
  const late = lateness(
    issued.map((one) => one.lateness),
    quantile(sorted, 0.5),
  );
  const promise = scenario === 'Server' ? promiseOf(runs, objective?.percentile ?? USUAL) : undefined;
  const durations = warm.flatMap(({ answer: { outcome, duration } }) =>
    outcome === 'ok' && duration !== undefined ? [duration] : [],
  );
  const wanted = [...new Set([...PERCENTILES, ...(objective ? [objective.percentile] : [])])].sort(
    (a, b) => a - b,
  );
  const memory = mostOf(issued.map(({ answer }) => answer.memory));
  const faults = scenarioFaults({
    ...given,
    outcomes,
    late,
    courses,
    latencies: ascending([...sorted, ...failures]),
    samples: outcomes.ok * rows,
  });
  return {
    scenario,
    verdict: faults.length === 0 ? 'VALID' : 'INVALID',
    faults,
    seconds,
    requests: issued.length + unsent.length,
    outcomes,
    cold: {
      count: cold.length,
      ...(cold.length > 0 && { median: quantile(cold, 0.5), max: cold.at(-1) ?? 0 }),
      ...(inits.length > 0 && { init: quantile(inits, 0.5) }),
    },
    percentiles: sorted.length === 0 ? [] : wanted.map((p) => benchPercentile(sorted, p, failures.length)),
    mean: sorted.length === 0 ? 0 : sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    distribution: distributionOf(sorted),
    ...(rate !== undefined && { rate }),
    samples: (outcomes.ok * rows) / Math.max(1e-9, timeOf(scenario, runs)),
    sustained: meanOf(courses),
    lateness: { p50: late.p50, p99: late.p99, max: late.max },
    ...(objective !== undefined && { objective }),
    ...(promise !== undefined && { promised: promise }),
    outstanding: Math.max(0, ...runs.map(({ generated }) => mostOutstanding(generated.issued))),
    bytes: mostOf(issued.map(({ answer }) => answer.bytes)) ?? 0,
    ...(memory !== undefined && { memory }),
    ...(durations.length > 0 && {
      duration: durations.reduce((sum, value) => sum + value, 0) / durations.length,
    }),
    ceilings: [],
  };
}

const mostOf = (values: readonly (number | undefined)[]): number | undefined =>
  values.reduce((most, value) => (value === undefined || (most ?? 0) > value ? most : value), undefined);

function counted(issued: readonly Issued<BenchAnswer>[]): Record<BenchOutcome, number> {
  const counts = { ok: 0, wrong: 0, refused: 0, failed: 0, late: 0 };
  for (const { answer } of issued) counts[answer.outcome] += 1;
  return counts;
}

/** Where requests wait for others their times follow from the answers, and explain nothing. */
const courseOf = ({ generated: { issued, unsent }, length }: BenchRun, scenario: Scenario): RunCourse => ({
  ...sustained(
    issued.flatMap(({ done, answer }) => (answer.outcome === 'ok' ? [done] : [])),
    scenario === 'Server' ? [...issued.map(({ scheduled }) => scheduled), ...unsent] : [],
    length,
  ),
  backlog: backlog(
    [...issued, ...unsent.map((scheduled) => ({ scheduled, done: Number.POSITIVE_INFINITY }))],
    length,
  ),
});

function promiseOf(runs: readonly BenchRun[], percentile: number): ScenarioResult['promised'] {
  const latencies = runs.map(({ generated: { issued, unsent, ended } }) =>
    [
      ...issued
        .filter(({ answer }) => !answer.cold)
        .map((one) => (isSlow(one.answer) ? one : { ...one, done: Number.POSITIVE_INFINITY })),
      ...unsent.map((scheduled) => ({ scheduled, done: ended })),
    ]
      .toSorted((a, b) => a.scheduled - b.scheduled)
      .map(latencyOf),
  );
  const found = promised(latencies, percentile);
  const { upper, lower } = found;
  return {
    percentile,
    seeds: runs.flatMap(({ seed }) => (seed === undefined ? [] : [seed])),
    runs: found.runs,
    ...(upper !== undefined && lower !== undefined
      ? { upper, lower }
      : { without: withoutWords(found, runs) }),
  };
}

function withoutWords(
  { percentile, correlated, isFailed, longer }: Promised,
  runs: readonly BenchRun[],
): string {
  if (runs.length < LEAST_RUNS)
    return `a bound needs ${LEAST_RUNS} runs with different seeds, not ${runs.length}`;
  if (isFailed === true) return 'so many requests of a run failed that it is one of them';
  if (longer === undefined || longer === Number.POSITIVE_INFINITY) return 'a run has no answers';
  const alike = Math.round(correlated);
  const length = Math.max(...runs.map((run) => run.length)) / 1000;
  const seconds = Math.ceil(longer * length);
  return `${alike === 1 ? 'each request counts as one' : `${alike} requests in a row count as one independent one`}, and ${nameOfPercentile(percentile)} needs ${Math.round(1 / (1 - percentile))} of those in a run: a run must last ${seconds} s, and all ${runs.length} of them ${seconds * runs.length} s`;
}

/** Seconds in which the rows were answered: Offline is over with its last answer. */
function timeOf(scenario: Scenario, runs: readonly BenchRun[]): number {
  const times = runs.map(({ length, generated: { issued, ended } }) =>
    scenario === 'Offline'
      ? issued.reduce((last, { done }) => Math.max(last, done), issued.length === 0 ? ended : 0)
      : Math.max(length, scenario === 'SingleStream' ? ended : 0),
  );
  return times.reduce((sum, time) => sum + time, 0) / 1000;
}

function meanOf(rates: readonly RunCourse[]): ScenarioResult['sustained'] {
  const ratios = rates.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]));
  const rate = rates.reduce((sum, one) => sum + one.rate, 0) / Math.max(1, rates.length);
  if (ratios.length === 0) return { rate };
  return { ratio: ratios.reduce((sum, one) => sum + one, 0) / ratios.length, rate };
}
