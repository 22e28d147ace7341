/** Sequences of deploys, commands and accidents, the command line included, against a reference of a page. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { play, type Step, step } from './sequences/sequences.ts';
import { openService } from './sequences/service.ts';

const deploy = { a: 'same', b: 'same', isForced: false, waits: false, isBroken: false } as const;

/** A version that was refused is given all traffic by somebody, and asked for again. */
const GIVEN_ALL_TRAFFIC: readonly Step[] = [
  { do: 'deploy', ...deploy, b: 'bad', killed: undefined },
  { do: 'traffic' },
  { do: 'move alias', model: 'b', to: 1 },
  { do: 'deploy', ...deploy, killed: undefined },
];

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
    { numRuns: runs, examples: [[[...GIVEN_ALL_TRAFFIC]]] },
  );
  expect(played).toBe(runs);
  // Thirty seconds of a processor; a busy machine took six minutes for them.
});
