/** Values and intervals of what a gate measures, beside scikit-learn's and SciPy's. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Estimate, Measure, Unmeasured } from '../../../../core/quality/contract.ts';
import { differs, estimateOf } from '../../../../core/quality/measure.ts';
import { scoreRows } from '../../../../core/quality/score-rows.ts';
import { tQuantile } from '../../../../core/quality/t-quantile.ts';
import { runPython } from '../../../python.ts';
import { randomFrom } from './random.ts';

type Case = {
  readonly name: Measure;
  readonly labels: readonly number[];
  readonly own: readonly number[];
  readonly live: readonly number[];
};

const random = randomFrom(17);
const many = (n: number, one: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => one(i));
const single = (p: number): number => Math.fround(Math.min(1 - 2 ** -24, Math.max(0, p)));

/** Labels of two classes, and scores that go with them more or less, some of them equal. */
function ofClasses(n: number, share: number, distance: number, digits: number): Omit<Case, 'name'> {
  const labels = many(n, (i) => (i < Math.round(share * n) ? 1 : 0));
  const score = (far: number) =>
    labels.map((label) => {
      const raw = 1 / (1 + Math.exp(-(far * (label - 0.5) + random.normal())));
      return single(Number(raw.toFixed(digits)));
    });
  return { labels, own: score(distance), live: score(0.8 * distance) };
}

const CASES: readonly Case[] = [
  ...[30, 200, 1001].flatMap((n) =>
    [0.5, 3, 6].flatMap((distance) =>
      [2, 7].flatMap((digits): Case[] => {
        const drawn = ofClasses(n, 0.4, distance, digits);
        const classes = (scores: readonly number[]) => scores.map((score) => +(score > 0.5));
        return [
          { name: 'auc', ...drawn },
          { name: 'logLoss', ...drawn },
          { name: 'accuracy', ...drawn, own: classes(drawn.own), live: classes(drawn.live) },
        ];
      }),
    ),
  ),
  // One order, otherwise scored.
  ...[ofClasses(60, 0.4, 2, 7)].map(
    (drawn): Case => ({ name: 'auc', ...drawn, live: drawn.own.map((score) => 2 * score) }),
  ),
  // Orders without a fault, all equal, and the wrong way round.
  { name: 'auc', ...ofClasses(40, 0.5, 100, 7), live: many(40, (i) => i) },
  { name: 'auc', labels: many(40, (i) => i % 2), own: many(40, () => 3), live: many(40, (i) => i) },
  { name: 'auc', labels: many(40, (i) => i % 2), own: many(40, (i) => -(i % 2)), live: many(40, (i) => i) },
  { name: 'accuracy', labels: [1, 1, 0], own: [1, 1, 0], live: [1, 0, 0] },
  ...[31, 500].flatMap((n) =>
    (['mae', 'rmse', 'r2'] as const).map((name): Case => {
      const labels = many(n, () => 50 + 10 * random.normal());
      const near = (by: number) => labels.map((label) => label + by * random.normal());
      return { name, labels, own: near(3), live: near(4) };
    }),
  ),
];

/** What a row comes to by our own reading of an answer. */
function scoresOf({ name, labels, own }: Pick<Case, 'name' | 'labels' | 'own'>): readonly number[] {
  const datatype = name === 'accuracy' ? 'INT64' : name === 'logLoss' ? 'FP32' : 'FP64';
  const scores = scoreRows(name, { datatype, shape: [own.length], data: own }, labels);
  if (typeof scores === 'string') throw new Error(scores);
  return scores.map((score) => {
    if (typeof score === 'string') throw new Error(score);
    return score;
  });
}

const listed = (found: Estimate | Unmeasured): readonly number[] => {
  if ('lacks' in found) throw new Error(found.lacks);
  return [found.value, found.low, found.high];
};

describe('beside scikit-learn and SciPy', () => {
  it('values, intervals and differences are the same', async () => {
    const dfs = [29, 30, 50, 100, 1000, 99_999];
    const asked = [...CASES, ...dfs.map((df) => ({ name: 't', labels: [], own: [], live: [], df }))];
    const input = JSON.stringify(asked);
    const script = join(import.meta.dirname, 'oracle.py');
    const answers: { readonly single: readonly number[]; readonly paired?: readonly number[] }[] = JSON.parse(
      await runPython(script, [], { input, timeout: 600_000 }),
    );
    expect(answers).toHaveLength(asked.length);
    for (const [i, one] of CASES.entries()) {
      const theirs = answers[i];
      const own = scoresOf(one);
      const live = scoresOf({ ...one, own: one.live });
      const close = (ours: readonly number[], wanted: readonly number[] | undefined, what: string) => {
        for (const [at, value] of ours.entries())
          expect(value, `${what} ${i}: ${one.name}, ${one.labels.length} rows, ${at}`).toBeCloseTo(
            wanted?.[at] as number,
            one.name === 'logLoss' ? 6 : 7,
          );
      };
      close(listed(estimateOf(one.name, own, one.labels)), theirs?.single, 'single');
      // scikit-learn takes 1 − p in 32 bits there.
      close(listed(differs(one.name, own, live, one.labels)), theirs?.paired, 'paired');
    }
    for (const [i, df] of dfs.entries())
      expect(tQuantile(df)).toBeCloseTo(answers[CASES.length + i]?.single[0] as number, 6);
  });
});
