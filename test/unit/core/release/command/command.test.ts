import { describe, expect, it } from 'vitest';
import { CANARY } from '../../../../fakes/settings.ts';
import { FUNCTION, request } from '../../../../fakes/world.ts';
import { statusIn } from '../seen.ts';
import {
  alarm,
  DAY,
  deploy,
  deployed,
  live,
  MINUTE,
  minutes,
  promoted,
  rollBack,
  until,
  type World,
} from '../traffic.ts';

const HEALTHY = { 3: 0.02, 4: 0.02 };
const running = async () => {
  const w = await deployed();
  await minutes(w, 4, HEALTHY);
  return w;
};
const done = (w: World) => {
  w.clock.now += DAY;
  return minutes(w, 1);
};

describe('a command whose write succeeded, although its answer was lost', () => {
  /** The SDK sends it again, and S3 says that the document has changed. */
  async function lost() {
    const w = await running();
    const { replace } = w.objects.port;
    let isLost = true;
    Object.assign(w.objects.port, {
      replace: async (...of: Parameters<typeof replace>) => {
        const written = await replace(...of);
        if (!isLost) return written;
        isLost = false;
        return 'changed';
      },
    });
    return w;
  }

  it('is done, and not refused for what it did itself', async () => {
    const rolledBack = await lost();
    expect(await rolledBack.command('rollback')).toMatchObject({
      done: true,
      text: 'version 4 is withdrawn, version 3 has all traffic',
      tick: { phase: 'ROLLED_BACK' },
    });
    expect(rolledBack.target()).toEqual({ version: '3', weights: {} });
    expect(await (await lost()).command('hold')).toMatchObject({ done: true, tick: { phase: 'HELD' } });
  });
});

describe('sls models promote', () => {
  it('skips what remains', async () => {
    const w = await running();
    expect(await w.command('promote')).toMatchObject({
      done: true,
      text: 'version 4 is promoted',
      tick: { phase: 'BAKING', version: '4' },
    });
    expect(w.target()).toEqual({ version: '4', weights: {} });
  });

  it('is told as what a person decided, beside what was judged last', async () => {
    const w = await running();
    await w.command('hold', { reason: 'a holiday' });
    const lastLook = () => w.state()?.judgements.at(-1)?.reason ?? '';
    const held = w.notices.at(-1)?.text ?? '';
    expect(held).toContain('\nWhy: held by arn:aws:iam::1:user/me: a holiday.\n');
    expect(held).toContain(`\nJudged last: ${lastLook()}.\n`);
    await w.command('promote', { reason: 'ann asked for it' });
    const told = w.notices.at(-1)?.text ?? '';
    expect(told).toContain(
      'version 4 has all traffic.\nWhy: promoted by arn:aws:iam::1:user/me: ann asked for it.\n',
    );
    expect(told).toContain(`\nJudged last: ${lastLook()}.\n`);
    for (const { text } of w.notices) expect(text).not.toContain('Decided by');
  });

  it('ends HELD', async () => {
    const w = await running();
    await w.command('hold');
    expect(await w.command('promote')).toMatchObject({ done: true, tick: { phase: 'BAKING', version: '4' } });
  });

  it('is refused while the stack is busy', async () => {
    const w = await running();
    w.stack.state = 'busy';
    expect(await w.command('promote')).toEqual({ done: false, refused: 'the stack is still in progress' });
    expect(w.alias()?.weights).toEqual({ '4': 0.05 });
  });

  it('is refused before the gate has passed', async () => {
    const w = await live();
    w.gates.set('4', [{ state: { done: 1, count: 9, failed: [] }, failures: [] }]);
    await deploy(w, '4', 'b');
    expect(await w.command('promote')).toMatchObject({
      done: false,
      refused: expect.stringContaining('gate'),
    });
  });

  it('is refused where there is nothing to promote', async () => {
    const w = await promoted();
    expect(await w.command('promote')).toMatchObject({
      done: false,
      refused: expect.stringContaining('version 4 is live'),
    });
  });

  it('is refused where somebody else moved the alias', async () => {
    const w = await running();
    w.aliases.byHand(FUNCTION, 'live', { version: '6', weights: {} });
    expect(await w.command('promote')).toMatchObject({ done: false });
    expect(w.alias()?.version).toBe('6');
  });
});

describe('sls models rollback', () => {
  it('takes the candidate away and refuses it', async () => {
    const w = await running();
    expect(await w.command('rollback', { reason: 'odd answers' })).toMatchObject({
      done: true,
      tick: { phase: 'ROLLED_BACK', version: '3' },
    });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()?.refused).toMatchObject([
      { version: '4', reason: 'asked for by arn:aws:iam::1:user/me: odd answers' },
    ]);
    // No word twice.
    expect(w.state()?.reason).toBe(
      'version 4 was rolled back: asked for by arn:aws:iam::1:user/me: odd answers',
    );
    await deploy(w, '5', 'b', { before: '4' });
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(/which was rolled back on \d{4}-\d\d-\d\d \d\d:\d\d UTC: asked for by/),
    });
  });

  it.each([
    ['while it is watched', async () => promoted()],
    [
      'in a reversed canary',
      async () => {
        const w = await promoted();
        await alarm(w);
        return w;
      },
    ],
    [
      'when all is done',
      async () => {
        const w = await promoted();
        await done(w);
        return w;
      },
    ],
  ])('%s: to the last good version', async (_, make) => {
    const w = await make();
    expect(await w.command('rollback')).toMatchObject({
      done: true,
      tick: { phase: 'ROLLED_BACK', version: '3' },
    });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()).toMatchObject({ stable: { version: '3' }, refused: [{ version: '4' }], rollbacks: [] });
    expect(w.schedules.size).toBe(0);
  });

  it('twice, since the first answer was lost, goes back once', async () => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    await until(w, 'JUDGING');
    await w.command('rollback');
    expect(await w.command('rollback')).toEqual({
      done: false,
      refused:
        'version 5 was rolled back already, version 4 is live: to go further back, name one with --to, as "sls models rollback --model churn --to 3 --stage dev --region us-east-1" does',
    });
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(await w.command('rollback', { to: '3' })).toMatchObject({ done: true, tick: { version: '3' } });
  });

  it('of a candidate that was given up with its weight a moment before, goes back no further', async () => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    await until(w, 'JUDGING');
    w.stack.state = 'failed';
    w.clock.now += 9 * 60 * MINUTE;
    await until(w, 'ABORTED');
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(await w.command('rollback')).toEqual({
      done: false,
      refused:
        'version 5 was given up already, version 4 is live: to go further back, name one with --to, as "sls models rollback --model churn --to 3 --stage dev --region us-east-1" does',
    });
    expect(w.target()).toEqual({ version: '4', weights: {} });
    w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
    const { todo, summary } = await statusIn(w);
    expect(todo.join()).not.toContain('rollback');
    expect(summary).toContain(`${FUNCTION}-errors is on for what came before, and goes off by itself`);
    w.clock.now += 31 * MINUTE;
    expect((await statusIn(w)).todo.join()).toContain('goes back to version 3');
    expect(await w.command('rollback')).toMatchObject({ done: true, tick: { version: '3' } });
  });

  it('of what was rolled back before a deploy that failed, goes back no further', async () => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    await until(w, 'JUDGING');
    await w.command('rollback');
    await deploy(w, '6', 'd', { before: '5' });
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '5', 'c', { before: '6' }));
    w.stack.state = 'done';
    expect(w.state()?.phase).toBe('ABORTED');
    expect(await w.command('rollback')).toMatchObject({
      done: false,
      refused: expect.stringContaining('version 5 was rolled back already, version 4 is live'),
    });
    w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
    const { todo, summary } = await statusIn(w);
    expect(todo.join()).not.toContain('rollback');
    expect(summary).toContain(`${FUNCTION}-errors is on for what came before, and goes off by itself`);
    w.clock.now += 31 * MINUTE;
    expect((await statusIn(w)).todo.join()).toContain('goes back to version 3');
    expect(await w.command('rollback')).toMatchObject({ done: true, tick: { version: '3' } });
  });

  const ROLLED_BACK = async (): Promise<World> => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    await until(w, 'BAKING', { 4: 0.02, 5: 0.02 });
    await minutes(w, 3, { 5: 0.9 });
    await alarm(w);
    await until(w, 'ROLLED_BACK', { 4: 0.02, 5: 0.9 });
    return w;
  };
  const IN_A_CANARY = async (): Promise<World> => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    await until(w, 'JUDGING');
    w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
    return w;
  };
  it.each([
    ['after a rollback, published anew', ROLLED_BACK, '6', 'version 5 was rolled back already'],
    ['after a rollback, by sls rollback -t', ROLLED_BACK, '4', 'version 5 was rolled back already'],
    ['in mid-canary', IN_A_CANARY, '6', 'version 5 was given up already'],
  ])(
    'of what was undone before what is live was deployed %s, goes back no further',
    async (_, make, version, why) => {
      const w = await make();
      await deploy(w, version, 'b', { before: '5' });
      w.stack.state = 'done';
      await minutes(w, 1);
      expect(w.target()).toEqual({ version, weights: {} });
      const { level, todo, summary } = await statusIn(w);
      // Never OK while an alarm is on.
      expect({ level, todo }).toEqual({
        level: 'look',
        todo: ['Look again in half an hour: `sls models status --model churn --stage dev`.'],
      });
      expect(summary).toContain(`${FUNCTION}-errors is on for what came before, and goes off by itself`);
      expect(await w.command('rollback')).toMatchObject({
        done: false,
        refused: expect.stringContaining(`${why}, version ${version} is live`),
      });
      w.clock.now += 31 * MINUTE;
      expect((await statusIn(w)).todo.join()).toContain('goes back to version 3');
      expect(await w.command('rollback')).toMatchObject({ done: true, tick: { version: '3' } });
    },
  );

  it('twice, while the gate is asked and after the stack rolled back for that, goes back once', async () => {
    const w = await promoted();
    w.gates.set('5', [{ state: { done: 1, count: 9, failed: [] }, failures: [] }]);
    await deploy(w, '5', 'c', { before: '4' });
    expect(w.state()?.phase).toBe('GATING');
    expect(await w.command('rollback')).toMatchObject({ done: true });
    await rollBack(w, '4', 'b', '5');
    w.stack.state = 'done';
    await minutes(w, 1);
    expect(w.state()?.phase).toBe('ABORTED');
    expect(await w.command('rollback')).toMatchObject({
      done: false,
      refused: expect.stringContaining('version 5 was rolled back already, version 4 is live'),
    });
    expect(w.target()).toEqual({ version: '4', weights: {} });
    w.clock.now += 31 * MINUTE;
    expect(await w.command('rollback')).toMatchObject({ done: true, tick: { version: '3' } });
  });

  it.each([
    ['while it is checked', false],
    ['while it has its first weight', true],
  ])('is not advised against a candidate for an alarm that was on before: %s', async (_, hasWeight) => {
    const w = await promoted();
    w.clock.now += 2 * DAY;
    await minutes(w, 2);
    w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
    await minutes(w, 2);
    if (!hasWeight) w.gates.set('5', [{ state: { done: 1, count: 9, failed: [] }, failures: [] }]);
    await deploy(w, '5', 'c', { before: '4' });
    if (hasWeight) w.stack.state = 'done';
    await minutes(w, 2);
    expect(w.state()?.phase).toBe(hasWeight ? 'JUDGING' : 'GATING');
    expect((await statusIn(w)).todo).toEqual([
      'Version 5 had no traffic when it came on: it is about version 4. `sls models rollback --model churn --stage dev --to 3` goes back to version 3, and takes version 5 away, too.',
    ]);
    // One that came on since may be about either.
    w.alarms.set(`${FUNCTION}-errors`, 'OK');
    await minutes(w, 1);
    w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
    if (hasWeight)
      expect((await statusIn(w)).todo).toEqual([
        '`sls models rollback --model churn --stage dev` takes the candidate away.',
      ]);
    expect(await w.command('rollback', { to: '3' })).toMatchObject({ done: true, tick: { version: '3' } });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()?.refused).toMatchObject([{ version: '5' }, { version: '4' }]);
  });

  it('is advised with a word more for an alarm that was on before the live version had any traffic', async () => {
    const w = await live();
    w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
    w.clock.now += MINUTE;
    await deploy(w, '4', 'b', { settings: { ...CANARY, steps: [] } });
    w.stack.state = 'done';
    await minutes(w, 2);
    const back = '`sls models rollback --model churn --stage dev` goes back to version 3.';
    expect((await statusIn(w)).todo).toEqual([
      `It was on before version 4 had any traffic: look at its inputs and what it calls first. ${back}`,
    ]);
    w.clock.now += 2 * DAY;
    w.alarms.set(`${FUNCTION}-errors`, 'OK');
    await minutes(w, 2);
    w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
    expect((await statusIn(w)).todo).toEqual([back]);
  });

  it('is not advised against what was live before, and is released again: promote is, and does it', async () => {
    const w = await promoted();
    w.clock.now += 2 * DAY;
    await minutes(w, 2);
    w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
    await minutes(w, 2);
    await deploy(w, '3', 'a', { before: '4' });
    w.stack.state = 'done';
    await minutes(w, 2);
    expect((await statusIn(w)).todo).toEqual([
      'Version 3 had no traffic when it came on: it is about version 4. `sls models promote --model churn --stage dev` gives version 3, which was live before, all traffic, once its gate has passed.',
    ]);
    expect(await w.command('rollback', { to: '3' })).toMatchObject({ done: false });
    expect(await w.command('promote')).toMatchObject({ done: true, tick: { version: '3' } });
  });

  it('is not advised for what came before, while the next version has had no traffic', async () => {
    const w = await ROLLED_BACK();
    w.gates.set('6', [{ state: { done: 1, count: 9, failed: [] }, failures: [] }]);
    await deploy(w, '6', 'd', { before: '5' });
    const { level, todo, summary } = await statusIn(w);
    expect(w.state()?.phase).toBe('GATING');
    expect(level).toBe('look');
    expect(todo.join()).not.toContain('rollback');
    expect(summary).toContain(`${FUNCTION}-errors is on for what came before`);
  });

  it('long after the judge rolled a canary back, goes back from the live version, as status advises', async () => {
    const rates = { ...HEALTHY, 5: 0.6 };
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    await until(w, 'ROLLED_BACK', rates);
    expect(await w.command('rollback')).toMatchObject({
      refused: expect.stringContaining('version 5 was rolled back already'),
    });
    w.clock.now += DAY;
    await minutes(w, 30, rates);
    w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
    expect((await statusIn(w)).todo).toEqual([
      '`sls models rollback --model churn --stage dev` goes back to version 3.',
    ]);
    expect(await w.command('rollback')).toMatchObject({ done: true, tick: { version: '3' } });
  });

  it('--to any version that is known and published, also one that was rolled back', async () => {
    const w = await promoted();
    await w.command('rollback');
    expect(await w.command('rollback', { to: '4' })).toMatchObject({ done: true, tick: { version: '4' } });
    expect(w.state()?.stable).toMatchObject({ version: '4', fingerprint: 'b' });
  });

  it('takes back an alias that somebody moved when nothing was released, and refuses nobody', async () => {
    const w = await promoted();
    w.clock.now += 2 * DAY;
    await minutes(w, 2);
    expect(w.state()?.phase).toBe('DONE');
    w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: {} });
    expect(await w.command('rollback', { to: '4' })).toMatchObject({
      done: true,
      text: 'the alias pointed to version 3; version 4 has all traffic again',
    });
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(w.state()).toMatchObject({ phase: 'DONE', stable: { version: '4' }, refused: [] });
    expect(await w.command('rollback', { to: '4' })).toMatchObject({
      done: false,
      refused: 'version 4 is live already',
    });
  });

  it('--to one that nobody knows is refused', async () => {
    const w = await promoted();
    expect(await w.command('rollback', { to: '99' })).toMatchObject({
      done: false,
      refused: expect.stringContaining('99'),
    });
    // Published, but never ours.
    expect(await w.command('rollback', { to: '7' })).toMatchObject({ done: false });
    w.aliases.unpublish(FUNCTION, '3');
    expect(await w.command('rollback', { to: '3' })).toMatchObject({ done: false });
    expect(await w.command('rollback', { to: '4' })).toMatchObject({
      done: false,
      refused: 'version 4 is live already',
    });
  });

  it('--to the candidate is refused: that would be no way back, but one around its gate and steps', async () => {
    const w = await running();
    const before = w.target();
    expect(await w.command('rollback', { to: '4' })).toMatchObject({
      done: false,
      refused: expect.stringContaining('sls models promote'),
    });
    expect(w.target()).toEqual(before);
  });

  it('to a last good version that somebody deleted is refused, and nothing is told as done', async () => {
    const w = await promoted();
    w.aliases.unpublish(FUNCTION, '3');
    expect(await w.command('rollback')).toEqual({
      done: false,
      refused:
        'version 3, the last good one, is not published any more: name another one with --to; ' +
        '"sls models history --model churn --stage dev --region us-east-1" lists them',
    });
    expect(w.state()).toMatchObject({ phase: 'BAKING', stable: { version: '4' }, refused: [] });
    expect(w.notices).toEqual([]);
  });

  it('goes back where nobody can tell which versions there are', async () => {
    const w = await promoted(CANARY, {
      chaos: async (point) => {
        if (point === 'before list versions') throw new Error('Rate exceeded');
      },
    });
    expect(await w.command('rollback')).toMatchObject({ done: true, tick: { version: '3' } });
  });

  it('without an earlier version is refused, and advised is a version that is better', async () => {
    const w = await live();
    w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
    expect((await statusIn(w)).todo).toEqual([
      'No version before it is known: fix the model and deploy it: `sls deploy --stage dev`. `sls models rollback --model churn --stage dev --to <version>` goes back to a version that is still published.',
    ]);
    expect(await w.command('rollback')).toMatchObject({
      done: false,
      refused: expect.stringContaining('--to'),
    });
  });

  it('takes the alias back from somebody else', async () => {
    const w = await running();
    w.aliases.byHand(FUNCTION, 'live', { version: '6', weights: {} });
    await minutes(w, 1, HEALTHY);
    expect(w.state()?.phase).toBe('HELD');
    expect(await w.command('rollback')).toMatchObject({ done: true, tick: { version: '3' } });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('goes on by itself where its worker dies before the move', async () => {
    let dies = false;
    const w = await promoted(CANARY, {
      chaos: async (point) => {
        if (dies && point === 'before update alias') {
          dies = false;
          throw new Error('killed');
        }
      },
    });
    await done(w);
    dies = true;
    await expect(w.command('rollback')).rejects.toThrow('killed');
    expect(w.schedules.size).toBe(1);
    await minutes(w, 1);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.schedules.size).toBe(0);
  });

  describe('a candidate that was rolled back while nobody may move the alias', () => {
    const stuck = async () => {
      let isDenied = false;
      const w = await deployed(CANARY, {
        chaos: async (point) => {
          if (isDenied && point === 'before update alias')
            throw new Error('not authorized to perform: lambda:UpdateAlias');
        },
      });
      await minutes(w, 4, HEALTHY);
      isDenied = true;
      await expect(w.command('rollback')).rejects.toThrow('UpdateAlias');
      expect(w.target()).toEqual({ version: '3', weights: { 4: 0.05 } });
      const allow = () => {
        isDenied = false;
      };
      return { w, allow };
    };

    it('whoever asks once more hears why it has its weight still, or gets the move', async () => {
      const { w, allow } = await stuck();
      await expect(w.command('rollback')).rejects.toThrow('UpdateAlias');
      allow();
      expect(await w.command('rollback')).toMatchObject({
        done: false,
        refused: expect.stringContaining('version 4 was rolled back already, version 3 is live'),
      });
      expect(w.target()).toEqual({ version: '3', weights: {} });
    });

    it('status names what helps without the worker, and that does', async () => {
      const { w, allow } = await stuck();
      w.clock.now += 8 * MINUTE;
      const { level, todo } = await statusIn(w);
      expect({ level, todo }).toMatchInlineSnapshot(`
        {
          "level": "act",
          "todo": [
            "See why: \`sls logs -f models-release --startTime 1h --stage dev\`. Tick it meanwhile: \`sls models status --model churn --stage dev --watch\`.",
            "Without the worker \`aws lambda update-alias --function-name shop-dev-churn --name live --routing-config 'AdditionalVersionWeights={}'\` gives version 3 all traffic.",
          ],
        }
      `);
      w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: {} });
      allow();
      await minutes(w, 2, HEALTHY);
      expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK' });
      expect(w.state()).not.toHaveProperty('intent');
      expect(w.target()).toEqual({ version: '3', weights: {} });
    });
  });
});

describe('sls models hold and resume', () => {
  it('the weight stands until it is resumed; then its steps go on', async () => {
    const w = await running();
    expect(await w.command('hold')).toMatchObject({ done: true, tick: { phase: 'HELD' } });
    await minutes(w, 60, HEALTHY);
    expect(w.alias()?.weights).toEqual({ '4': 0.05 });
    expect(await w.command('resume')).toMatchObject({ done: true });
    await until(w, 'BAKING', HEALTHY);
  });

  it('whoever is told that it goes on is told who resumed it, and why', async () => {
    const w = await running();
    await w.command('hold');
    await w.command('resume', { reason: 'the dashboard is fine' });
    expect(w.notices.at(-1)).toMatchObject({
      subject: 'churn: the release goes on',
      text: expect.stringMatching(
        /^It was resumed by \S+: the dashboard is fine\.\nIt was held: held by \S+\.$/m,
      ),
    });
  });

  it('a release that lacked data gets its step’s time again', async () => {
    const w = await deployed({ ...CANARY, minRequests: 1000 });
    await until(w, 'HELD', {}, { perMinute: 20, most: 140 });
    expect(await w.command('resume')).toMatchObject({ done: true });
    await minutes(w, 60, {}, { perMinute: 20 });
    expect(w.state()?.phase).toBe('JUDGING');
    await until(w, 'BAKING', {}, { perMinute: 20_000 });
  });

  it('are refused where there is nothing to hold or resume', async () => {
    const w = await promoted();
    expect(await w.command('hold')).toMatchObject({ done: false });
    expect(await w.command('resume')).toMatchObject({ done: false });
  });

  it('somebody else’s alias is not resumed, unless it is where it should be again', async () => {
    const w = await running();
    w.aliases.byHand(FUNCTION, 'live', { version: '6', weights: {} });
    await minutes(w, 1, HEALTHY);
    expect(await w.command('resume')).toMatchObject({ done: false });
    w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: { '4': 0.05 } });
    expect(await w.command('resume')).toMatchObject({ done: true });
    await until(w, 'BAKING', HEALTHY);
  });
});

describe('a command', () => {
  it('is told with its reason on one line, and with nothing that a terminal would obey', async () => {
    const w = await promoted();
    const reason = 'odd answers\r\n\r\nother: OK, nothing to do.\u001b[2K\n';
    await w.command('rollback', { reason });
    const told = 'asked for by arn:aws:iam::1:user/me: odd answers other: OK, nothing to do.\uFFFD[2K';
    expect(w.state()?.refused).toMatchObject([{ reason: told }]);
    expect(w.notices.at(-1)?.text.split('\n')).toContain(`Why: ${told}.`);
    const without = await promoted();
    await without.command('rollback', { reason: ' \n' });
    expect(without.state()?.refused).toMatchObject([{ reason: 'asked for by arn:aws:iam::1:user/me' }]);
  });

  it('for what was never released, or is another function’s, is refused', async () => {
    const w = await promoted();
    expect(await w.command('hold', { model: 'other' })).toMatchObject({ done: false });
    expect(await w.command('hold', { functionName: 'other' })).toMatchObject({ done: false });
  });

  it('that is none fails', async () => {
    const w = await promoted();
    await expect(w.send({ command: { verb: 'explode', model: 'churn' } })).rejects.toThrow('a verb of');
    await expect(w.command('rollback', { to: '$LATEST' })).rejects.toThrow('no published version');
  });
});
