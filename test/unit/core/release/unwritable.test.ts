/**
 * A registry that can be read and not written: nothing can be noted, and so nothing be moved as it should.
 */
import { describe, expect, it } from 'vitest';
import { WORKER_METRICS } from '../../../../core/release/document/worker-contract.ts';
import { deployed, minutes, until, type World } from './traffic.ts';

/** Half-way through a canary the worker loses the right to write. */
async function canary() {
  const at = { denied: false };
  const chaos = async (point: string): Promise<void> => {
    if (at.denied && /^before (create|replace) /.test(point)) throw new Error('AccessDenied: s3:PutObject');
  };
  const w = await deployed(undefined, { chaos });
  await until(w, 'JUDGING', { 3: 0.02, 4: 0.02 });
  at.denied = true;
  return { w, at };
}

/** As Lambda takes it: what fails is a line in the log. */
async function pass(w: World, count: number, rates: Readonly<Record<string, number>>): Promise<void> {
  for (let done = 0; done < count; done += 1) await minutes(w, 1, rates).catch(() => undefined);
}

describe('in mid-canary', () => {
  it('is counted for the alarm at each tick', async () => {
    const { w } = await canary();
    w.counted.length = 0;
    await pass(w, 3, { 3: 0.02, 4: 0.5 });
    expect(w.counted.filter((metric) => metric === WORKER_METRICS.unreadable)).toHaveLength(3);
    expect(w.state()?.phase).toBe('JUDGING');
  });

  it('has the weight taken away past the deadline, and the release is rolled back once it can be written', async () => {
    const { w, at } = await canary();
    const left = (Date.parse(w.state()?.deadline ?? '') - w.clock.now) / 60_000;
    await pass(w, Math.ceil(left) + 2, { 3: 0.02, 4: 0.02 });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    at.denied = false;
    await minutes(w, 2);
    expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', stable: { version: '3' } });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });
});
