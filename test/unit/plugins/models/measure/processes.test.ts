import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { usageBelow } from '../../../../../plugins/models/measure/processes.ts';

/** A process with a child, which takes 200 MB and works. */
const CHILD = `const held = Buffer.alloc(200 * 1024 ** 2, 1); for (;;) held.fill(2);`;
const PARENT = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(CHILD)}], { stdio: 'ignore' }); process.on('SIGTERM', () => process.exit()); setInterval(() => {}, 1000);`;

it.runIf(process.platform === 'linux')('tells what descendants use, and not the process itself', async () => {
  const parent = spawn(process.execPath, ['-e', PARENT], { stdio: 'ignore', detached: true });
  try {
    let used = await usageBelow(parent.pid ?? 0);
    // What its start takes of the processor comes before the memory.
    const isThere = () => used !== undefined && used.cpu >= 0.5 && used.memory > 200;
    for (let i = 0; i < 2000 && !isThere(); i += 1) {
      await sleep(100);
      used = await usageBelow(parent.pid ?? 0);
    }
    expect(used?.cpu).toBeGreaterThanOrEqual(0.5);
    expect(used?.memory).toBeGreaterThan(200);
    expect(used?.memory).toBeLessThan(400);
  } finally {
    process.kill(-(parent.pid ?? 0), 'SIGKILL');
  }
});

it('a process without descendants uses nothing', async () => {
  expect(await usageBelow(2 ** 22 - 1)).toBeUndefined();
});
