import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { lock } from '../../../local-aws/venv.ts';

it('a lock that a dead process left is taken over by one alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'locks-'));
  const { pid: dead } = spawnSync(process.execPath, ['--version']);
  let together = 0;
  const all = Array.from({ length: 40 }, async (_, i) => {
    const file = join(folder, `${i}.lock`);
    await writeFile(file, String(dead));
    let inside = 0;
    const one = async (turns: number): Promise<void> => {
      // Each file has others that come at another step of the first one.
      for (let turn = 0; turn < turns; turn += 1) await new Promise((done) => setImmediate(done));
      const unlock = await lock(file);
      inside += 1;
      if (inside > 1) together += 1;
      await sleep(20);
      inside -= 1;
      await unlock();
    };
    await Promise.all([one(0), one(i), one(2 * i)]);
  });
  try {
    await Promise.all(all);
    expect([together, await readdir(folder)]).toEqual([0, []]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
