import { cloud } from '../local-aws/crash/cloud.ts';
import { different, killedAt, killsOf, runner } from '../local-aws/crash/crash.ts';
import { PATHS, type Path } from '../local-aws/crash/paths.ts';

/** Paths that are played at a time, each on a local AWS of its own: most of their time is waiting. */
const LANES = 2;

/**
 * Kills the release worker before and after every write of every path of a release;
 * test/local-aws/crash.test.ts does so at some of them.
 *
 * @returns how many; throws with every one after which a release ended otherwise
 */
export async function everyCrash(): Promise<string> {
  const waiting = [...PATHS];
  const faults: string[] = [];
  let kills = 0;
  const lane = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const played = await everyCrashOf(path);
      kills += played.kills;
      faults.push(...played.faults);
      console.error(`${path.name}: ${played.kills} kills, ${played.faults.length} faults`);
      for (const fault of played.faults) console.error(`  ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  if (faults.length > 0)
    throw new Error(`${faults.length} faults after ${kills} kills:\n${faults.join('\n')}`);
  return `${PATHS.length} paths, ${kills / 2} writes, a kill before and after each`;
}

async function everyCrashOf(
  path: Path,
): Promise<{ readonly kills: number; readonly faults: readonly string[] }> {
  const aws = await cloud();
  try {
    const plays = runner(aws, path);
    const clean = await plays.run(undefined);
    const faults = clean.wrong.map((wrong) => `${path.name}: ${wrong}`);
    const kills = killsOf(clean);
    for (const kill of kills) {
      const where = `${path.name}, killed ${kill.side} write ${kill.at} (${clean.writes[kill.at]})`;
      const found = await killedAt(plays, clean, kill).then(
        (crashed) => different(clean, crashed),
        (error: unknown) => [String(error)],
      );
      faults.push(...found.map((fault) => `${where}: ${fault}`));
    }
    await plays.end();
    return { kills: kills.length, faults };
  } finally {
    await aws.close();
  }
}
