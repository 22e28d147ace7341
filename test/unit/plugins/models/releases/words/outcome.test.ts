/**
 * The one law for every end of a deploy: what a model was offered is live, on its way, refused, or none of
 * these.
 */
import { describe, expect, it } from 'vitest';
import type { Release } from '../../../../../../core/release/document/contract.ts';
import { problemOf } from '../../../../../../plugins/models/releases/words/lines.ts';
import { outcomeOf } from '../../../../../../plugins/models/releases/words/outcome.ts';
import { CANARY, SETTINGS } from '../../../../../fakes/settings.ts';
import { FUNCTION, tick } from '../../../../../fakes/world.ts';
import {
  alarm,
  deploy,
  deployed,
  live,
  minute,
  promoted,
  until,
  type World,
} from '../../../../core/release/traffic.ts';

const GOOD = { 3: 0.02, 4: 0.02, 5: 0.02 };

function outcome(w: World, fingerprint: string) {
  const [release, alias] = [w.state(), w.alias()];
  return outcomeOf(fingerprint, { ...(release && { release }), ...(alias && { alias }) });
}

describe('what was offered', () => {
  it('is live, also while another one is on its way', async () => {
    const w = await live();
    expect(outcome(w, 'a')).toEqual({ is: 'live' });
    await deploy(w, '4', 'b');
    w.stack.state = 'done';
    await until(w, 'JUDGING', GOOD);
    expect(outcome(w, 'a')).toEqual({ is: 'live' });
    expect(outcome(w, 'b')).toEqual({ is: 'onItsWay', held: false });
  });

  it('was never asked for, where whoever made the stack calls no custom resources: a code says so, and what to do', () => {
    expect(outcomeOf('a', {})).toEqual({ is: 'uncalled' });
    const nothing = { model: 'churn', phase: 'NONE', running: false } as const;
    const problem = problemOf(nothing, outcomeOf('a', {}), false, 'prod');
    expect(problem).toMatchObject({ code: 'MODELS_ALIAS_ABSENT', key: 'models.churn' });
    expect(problem?.message).toContain('Custom::ModelAlias was not called');
    expect(problem?.fix).toMatch(/AWS_ENDPOINT_URL.*docs\/local-testing\.md.*`sls deploy --stage prod`/);
    // An alias without a record is another thing: somebody made it.
    expect(
      outcomeOf('a', { alias: { version: '1', weights: {}, description: '', revision: 'r' } }),
    ).toMatchObject({ is: 'none' });
  });

  it('is on its way while a person holds it, or for want of data', async () => {
    const w = await deployed({ ...CANARY, maxWait: 600 });
    await until(w, 'HELD', {}, { perMinute: 0 });
    expect(outcome(w, 'b')).toEqual({ is: 'onItsWay', held: true });
  });

  it('is live while the last good version is tried beside it', async () => {
    const w = await promoted();
    await alarm(w);
    expect(w.state()?.phase).toBe('REVERSING');
    expect(outcome(w, 'b')).toEqual({ is: 'live' });
  });

  it('was rolled back: it is refused', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    await w.command('rollback', { reason: 'odd answers' });
    expect(outcome(w, 'b')).toMatchObject({ is: 'refused', why: expect.stringContaining('odd answers') });
    expect(outcome(w, 'a')).toEqual({ is: 'live' });
  });

  it('was rolled back, and somebody gave it all traffic: it is not refused, but asked for again', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    await w.command('rollback', { reason: 'odd answers' });
    w.aliases.byHand(FUNCTION, 'live', { version: '4', weights: {} });
    expect(outcome(w, 'b')).toMatchObject({
      is: 'none',
      why: expect.stringContaining('version 4, which no'),
    });
    w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: { 4: 0.5 } });
    expect(outcome(w, 'b')).toMatchObject({ is: 'refused' });
  });

  it('was forced: it is on its way, though it was rolled back before', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    await w.command('rollback');
    await deploy(w, '4', 'b', { before: '4', forced: 'at noon' });
    expect(w.state()?.refused).toHaveLength(1);
    expect(outcome(w, 'b')).toEqual({ is: 'onItsWay', held: false });
  });

  it('was given up: none, with the reason', async () => {
    const w = await deployed();
    const { held: _, ...release } = w.state() as Release;
    const late = { ...release, phase: 'ABORTED' as const, reason: 'too late' };
    const alias = w.alias();
    expect(outcomeOf('b', { release: late, ...(alias && { alias }) })).toEqual({
      is: 'none',
      why: 'too late',
    });
  });

  it('is another one than is live, or than took its place: none', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    expect(outcome(w, 'z')).toMatchObject({ is: 'none', why: expect.stringContaining('took its place') });
    const other = await live(SETTINGS);
    expect(outcome(other, 'z')).toMatchObject({ is: 'none', why: 'no release of it is on its way' });
  });

  it.each(['in mid-release', 'at rest'])(
    'is held because somebody moved the alias: none (%s)',
    async (when) => {
      const w = when === 'at rest' ? await live(SETTINGS) : await deployed();
      if (when !== 'at rest') await until(w, 'JUDGING', GOOD);
      w.aliases.byHand(FUNCTION, 'live', { version: '5', weights: {} });
      await minute(w, GOOD);
      await w.send(tick());
      expect(outcome(w, when === 'at rest' ? 'a' : 'b')).toMatchObject({
        is: 'none',
        why: expect.stringContaining('version 5'),
      });
    },
  );

  it('has no alias any more, or no document: none', async () => {
    const w = await live(SETTINGS);
    const release = w.state() as Release;
    expect(outcomeOf('a', { release })).toMatchObject({ is: 'none', why: expect.stringContaining('alias') });
    const alias = w.alias();
    expect(outcomeOf('a', { ...(alias && { alias }) })).toMatchObject({ is: 'none' });
    expect(outcomeOf('a', { release: 'newer', ...(alias && { alias }) })).toMatchObject({ is: 'none' });
  });
});
