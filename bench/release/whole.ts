/**
 * Whole releases: errors, slow requests, refused requests and one output together, each step held until it
 * may pass.
 */
import { upperBound } from '../../core/judge/bound.ts';
import { counting } from '../../core/judge/counts.ts';
import {
  borneEvidence,
  outputEvidence,
  type ScoredMinute,
  shift,
  sumsOfBoth,
} from '../../core/judge/output.ts';
import { errorsFail, OUTPUT_AT, rejectedFails, slowFails } from '../../core/judge/regression.ts';
import { median } from '../median.ts';
import { minute as minuteOf, once, percent, type Table } from './cells.ts';
import { type Random, randomOf } from './random.ts';
import { BAKE, LONGEST, NEED, WEIGHTS } from './traffic.ts';

const INCREASE = 0.01;
const EXPECTED = 0.2;
/** ln E at which its output fails. */
const LIMIT = Math.log(OUTPUT_AT);

export type Scenario = {
  readonly perSecond: number;
  /** Error rates of candidate and stable version. */
  readonly p1: number;
  readonly p2: number;
  /** Shares of slow requests, each at its own edge; by default equal latency. */
  readonly slow?: readonly [candidate: number, stable: number];
  /** Shares of refused requests; without them nothing is refused, and that is not looked at. */
  readonly refused?: readonly [candidate: number, stable: number];
  /** σ by which the candidate's output moved. */
  readonly moved?: number;
  /** Both versions fail in half of their requests for three of the first thirty minutes. */
  readonly outage?: boolean;
  /** The upper limit that a step must come below before it passes. */
  readonly bound?: (strata: Parameters<typeof upperBound>[0]) => number;
};

export type Ending = {
  readonly end: 'promoted' | 'rolledBack' | 'held';
  readonly minutes: number;
  readonly exposed: number;
  readonly reason?: 'errors' | 'slow' | 'rejected' | 'output';
};

/** What a minute brought; `judge()` sees the same through metrics. */
export type Seen = {
  readonly step: number;
  readonly weight: number;
  readonly n1: number;
  readonly n2: number;
  readonly x1: number;
  readonly x2: number;
  readonly slow1: number;
  readonly slow2: number;
  readonly refused1: number;
  readonly refused2: number;
};

/**
 * One release, by the judge's own parts as they are used by `judge()`, but over sums that grow by a minute at
 * a time.
 */
export function release(random: Random, scenario: Scenario, tell: (seen: Seen) => void = () => {}): Ending {
  const { perSecond, p1, p2, slow = [0.0548, 0.1], refused, moved = 0, outage = false } = scenario;
  const { bound = upperBound } = scenario;
  const [errors, latency, refusals] = [counting(), counting(), counting()];
  const scores: [Sums, Sums][] = [];
  const scored: ScoredMinute[] = [];
  const start = random.below(27);
  let [total, exposed] = [0, 0];
  for (const [step, weight] of WEIGHTS.entries()) {
    const limit = INCREASE / (WEIGHTS[step + 1] ?? 1);
    let [own, others] = [0, 0];
    const sums: [Sums, Sums] = [EMPTY, EMPTY];
    scores.push(sums);
    let passed = false;
    for (let time = 1; time <= LONGEST && !passed; time++) {
      const n = random.poisson(perSecond * 60);
      const n1 = random.binomial(n, weight);
      const n2 = n - n1;
      const isOutage = outage && total >= start && total < start + 3;
      const refused1 = refused === undefined ? 0 : random.binomial(n1, refused[0]);
      const refused2 = refused === undefined ? 0 : random.binomial(n2, refused[1]);
      const [taken1, taken2] = [n1 - refused1, n2 - refused2];
      const x1 = random.binomial(taken1, isOutage ? 0.5 + p1 / 2 : p1);
      const x2 = random.binomial(taken2, isOutage ? 0.5 + p2 / 2 : p2);
      const [good1, good2] = [taken1 - x1, taken2 - x2];
      const [slow1, slow2] = [random.binomial(good1, slow[0]), random.binomial(good2, slow[1])];
      const [first, second] = [score(random, good1, moved), score(random, good2, 0)];
      sums[0] = sumsOfBoth(sums[0], first);
      sums[1] = sumsOfBoth(sums[1], second);
      scored.push({ step, candidate: first, stable: second });
      tell({ step, weight, n1, n2, x1, x2, slow1, slow2, refused1, refused2 });
      total += 1;
      exposed += n1;
      own += taken1;
      others += taken2;
      const counts = errors({ step, weight, x1, n1, x2, n2 });
      const slowCounts = latency({ step, weight, x1: slow1, n1: good1, x2: slow2, n2: good2 });
      const refusedCounts = refusals({ step, weight, x1: refused1, n1, x2: refused2, n2 });
      const { n1: answers, ne, q } = shift(scores);
      const ended = { end: 'rolledBack', minutes: total, exposed } as const;
      if (errorsFail(counts)) return { ...ended, reason: 'errors' };
      if (slowFails(slowCounts)) return { ...ended, reason: 'slow' };
      if (rejectedFails(refusedCounts)) return { ...ended, reason: 'rejected' };
      const isFar =
        outputEvidence(ne, q, EXPECTED) >= LIMIT && borneEvidence(scored, EXPECTED, LIMIT) >= LIMIT;
      if (answers >= 100 && isFar) return { ...ended, reason: 'output' };
      passed = time >= BAKE && own >= NEED && others >= NEED && bound(counts.strata) < limit;
    }
    if (!passed) return { end: 'held', minutes: total, exposed };
  }
  return { end: 'promoted', minutes: total, exposed };
}

type Sums = ScoredMinute['stable'];
const EMPTY: Sums = { n: 0, a: 0, b: 0, aa: 0, bb: 0, ab: 0 };

/**
 * Sums of independent scores of variance 1; squares at their means, which is what they are over many
 * requests.
 */
function score(random: Random, n: number, moved: number): Sums {
  const root = Math.sqrt(n);
  const a = n * moved + random.normal() * root;
  const b = random.normal() * root;
  return { n, a, b, aa: n * (1 + moved * moved), bb: n, ab: 0 };
}

export type Endings = {
  readonly promoted: number;
  readonly rolledBack: number;
  readonly held: number;
  readonly minutes: number;
};

function endings(name: string, runs: number, scenario: Scenario): Endings {
  const random = randomOf(name);
  const all = Array.from({ length: runs }, () => release(random, scenario));
  const share = (end: Ending['end']): number => all.filter((one) => one.end === end).length / runs;
  return {
    promoted: share('promoted'),
    rolledBack: share('rolledBack'),
    held: share('held'),
    minutes: median(all.map(({ minutes }) => minutes)),
  };
}

const say = ({ promoted, rolledBack, held, minutes }: Endings): string =>
  `${percent(promoted)}/${percent(rolledBack)}/${percent(held)} ${minuteOf(minutes)}`;

type WholeGrid = { readonly table: Table; readonly of: (name: string, column: string) => Endings };

function grid(
  title: string,
  about: string,
  first: string,
  names: readonly string[],
  columns: readonly string[],
  make: (name: string, column: string) => Endings,
): WholeGrid {
  const made = new Map(
    names.flatMap((name) => columns.map((column) => [`${name} ${column}`, make(name, column)])),
  );
  const of = (name: string, column: string): Endings => {
    const found = made.get(`${name} ${column}`);
    if (found === undefined) throw new Error(`There is no cell ${name}, ${column}.`);
    return found;
  };
  const rows = names.map((name) => [name, ...columns.map((column) => say(of(name, column)))]);
  return { table: { title, about, head: [first, ...columns], rows }, of };
}

/** Share of the requests that are mistakes of clients, which both versions refuse. */
const MISTAKES = 0.01;

const CASES: Readonly<Record<string, Omit<Scenario, 'perSecond'>>> = {
  'healthy, no errors': { p1: 0, p2: 0 },
  'healthy, 0.1 % errors': { p1: 0.001, p2: 0.001 },
  'healthy, 1 % errors': { p1: 0.01, p2: 0.01 },
  'same, shared outage': { p1: 0.01, p2: 0.01, outage: true },
  'candidate 1.19× slower (limit)': { p1: 0.001, p2: 0.001, slow: [0.1, 0.1] },
  'errors 1→2 %': { p1: 0.02, p2: 0.01 },
  'errors 0.1→1 %': { p1: 0.01, p2: 0.001 },
  'errors 0→10 %': { p1: 0.1, p2: 0 },
  'refused 1→5 %': { p1: 0.001, p2: 0.001, refused: [0.05, MISTAKES] },
  'refused 1→40 %': { p1: 0.001, p2: 0.001, refused: [0.4, MISTAKES] },
  '1.3× slower': { p1: 0.001, p2: 0.001, slow: [0.1405, 0.1] },
  'outputs +0.5 σ': { p1: 0.001, p2: 0.001, moved: 0.5 },
};
export const HEALTHY: readonly string[] = Object.keys(CASES).slice(0, 5);
export const SPEEDS: readonly string[] = ['0.5/s', '1/s', '10/s', '100/s'];

export const whole = once(
  (runs: number): WholeGrid =>
    grid(
      'Whole releases',
      'Promoted/rolled back/held, %, and median minutes of all runs. Four signals; 1 % of the requests are clients’ mistakes, which both versions refuse. Held: no pass within 120 minutes of a step. Slow requests: 10 % of the stable version’s, 5.5 % of an equal candidate’s at its higher edge.',
      'case',
      Object.keys(CASES),
      SPEEDS,
      (name, column) =>
        endings(`whole ${name} ${column}`, runs, {
          refused: [MISTAKES, MISTAKES],
          ...(CASES[name] ?? { p1: 0, p2: 0 }),
          perSecond: Number.parseFloat(column),
        }),
    ),
);

const TRUTHS: Readonly<Record<string, readonly [from: number, to: number]>> = {
  '0→1 %': [0, 0.01],
  '1→2 %': [0.01, 0.02],
  '1→3 %': [0.01, 0.03],
  '5→6 %': [0.05, 0.06],
  '1→1 % (healthy)': [0.01, 0.01],
  '5→5 % (healthy)': [0.05, 0.05],
};
const NONE = 'no bound';
export const BOUNDED = 'the bound, z = 1.96';

/** Why "no regression found" is not enough. */
export const bounds = once(
  (runs: number): WholeGrid =>
    grid(
      'What the promote bound is for',
      'The same at 1/s, read every minute.',
      'errors',
      Object.keys(TRUTHS),
      [NONE, BOUNDED],
      (name, column) => {
        const [p2, p1] = TRUTHS[name] ?? [0, 0];
        const bound = column === NONE ? { bound: () => Number.NEGATIVE_INFINITY } : {};
        return endings(`bound ${name} ${column}`, runs, { perSecond: 1, p1, p2, ...bound });
      },
    ),
);
