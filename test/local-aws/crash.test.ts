import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, cloud } from './crash/cloud.ts';
import { different, killedAt, killsOf, runner } from './crash/crash.ts';
import { PATHS } from './crash/paths.ts';

/** One in so many of the places to die at is tried; `npm run soak -- crash` tries them all. */
const EVERY = 41;
/** Around each move of the alias, and the note of it that comes next, in these. */
const PINNED: ReadonlySet<string> = new Set(['rolled-back', 'crashing', 'back-to', 'withdrawn', 'promoted']);

/** Is this write one of the alias, or the next one after it? */
const isMove = (writes: readonly string[], at: number): boolean =>
  [writes[at], writes[at - 1]].some((write) => write !== undefined && /alias/i.test(write));

/**
 * The release worker's process gets SIGKILL before AWS sees a write of it, or after AWS has made it and
 * before the worker knows. Then life goes on as AWS has it, and everything ends as it does where nobody died.
 */
describe('a release whose worker dies', () => {
  let aws: Cloud;
  beforeAll(async () => {
    aws = await cloud();
  });
  afterAll(() => aws?.close());

  let place = 0;
  it.each(PATHS)('ends as it should: $name', async (path) => {
    const plays = runner(aws, path);
    const clean = await plays.run(undefined);
    expect(clean.wrong).toEqual([]);
    expect([clean.phase, clean.alias?.version]).toEqual(path.ends);
    for (const kill of killsOf(clean)) {
      place += 1;
      const moves = PINNED.has(path.name) && isMove(clean.writes, kill.at);
      if (place % EVERY !== 0 && !moves) continue;
      const crashed = await killedAt(plays, clean, kill);
      expect(different(clean, crashed), `killed ${kill.side} ${clean.writes[kill.at]} (${kill.at})`).toEqual(
        [],
      );
    }
    await plays.end();
  });
});
