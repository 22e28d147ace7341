import { evenArrivals, meanRate, poissonArrivals } from '../../../core/capacity/arrivals.ts';
import type { BenchAnswer, ScenarioResult } from '../../../core/capacity/contract.ts';
import { closedLoop, type Generated, openLoop, type Timing } from '../../../core/capacity/generator.ts';
import { OFFLINE_SAMPLES } from '../../../core/capacity/mlperf.ts';
import { type BenchRun, judgeScenario } from '../../../core/capacity/scenario.ts';
import { type BenchAsking, uncut } from './asking.ts';
import { type BenchOptions, MOST_REQUESTS } from './options.ts';

/** Milliseconds in which answers are still taken after the last request. */
export const GRACE = 10_000;
/** Offline may take so many times as long, for the samples that `--strict` asks for. */
const PATIENCE = 5;

export type ScenarioWork = {
  readonly timing: Timing;
  readonly ended: AbortSignal;
  readonly asking: BenchAsking;
  readonly options: BenchOptions;
  readonly outstanding: number;
  /** Rows of a request, on average. */
  readonly rows: number;
};

const stoppedOf =
  ({ ended, asking }: ScenarioWork): (() => boolean) =>
  () =>
    ended.aborted || asking.isGone();

/** What was measured until it was interrupted is as long as that. */
const runOf = (
  generated: Generated<BenchAnswer>,
  length: number,
  isCut: boolean,
  seed?: number,
): BenchRun => ({
  generated: uncut(generated),
  length: isCut ? Math.min(length, Math.max(1, generated.ended)) : length,
  ...(seed !== undefined && { seed }),
});

/** @param most requests: nobody knows before how many of them a day holds */
export async function singleStream(work: ScenarioWork, most = MOST_REQUESTS): Promise<ScenarioResult> {
  const { asking, ended, options, timing } = work;
  const last = options.seconds * 1000;
  let asked = 0;
  const isOver = stoppedOf(work);
  const stopped = (): boolean => asked >= most || isOver();
  const ask: typeof asking.ask = (index, patience) => {
    asked += 1;
    return asking.ask(index, patience);
  };
  const generated = await closedLoop(timing, { last, end: last + GRACE, stopped }, ask);
  const run = runOf(generated, last, stopped());
  return judgeScenario({
    scenario: 'SingleStream',
    runs: [run],
    rows: work.rows,
    interrupted: ended.aborted,
  });
}

/**
 * Runs with different seeds, one after the other, which share the scenario's time.
 *
 * @param seconds of all runs together
 */
export async function server(work: ScenarioWork, rate: number, seconds: number): Promise<ScenarioResult> {
  const { asking, ended, options, outstanding, timing } = work;
  const { arrivals: kind, runs: count, seed: first } = options;
  const stopped = stoppedOf(work);
  const runs: BenchRun[] = [];
  for (let i = 0; i < count && !stopped(); i += 1) {
    const seed = first + i;
    const times =
      kind === 'poisson'
        ? poissonArrivals(rate, seconds / count, seed)
        : kind === 'even'
          ? evenArrivals(rate, seconds / count)
          : kind.times;
    const length = typeof kind === 'string' ? (seconds * 1000) / count : (kind.times.at(-1) ?? 0);
    const loop = { arrivals: times, outstanding, end: length + GRACE, stopped };
    const generated = await openLoop(timing, loop, asking.ask);
    runs.push(runOf(generated, length, stopped(), kind === 'poisson' ? seed : undefined));
  }
  const objective = options.objective;
  return judgeScenario({
    scenario: 'Server',
    runs,
    rows: work.rows,
    rate,
    objective,
    interrupted: ended.aborted,
  });
}

/** @returns the rate of arrivals from a file */
export const fileRate = ({ arrivals }: BenchOptions): number | undefined =>
  typeof arrivals === 'string' ? undefined : meanRate(arrivals.times);

/**
 * As many requests at once as may be out, for as long as the scenario lasts: LoadGen has all samples queued
 * from the start, and so has this.
 */
export async function offline(work: ScenarioWork): Promise<ScenarioResult> {
  const { asking, ended, options, outstanding, rows, timing } = work;
  const length = options.seconds * 1000;
  const start = timing.clock();
  const least = options.strict ? OFFLINE_SAMPLES : undefined;
  let answered = 0;
  const isOver = (): boolean => {
    const time = timing.clock() - start;
    return time >= length && (answered * rows >= (least ?? 0) || time >= PATIENCE * length);
  };
  const stopped = stoppedOf(work);
  const arrivals = Array<number>(MOST_REQUESTS).fill(0);
  const end = PATIENCE * length + GRACE;
  const loop = { arrivals, outstanding, end, stopped: () => stopped() || isOver() };
  const generated = await openLoop(timing, loop, async (index, patience) => {
    const answer = await asking.ask(index, patience);
    if (answer.outcome === 'ok') answered += 1;
    return answer;
  });
  const run = runOf(generated, generated.ended, false);
  const more = { rows, interrupted: ended.aborted, leastSamples: least };
  return judgeScenario({ scenario: 'Offline', runs: [run], ...more });
}
