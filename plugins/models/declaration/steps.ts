import type { ReleaseRules } from './model.ts';

type Steps = ReleaseRules['steps'];

/** Percent and seconds, where `release.steps` is not written. */
const STEPS: Steps = [5, 25, 50].map((weight) => ({ weight, bake: 600 }));
/** Of `linear`, which repeats its first step. */
const LINEAR: Steps = [{ weight: 10, bake: 600 }];

/** The steps that a release takes by its strategy. */
export function stepsOf(strategy: ReleaseRules['strategy'], given: Steps | undefined): Steps {
  if (strategy === 'blueGreen' || strategy === 'allAtOnce') return [];
  if (strategy !== 'linear') return given ?? STEPS;
  const [{ weight, bake } = { weight: 100, bake: 0 }] = given ?? LINEAR;
  const count = weight > 0 ? Math.min(Math.ceil(100 / weight) - 1, 99) : 0;
  return Array.from({ length: count }, (_, index) => ({ weight: weight * (index + 1), bake }));
}
