import { cloud } from '../local-aws/crash/cloud.ts';
import { different, killsOf, runner } from '../local-aws/crash/crash.ts';
import { PATHS } from '../local-aws/crash/paths.ts';

/**
 * Kills the release worker before and after every write of every path of a release; test/local-aws/crash.test.ts does so at
 * some of them.
 *
 * @returns how many; throws with every one after which a release ended otherwise
 */
export async function everyCrash(): Promise<string> {
  const aws = await cloud();
  const faults: string[] = [];
  let kills = 0;
  try {
    for (const path of PATHS) {
      const { run, end } = runner(aws, path);
      const clean = await run(undefined);
      faults.push(...clean.wrong.map((wrong) => `${path.name}: ${wrong}`));
      console.error(`${path.name}: ${clean.writes.length} writes`);
      for (const kill of killsOf(clean)) {
        kills += 1;
        const where = `${path.name}, killed ${kill.side} write ${kill.at} (${clean.writes[kill.at]})`;
        const found = await run(kill).then(
          (crashed) => different(clean, crashed),
          (error: unknown) => [String(error)],
        );
        faults.push(...found.map((fault) => `${where}: ${fault}`));
      }
      await end();
    }
  } finally {
    await aws.close();
  }
  if (faults.length > 0)
    throw new Error(`${faults.length} faults after ${kills} kills:\n${faults.join('\n')}`);
  return `${PATHS.length} paths, ${kills / 2} writes, a kill before and after each`;
}
