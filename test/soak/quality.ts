import type { Estimate, Label, Measure, Unmeasured } from '../../core/quality/contract.ts';
import { differs, estimateOf } from '../../core/quality/measure.ts';
import { randomFrom } from '../unit/core/quality/random.ts';

/** Samples of rows in each scene. */
export const SAMPLES = 4000;

type Drawn = {
  readonly own: readonly number[];
  readonly live?: readonly number[];
  readonly labels: readonly Label[];
};
type Scene = { readonly what: string; readonly name: Measure; readonly truth: number; draw(): Drawn };

/** Twice what a side of a 95 % interval promises: what an interval of an approximation may miss. */
const SIDE = 0.05;

const random = randomFrom(2026);
const many = <T>(n: number, one: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => one(i));
const laplace = (): number => {
  const u = random.next() - 0.5;
  return -Math.sign(u) * Math.log(1 - 2 * Math.abs(u));
};

/** Rows right with probability `p`; of two versions, that err together in a share of them. */
const rights = (n: number, p: number, apart?: number): Scene => ({
  what: `accuracy ${p}, ${n} rows${apart === undefined ? '' : ', paired'}`,
  name: 'accuracy',
  truth: apart === undefined ? p : 0,
  draw: () => {
    const own = many(n, () => +(random.next() < p));
    const drawn = { own, labels: own.map(() => 1) };
    if (apart === undefined) return drawn;
    return { ...drawn, live: own.map((one) => (random.next() < apart ? +(random.next() < p) : one)) };
  },
});

/**
 * Normal scores of two classes, `distance` apart; `beside`: another version with as much noise of its own.
 */
const areas = (
  positives: number,
  negatives: number,
  distance: number,
  truth: number,
  beside?: number,
): Scene => ({
  what: `auc ${truth}, ${positives} and ${negatives} rows${beside === undefined ? '' : ', paired'}`,
  name: 'auc',
  truth: beside === undefined ? truth : 0,
  draw: () => {
    const labels = many(positives + negatives, (i) => +(i < positives));
    const common = labels.map((label) => distance * label + random.normal() * Math.sqrt(1 - (beside ?? 0)));
    const noisy = () => common.map((one) => one + random.normal() * Math.sqrt(beside ?? 0));
    return { own: noisy(), labels, ...(beside !== undefined && { live: noisy() }) };
  },
});

const errors = (
  name: 'mae' | 'rmse',
  n: number,
  truth: number,
  error: () => number,
  what: string,
): Scene => ({
  what: `${name} of ${what} errors, ${n} rows`,
  name,
  truth,
  draw: () => ({ own: many(n, error), labels: many(n, () => 0) }),
});

const SCENES: readonly Scene[] = [
  rights(50, 0.9),
  rights(200, 0.99),
  rights(300, 0.9, 0.2),
  areas(15, 15, 1.2, 0.8019),
  areas(30, 30, 2.3, 0.9481),
  areas(50, 450, 2.3, 0.9481),
  areas(50, 50, 3.5, 0.9933),
  areas(60, 140, 1.5, 0.8556, 0.3),
  {
    what: 'logLoss of good probabilities, 100 rows',
    name: 'logLoss',
    truth: 0.5,
    draw: () => {
      // p evenly from 0 to 1 and labels by it: ∫ −p ln p − (1 − p) ln(1 − p) dp = ½.
      const own = many(100, () => {
        const p = random.next();
        return -Math.log(random.next() < p ? p : 1 - p);
      });
      return { own, labels: own.map(() => 1) };
    },
  },
  errors('mae', 50, Math.sqrt(2 / Math.PI), random.normal, 'normal'),
  errors('rmse', 100, 1, random.normal, 'normal'),
  errors('rmse', 300, Math.SQRT2, laplace, 'Laplace'),
  {
    what: 'r2 of 0.8, 200 rows',
    name: 'r2',
    truth: 0.8,
    draw: () => {
      const labels = many(200, () => Math.sqrt(5) * random.normal());
      // What is left of the label has a fifth of its variance.
      const own = labels.map((label) => -label / 5 + Math.sqrt(0.8) * random.normal());
      return { own, labels };
    },
  },
  {
    what: 'mae, 100 rows, paired',
    name: 'mae',
    truth: 0,
    draw: () => {
      const common = many(100, random.normal);
      const noisy = () => common.map((one) => one + 0.5 * random.normal());
      return { own: noisy(), live: noisy(), labels: common.map(() => 0) };
    },
  },
];

/**
 * Does the interval of each measure have the truth as often as it says? Rows are drawn from what is known,
 * and both of its sides are counted: the one tells how often a version passes that is not good enough.
 */
export async function qualityIntervals(samples: number): Promise<string> {
  let worst = { side: 0, what: '' };
  let least = { held: 1, what: '' };
  const wrong: string[] = [];
  // A sample of samples has its own chance.
  const room = 4 * Math.sqrt((SIDE * (1 - SIDE)) / samples);
  for (const scene of SCENES) {
    let [below, above] = [0, 0];
    for (let i = 0; i < samples; i++) {
      const { own, live, labels } = scene.draw();
      const { low, high } = known(
        live === undefined ? estimateOf(scene.name, own, labels) : differs(scene.name, own, live, labels),
      );
      if (low > scene.truth) below++;
      if (high < scene.truth) above++;
    }
    const side = Math.max(below, above) / samples;
    const held = 1 - (below + above) / samples;
    if (side > worst.side) worst = { side, what: scene.what };
    if (held < least.held) least = { held, what: scene.what };
    if (side > SIDE + room) wrong.push(`${scene.what}: ${side.toFixed(3)} on one side`);
    console.error(
      `${scene.what.padEnd(42)} held ${held.toFixed(3)}, below ${(below / samples).toFixed(3)}, above ${(above / samples).toFixed(3)}`,
    );
  }
  if (wrong.length > 0) throw new Error(wrong.join('; '));
  return `${SCENES.length} scenes, ${samples} samples each: the truth is inside in ${least.held.toFixed(3)} at least (${least.what}), beyond one side in ${worst.side.toFixed(3)} at most (${worst.what})`;
}

function known(found: Estimate | Unmeasured): Estimate {
  if ('lacks' in found) throw new Error(found.lacks);
  return found;
}
