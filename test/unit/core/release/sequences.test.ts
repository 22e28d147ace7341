/** Sequences of deploys, commands and accidents, the command line included, against a reference of a page. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { play, type Step, step } from './sequences/sequences.ts';
import { openService } from './sequences/service.ts';

it('all that can be asked agrees after each of them', async () => {
  const runs = Number(process.env.FC_RUNS ?? 2000);
  let played = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 12, size: 'max' }),
      async (steps: readonly Step[]) => {
        await play(openService(), steps);
        played += 1;
      },
    ),
    { numRuns: runs },
  );
  expect(played).toBe(runs);
  // Thirty seconds of a processor; a busy machine took six minutes for them.
});
