/**
 * Outputs: two smooth scores a request from 60 quantile cells, as the endpoint emits them; R3 as the judge
 * reads it.
 */
import {
  borneEvidence,
  outputEvidence,
  type ScoredMinute,
  shift,
  sumsOfBoth,
} from '../../core/judge/output.ts';
import { OUTPUT_AT } from '../../core/judge/regression.ts';
import { median } from '../median.ts';
import { minute as minuteOf, once, percent, type Table } from './cells.ts';
import { type Random, randomOf } from './random.ts';
import { NEVER } from './rules.ts';
import { normal, quantile } from './special.ts';
import { planOf, requests } from './traffic.ts';

const CELLS = 60;
const EXPECTED = 0.2;
const ANSWERS = 100;
/** ln E at which an output fails. */
const LIMIT = Math.log(OUTPUT_AT);

/** Scores h₁, h₂ of the cells' middles: mean 0 and variance 1 on the baseline. */
const SCORES: readonly (readonly [a: number, b: number])[] = (() => {
  const u = Array.from({ length: CELLS }, (_, i) => (i + 0.5) / CELLS - 0.5);
  const scaled = (values: readonly number[]): readonly number[] => {
    const mean = values.reduce((sum, value) => sum + value, 0) / CELLS;
    const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / CELLS);
    return values.map((value) => (value - mean) / sd);
  };
  const [a, b] = [scaled(u), scaled(u.map((value) => value * value))];
  return u.map((_, i) => [a[i] ?? 0, b[i] ?? 0] as const);
})();

/** Shares of the cells when the output has moved by so many σ. */
function shares(moved: number): readonly number[] {
  const below = Array.from({ length: CELLS + 1 }, (_, i) => normal(quantile(i / CELLS) - moved));
  return Array.from({ length: CELLS }, (_, i) => (below[i + 1] ?? 1) - (below[i] ?? 0));
}

type Sums = { readonly n: number; a: number; b: number; aa: number; bb: number; ab: number };

/** A multinomial draw over the cells, as sums of scores. */
function scored(random: Random, n: number, of: readonly number[]): Sums {
  const sums = { n, a: 0, b: 0, aa: 0, bb: 0, ab: 0 };
  let [left, rest] = [n, 1];
  for (const [i, share] of of.entries()) {
    const count = i === CELLS - 1 ? left : random.binomial(left, Math.min(1, share / rest));
    left -= count;
    rest -= share;
    const [a, b] = SCORES[i] ?? [0, 0];
    sums.a += count * a;
    sums.b += count * b;
    sums.aa += count * a * a;
    sums.bb += count * b * b;
    sums.ab += count * a * b;
    if (left === 0) break;
  }
  return sums;
}

/** World and candidate: by how many σ the inputs moved both versions' outputs, and the candidate's beyond. */
const MOVES: readonly (readonly [world: number, candidate: number])[] = [
  [0, 0],
  [0.5, 0],
  [0, 0.1],
  [0, 0.2],
  [0, 0.3],
  [0, 0.5],
  [0, 1],
];
/** −2 ln 0.001: R3 of a single look. */
const ONE_LOOK = -2 * Math.log(0.001);

export type OutputGrid = {
  readonly table: Table;
  readonly of: (perSecond: number, world: number, candidate: number) => { found: number; minute: number };
};

export const output = once((runs: number): OutputGrid => {
  const rows = [1, 10, 100].flatMap((perSecond) =>
    MOVES.map(([world, candidate]) => {
      const random = randomOf(`output ${perSecond} ${world} ${candidate}`);
      const [own, others] = [shares(world + candidate), shares(world)];
      const times: readonly [number[], number[], number[]] = [[], [], []];
      for (let run = 0; run < runs; run++) {
        const steps: (readonly [Sums, Sums])[] = [];
        const scores: ScoredMinute[] = [];
        const found = [NEVER, NEVER, NEVER];
        for (const [i, { step, n1, n2 }] of requests(random, perSecond, planOf(perSecond)).entries()) {
          const [first, second] = [scored(random, n1, own), scored(random, n2, others)];
          scores.push({ step, candidate: first, stable: second });
          const before = steps[step];
          steps[step] =
            before === undefined
              ? [first, second]
              : [sumsOfBoth(before[0], first), sumsOfBoth(before[1], second)];
          const { n1: answers, ne, q } = shift(steps);
          if (answers < ANSWERS) continue;
          const fired = [
            found[0] === NEVER &&
              outputEvidence(ne, q, EXPECTED) >= LIMIT &&
              borneEvidence(scores, EXPECTED, LIMIT) >= LIMIT,
            ne * q * q > ONE_LOOK,
            ne * Math.max(0, q - EXPECTED) ** 2 > ONE_LOOK,
          ];
          for (const [rule, is] of fired.entries())
            if (is) found[rule] = Math.min(found[rule] ?? NEVER, i + 1);
        }
        for (const [rule, list] of times.entries()) list.push(found[rule] ?? NEVER);
      }
      const cells = times.map((list) => ({
        found: list.filter((time) => time < NEVER).length / runs,
        minute: median(list),
      }));
      return { perSecond, world, candidate, cells };
    }),
  );
  return {
    table: {
      title: 'Outputs',
      about: `Rolled back, %, and median minute; a shift of ${EXPECTED} σ is expected.`,
      head: [
        'traffic',
        'world moves',
        'candidate moves',
        'judge',
        'R3 p < .001 each minute',
        'the same beyond 0.2 σ',
      ],
      rows: rows.map(({ perSecond, world, candidate, cells }) => [
        `${perSecond}/s`,
        `${world} σ`,
        `${candidate} σ`,
        ...cells.map(({ found, minute }) => `${percent(found)} ${minuteOf(minute)}`),
      ]),
    },
    of: (perSecond, world, candidate) => {
      const row = rows.find(
        (one) => one.perSecond === perSecond && one.world === world && one.candidate === candidate,
      );
      const cell = row?.cells[0];
      if (cell === undefined) throw new Error(`There is no row ${perSecond}/s, ${world}, ${candidate}.`);
      return cell;
    },
  };
});
