import { startAws } from '../../local-aws/start.ts';
import { deathsOf, JOBS } from '../local-aws/batch/deaths.ts';

/**
 * Kills the batch function before each request that it sends, in jobs of each kind;
 * test/local-aws/batch-faults.test.ts does so at some of them.
 *
 * @returns how many; throws with every one after which a job ended otherwise
 */
export async function everyDeath(): Promise<string> {
  const aws = await startAws({ auth: false });
  try {
    const figures: string[] = [];
    const faults: string[] = [];
    for (const job of JOBS) {
      const { requests, kills, wrong } = await deathsOf(aws, job, 1);
      console.error(`${job.name} (${job.what}): ${kills} kills, ${wrong.length} faults`);
      figures.push(`${job.name} ${kills} of ${requests}`);
      faults.push(...wrong.map((what) => `${job.name}, ${what}`));
    }
    if (faults.length > 0) throw new Error(`${faults.length} faults:\n${faults.join('\n')}`);
    return `killed at every request: ${figures.join(', ')}`;
  } finally {
    await aws.stop();
  }
}
