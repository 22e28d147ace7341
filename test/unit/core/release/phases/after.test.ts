import { describe, expect, it } from 'vitest';
import type { GateState } from '../../../../../core/gate/contract.ts';
import { gateFaults, passed } from '../../../../../core/gate/verdict.ts';
import { ALARMS } from '../../../../../core/release/document/worker-contract.ts';
import { type Chaos, calm } from '../../../../fakes/chaos.ts';
import { CANARY } from '../../../../fakes/settings.ts';
import { FUNCTION, LIVE, request, tick } from '../../../../fakes/world.ts';
import { statusIn } from '../seen.ts';
import {
  alarm,
  DAY,
  deploy,
  due,
  live,
  MINUTE,
  minute,
  minutes,
  promoted,
  rollBack,
  until,
  type World,
} from '../traffic.ts';

/** After all that is refused here. */
const FORCED = '2026-02-01T00:00:00.000Z';

/** Version 4 went bad; version 3 did not. */
const BAD = { 3: 0.02, 4: 0.3 };
const SHARED = { 3: 0.3, 4: 0.3 };
const subjects = (w: World) => w.notices.map(({ subject }) => subject);
const moves = (w: World, from: number) =>
  w.aliases.history.slice(from).map(({ to }) => [to.version, to.weights]);

describe('an alarm after promotion', () => {
  it('gives the last good version half, its gate passed again, within the alarm’s own invocation', async () => {
    const w = await promoted();
    const gated = w.gated.length;
    await alarm(w);
    expect(w.gated.slice(gated)).toEqual(['3']);
    expect(w.state()?.phase).toBe('REVERSING');
    expect(w.target()).toEqual({ version: '4', weights: { '3': 0.5 } });
    expect(w.state()?.reason).toBe(`${FUNCTION}-errors is on: version 3 is tried beside version 4`);
    expect((await w.send(tick()))?.tried).toEqual({ version: '3', half: true });
    // No deadline either, by which a worker that can read nothing would give all of it to the suspect.
    expect([...w.schedules.values()]).toMatchObject([
      { every: 'rate(1 minute)', input: expect.not.stringContaining('deadline') },
    ]);
  });

  it('the live version is to blame: rolled back, refused, told with its numbers', async () => {
    const w = await promoted();
    const from = w.aliases.history.length;
    await alarm(w);
    await until(w, 'ROLLED_BACK', BAD, { most: 14 });
    expect(moves(w, from)).toEqual([
      ['4', { '3': 0.5 }],
      ['3', {}],
    ]);
    expect(w.state()).toMatchObject({
      stable: { version: '3' },
      refused: [{ version: '4', fingerprint: 'b' }],
    });
    expect(w.state()?.rollbacks).toHaveLength(1);
    expect(subjects(w)).toEqual(['[page] churn: version 4 was rolled back, version 3 has all traffic']);
    expect(w.notices[0]?.text).toMatch(/lnE \d/);
    expect(w.schedules.size).toBe(0);
    expect(w.counted).toContain('ReleaseFailed');
  });

  it('both are as bad: restored, paged, and quiet for an hour', async () => {
    const w = await promoted();
    const from = w.aliases.history.length;
    await alarm(w);
    await until(w, 'BAKING', SHARED, { most: 15 });
    expect(moves(w, from)).toEqual([
      ['4', { '3': 0.5 }],
      ['4', {}],
    ]);
    expect(subjects(w)).toEqual([`[page] churn: ${FUNCTION}-errors is on, and version 4 keeps all traffic`]);
    expect(w.state()?.reason).toContain('version 4 is not to blame');
    await alarm(w);
    await minutes(w, 50, SHARED);
    expect(w.state()?.phase).toBe('BAKING');
    // Still on after its quiet hour: asked again, by the tick.
    await minutes(w, 15, SHARED);
    expect(w.state()?.phase).toBe('REVERSING');
  });

  it('where nothing could be compared, the live version is not said to be without blame', async () => {
    const silent = await promoted();
    await alarm(silent);
    await minutes(silent, 14, {}, { perMinute: 0 });
    const uncounted = await promoted();
    await alarm(uncounted);
    for (let done = 0; done < 14; done += 1) {
      for (const version of ['3', '4'])
        uncounted.metrics.add(FUNCTION, 'live', version, uncounted.clock.now, {
          invocations: 500,
          crashes: 0,
        });
      uncounted.clock.now += MINUTE;
      await due(uncounted);
    }
    for (const w of [silent, uncounted]) {
      expect(w.state()?.phase).toBe('BAKING');
      expect(w.state()?.reason).toMatch(/^whether version 4 is to blame cannot be told: /);
      expect(w.notices[0]?.text).toContain('What to do: find out what its callers get');
    }
  });

  it('lasts ten minutes and what the last one’s numbers take', async () => {
    const w = await promoted();
    await alarm(w);
    await minutes(w, 11, SHARED);
    expect(w.state()?.phase).toBe('REVERSING');
    await minutes(w, 3, SHARED);
    expect(w.state()?.phase).toBe('BAKING');
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#invocation-metrics
  it.each([
    ['many', 10, 0.6],
    ['few', 15, 0.05],
  ])(
    'waits for requests that may take long: %s hang, and count once they have ended',
    async (_, long, share) => {
      const w = await promoted({ ...CANARY, timeout: long * 60 });
      await alarm(w);
      const began = w.clock.now;
      const hanging = 500 * share;
      for (let passed = 0; passed < 40 && w.state()?.phase === 'REVERSING'; passed += 1) {
        const now = w.clock.now;
        const put = (version: string, at: number, requests: number, crashes = 0) => {
          const counted = { invocations: requests + crashes, crashes, requests, errors: 0 };
          w.metrics.add(FUNCTION, 'live', version, at, counted);
        };
        put('3', now, 500);
        put('4', now, 500 - hanging);
        if (now - long * MINUTE >= began) put('4', now - long * MINUTE, 0, hanging);
        w.clock.now += MINUTE;
        await due(w);
      }
      expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', stable: { version: '3' } });
    },
  );

  it.each([
    ['a forced deploy of what is live, with half of the traffic', 4, '4', { forced: FORCED }],
    ['a forced deploy of what is live, in its gate', 0, '4', { forced: FORCED }],
    ['a new version that behaves as the live one, with half of the traffic', 4, '5', {}],
  ])('is answered by a test that goes on through %s', async (_, passed, version, more) => {
    const w = await promoted();
    if (passed === 0)
      w.gates.set('3', [{ state: { done: 0, count: 1, failed: [], reason: 'throttled' }, failures: [] }]);
    await alarm(w);
    await minutes(w, passed, { 3: 0.02, 4: 0.03 });
    const { release, reversal } = w.state() ?? {};
    expect(reversal?.half === undefined).toBe(passed === 0);
    await deploy(w, version, 'b', { before: '4', ...more });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.state()).toMatchObject({ phase: 'REVERSING', release, reversal: { at: reversal?.at } });
    expect(w.state()?.reversal?.half).toEqual(reversal?.half);
    expect(w.state()?.reason).toContain('version 3 is tried beside version 4');
    w.gates.clear();
    w.stack.state = 'done';
    await until(w, 'ROLLED_BACK', BAD, { most: 14 });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('that is lost is found by the next tick', async () => {
    const w = await promoted();
    w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
    await due(w);
    expect(w.state()?.phase).toBe('REVERSING');
  });

  it('called twice does the same once', async () => {
    const w = await promoted();
    const from = w.aliases.history.length;
    await alarm(w);
    await alarm(w);
    expect(moves(w, from)).toHaveLength(1);
  });

  it.each([
    [
      'was on before the promotion',
      async () => {
        const w = await live();
        w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
        w.clock.now += MINUTE;
        await deploy(w, '4', 'b', { settings: { ...CANARY, steps: [] } });
        w.stack.state = 'done';
        await w.send(tick());
        return w;
      },
    ],
    [
      'is off again',
      async () => {
        const w = await promoted();
        await alarm(w, ALARMS.errors, 'OK');
        return w;
      },
    ],
    [
      'is one that may not roll back',
      async () => {
        const w = await promoted();
        await alarm(w, ALARMS.throttles);
        return w;
      },
    ],
    [
      'is somebody’s message to the topic',
      async () => {
        const w = await promoted();
        await w.send({ Records: [{ Sns: { Message: 'hello' } }, {}] });
        return w;
      },
    ],
  ])('that %s does nothing', async (_, make) => {
    const w = await make();
    await due(w);
    expect(w.state()?.phase).toBe('BAKING');
    expect(w.target()).toEqual({ version: '4', weights: {} });
  });

  it('beyond the rollback window does nothing', async () => {
    const w = await promoted();
    w.clock.now += DAY;
    await alarm(w);
    expect(w.state()?.phase).toBe('DONE');
    expect(w.alias()?.version).toBe('4');
  });

  it('of a function that we do not know does nothing', async () => {
    const w = await promoted();
    const Message = JSON.stringify({ AlarmName: 'other-errors', NewStateValue: 'ALARM' });
    await w.send({ Records: [{ Sns: { Message } }] });
    expect(w.state()?.phase).toBe('BAKING');
  });

  it.each([
    ['of latency, where the last good version is faster', 100, ALARMS.latency, 'ROLLED_BACK', '3'],
    ['of latency, where the two count by different objectives', 200, ALARMS.latency, 'BAKING', '4'],
    ['of errors, which latency does not answer', 100, ALARMS.errors, 'BAKING', '4'],
  ] as const)('%s', async (_, p95, suffix, phase, version) => {
    const w = await live({ ...CANARY, p95 });
    await deploy(w, '4', 'b', { settings: { ...CANARY, p95: 100 } });
    w.stack.state = 'done';
    await until(w, 'BAKING', { 3: 0.02, 4: 0.02 });
    await minute(w);
    await alarm(w, suffix);
    await until(w, 'REVERSING');
    for (let done = 0; done < 14 && w.state()?.phase === 'REVERSING'; done += 1) {
      w.metrics.add(FUNCTION, 'live', '4', w.clock.now, { slow: [400, 300, 200, 100] });
      w.metrics.add(FUNCTION, 'live', '3', w.clock.now, { slow: [20, 10, 5, 0] });
      await minute(w);
    }
    expect(w.state()?.phase).toBe(phase);
    expect(w.target()).toEqual({ version, weights: {} });
  });

  it('in a dry run is told, and nothing else', async () => {
    const w = await promoted({ ...CANARY, dryRun: true });
    await alarm(w);
    await minutes(w, 30, BAD);
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(subjects(w)).toEqual([`[page] churn: ${FUNCTION}-errors is on, and nothing was rolled back`]);
  });

  it('where no earlier version is known: paged, nothing moved, left alone for an hour', async () => {
    const w = await promoted();
    const { text = '' } = w.objects.objects.get(LIVE) ?? {};
    const document = JSON.parse(text) as { readonly stable: object };
    w.objects.set(LIVE, JSON.stringify({ ...document, lives: [document.stable] }));
    await alarm(w);
    await minutes(w, 30, BAD);
    expect(w.state()?.phase).toBe('BAKING');
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(subjects(w)).toEqual([`[page] churn: ${FUNCTION}-errors is on, and nothing was rolled back`]);
    expect(w.notices[0]?.text).toContain('there is no earlier version that behaves otherwise');
  });

  it('where the last good version fails its gate: paged, nothing moved', async () => {
    const w = await promoted();
    w.gates.set('3', [
      {
        state: { verdict: 'fail', done: 1, count: 1, failed: [1], reason: 'Case 1 of 1 failed.' },
        failures: [],
      },
    ]);
    const from = w.aliases.history.length;
    await alarm(w);
    expect(w.state()?.phase).toBe('BAKING');
    expect(
      moves(w, from).every(
        ([version, weights]) => version === '4' && Object.keys(weights as object).length === 0,
      ),
    ).toBe(true);
    expect(w.notices[0]?.text).toContain('cannot take over: its gate failed: Case 1 of 1 failed.\n');
  });

  it('of a version that cannot answer at all rolls back without a test', async () => {
    const w = await promoted();
    await minutes(w, 3, { 4: 0.9 }, { crash: true });
    const from = w.aliases.history.length;
    await alarm(w, ALARMS.crashes);
    expect(moves(w, from)).toEqual([['3', {}]]);
    expect(w.state()).toMatchObject({
      phase: 'ROLLED_BACK',
      reason: expect.stringContaining('cannot answer'),
      // One of the two that may come in a day.
      rollbacks: [expect.any(String)],
    });
  });

  it('of a version that cannot answer from its first minute on needs none, either', async () => {
    const w = await live(CANARY);
    await deploy(w, '4', 'b');
    w.stack.state = 'done';
    await until(w, 'BAKING', { 3: 0.02, 4: 0.02 });
    const from = w.aliases.history.length;
    await minute(w, { 4: 0.9 }, { crash: true });
    await alarm(w, ALARMS.crashes);
    expect(moves(w, from)).toEqual([['3', {}]]);
  });

  it('of crashes that the metrics do not confirm asks the reversed canary', async () => {
    const w = await promoted();
    await minutes(w, 3, { 4: 0.02 });
    await alarm(w, ALARMS.crashes);
    expect(w.state()?.phase).toBe('REVERSING');
    expect(w.alias()?.weights).toEqual({ '3': 0.5 });
  });

  it('asks the third time in a day: held, paged', async () => {
    const w = await promoted();
    const state = w.state();
    const at = new Date(w.clock.now).toISOString();
    w.objects.set(
      'models/1/us-east-1/shop/dev/releases/churn/live.json',
      JSON.stringify({ ...state, rollbacks: [at, at] }),
    );
    await alarm(w);
    expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'limit', from: 'BAKING' } });
    expect(w.target()).toEqual({ version: '4', weights: {} });
    w.alarms.set(`${FUNCTION}-errors`, 'OK');
    // By the time that somebody looks, it may be off.
    expect((await statusIn(w)).summary).toBe(
      'The release is held; version 4 is live. The alarm shop-dev-churn-errors came on, and there were 2 automatic rollbacks in 24 hours already.',
    );
    expect(await w.command('resume')).toMatchObject({ done: true, tick: { phase: 'BAKING' } });
  });

  it('asks the third time in a day: a person who resumes is not asked again by the same alarm at once', async () => {
    const w = await promoted();
    const state = w.state();
    const times = [12, 6].map((hours) => new Date(w.clock.now - hours * 60 * MINUTE).toISOString());
    w.objects.set(LIVE, JSON.stringify({ ...state, rollbacks: times }));
    await alarm(w);
    expect(await w.command('resume')).toMatchObject({ done: true, tick: { phase: 'BAKING' } });
    await minutes(w, 50, BAD);
    expect(w.state()?.phase).toBe('BAKING');
    expect(subjects(w).filter((subject) => subject.startsWith('[page]'))).toHaveLength(1);
    await minutes(w, 20, BAD);
    expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'limit' } });
  });

  it('whose metrics cannot be read: restored and paged in the end', async () => {
    let down = false;
    const w = await promoted(CANARY, {
      chaos: async (point) => {
        if (down && point === 'before read metrics') throw new Error('Throttling');
      },
    });
    await alarm(w);
    down = true;
    await minutes(w, 14, BAD);
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(w.notices[0]?.text).toContain('metrics cannot be read');
  });

  it('whose metrics cannot be read at its last look alone: that look is taken again', async () => {
    let down = false;
    const w = await promoted(CANARY, {
      chaos: async (point) => {
        if (down && point === 'before read metrics') throw new Error('Rate exceeded');
      },
    });
    await alarm(w);
    await minutes(w, 12, SHARED);
    expect(w.state()).toMatchObject({ phase: 'REVERSING', reversal: { judgement: { verdict: 'nodata' } } });
    down = true;
    await minute(w, SHARED);
    down = false;
    expect(w.state()).toMatchObject({ phase: 'REVERSING', reversal: { judgement: { verdict: 'error' } } });
    await minutes(w, 1, SHARED);
    expect(w.state()?.phase).not.toBe('REVERSING');
    expect(w.notices[0]?.text).not.toContain('cannot be read');
  });

  it('that cannot be read for a while: somebody is told, once', async () => {
    let down = true;
    const w = await promoted(CANARY, {
      chaos: async (point) => {
        if (down && point === 'before describe alarms') throw new Error('AccessDenied');
      },
    });
    await minutes(w, 10);
    expect(w.notices).toEqual([]);
    expect(await w.send(tick())).toMatchObject({ reason: expect.stringContaining('is not watched') });
    await minutes(w, 60);
    expect(subjects(w)).toEqual(['[page] churn: alarms cannot be read, so nothing would be rolled back']);
    down = false;
    await minute(w);
    expect(w.state()?.blind).toBeUndefined();
  });

  it('where AWS gives the last good version no half: told, left alone for an hour', async () => {
    const w = await promoted();
    w.aliases.refuses.weights = true;
    await alarm(w);
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(w.state()?.phase).toBe('BAKING');
    expect(subjects(w)).toEqual([`[page] churn: ${FUNCTION}-errors is on, and nothing was rolled back`]);
  });

  it('while another stack operation runs: rolls back all the same', async () => {
    const w = await promoted();
    w.stack.state = 'busy';
    await alarm(w);
    await until(w, 'ROLLED_BACK', BAD, { most: 14 });
    expect(w.alias()?.version).toBe('3');
  });
});

describe('a deploy after promotion', () => {
  it('the live version becomes stable and keeps its traffic; the one before it remains last good', async () => {
    const w = await promoted();
    const from = w.aliases.history.length;
    await deploy(w, '5', 'c', { before: '4' });
    expect(moves(w, from)).toEqual([]);
    expect(w.state()).toMatchObject({
      stable: { version: '4' },
      candidate: { version: '5' },
      lives: [{ version: '4' }, { version: '3' }],
    });
    w.stack.state = 'done';
    await until(w, 'BAKING', { 4: 0.02, 5: 0.02 });
    expect(w.state()?.lives.map(({ version }) => version)).toEqual(['5', '4', '3']);
  });

  it('while a reversed canary runs: all traffic on the live version first', async () => {
    const w = await promoted();
    await alarm(w);
    const from = w.aliases.history.length;
    await deploy(w, '5', 'c', { before: '4' });
    expect(moves(w, from)).toEqual([['4', {}]]);
    expect(w.state()).toMatchObject({ stable: { version: '4' }, candidate: { version: '5' } });
  });

  it('of what behaves alike is promoted at once, and watched no longer', async () => {
    const w = await promoted();
    const watched = w.state()?.watch;
    await deploy(w, '5', 'b', { before: '4' });
    expect(w.target()).toEqual({ version: '5', weights: {} });
    expect(w.state()).toMatchObject({ phase: 'BAKING', watch: watched });
    w.stack.state = 'done';
    await alarm(w);
    expect(w.target()).toEqual({ version: '5', weights: { '3': 0.5 } });
  });

  it('whose stack rolls back to the version that is watched', async () => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4' });
    await rollBack(w, '4', 'b', '5');
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
  });

  it('that fails does not end the watch of the version that stays live', async () => {
    const w = await promoted();
    const { watch } = w.state() ?? {};
    await deploy(w, '5', 'c', { before: '4' });
    await rollBack(w, '4', 'b', '5');
    w.stack.state = 'done';
    await minutes(w, 2);
    expect(w.state()).toMatchObject({ phase: 'ABORTED', watch });
    await alarm(w);
    expect(w.target()).toEqual({ version: '4', weights: { '3': 0.5 } });
    expect(w.state()?.reason).toBe('the stack rolled back; version 4 keeps all traffic');
    // Neither is to blame: back to where it was, and the release that failed is no success now.
    await until(w, 'ABORTED', { 3: 0.02, 4: 0.02 });
    expect(w.state()?.reason).toBe('the stack rolled back; version 4 keeps all traffic');
    expect(w.target()).toEqual({ version: '4', weights: {} });
    w.clock.now = Date.parse(watch?.until ?? '');
    await minutes(w, 2);
    expect([w.state()?.phase, w.schedules.size]).toEqual(['ABORTED', 0]);
  });

  it('that the judge rolls back does not end it, either', async () => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    await until(w, 'ROLLED_BACK', { 4: 0.02, 5: 0.5 });
    // What alarms look back on is what the candidate did.
    await minute(w);
    await alarm(w);
    await minutes(w, 15);
    expect([w.state()?.phase, w.target()]).toEqual(['ROLLED_BACK', { version: '4', weights: {} }]);
    // Still on when that is out of their sight: it is the live version.
    await minutes(w, 5);
    expect(w.state()?.phase).toBe('REVERSING');
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.3 });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()?.refused.map(({ version }) => version)).toEqual(['5', '4']);
    expect(w.state()?.watch).toBeUndefined();
  });

  it('a stack that rolls back after it promoted: stable has all traffic before the answer', async () => {
    const w = await promoted();
    await rollBack(w, '3', 'a', '4');
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });
});

describe('what was rolled back', () => {
  const rolledBack = async (chaos: Chaos = calm) => {
    const w = await promoted(CANARY, { chaos });
    await alarm(w);
    await until(w, 'ROLLED_BACK', BAD, { most: 14 });
    return w;
  };

  it('is refused, with the remedy, and the stack’s rollback changes nothing', async () => {
    const w = await rolledBack();
    await deploy(w, '5', 'b', { before: '4' });
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('sls deploy --force'),
    });
    await rollBack(w, '4', 'b', '5');
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', stable: { version: '3' } });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('is refused, too, where the worker died before it took the traffic away', async () => {
    let armed = false;
    const w = await promoted(CANARY, {
      chaos: async (point) => {
        if (armed && point === 'before update alias') throw new Error('dies');
      },
    });
    armed = true;
    await w.command('rollback').catch(() => undefined);
    expect([w.state()?.phase, w.target()]).toEqual(['ROLLED_BACK', { version: '4', weights: {} }]);
    armed = false;
    w.aliases.publish(FUNCTION, '5');
    await deploy(w, '5', 'b', { before: '4' });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'FAILED' });
    w.stack.state = 'done';
    await minutes(w, 3);
    expect([w.state()?.phase, w.target()]).toEqual(['ROLLED_BACK', { version: '3', weights: {} }]);
  });

  it('is refused by the next try, too, where the worker dies before it can say so', async () => {
    let dies = false;
    const w = await rolledBack(async (point) => {
      if (!dies || point !== 'before answer') return;
      dies = false;
      throw new Error('killed');
    });
    dies = true;
    const event = request('Update', '5', 'b', { before: '4', settings: CANARY });
    w.stack.state = 'busy';
    await expect(w.send(event)).rejects.toThrow('killed');
    expect(w.answers.some(({ RequestId }) => RequestId === event.RequestId)).toBe(false);
    await w.send(event);
    expect(w.answers.at(-1)).toMatchObject({ RequestId: event.RequestId, Status: 'FAILED' });
    expect(JSON.stringify(w.state())).not.toContain('signature');
  });

  it('goes again by force', async () => {
    const w = await rolledBack();
    await deploy(w, '4', 'b', { before: '4', forced: FORCED });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.state()).toMatchObject({
      phase: 'SHIFTING',
      stable: { version: '3' },
      candidate: { version: '4' },
      refused: [{ version: '4', restored: 'a' }],
    });
    w.stack.state = 'done';
    await until(w, 'BAKING', { 3: 0.02, 4: 0.02 });
    expect(w.state()?.refused, 'it is live again').toEqual([]);
  });

  it('by force, in a stack that then rolls back: stable again', async () => {
    const w = await rolledBack();
    await deploy(w, '4', 'b', { before: '4', forced: FORCED });
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '4', 'b', { before: '4', forcedBefore: FORCED }));
    expect(w.state()).toMatchObject({
      phase: 'ABORTED',
      stable: { version: '3' },
      refused: [{ version: '4' }],
    });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('by force, before a stack that rolls back from something else: that is no withdrawal', async () => {
    const w = await rolledBack();
    await deploy(w, '4', 'b', { before: '4', forced: FORCED });
    w.stack.state = 'done';
    await until(w, 'JUDGING', { 3: 0.02, 4: 0.02 });
    await deploy(w, '4', 'b', { before: '4', settings: { ...CANARY, maxWait: 60 } });
    w.stack.state = 'rollingBack';
    // As it was: with the mark of the force.
    await w.send(request('Update', '4', 'b', { before: '4', settings: CANARY, forced: FORCED }));
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.state()).toMatchObject({ phase: 'JUDGING', settings: { maxWait: CANARY.maxWait } });
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
  });

  it('stays away where only settings change, and the answer says why', async () => {
    const w = await rolledBack();
    await deploy(w, '4', 'b', { before: '4', settings: { ...CANARY, minRequests: 50 } });
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'SUCCESS',
      Reason: expect.stringContaining('was rolled back'),
    });
    expect(w.alias()?.version).toBe('3');
    expect(w.state()?.settings.minRequests).toBe(50);
  });
});

describe('the last good version', () => {
  it('is asked by its own cases, not by those of the one that followed', async () => {
    const gate = (sha256: string) => ({ cases: { sha256, bytes: 1, count: 1 }, tolerance: 0 });
    const w = await live({ ...CANARY, gate: gate('old') });
    const asked: unknown[] = [];
    const port = w.world.gate;
    Object.assign(w.world, {
      gate: (ask: Parameters<typeof port>[0]) => {
        asked.push([ask.version, ask.settings.gate?.cases?.sha256]);
        return port(ask);
      },
    });
    await deploy(w, '4', 'b', { settings: { ...CANARY, steps: [], gate: gate('new') } });
    w.stack.state = 'done';
    await minute(w);
    w.clock.now += MINUTE;
    await alarm(w);
    expect(asked).toEqual([
      ['4', 'new'],
      ['3', 'old'],
    ]);
  });

  it('is not compared with a reference again, which may be gone', async () => {
    const cases = { sha256: 'inputs', bytes: 1, count: 1 };
    const w = await live({ ...CANARY, gate: { cases, reference: 'shop-dev-old', tolerance: 0 } });
    const asked: unknown[] = [];
    const port = w.world.gate;
    Object.assign(w.world, {
      gate: (ask: Parameters<typeof port>[0]) => {
        asked.push([ask.version, ask.settings.gate]);
        return port(ask);
      },
    });
    await deploy(w, '4', 'b', { settings: { ...CANARY, steps: [] } });
    w.stack.state = 'done';
    await minute(w);
    w.clock.now += MINUTE;
    await alarm(w);
    expect(asked).toEqual([
      ['4', undefined],
      ['3', undefined],
    ]);
  });

  it('is not measured by the memory of the one that followed, which may have too little', async () => {
    const w = await live({ ...CANARY, memory: 3008 });
    Object.assign(w.world, {
      gate: async ({ version, settings }: Parameters<typeof w.world.gate>[0]) => {
        const found = { done: 1, count: 1, failed: [], memory: version === '3' ? 1500 : 900 };
        const [fault] = gateFaults(found, settings);
        const reason = fault ?? passed(found, settings);
        return { state: { ...found, verdict: fault ? 'fail' : 'pass', reason }, failures: [] };
      },
    });
    await deploy(w, '4', 'b', { settings: { ...CANARY, steps: [], memory: 1024 } });
    w.stack.state = 'done';
    await minutes(w, 3, { 4: 0.9 }, { crash: true });
    await alarm(w, ALARMS.crashes);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()).toMatchObject({
      phase: 'ROLLED_BACK',
      reversal: { gate: { reason: '1 case; 1500 MB.' } },
    });
  });

  it('is not measured again on its labelled rows: clients wait', async () => {
    const metric = {
      cases: { sha256: 'rows', bytes: 1, rows: 1, requests: 1 },
      name: 'auc',
      output: 'p',
    } as const;
    const gate = { tolerance: 0, metric: { ...metric, min: 0.5 } };
    const w = await live({ ...CANARY, gate });
    const asked: unknown[] = [];
    const port = w.world.gate;
    Object.assign(w.world, {
      gate: (ask: Parameters<typeof port>[0]) => {
        asked.push([ask.version, ask.settings.gate?.metric?.name, ask.live]);
        return port(ask);
      },
    });
    await deploy(w, '4', 'b', { settings: { ...CANARY, steps: [], gate } });
    w.stack.state = 'done';
    await minute(w);
    w.clock.now += MINUTE;
    await alarm(w);
    expect(asked).toEqual([
      // The fake's versions are of one artifact.
      ['4', 'auc', { version: '3', same: true }],
      ['3', undefined, undefined],
    ]);
  });
});

describe('labelled rows', () => {
  const metric = {
    cases: { sha256: 'rows', bytes: 1, rows: 4, requests: 2 },
    name: 'accuracy',
    output: 'y',
  } as const;
  const settings = {
    ...CANARY,
    steps: [],
    gate: { tolerance: 0, metric: { ...metric, worseThanLive: 0.01 } },
  };
  const measuring = (done: number): GateState => ({
    done: 0,
    count: 0,
    failed: [],
    metric: { name: 'accuracy', rows: 4, done, refused: [] },
  });

  it('are scored from slice to slice: what the one before found is given to the next', async () => {
    const w = await live({ ...CANARY, steps: [] });
    const scores = { own: [1, 0], live: { version: '3', scores: [1, 1] } };
    w.gates.set('4', [
      { state: measuring(2), failures: [], scores },
      { state: { ...measuring(4), verdict: 'pass', reason: 'fine' }, failures: [], scores },
    ]);
    const asked: unknown[] = [];
    const port = w.world.gate;
    Object.assign(w.world, {
      gate: (ask: Parameters<typeof port>[0]) => {
        asked.push({ live: ask.live, scores: ask.scores, done: ask.state?.metric?.done });
        return port(ask);
      },
    });
    await deploy(w, '4', 'b', { settings });
    for (let i = 0; i < 6 && asked.length < 2; i++) await minute(w);
    const live3 = { version: '3', same: true };
    expect(asked).toEqual([
      { live: live3, scores: undefined, done: undefined },
      { live: live3, scores, done: 2 },
    ]);
    const found = await w.world.registry.found('churn', w.state()?.release ?? '');
    expect(found).toMatchObject({ version: '4', scores, gate: { verdict: 'pass' } });
    expect(subjects(w).join()).not.toContain('without a verdict');
    // They are evidence, and no part of the document that each tick reads.
    expect(JSON.stringify(w.state())).not.toContain('scores');
  });

  it('are evidence still after an alarm, whose gate of the last good version has a file of its own', async () => {
    const w = await live({ ...CANARY, steps: [] });
    const scores = { own: [1, 0, 1, 1], live: { version: '3', scores: [1, 1, 1, 1] } };
    const state: GateState = { ...measuring(4), verdict: 'pass', reason: 'fine' };
    w.gates.set('4', [{ state, failures: [], scores }]);
    const failed: GateState = {
      verdict: 'fail',
      done: 1,
      count: 1,
      failed: [1],
      reason: 'Case 1 of 1 failed.',
    };
    const failure = { case: 1, kind: 'different', differences: [], more: 0 } as const;
    w.gates.set('3', [{ state: failed, failures: [failure] }]);
    await deploy(w, '4', 'b', { settings });
    w.stack.state = 'done';
    await until(w, 'BAKING');
    const { release = '' } = w.state() ?? {};
    await minute(w);
    await alarm(w);
    expect(w.gated.slice(-2)).toEqual(['4', '3']);
    expect(await w.world.registry.found('churn', release)).toMatchObject({ version: '4', scores });
    const beside = [...w.objects.objects].filter(([key]) => key.includes(`/gate-${release}-2026`));
    expect(beside.map(([, { text }]) => JSON.parse(text))).toMatchObject([
      { release, version: '3', gate: { verdict: 'fail' }, failures: [failure] },
    ]);
  });

  it('that may leave it undecided do not do so without a word', async () => {
    const w = await live({ ...CANARY, steps: [] });
    const result = { verdict: 'nodata', reason: 'accuracy 0.8, and these rows cannot decide.' } as const;
    const { metric: measured, ...rest } = measuring(4);
    const state: GateState = {
      ...rest,
      verdict: 'pass',
      reason: 'fine',
      metric: { name: 'accuracy', rows: 4, done: 4, refused: [], ...measured, result },
    };
    w.gates.set('4', [{ state, failures: [] }]);
    await deploy(w, '4', 'b', { settings });
    w.stack.state = 'done';
    await minute(w);
    const [told] = w.notices.filter(({ subject }) => subject.includes('without a verdict'));
    expect(told?.subject).toBe('churn: version 4 passed its gate without a verdict of its labelled rows');
    expect(told?.text).toContain('Why: accuracy 0.8, and these rows cannot decide.');
    expect(w.alias()?.version).toBe('4');
  });
});

describe('versions', () => {
  it('the five newest are kept, and those that alias, template and rollback need', async () => {
    const w = await live({ ...CANARY, steps: [], rollbackWindow: 0 });
    const settings = { ...CANARY, steps: [], rollbackWindow: 0 };
    for (let version = 4; version <= 12; version += 1) {
      w.aliases.publish(FUNCTION, String(version));
      await deploy(w, String(version), `f${version}`, { before: String(version - 1), settings });
      w.stack.state = 'done';
      await minute(w);
    }
    expect([...w.aliases.published(FUNCTION)].map(Number).sort((a, b) => a - b)).toEqual([8, 9, 10, 11, 12]);
    expect(w.alias()?.version).toBe('12');
  });
});
