import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { accountRun } from '../journeys/account-run.ts';
import { everythingLeft } from '../journeys/service.ts';
import { root } from '../unit/docs/pages.ts';

/** A short run in which every phase has its time: what each does is in its own tests. */
const RUN = ['--yes', '--only', 'layer', 'weights', 'provisioned'];
const SIGNALS = ['SIGKILL', 'SIGINT', 'SIGTERM'] as const;

/**
 * Ends `npm run account` at random points, then `--clean`, every other time without what it had written down:
 * nothing may be left.
 *
 * @returns where; throws with the first point after which something was left
 */
export async function accountKills(count: number): Promise<string> {
  const aws = await startAws({ speed: 20 });
  try {
    const before = await everythingLeft(aws);
    const began = performance.now();
    const whole = accountRun(aws.env, ...RUN);
    const code = await whole.ended;
    // What its checks find is not the point here: a machine that is busy makes one late.
    if (code !== 0 && code !== 1)
      throw new Error(`the run that nothing ends ended with ${code}:\n${whole.text()}`);
    await nothing(aws, before, 'after the whole run', whole.text());
    const most = performance.now() - began;
    const points: string[] = [];
    for (let i = 0; i < count; i += 1) points.push(await killed(aws, before, randomInt(Math.ceil(most)), i));
    return `${count} kills within ${(most / 1000).toFixed(0)} s, nothing left: ${points.join(', ')}`;
  } finally {
    await aws.stop();
  }
}

async function killed(aws: LocalAws, before: readonly string[], after: number, i: number): Promise<string> {
  const signal = SIGNALS[i % SIGNALS.length] ?? 'SIGKILL';
  const run = accountRun(aws.env, ...RUN);
  await Promise.race([pause(after), run.ended]);
  const point = `${signal} after ${(after / 1000).toFixed(1)} s in "${lastStep(run.text())}"`;
  run.child.kill(signal);
  const ended = await run.ended;
  console.error(point);
  // Removed by itself, where it heard of it.
  if (ended !== 'SIGKILL') await nothing(aws, before, point, run.text());
  const name = /smcheck-[0-9a-f]{8}/.exec(run.text())?.[0];
  if (i % 2 === 1 && name !== undefined)
    for (const lost of [name, `${name}.json`])
      await rm(join(root, '.local', 'account', lost), { recursive: true, force: true });
  const clean = accountRun(aws.env, '--clean', '--yes');
  const code = await clean.ended;
  if (code !== 0) throw new Error(`${point}: --clean ended with ${code}:\n${run.text()}\n${clean.text()}`);
  await nothing(aws, before, point, `${run.text()}\n${clean.text()}`);
  return point;
}

async function nothing(aws: LocalAws, before: readonly string[], point: string, text: string): Promise<void> {
  const left = (await everythingLeft(aws)).filter((line) => !before.includes(line));
  if (left.length > 0) throw new Error(`${point}: left ${left.join(', ')}:\n${text}`);
}

/** What it was doing. */
const lastStep = (text: string): string =>
  text
    .split('\n')
    .findLast((line) => /^(\$|check |deleting|looking|listing)/.test(line))
    ?.slice(0, 40) ?? 'nothing yet';
