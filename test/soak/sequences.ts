import fc from 'fast-check';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { everythingLeft } from '../journeys/service.ts';
import { play, type Step, step } from '../unit/core/release/sequences/sequences.ts';
import { realService } from './sequences/service.ts';

export type Sequences = {
  readonly count: number;
  /** At most. */
  readonly steps: number;
  /** Speed of the local AWS's clock. AWS's time limits run by it, too: a busy machine needs a slower one. */
  readonly speed: number;
  readonly seed: number;
};
export const SEQUENCES: Sequences = { count: 100, steps: 8, speed: 20, seed: 12 };
/** A deploy of a good and of a bad version, then traffic: one is promoted, the other rolled back. */
export const HUNDREDTH_OF_SEQUENCES: Sequences = { count: 1, steps: 3, speed: 10, seed: 937 };

/** Services that are played with at a time, each on a local AWS of its own: most of their time is waiting. */
const LANES = 2;
const { SEQUENCES_SEED, SEQUENCES_ONLY } = process.env;

/**
 * The sequences of test/unit/core/release/sequences on a local AWS, with the real command line.
 * `SEQUENCES_SEED` names others, and `SEQUENCES_ONLY` the number of the only one to play.
 *
 * @returns how many; throws with every one that does not agree with the reference
 */
export async function everySequence({ count, steps: maxLength, speed, ...from }: Sequences): Promise<string> {
  const seed = Number(SEQUENCES_SEED ?? from.seed);
  const array = fc.array(step, { minLength: Math.min(2, maxLength), maxLength, size: 'max' });
  const all = [...fc.sample(array, { seed, numRuns: count }).entries()];
  const waiting = all.filter(([number]) => SEQUENCES_ONLY === undefined || number === Number(SEQUENCES_ONLY));
  const run = waiting.length;
  const faults: string[] = [];
  const lane = async (): Promise<void> => {
    const aws = await startAws({ speed });
    try {
      const empty = await everythingLeft(aws);
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [number, steps] = next;
        const began = performance.now();
        const fault = await played(`sequence${number}`, steps, { aws, speed, empty });
        const took = `${((performance.now() - began) / 1000).toFixed(0)} s`;
        console.error(
          `sequence ${number} of seed ${seed}: ${steps.length} steps, ${took}, ${fault ?? 'agrees'}`,
        );
        if (fault === undefined) continue;
        faults.push(`sequence ${number} of seed ${seed}: ${fault}`);
        for (const one of steps) console.error(`  ${JSON.stringify(one)}`);
      }
    } finally {
      await aws.stop();
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, run) }, lane));
  const figures = `${run} sequences, disagreements ${faults.length}`;
  if (faults.length > 0) throw new Error(`${figures}:\n${faults.join('\n')}\n`);
  return figures;
}

type Place = { readonly aws: LocalAws; readonly speed: number; readonly empty: readonly string[] };

/** @returns what disagrees */
async function played(
  name: string,
  steps: readonly Step[],
  { aws, speed, empty }: Place,
): Promise<string | undefined> {
  const service = await realService(aws, name, speed);
  const fault = await play(service, steps).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  const end = await service.end().then(
    async () => {
      const left = (await everythingLeft(aws)).filter((one) => !empty.includes(one) && one.includes(name));
      return left.length === 0 ? undefined : `sls remove leaves ${left.join(', ')}`;
    },
    (error: unknown) => String(error),
  );
  return fault ?? end;
}
