/**
 * A fleet of services from ten to 10⁸ requests a day, each releasing one candidate through the whole of
 * `usable()`, `judge()` and `crashesNow()`, on metrics as they come: a wave over the day and bursts of
 * traffic, cold starts of the new version, a split that wavers around its weight, points that come late or
 * never. Does any release pass a step without the data that a pass needs?
 */
import type { Side } from '../../core/judge/contract.ts';
import { crashesNow } from '../../core/judge/crashes.ts';
import { type Minute, usable } from '../../core/judge/minutes.ts';
import { judge, type Options } from '../../core/judge/verdict.ts';
import { once, percent, type Table } from './cells.ts';
import { type Random, randomOf } from './random.ts';
import { BAKE, LONGEST, NEED, WEIGHTS } from './traffic.ts';

const DAY = 1440;
const DAILY: readonly number[] = [10, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];
const OPTIONS: Options = {
  minRequests: NEED,
  increase: 0.01,
  expectedShift: 0.2,
  slow: 2,
  rejected: true,
  outputs: ['score'],
};

type Candidate = {
  readonly name: string;
  readonly isHealthy: boolean;
  readonly crashes?: number;
  readonly errors?: number;
  /** Latency as a multiple of the stable version's; σ by which the outputs moved. */
  readonly times?: number;
  readonly moved?: number;
  /** Its own metrics never arrive. */
  readonly mute?: true;
  /** The share that it refuses. */
  readonly refuses?: number;
  /** Clients send nothing but bad requests: all rejected, on both sides. */
  readonly rejected?: true;
};
const CANDIDATES: readonly Candidate[] = [
  { name: 'healthy', isHealthy: true },
  { name: 'healthy, its own metrics missing', isHealthy: true, mute: true },
  { name: 'healthy, every request rejected', isHealthy: true, rejected: true },
  { name: 'crashes always', isHealthy: false, crashes: 1 },
  { name: 'fails one in ten', isHealthy: false, errors: 0.1 },
  { name: 'errors 0.5→1.5 %', isHealthy: false, errors: 0.01 },
  { name: 'refuses one in twenty', isHealthy: false, refuses: 0.05 },
  { name: 'refuses everything', isHealthy: false, refuses: 1 },
  { name: 'twice as slow', isHealthy: false, times: 2 },
  { name: 'outputs moved 1 σ', isHealthy: false, moved: 1 },
];

const BASE = 0.005;
const CRASHES = 0.0002;
/** Mistakes of clients. */
const MISTAKES = 0.01;
/**
 * Warm requests that an instance serves a minute when it is busy, and at most so many instances start anew.
 */
const BUSY = 600;

/** What truly happened in a step, whatever the metrics say: requests that the model answered. */
type Truth = { candidate: number; stable: number };

type Ended = {
  readonly end: 'promoted' | 'rolledBack' | 'held';
  /** A step was passed although the truth had not the data for it. */
  readonly blind: boolean;
  readonly steps: number;
};

/** The share of slow requests above each edge, when latency is so many times the stable version's. */
const SLOW = [0.22, 0.14, 0.085, 0.05] as const;
const slowShares = (times: number): readonly [number, number, number, number] =>
  times > 1 ? [0.7, 0.6, 0.5, 0.4] : SLOW;

function simulate(random: Random, daily: number, candidate: Candidate): Ended {
  const minutes: Minute[] = [];
  /** Minute from which on the points of a minute are complete. */
  const ready: number[] = [];
  const phase = random.uniform() * DAY;
  let [burst, isIdle, instances, now] = [0, false, 0, 0];
  let passed = 0;
  for (const [step, weight] of WEIGHTS.entries()) {
    const truth: Truth = { candidate: 0, stable: 0 };
    let isPassed = false;
    for (let time = 0; time < BAKE + LONGEST && !isPassed; time++, now++) {
      // A burst of five-fold traffic, or a lull, about twice an hour, of some minutes.
      if (burst > 0) burst -= 1;
      else if (random.uniform() < 0.03) [burst, isIdle] = [2 + random.below(8), random.uniform() < 0.5];
      const surge = burst === 0 ? 1 : isIdle ? 0.05 : 5;
      const wave = 1 + 0.8 * Math.sin(((now + phase) / DAY) * 2 * Math.PI);
      const n = random.poisson((daily / DAY) * wave * surge * Math.exp(0.3 * random.normal() - 0.045));
      // The true split wavers by 3 % a minute; just after the change it is still the old one for some
      // seconds.
      const before = WEIGHTS[step - 1] ?? 0;
      const settled = time === 0 ? before + (weight - before) * random.uniform() : weight;
      const n1 = random.binomial(n, Math.min(1, settled * Math.exp(0.03 * random.normal())));
      const wanted = Math.ceil(n1 / BUSY);
      const cold = Math.min(n1, Math.max(n1 > 0 ? Number(instances === 0) : 0, wanted - instances));
      instances = n1 === 0 && random.uniform() < 0.1 ? 0 : Math.max(instances, wanted);
      const own = sideOf(random, n1, cold, candidate, truth, 'candidate');
      const stableKind = candidate.rejected ? { ...STABLE, rejected: true as const } : STABLE;
      const other = sideOf(random, n - n1, random.binomial(n - n1, 0.001), stableKind, truth, 'stable');
      minutes.push({ at: at(now), step, weight, candidate: own, stable: other });
      // One in twenty minutes is late by up to six.
      ready.push(now + (random.uniform() < 0.05 ? 3 + random.below(5) : 2));
      const changes = WEIGHTS.slice(0, step + 1).map((_, i) => at(starts(minutes, i)));
      const read = minutes.map((minute, i) =>
        (ready[i] ?? 0) <= now ? minute : { ...minute, candidate: {}, stable: {} },
      );
      const clock = Date.parse(at(now + 1));
      const seen = usable(read, clock, changes);
      if (crashesNow(read.slice(starts(minutes, step)).filter((_, i) => i > 0)) !== undefined)
        return { end: 'rolledBack', blind: false, steps: passed };
      const nextWeight = WEIGHTS[step + 1];
      const position = {
        index: step,
        bakeOver: time + 1 >= BAKE,
        ...(nextWeight !== undefined && { nextWeight }),
      };
      const { verdict } = judge(seen, position, OPTIONS);
      if (verdict === 'fail') return { end: 'rolledBack', blind: false, steps: passed };
      if (verdict !== 'pass') continue;
      if (truth.candidate < NEED || truth.stable < NEED || candidate.mute)
        return { end: 'promoted', blind: true, steps: passed };
      isPassed = true;
    }
    if (!isPassed) return { end: 'held', blind: false, steps: passed };
    passed += 1;
  }
  return { end: 'promoted', blind: false, steps: passed };
}

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString();
const starts = (minutes: readonly Minute[], step: number): number =>
  minutes.findIndex((minute) => minute.step === step);

const STABLE: Candidate = { name: 'stable', isHealthy: true };

function sideOf(
  random: Random,
  n: number,
  cold: number,
  kind: Candidate,
  truth: Truth,
  which: keyof Truth,
): Side {
  if (n === 0) return {};
  const crashes = random.binomial(n, kind.crashes ?? CRASHES);
  const rejected = random.binomial(n - crashes, kind.rejected ? 1 : (kind.refuses ?? MISTAKES));
  const answered = n - crashes - rejected;
  truth[which] += answered;
  if (kind.mute) return { invocations: n, crashes };
  // A version that only crashes emits nothing of its own, and what is rejected is no request.
  const refused = rejected > 0 ? { rejected } : {};
  if (answered === 0) return { invocations: n, crashes, ...refused };
  const errors = random.binomial(answered, BASE + (kind.errors ?? 0));
  const coldStarts = Math.min(cold, answered - errors);
  const warm = answered - errors - coldStarts;
  const [s0, s1, s2, s3] = slowShares(kind.times ?? 1);
  const first = random.binomial(warm, s0);
  const second = random.binomial(first, s1 / s0);
  const third = random.binomial(second, s2 / s1);
  const good = answered - errors;
  const moved = kind.moved ?? 0;
  return {
    invocations: n,
    crashes,
    requests: answered,
    errors,
    ...refused,
    coldStarts,
    slow: [first, second, third, random.binomial(third, s3 / s2)],
    outputs: {
      score: {
        a: good * moved + random.normal() * Math.sqrt(good),
        b: random.normal() * Math.sqrt(good),
        aa: good * (1 + moved * moved),
        bb: good,
        ab: 0,
      },
    },
  };
}

export type Fleet = {
  readonly table: Table;
  /** Releases that passed a step without the data for it. */
  readonly blind: number;
  readonly releases: number;
  /** Worst share of healthy releases that were rolled back, over all traffic. */
  readonly falseRollbacks: number;
  /** Worst share of bad ones that were promoted, where a plan can tell: from 10⁷ requests a day. */
  readonly escaped: number;
};

export const fleet = once((runs: number): Fleet => {
  const made = CANDIDATES.map((candidate) => ({
    candidate,
    cells: DAILY.map((daily) => {
      const random = randomOf(`fleet ${candidate.name} ${daily}`);
      const all = Array.from({ length: runs }, () => simulate(random, daily, candidate));
      const share = (end: Ended['end']): number => all.filter((one) => one.end === end).length / runs;
      return {
        daily,
        promoted: share('promoted'),
        rolledBack: share('rolledBack'),
        held: share('held'),
        blind: all.filter((one) => one.blind).length,
      };
    }),
  }));
  const flat = made.flatMap(({ candidate, cells }) => cells.map((cell) => ({ candidate, ...cell })));
  const worst = (values: readonly number[]): number => Math.max(0, ...values);
  return {
    table: {
      title: 'A fleet',
      about: `Promoted/rolled back/held, %, of ${runs} releases each, on metrics with bursts, lulls, cold starts, a wavering split and late points. In no case without the data that the step needs.`,
      head: ['candidate', ...DAILY.map((daily) => `${daily.toLocaleString('en-US')} a day`)],
      rows: made.map(({ candidate, cells }) => [
        candidate.name,
        ...cells.map(({ promoted, rolledBack, held }) => [promoted, rolledBack, held].map(percent).join('/')),
      ]),
    },
    blind: flat.reduce((sum, { blind }) => sum + blind, 0),
    releases: flat.length * runs,
    falseRollbacks: worst(
      flat.filter(({ candidate }) => candidate.isHealthy).map(({ rolledBack }) => rolledBack),
    ),
    escaped: worst(
      flat
        .filter(({ candidate, daily }) => !candidate.isHealthy && daily >= 1e7)
        .map(({ promoted }) => promoted),
    ),
  };
});
