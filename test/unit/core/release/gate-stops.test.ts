import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../core/release/document/settings-contract.ts';
import { WORKER_METRICS } from '../../../../core/release/document/worker-contract.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION, request } from '../../../fakes/world.ts';
import { alarm, due, live, MINUTE, minutes, promoted, type World } from './traffic.ts';

/** A part of a gate that AWS does not let happen: its case file cannot be read, or what it found be kept. */

const SETTINGS: Settings = {
  ...CANARY,
  gate: { cases: { sha256: 'c', bytes: 9, count: 40 }, tolerance: 0 },
};

/** A world in which the points that match fail from now on. */
function failing() {
  const at: { now?: RegExp | undefined } = {};
  const chaos = async (point: string): Promise<void> => {
    if (at.now?.test(point)) throw new Error('the case file models/files/c is not in the registry');
  };
  return { at, chaos };
}

async function gated(w: World): Promise<void> {
  w.stack.state = 'busy';
  await w.send(request('Update', '4', 'b', { before: '3', settings: SETTINGS })).catch(() => undefined);
}

describe('a gate whose case file cannot be read', () => {
  it('is asked again a minute later, not once its lease is over', async () => {
    const { at, chaos } = failing();
    const w = await live(SETTINGS, { chaos });
    at.now = /before gate/;
    await gated(w);
    expect(w.counted).toContain(WORKER_METRICS.unreadable);
    at.now = undefined;
    w.clock.now += MINUTE;
    await due(w);
    expect(w.gated.filter((version) => version === '4')).toHaveLength(1);
    expect(w.answers.slice(1)).toMatchObject([{ Status: 'SUCCESS' }]);
  });

  it('fails the deploy in time, and says why, not that it was too slow alone', async () => {
    const { at, chaos } = failing();
    const w = await live(SETTINGS, { chaos });
    at.now = /before gate/;
    await gated(w);
    await minutes(w, 9);
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(/case 0 of 40: .*the case file models\/files\/c is not in the registry/),
    });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('goes on where it was when what it found cannot be kept', async () => {
    const { at, chaos } = failing();
    const w = await live(SETTINGS, { chaos });
    at.now = /before create .*gate-/;
    await gated(w);
    at.now = undefined;
    w.clock.now += MINUTE;
    await due(w);
    expect(w.answers.slice(1)).toMatchObject([{ Status: 'SUCCESS' }]);
  });
});

describe('the gate of a last good version', () => {
  it('that cannot be asked: the live one keeps all traffic, and the page says why', async () => {
    const { at, chaos } = failing();
    const w = await promoted(CANARY, { chaos });
    at.now = /before gate/;
    await alarm(w).catch(() => undefined);
    for (let done = 0; done < 17; done += 1) await minutes(w, 1).catch(() => undefined);
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(w.notices[0]?.subject).toContain(`${FUNCTION}-errors is on`);
    expect(w.notices[0]?.text).toMatch(
      /version 3 was not ready within 15 minutes: .*the case file models\/files\/c is not in the registry/,
    );
  });
});

describe('a gate that comes late in an invocation', () => {
  it.each([
    ['cases', SETTINGS, 159_000],
    [
      'a load that fits into a whole one',
      { ...SETTINGS, gate: { load: { rate: 9, duration: 180 }, tolerance: 0 } },
      230_000,
    ],
  ])('of %s has a whole one a minute later, and no version fails for it', async (_, settings, left) => {
    const has: { left?: number | undefined } = {};
    const w = await live(settings, { left: () => has.left });
    const before = w.gated.length;
    has.left = left;
    w.stack.state = 'busy';
    await w.send(request('Update', '4', 'b', { before: '3', settings }));
    expect(w.gated).toHaveLength(before);
    expect(w.answers).toHaveLength(1);
    has.left = undefined;
    w.clock.now += MINUTE;
    await due(w);
    expect(w.gated.slice(before)).toEqual(['4']);
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
  });
});
