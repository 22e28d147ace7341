/**
 * Somebody else moved the alias while nothing was on its way: a plain rollback puts back what is recorded as
 * live.
 */
import { describe, expect, it } from 'vitest';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION } from '../../../fakes/world.ts';
import { statusIn } from './seen.ts';
import { alarm, DAY, deploy, deployed, minute, minutes, promoted, until, type World } from './traffic.ts';

const GOOD = { 3: 0.02, 4: 0.02 };
const move = (w: World, version: string, weights: Readonly<Record<string, number>> = {}): void =>
  w.aliases.byHand(FUNCTION, 'live', { version, weights });
const live = (w: World) => ({ phase: w.state()?.phase, held: w.state()?.held?.by, ...w.target() });

/** How the live version stood before, and the phase that it goes on in. */
const CASES: Readonly<Record<string, readonly [make: () => Promise<World>, then: string, version: string]>> =
  {
    'that is watched': [promoted, 'BAKING', '4'],
    'whose watch is over': [
      async () => {
        const w = await promoted();
        w.clock.now += 2 * DAY;
        await minutes(w, 2);
        return w;
      },
      'DONE',
      '4',
    ],
    'that an alarm doubts': [
      async () => {
        const w = await promoted();
        await alarm(w);
        await minutes(w, 2, { 4: 0.02, 3: 0.02 });
        expect(w.target()).toEqual({ version: '4', weights: { 3: 0.5 } });
        return w;
      },
      'BAKING',
      '4',
    ],
    'whose canary was rolled back': [
      async () => {
        const w = await deployed();
        await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.6 });
        return w;
      },
      'ROLLED_BACK',
      '3',
    ],
  };

describe.each(Object.entries(CASES))('the alias of a version %s', (_, [make, then, version]) => {
  it.each([
    ['seen by a tick', true],
    ['before a tick sees it', false],
  ])('is put back by a plain rollback, and nobody is refused: %s', async (_when, isSeen) => {
    const w = await make();
    const { refused, watch } = w.state() ?? {};
    move(w, '7');
    if (isSeen) await minutes(w, 11);
    expect(await w.command('rollback')).toMatchObject({
      done: true,
      text: `the alias pointed to version 7; version ${version} has all traffic again`,
    });
    expect(live(w)).toEqual({ phase: then, held: undefined, version, weights: {} });
    expect(w.state()).toMatchObject({ stable: { version }, refused });
    expect(w.state()?.watch).toEqual(watch);
    // Nothing was rolled back, and status shows the reason beside the version that is live.
    expect(w.state()?.reason).toBe('the alias was put back by arn:aws:iam::1:user/me');
    // Whoever asks again, since no answer came, must not go back behind it.
    const again = await w.command('rollback');
    expect(again).toMatchObject({
      done: false,
      refused: expect.stringContaining(`version ${version} is live`),
    });
    await minutes(w, 3);
    expect(live(w)).toEqual({ phase: then, held: undefined, version, weights: {} });
  });
});

describe('a hold since somebody moved the alias', () => {
  const held = async (): Promise<World> => {
    const w = await promoted();
    move(w, '7');
    await minutes(w, 11);
    expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'foreign' } });
    return w;
  };

  it('is told as what is left once the alias is in its place again, and ended by resume', async () => {
    const w = await held();
    move(w, '4');
    await minutes(w, 2);
    expect(await statusIn(w)).toMatchObject({
      level: 'look',
      summary:
        'Somebody had moved the alias, which is in its place again. The release is held for that still, and nothing goes on by itself.',
      todo: ['`sls models resume --model churn --stage dev` goes on from where it was.'],
    });
    expect(await w.command('resume')).toMatchObject({ done: true, tick: { phase: 'BAKING' } });
    const canary = await deployed();
    await until(canary, 'JUDGING', GOOD);
    move(canary, '3');
    await minutes(canary, 2);
    move(canary, '3', { 4: 0.05 });
    await minutes(canary, 2, GOOD);
    const { level, todo } = await statusIn(canary);
    expect([level, todo.at(-1)]).toEqual([
      'act',
      '`sls models rollback --model churn --stage dev` takes version 4 away.',
    ]);
    expect(await canary.command('resume')).toMatchObject({ done: true, tick: { phase: 'JUDGING' } });
  });

  it('is told and advised with what the command does', async () => {
    const w = await held();
    expect((await statusIn(w)).todo.at(-1)).toBe(
      '`sls models rollback --model churn --stage dev` puts version 4 back.',
    );
    expect(w.notices.at(-1)?.text).toContain(
      'deploy again to go on from where the alias is, or "sls models rollback --model churn --stage dev --region us-east-1", which puts version 4 back.',
    );
  });

  it('takes the place of a person’s, whose candidate is judged no more', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    await w.command('hold');
    expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'person' } });
    move(w, '7');
    await minute(w, GOOD);
    expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'foreign' } });
    expect(w.alias()).toMatchObject({ version: '7', weights: {} });
  });

  it('tells of a candidate that the command takes it away', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    move(w, '7');
    await minute(w, GOOD);
    expect(w.notices.at(-1)?.text).toContain('which takes version 4 away: version 3 has all traffic.');
  });

  it.each([
    ['a plain rollback', {}],
    ['one that names the live version', { to: '4' }],
  ])('ends by %s where the alias is in its place again', async (_, to) => {
    const w = await held();
    move(w, '4');
    const { revision } = w.alias() ?? {};
    expect(await w.command('rollback', to)).toMatchObject({
      done: true,
      text: 'version 4 has all traffic already, and the release is no longer held',
    });
    expect(live(w)).toEqual({ phase: 'BAKING', held: undefined, version: '4', weights: {} });
    expect(w.alias()?.revision).toBe(revision);
    expect((await statusIn(w)).level).toBe('ok');
  });

  it('ends although the alias cannot be moved at once, by the same command again', async () => {
    let dies = false;
    const w = await promoted(CANARY, {
      chaos: async (point) => {
        if (dies && point === 'before update alias') throw new Error('killed');
      },
    });
    move(w, '7');
    await minutes(w, 11);
    dies = true;
    await expect(w.command('rollback')).rejects.toThrow('killed');
    dies = false;
    expect(await w.command('rollback')).toMatchObject({ done: true });
    expect(live(w)).toEqual({ phase: 'BAKING', held: undefined, version: '4', weights: {} });
    expect(w.state()?.refused).toEqual([]);
  });
});

describe('a version that was rolled back, and that somebody gave all traffic', () => {
  it('is live for the deploy that asks for it again, and refused no more', async () => {
    const w = await deployed();
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.6 });
    move(w, '4');
    await deploy(w, '4', 'b', { before: '4', again: 'now' });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    w.stack.state = 'done';
    await minutes(w, 2, GOOD);
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(w.state()).toMatchObject({ phase: 'DONE', stable: { version: '4' }, refused: [] });
  });

  it('is refused still where it has a part of it only', async () => {
    const w = await deployed();
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.6 });
    move(w, '3', { 4: 0.5 });
    await deploy(w, '4', 'b', { before: '4', again: 'now' });
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('was rolled back'),
    });
  });
});

describe('an earlier version that somebody gave all traffic, and that is deployed then', () => {
  it('is not tried beside the version before it, which somebody took the traffic from', async () => {
    const w = await promoted();
    w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
    move(w, '3');
    await deploy(w, '3', 'a', { before: '4' });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    w.stack.state = 'done';
    await minutes(w, 12, GOOD);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()).toMatchObject({ phase: 'DONE', stable: { version: '3' } });
    expect(w.state()?.watch).toBeUndefined();
  });
});
