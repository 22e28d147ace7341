import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, cloud } from './crash/cloud.ts';
import { different, killsOf, runner } from './crash/crash.ts';
import { PATHS } from './crash/paths.ts';

/** Of so many places to die at, one is tried each day; `npm run soak -- crash` tries them all. */
const DAYS = 29;
const today = Math.floor(Date.now() / 86_400_000);

/**
 * The release worker's process gets SIGKILL before AWS sees a write of it, or after AWS has made it and before the worker knows.
 * Then life goes on as AWS has it, and everything ends as it does where nobody died.
 */
describe('a release whose worker dies', () => {
  let aws: Cloud;
  beforeAll(async () => {
    aws = await cloud();
  });
  afterAll(() => aws?.close());

  let place = 0;
  it.each(PATHS)('ends as it should: $name', async (path) => {
    const { run, end } = runner(aws, path);
    const clean = await run(undefined);
    expect(clean.wrong).toEqual([]);
    expect([clean.phase, clean.alias?.version]).toEqual(path.ends);
    for (const kill of killsOf(clean)) {
      place += 1;
      if (place % DAYS !== today % DAYS) continue;
      const crashed = await run(kill);
      expect(different(clean, crashed), `killed ${kill.side} ${clean.writes[kill.at]} (${kill.at})`).toEqual(
        [],
      );
    }
    await end();
  });
});
