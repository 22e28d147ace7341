import type { Backlog } from './backlog.ts';
import type { BenchFault, Objective, Scenario, ScenarioResult } from './contract.ts';
import type { Lateness } from './lateness.ts';
import { mlperfJudged, SINGLE_STREAM } from './mlperf.ts';
import { quantile } from './order-statistics.ts';
import type { Sustained } from './sustained.ts';
import { milliseconds, nameOfPercentile, ofRequests } from './words.ts';

/** Why a scenario's figures may not be believed, or do not do: a sentence each. */

/** Share of the requests that may fail: a network has hiccups that are nobody's version. */
const ERRORS = 0.01;

/** How a run went, by time. */
export type RunCourse = Sustained & { readonly backlog: Backlog };

export type FaultsGiven = {
  readonly scenario: Scenario;
  readonly interrupted: boolean;
  readonly outcomes: ScenarioResult['outcomes'];
  readonly late: Lateness;
  readonly courses: readonly RunCourse[];
  /** Ascending; what failed is above any objective: Infinity. */
  readonly latencies: Float64Array;
  /** Rows that were answered rightly, and how many must be. */
  readonly samples: number;
  readonly leastSamples?: number | undefined;
  readonly objective?: Objective | undefined;
};

export function scenarioFaults(given: FaultsGiven): readonly BenchFault[] {
  const { interrupted, late, outcomes } = given;
  return [
    ...(interrupted ? [fault('interrupted', 'It was interrupted before its time was over.')] : []),
    ...(late.isTooLate ? [fault('generator', latenessWords(late.p99))] : []),
    ...errorFaults(outcomes),
    ...courseFaults(given),
    ...mlperfFaults(given),
  ];
}

const fault = (kind: BenchFault['kind'], words: string): BenchFault => ({ kind, words });

const latenessWords = (p99: number): string =>
  `The generator itself was ${milliseconds(p99)} late (p99), more than 1 ms and than a tenth of the median latency: measure from a machine that has less to do.`;

function errorFaults(outcomes: ScenarioResult['outcomes']): readonly BenchFault[] {
  const all = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  if (all === 0) return [fault('queries', 'Nothing was asked.')];
  const errors = all - outcomes.ok;
  if (errors <= ERRORS * all) return [];
  const parts = Object.entries(outcomes).flatMap(([name, count]) =>
    name === 'ok' || count === 0 ? [] : [`${count} ${name}`],
  );
  return [fault('errors', `${ofRequests(errors, all)} were not answered rightly: ${parts.join(', ')}.`)];
}

/** Offline sends all at the start: that it waits is what is measured. */
function courseFaults({ scenario, courses }: FaultsGiven): readonly BenchFault[] {
  const behind = courses.findIndex(({ backlog: { isGrowing } }) => isGrowing);
  if (scenario === 'Server' && behind >= 0) {
    const { waiting, answered } = courses[behind]?.backlog ?? { waiting: 0, answered: 1 };
    const which = courses.length > 1 ? ` of run ${behind + 1}` : '';
    const words = `The target does not keep up: ${waiting} requests waited at the end${which}, ${Math.round(100 * answered)} % were answered by then.`;
    return [fault('backlog', words)];
  }
  const falling = courses.find(({ isFalling }) => isFalling);
  if (falling === undefined) return [];
  const words = `Throughput falls: the last third had ${(falling.ratio ?? 0).toFixed(2)} of the first third's answers.`;
  return [fault('falling', words)];
}

function mlperfFaults({
  scenario,
  objective,
  latencies,
  samples,
  leastSamples,
}: FaultsGiven): readonly BenchFault[] {
  const { isWithin: within, earlyStopping, needs } = mlperfJudged(scenario, latencies, objective);
  const faults: BenchFault[] = [];
  const percentile = objective?.percentile ?? SINGLE_STREAM;
  if (within === false && objective !== undefined)
    faults.push(
      fault(
        'objective',
        `${nameOfPercentile(percentile)} is ${milliseconds(quantile(latencies, percentile))}, above the objective of ${milliseconds(objective.ms)}.`,
      ),
    );
  if (earlyStopping === false)
    faults.push(
      fault(
        'queries',
        `${latencies.length} requests are too few to tell ${nameOfPercentile(percentile)} with 99 % confidence: at least ${needs} are needed.`,
      ),
    );
  if (leastSamples !== undefined && samples < leastSamples)
    faults.push(fault('queries', `${samples} rows were answered, of at least ${leastSamples}.`));
  return faults;
}
