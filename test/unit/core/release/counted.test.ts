import { expect, it } from 'vitest';
import { WORKER_METRICS } from '../../../../core/release/document/worker-contract.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION } from '../../../fakes/world.ts';
import { alarm, deploy, deployed, MINUTE, minutes, promoted, until, type World } from './traffic.ts';

/** What an alarm waits for, and what a dashboard marks: each event once, and no other. */

const HEALTHY = { 3: 0.02, 4: 0.02, 5: 0.02 };
const count = (w: World, metric: string): number => w.counted.filter((one) => one === metric).length;

it('a release that is about to be promoted, and is judged once more or held, is not counted as promoted', async () => {
  let dies = true;
  let here: World | undefined;
  const w = await deployed(
    { ...CANARY, dryRun: true },
    {
      chaos: async () => {
        const { phase, intent } = here?.state() ?? {};
        if (dies && phase === 'PROMOTING' && intent === undefined) throw new Error('killed');
      },
    },
  );
  here = w;
  w.counted.length = 0;
  await minutes(w, 40, HEALTHY, { perMinute: 10 }).catch(() => {});
  expect(w.state()?.phase).toBe('PROMOTING');
  dies = false;
  await deploy(w, '4', 'b', { before: '4' });
  w.stack.state = 'done';
  await until(w, 'JUDGING', HEALTHY, { perMinute: 10 });
  expect(count(w, WORKER_METRICS.promoted)).toBe(0);
  dies = true;
  await minutes(w, 40, HEALTHY, { perMinute: 20_000 }).catch(() => {});
  dies = false;
  expect(w.state()?.phase).toBe('PROMOTING');
  w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: {} });
  await until(w, 'HELD', HEALTHY);
  expect(count(w, WORKER_METRICS.promoted)).toBe(0);
  await deploy(w, '5', 'c', { before: '4' });
  w.stack.state = 'done';
  await until(w, 'BAKING', HEALTHY);
  expect(count(w, WORKER_METRICS.promoted)).toBe(1);
});

it('a live version that an alarm suspects wrongly after another release failed is no second failure', async () => {
  const w = await promoted();
  await deploy(w, '5', 'c', { before: '4' });
  w.stack.state = 'done';
  await until(w, 'ROLLED_BACK', { 4: 0.02, 5: 0.5 });
  expect(count(w, WORKER_METRICS.failed)).toBe(1);
  await minutes(w, 30, HEALTHY);
  await alarm(w);
  expect(w.state()?.phase).toBe('REVERSING');
  await until(w, 'ROLLED_BACK', HEALTHY, { most: 20 });
  expect(w.target()).toEqual({ version: '4', weights: {} });
  expect(count(w, WORKER_METRICS.failed)).toBe(1);
  w.clock.now += 61 * MINUTE;
  await alarm(w, undefined, 'OK');
  await alarm(w);
  await until(w, 'REVERSING');
  await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.3 }, { most: 20 });
  expect(w.target()).toEqual({ version: '3', weights: {} });
  expect(count(w, WORKER_METRICS.failed)).toBe(2);
});
