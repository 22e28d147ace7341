/** What must not end `npm run account` while something of it is on the account. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { environmentFor } from '../../account/framework.ts';
import { steadily } from '../../account/steadily.ts';
import { root } from '../docs/pages.ts';

test('traffic of which one request fails goes on, and nothing is rejected meanwhile', async () => {
  let asked = 0;
  const traffic = steadily(1, new AbortController().signal, async () => {
    asked += 1;
    if (asked === 2) throw new Error('socket hang up');
  });
  await expect.poll(() => asked).toBeGreaterThan(4);
  await traffic.stop();
  expect(traffic.lost()).toBe(1);
  const then = asked;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(asked).toBe(then);
});

test('it goes on where nobody reads what it says', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'account-'));
  const done = join(dir, 'done');
  const program = `
    import { writeFile } from 'node:fs/promises';
    import { say, speakOn } from ${JSON.stringify(join(root, 'test', 'account', 'say.ts'))};
    speakOn();
    process.stdin.once('data', async () => {
      for (let i = 0; i < 5; i += 1) {
        say('removing');
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await writeFile(${JSON.stringify(done)}, 'removed');
      process.exit(0);
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdout.destroy();
  child.stdin.write('now');
  const code = await new Promise((resolve) => child.once('exit', resolve));
  const text = await readFile(done, 'utf8').catch(() => '');
  await rm(dir, { recursive: true });
  expect([code, text]).toEqual([0, 'removed']);
});

test('osls deploys into the account that the SDK names, whatever it alone reads', () => {
  const env = { AWS_PROFILE: 'tests', AWS_REGION: 'eu-central-1', AWS_DEVICE: 'x', HOME: '/root' };
  const more = {
    AWS_DEV_PROFILE: 'other',
    AWS_DEV_ACCESS_KEY_ID: 'other',
    AWS_DEV_SECRET_ACCESS_KEY: 'other',
    AWS_DEFAULT_PROFILE: 'other',
  };
  expect(environmentFor({ ...env, ...more })).toEqual(env);
});
