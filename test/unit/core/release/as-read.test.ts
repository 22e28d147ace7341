import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asRead, type StoredRelease } from '../../../../core/release/document/as-read.ts';
import { phaseOf } from '../../../../core/release/state/predicates.ts';
import { faults } from '../../../fakes/whole.ts';
import { LIVE, tick } from '../../../fakes/world.ts';
import { statusIn } from './seen.ts';
import { alarm, deployed, live, MINUTE, minute, minutes, promoted, until, type World } from './traffic.ts';

/** Documents that lack what their phase needs: nobody writes them, and they are gone on with all the same. */

const GOOD = { 3: 0.02, 4: 0.02 };
const OWN = [
  ...['stable', 'candidate', 'steps', 'step', 'basis', 'watch', 'reversal', 'held', 'reason'],
] as const;

/** Takes keys from the stored document. */
function lose(w: World, ...keys: readonly string[]): void {
  const text = w.objects.objects.get(LIVE)?.text ?? '';
  const kept = Object.entries(JSON.parse(text)).filter(([key]) => !keys.includes(key));
  w.objects.set(LIVE, JSON.stringify(Object.fromEntries(kept)));
}
const stands = (w: World) => ({ phase: w.state()?.phase, ...w.target() });

async function judging(): Promise<World> {
  const w = await deployed();
  await until(w, 'JUDGING', GOOD);
  return w;
}
async function reversing(): Promise<World> {
  const w = await promoted();
  await alarm(w);
  await minute(w, GOOD);
  expect(w.state()?.phase).toBe('REVERSING');
  return w;
}
async function held(): Promise<World> {
  const w = await judging();
  await w.command('hold');
  return w;
}

describe('a document that lacks what its phase needs', () => {
  it.each([
    ['JUDGING, without a candidate', judging, 'candidate'],
    ['JUDGING, without a stable version', judging, 'stable'],
  ])('is given up, and people are told: %s', async (_, make, key) => {
    const w = await make();
    lose(w, key);
    const { length } = w.notices;
    await minute(w, GOOD);
    expect(w.state()).toMatchObject({ phase: 'ABORTED', reason: `there is no ${key} version` });
    expect(w.notices.slice(length).map(({ subject }) => subject)).toEqual([
      key === 'stable'
        ? '[page] churn: the release was given up, and no version is known to be good'
        : '[page] churn: the release was given up, version 3 has all traffic',
    ]);
    expect(w.counted).toContain('ReleaseFailed');
    // Where no stable version is known there is nothing to move to.
    if (key === 'candidate') expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('is given up also where a deploy that follows it comes first', async () => {
    const w = await judging();
    lose(w, 'candidate');
    await w.send(tick({ deployment: '01HZ' }));
    expect(w.state()).toMatchObject({ phase: 'ABORTED', reason: 'there is no candidate version' });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('is judged by errors alone: JUDGING, without its basis', async () => {
    const w = await judging();
    lose(w, 'basis');
    await minutes(w, 90, GOOD);
    expect(stands(w)).toEqual({ phase: 'BAKING', version: '4', weights: {} });
  });

  it('takes its steps from the first one: JUDGING, without the step', async () => {
    const w = await judging();
    lose(w, 'step');
    await minutes(w, 90, GOOD);
    expect(stands(w)).toEqual({ phase: 'BAKING', version: '4', weights: {} });
  });

  it('is watched on: REVERSING, without its reversal', async () => {
    const w = await reversing();
    w.alarms.set('shop-dev-churn-errors', 'OK');
    lose(w, 'reversal');
    expect((await w.world.registry.release('churn'))?.release?.phase).toBe('BAKING');
    await minute(w, GOOD);
    expect(w.state()).toMatchObject({ stable: { version: '4' } });
    expect(['BAKING', 'HELD']).toContain(w.state()?.phase);
  });

  it('is done: BAKING, without its watch', async () => {
    const w = await promoted();
    lose(w, 'watch');
    await minutes(w, 10, GOOD);
    expect(stands(w)).toEqual({ phase: 'DONE', version: '4', weights: {} });
  });

  it('stands, and people are told once a day: HELD, without what holds it', async () => {
    const w = await held();
    const before = w.target();
    lose(w, 'held', 'reason');
    w.clock.now += 24 * 60 * MINUTE;
    const { length } = w.notices;
    await minutes(w, 10, GOOD);
    expect(stands(w)).toEqual({ phase: 'HELD', ...before });
    expect(w.notices.slice(length).map(({ subject }) => subject)).toEqual([
      '[page] churn: the release is held',
    ]);
  });

  it('is over, and nothing is moved: DONE, without a stable version', async () => {
    const w = await live();
    await minutes(w, 2, GOOD);
    const moves = w.aliases.history.length;
    lose(w, 'stable');
    await minutes(w, 30, GOOD);
    expect(w.aliases.history).toHaveLength(moves);
    expect((await statusIn(w)).phase).toBe('ABORTED');
  });

  it('is over: a phase that nobody knows', async () => {
    const w = await live();
    w.objects.set(LIVE, JSON.stringify({ ...w.state(), phase: 'DANCING' }));
    await minutes(w, 3, GOOD);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect((await statusIn(w)).phase).toBe('ABORTED');
  });
});

describe('whatever is lost of a document', () => {
  it('it can be read, has what its phase needs, and nothing else is taken from it', async () => {
    const made = await Promise.all([judging(), promoted(), reversing(), held(), live()]);
    const documents = made.map((w) => JSON.parse(JSON.stringify(w.state())) as StoredRelease);
    for (const whole of documents) expect(asRead(whole).release).toEqual(whole);
    fc.assert(
      fc.property(
        fc.constantFrom(...documents),
        fc.constantFrom('GATING', 'WARMING', 'SHIFTING', 'PROMOTING', 'ABORTED', 'SUPERSEDED', undefined),
        fc.subarray([...OWN]),
        fc.constantFrom(undefined, null),
        (document, phase, lost, nothing) => {
          const stored = {
            ...document,
            ...(phase !== undefined && { phase }),
            ...Object.fromEntries(lost.map((key) => [key, nothing])),
          } as StoredRelease;
          const { release, lacking } = asRead(stored);
          expect(asRead(release as StoredRelease).release).toEqual(release);
          expect(lacking === undefined || lacking === release).toBe(true);
          for (const [key, value] of Object.entries(stored))
            if ((value ?? undefined) !== undefined && !['phase', 'held', 'reason'].includes(key))
              expect(release).toHaveProperty(key, value);
          expect(faults(release).filter((fault) => fault.includes('lacks'))).toEqual([]);
          expect(phaseOf(release)).toBeDefined();
        },
      ),
      { numRuns: 500 },
    );
  });
});
