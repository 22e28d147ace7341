/** Every formula of drift beside scipy, on grids that a seed draws. */
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { type Random, randomOf } from '../../../../bench/release/random.ts';
import { chi } from '../../../../core/drift/chi.ts';
import { chiTail } from '../../../../core/drift/statistics/gamma.ts';
import { hochberg } from '../../../../core/drift/statistics/hochberg.ts';
import { normalQuantile } from '../../../../core/drift/statistics/normal.ts';
import { psi } from '../../../../core/drift/statistics/psi.ts';
import { rareTail } from '../../../../core/drift/statistics/rare.ts';
import { smooth } from '../../../../core/drift/statistics/smooth.ts';
import { smoothThreshold } from '../../../../core/drift/statistics/threshold.ts';
import { noncentrality, pairChance } from '../../../../plugins/models/plan/drift/budget.ts';
import { runPython } from '../../../python.ts';

const random = randomOf('scipy');
const draw = <T>(times: number, one: (random: Random) => T): readonly T[] =>
  Array.from({ length: times }, () => one(random));
/** Evenly on the logarithmic scale. */
const size = ({ uniform }: Random, least: number, most: number): number =>
  least * (most / least) ** uniform();

/** Counts of `n` rows over 120 cells, as many of them in the upper ones as `tilt` (0 to 1) says. */
function counts(n: number, tilt: number, cells = 120): readonly number[] {
  const found = Array.from({ length: cells }, () => 0);
  for (let i = 0; i < n; i++) {
    const at = Math.floor(cells * Math.max(random.uniform(), random.uniform() < tilt ? random.uniform() : 0));
    found[at] = (found[at] ?? 0) + 1;
  }
  return found;
}
/** h₁ and h₂ of a cell's middle, summed. */
function sums(cells: readonly number[]): readonly [n: number, a: number, b: number] {
  let [n, a, b] = [0, 0, 0];
  for (const [i, count] of cells.entries()) {
    const x = Math.sqrt(12) * ((i + 0.5) / cells.length - 0.5);
    n += count;
    a += count * x;
    b += count * Math.sqrt(1.25) * (x * x - 1);
  }
  return [n, a, b];
}

const m = 10_000;
const asked = {
  quantile: [
    ...draw(200, ({ uniform }) => [uniform()] as const),
    ...draw(100, (one) => [size(one, 1e-300, 0.5)] as const),
    ...draw(50, (one) => [1 - size(one, 1e-12, 0.5)] as const),
  ],
  tail: draw(400, (one) => [1 + one.below(40), size(one, 1e-3, 500)] as const),
  pair: draw(100, (one) => [size(one, 1, 60), size(one, 50, 30_000), size(one, 300, 100_000)] as const),
  pairIntegral: draw(30, (one) => [size(one, 2, 40), size(one, 50, 5000), size(one, 2000, 20_000)] as const),
  noncentrality: draw(60, (one) => [size(one, 3, 300), 0.5 + 0.49 * one.uniform()] as const),
  threshold: draw(200, (one) => [size(one, 10, 10_000), 0.5 * one.uniform(), size(one, 1e-6, 0.5)] as const),
  smooth: draw(60, (one) => {
    const cells = counts(Math.round(size(one, 50, 3000)), one.uniform() ** 2);
    return [...sums(cells), m, 1 + 3 * one.uniform()] as const;
  }),
  chi: draw(60, (one) => {
    const cells = 2 + one.below(9);
    const live = counts(Math.round(size(one, 100, 3000)), one.uniform() ** 2, cells);
    return [live, counts(m, 0.2, cells), 1 + 3 * one.uniform()] as const;
  }),
  rare: draw(200, (one) => {
    const [n, of] = [Math.round(size(one, 100, 5000)), Math.round(size(one, 1000, 50_000))];
    return [1 + one.below(40), n, Math.floor(size(one, 1, 300)) - 1, of, 1 + 3 * one.uniform()] as const;
  }),
  hochberg: draw(60, (one) => {
    const ps = Array.from({ length: 1 + one.below(30) }, () => one.uniform() ** 4);
    return [ps, one.uniform() ** 2] as const;
  }),
  psi: draw(40, (one) => [counts(80, one.uniform(), 10), counts(m, 0, 10)] as const),
};

type Answers = { readonly [name in keyof typeof asked]: readonly (number | readonly number[])[] };
let scipy: Answers;
beforeAll(async () => {
  const answer = await runPython(join(import.meta.dirname, 'answers.py'), [], {
    input: JSON.stringify(asked),
    timeout: 600_000,
  });
  scipy = JSON.parse(answer);
  // The environment may have to be made first.
});

/** Relative, and of what is 0 absolute. */
function near(ours: number | undefined, theirs: number, tolerance: number, about: unknown): void {
  const off = Math.abs((ours ?? Number.NaN) - theirs);
  expect(off, `${JSON.stringify(about)}: ${ours}, scipy ${theirs}`).toBeLessThanOrEqual(
    tolerance * Math.max(Math.abs(theirs), Number.MIN_VALUE) + 1e-300,
  );
}

function compare<T>(
  name: keyof typeof asked,
  questions: readonly T[],
  ours: (question: T) => number | readonly (number | undefined)[] | undefined,
  tolerance = 1e-9,
): void {
  const theirs = scipy[name];
  expect(theirs).toHaveLength(questions.length);
  for (const [i, question] of questions.entries()) {
    const [mine, other] = [[ours(question)].flat(), [theirs[i] ?? Number.NaN].flat()];
    for (const [j, value] of other.entries()) near(mine[j], value, tolerance, question);
  }
}

it('the normal quantile', () => compare('quantile', asked.quantile, ([p]) => normalQuantile(p), 1e-12));
it('the chi² tail', () => compare('tail', asked.tail, ([df, x]) => chiTail(df, x)));
it('two windows that share a reference', () => {
  compare('pair', asked.pair, ([limit, n, rows]) => pairChance(limit, n, rows));
  // Another way there, whose noncentral chi² is less exact.
  compare('pairIntegral', asked.pairIntegral, ([limit, n, rows]) => pairChance(limit, n, rows), 1e-7);
});
it('the noncentrality that is found', () =>
  compare('noncentrality', asked.noncentrality, ([limit, power]) => noncentrality(limit, power)));
it('the threshold', () =>
  compare('threshold', asked.threshold, ([ne, effect, alpha]) => smoothThreshold(ne, effect, alpha)));
it('the smooth test', () =>
  compare('smooth', asked.smooth, ([n, a, b, rows, phi]) => {
    const found = smooth({ n, a, b }, rows, phi);
    return [found?.t, found?.p, found?.size, found?.shift];
  }));
it('chi² of two samples', () =>
  compare('chi', asked.chi, ([live, reference, phi]) => {
    const found = chi({ kind: 'numeric', counts: reference, phi }, live);
    return [found?.x2, found?.df, found?.p];
  }));
it('more of what is rare', () =>
  compare('rare', asked.rare, ([live, n, reference, of, phi]) => rareTail(live, n, reference, of, phi)));
it('false discoveries', () => {
  const ours = asked.hochberg.map(([ps, q]) => hochberg(ps, q));
  expect(ours).toEqual(scipy.hochberg);
  expect(ours.some((found) => found.includes(true) && found.includes(false))).toBe(true);
});
it('PSI', () => compare('psi', asked.psi, ([live, reference]) => psi(reference, live)));
