/** What `sls models bench` says, held against LoadGen, queues of known truth, and the clock. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { stoppedEarly } from '../../core/capacity/early-stopping.ts';
import { ascending } from '../../core/capacity/order-statistics.ts';
import { promised } from '../../core/capacity/promise.ts';
import { seeded } from '../../core/capacity/random.ts';
import { runPython } from '../../test/python.ts';
import { WORK } from '../children.ts';
import { type Claim, type Effort, type Measured, type Sample, SHORT } from '../claims.ts';
import { median } from '../median.ts';
import { compareAdvice } from './advice.ts';
import { COLD_SHARES } from './cold.ts';
import { type Queue, queueLatencies, trueQuantile } from './queues.ts';

const repository = dirname(dirname(import.meta.dirname));

/** Estimates of LoadGen in nanoseconds, and ours of the same trace. */
async function bothEstimates(seed: number, count: number): Promise<readonly (readonly [number, number])[]> {
  const folder = join(WORK, 'loadgen');
  await mkdir(folder, { recursive: true });
  const args = ['SingleStream', String(seed), String(count), folder, '20', '0.99'];
  const script = join(repository, 'test', 'serving', 'loadgen.py');
  const told = JSON.parse(await runPython(script, args, { timeout: 300_000 })) as {
    readonly latencies: readonly number[];
    readonly estimates: Readonly<Record<string, string>>;
  };
  const sorted = ascending(told.latencies);
  return Object.entries(told.estimates).map(([percent, estimate]) => [
    stoppedEarly(sorted, Number(percent) / 100) ?? Number.NaN,
    Number(estimate),
  ]);
}

const EARLY_STOPPING: Claim = {
  name: 'early-stopping',
  group: 'capacity',
  about: 'estimates of p90 and p99 of one trace of LoadGen’s: the larger of ours ÷ its and its ÷ ours',
  ours: 'largest of all traces',
  unit: '',
  compare: 'value',
  limit: 1,
  measure: async (effort): Promise<Sample> => {
    let most = 1;
    for (let seed = 1; seed <= effort.repeats; seed += 1)
      for (const [ours, theirs] of await bothEstimates(seed, effort === SHORT ? 700 : 500 + 400 * seed))
        most = Math.max(most, ours / theirs, theirs / ours);
    return { ours: [most], other: [] };
  },
};

const LATENESS: Claim = {
  name: 'generator-lateness',
  group: 'capacity',
  about: 'how late the generator sends at 1,000 requests a second, Poisson, over HTTP: p99 of a run',
  ours: 'generator',
  unit: 'ms',
  compare: 'value',
  limit: 1,
  measure: async (effort): Promise<Measured> => {
    const ours: number[] = [];
    const idle: number[] = [];
    for (let seed = 1; seed <= effort.repeats; seed += 1) {
      const seconds = effort === SHORT ? '0.2' : '5';
      const args = [join(import.meta.dirname, 'generator.ts'), '1000', seconds, String(seed)];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      const told = JSON.parse(stdout) as { readonly idle: number; readonly busy: number };
      ours.push(told.busy);
      idle.push(told.idle);
    }
    const alone = median(idle);
    if (alone <= QUIET) return { ours, other: [] };
    return {
      unmeasured: `the machine is busy: with nothing to send the loop is ${alone.toFixed(1)} ms late, with requests ${median(ours).toFixed(1)} ms`,
    };
  },
};

/** Milliseconds that a loop without work may be late (p99) for the machine to be called quiet. */
const QUIET = 0.5;

/** Requests of a run: long enough for nearly every simulation to give a bound. */
const LENGTHS: Readonly<Record<number, number>> = { 50: 4000, 70: 8000, 90: 80_000 };
const RUNS = 5;

function simulated(queue: Queue, count: number, effort: Effort, first: number) {
  const truth = trueQuantile(queue, 0.99, effort === SHORT ? 1 : undefined);
  let [given, held, early, ratio] = [0, 0, 0, 0];
  const simulations = effort === SHORT ? 2 : 10 * effort.repeats;
  for (let i = 0; i < simulations; i += 1) {
    const chance = seeded(first + 77 * i);
    const runs = Array.from({ length: RUNS }, () => queueLatencies(queue, count, chance));
    const { upper } = promised(runs, 0.99);
    if ((stoppedEarly(ascending(runs[0] ?? []), 0.99) ?? 0) >= truth) early += 1;
    if (upper === undefined) continue;
    given += 1;
    ratio += upper / truth;
    if (upper >= truth) held += 1;
  }
  return { simulations, given, held, early, ratio };
}

const promise = (load: number): Claim => ({
  name: `sla-${load}`,
  group: 'capacity',
  about: `promises of p99 at ${load} % load that are below the true one, five runs of ${(LENGTHS[load] ?? 0).toLocaleString('en-US')} requests`,
  ours: 'of all that are given',
  unit: '%',
  compare: 'value',
  limit: 3,
  measure: async (effort): Promise<Sample> => {
    const parts = (['fixed', 'exponential'] as const).map((service, i) =>
      simulated({ load: load / 100, service }, LENGTHS[load] ?? 0, effort, 1000 + 500_000 * i),
    );
    const sum = (of: (part: (typeof parts)[number]) => number): number =>
      parts.reduce((total, part) => total + of(part), 0);
    const [all, given, held, early] = [
      sum((part) => part.simulations),
      sum((part) => part.given),
      sum((part) => part.held),
      sum((part) => part.early),
    ];
    const share = (count: number, of: number): string => `${Number(((100 * count) / of).toPrecision(3))} %`;
    const ratio = given === 0 ? '–' : (sum((part) => part.ratio) / given).toFixed(2);
    return {
      ours: [given === 0 ? 100 : (100 * (given - held)) / given],
      other: [],
      beside: `${share(given, all)} of the simulations give a bound, ${ratio} of the true p99 on average; early stopping of one run holds in ${share(early, all)}`,
    };
  },
});

/** Dearer by more than this is the wrong form. */
const DEARER = 1.1;

const ADVICE: Claim = {
  name: 'advice-cheapest',
  group: 'capacity',
  about:
    'needs by chance whose cheapest form by `advise` is over 10 % dearer than the cheapest of a simulated month',
  ours: 'of all needs',
  unit: '',
  compare: 'value',
  limit: 0,
  measure: async (effort): Promise<Sample> => {
    const [needs, requests] = effort === SHORT ? [2, 2000] : [200, 200_000];
    const all = Array.from({ length: needs }, (_, i) => compareAdvice(9000 + i, requests));
    const worst = all.reduce((most, one) => (one.ratio > most.ratio ? one : most));
    const forms = [...new Set(all.map(({ form }) => form))].sort().join(', ');
    const apart = median(all.flatMap((one) => one.apart.map(([, ratio]) => ratio)));
    const [form, most] = all
      .flatMap((one) => one.apart)
      .reduce((largest, one) => (one[1] > largest[1] ? one : largest));
    const others = all.filter(({ always = 1 }) => always > DEARER).length;
    return {
      ours: [all.filter(({ ratio }) => ratio > DEARER).length],
      other: [],
      beside: `of ${needs} needs, for which ${forms} are advised; the worst is ${worst.ratio.toFixed(3)} times as dear as ${worst.cheapest}; a form’s cost by arithmetic and by simulation differ by ${apart.toFixed(3)} times (median), ${most.toFixed(2)} (most, ${form}); Lambda on demand for all would be wrong for ${others}`,
    };
  },
};

export const CAPACITY: readonly Claim[] = [
  ...[EARLY_STOPPING, LATENESS],
  ...[promise(50), promise(70), promise(90)],
  ...COLD_SHARES,
  ADVICE,
];
