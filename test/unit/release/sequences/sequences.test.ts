/** Sequences of deploys, commands and accidents, the command line included, against a reference of a page. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { play, type Step, step } from './sequences.ts';

it('all that can be asked agrees after each of them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12, size: 'max' }), (steps: readonly Step[]) =>
      play(steps),
    ),
    { numRuns: Number(process.env.FC_RUNS ?? 300) },
  );
  expect.hasAssertions();
}, 240_000);
