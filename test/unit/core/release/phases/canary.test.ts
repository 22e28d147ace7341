import { describe, expect, it } from 'vitest';
import type { Release } from '../../../../../core/release/document/contract.ts';
import type { Settings } from '../../../../../core/release/document/settings-contract.ts';
import { WORKER_METRICS } from '../../../../../core/release/document/worker-contract.ts';
import { ends } from '../../../../../core/release/phases/judging.ts';
import { CANARY, SETTINGS } from '../../../../fakes/settings.ts';
import { FUNCTION, request, tick } from '../../../../fakes/world.ts';
import {
  DAY,
  deploy,
  deployed,
  live,
  MINUTE,
  minute,
  minutes,
  type Rates,
  rollBack,
  type Traffic,
  until,
  type World,
} from '../traffic.ts';

const HEALTHY = { 3: 0.02, 4: 0.02 };
const WORSE = { 3: 0.02, 4: 0.2 };
const subjects = (w: World) => w.notices.map(({ subject }) => subject);

describe('a canary', () => {
  it('goes through its steps and is promoted, then watched for its window', async () => {
    const w = await deployed();
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.gated).toEqual(['3', '4']);
    const weights: (number | undefined)[] = [];
    for (let passed = 0; passed < 45 && w.state()?.phase !== 'BAKING'; passed += 1) {
      await minute(w, HEALTHY);
      const weight = w.alias()?.weights['4'];
      if (weight !== weights.at(-1)) weights.push(weight);
    }
    expect(weights).toEqual([0.05, 0.25, 0.5, undefined]);
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(w.state()?.judgements.map(({ step, verdict }) => [step, verdict])).toEqual([
      [0, 'pass'],
      [1, 'pass'],
      [2, 'pass'],
    ]);
    expect(subjects(w)).toEqual(['churn: version 4 has all traffic']);
    expect(w.notices[0]?.text).toContain('\nDecided by: ');
    expect(await w.send(tick())).toMatchObject({ phase: 'BAKING', running: false, version: '4' });
    w.clock.now += DAY;
    await minute(w);
    expect(w.state()?.phase).toBe('DONE');
    expect(w.schedules.size).toBe(0);
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#invocation-metrics
  it('is not promoted on minutes whose long requests Lambda has not counted yet', async () => {
    const LONG = 10;
    const w = await deployed({ ...CANARY, timeout: LONG * 60, steps: [{ weight: 50, bake: 300 }] });
    await until(w, 'JUDGING');
    const began = w.clock.now;
    for (let passed = 0; passed < 40 && w.state()?.phase === 'JUDGING'; passed += 1) {
      const now = w.clock.now;
      const put = (version: string, at: number, requests: number, crashes = 0) => {
        const counted = { invocations: requests + crashes, crashes, requests, errors: 0 };
        w.metrics.add(FUNCTION, 'live', version, at, counted);
      };
      put('3', now, 500);
      put('4', now, 465);
      // Some of the candidate's requests hang until their timeout, and are counted then.
      if (now - LONG * MINUTE >= began) put('4', now - LONG * MINUTE, 0, 35);
      w.clock.now += MINUTE;
      await w.send(tick());
    }
    expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', stable: { version: '3' } });
  });

  it('tells whoever ticks where it stands', async () => {
    const w = await deployed();
    await minutes(w, 3, HEALTHY);
    expect(await w.send(tick())).toMatchObject({
      phase: 'JUDGING',
      running: true,
      version: '3',
      candidate: '4',
      weight: 5,
      step: {
        number: 1,
        of: 3,
        since: '2026-01-01T00:01:00.000Z',
        until: '2026-01-01T00:11:00.000Z',
        latest: '2026-01-01T02:11:00.000Z',
      },
      judgement: { verdict: 'nodata', step: 0 },
    });
  });

  it('that errs more often is rolled back, refused, and told', async () => {
    const w = await deployed();
    await until(w, 'ROLLED_BACK', WORSE, { most: 20 });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()).toMatchObject({
      refused: [{ fingerprint: 'b', version: '4' }],
      stable: { version: '3' },
    });
    expect(w.notices).toHaveLength(1);
    expect(w.notices[0]?.text).toMatch(/\nWhy: errors: 20 of 100 .*\n {2}errors: fail; x1 20, n1 100/);
    // The first version's own promotion, then the end of this one.
    expect(w.counted).toEqual(['ReleasePromoted', 'ReleaseFailed']);
    expect(w.schedules.size).toBe(0);
    expect(Math.max(...w.aliases.history.map(({ to }) => to.weights['4'] ?? 0))).toBe(0.05);
  });

  it('takes steps of any weight, whatever a share of it is in binary', async () => {
    const weights = [7, 12.5, 28.7, 36.900000000000006, 57];
    const w = await deployed({ ...CANARY, steps: weights.map((weight) => ({ weight, bake: 600 })) });
    await until(w, 'BAKING', HEALTHY, { most: 80 });
    expect(w.state()?.shifts.map(({ weight }) => weight)).toEqual(weights);
  });

  it('that cannot answer is rolled back at the first complete minute', async () => {
    const w = await deployed();
    await minutes(w, 3, { 4: 1 }, { crash: true });
    expect(w.state()).toMatchObject({
      phase: 'ROLLED_BACK',
      reason: expect.stringContaining('cannot answer'),
    });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('an outage that both versions share is no reason', async () => {
    const w = await deployed();
    await until(w, 'BAKING', { 3: 0.3, 4: 0.3 }, { most: 200, perMinute: 20_000 });
    expect(w.alias()?.version).toBe('4');
  });

  it('is looked at once a minute, however often somebody ticks', async () => {
    const w = await deployed();
    await minutes(w, 4, HEALTHY);
    const before = w.state();
    for (let again = 0; again < 5; again += 1) await w.send(tick());
    expect(w.state()).toEqual(before);
  });
});

describe('too few requests', () => {
  const slow = { perMinute: 20 };
  const many = { ...CANARY, minRequests: 1000 };
  const wait = 10 + 120 + 2;

  it('hold the release after the longest wait, and say what to do', async () => {
    const w = await deployed(many);
    await minutes(w, wait - 5, {}, slow);
    expect(w.state()?.phase).toBe('JUDGING');
    await until(w, 'HELD', {}, slow);
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
    expect(w.state()).toMatchObject({ held: { by: 'nodata', from: 'JUDGING' } });
    expect(w.notices.at(-1)?.text).toContain('sls models promote --model churn');
    expect(w.counted).toContain('ReleaseHeld');
    expect(await w.send(tick())).toMatchObject({ phase: 'HELD', running: false });
  });

  it.each([
    ['pass', { phase: 'JUDGING', step: 1 }],
    ['rollback', { phase: 'ROLLED_BACK' }],
  ] as const)('that cannot be read at the very last look are looked at again: %s', async (onNoData, then) => {
    let isDown = false;
    const chaos = async (point: string): Promise<void> => {
      if (isDown && point === 'before read metrics') throw new Error('Rate exceeded');
    };
    const w = await deployed({ ...many, onNoData }, { chaos });
    await minutes(w, wait - 5, {}, slow);
    const { patience } = ends(w.state() as Release);
    while (w.clock.now + MINUTE < patience) await minute(w, {}, slow);
    isDown = true;
    await minute(w, {}, slow);
    isDown = false;
    expect(w.state()).toMatchObject({ phase: 'JUDGING', step: 0, judgements: [{ verdict: 'error' }] });
    await minute(w, {}, slow);
    expect(w.state()).toMatchObject(then);
    expect(w.notices.at(-1)?.text).not.toContain('cannot be read');
  });

  it('are passed where the settings say so', async () => {
    const w = await deployed({ ...many, onNoData: 'pass' });
    await minutes(w, wait, {}, slow);
    expect(w.alias()?.weights).toEqual({ '4': 0.25 });
    expect(subjects(w)).toEqual(['churn: a step passed without data']);
  });

  it('are rolled back where the settings say so', async () => {
    const w = await deployed({ ...many, onNoData: 'rollback' });
    await minutes(w, wait, {}, slow);
    expect(w.state()?.phase).toBe('ROLLED_BACK');
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });
});

describe('metrics that cannot be read', () => {
  const unreadable = async (onNoData: 'hold' | 'pass') => {
    let down = false;
    const w = await deployed(
      { ...CANARY, onNoData },
      {
        chaos: async (point) => {
          if (down && point === 'before read metrics') throw new Error('Throttling');
        },
      },
    );
    await minutes(w, 3, HEALTHY);
    down = true;
    await minutes(w, 132, HEALTHY);
    return w;
  };

  it.each(['hold', 'pass'] as const)('hold a release, also where onNoData is %s', async (onNoData) => {
    const w = await unreadable(onNoData);
    expect(w.state()).toMatchObject({ phase: 'HELD', judgements: [{ verdict: 'error' }] });
    expect(w.alias()?.weights).toEqual({ '4': 0.05 });
  });
});

describe('a held release', () => {
  const held = async () => {
    const w = await deployed();
    await minutes(w, 4, HEALTHY);
    expect(await w.command('hold', { reason: 'lunch' })).toMatchObject({ done: true });
    return w;
  };

  it('keeps its weight past any deadline, is judged, and pages once a day', async () => {
    const w = await held();
    w.notices.length = 0;
    w.clock.now += 40 * 60 * MINUTE;
    await minutes(w, 60, HEALTHY);
    expect(w.alias()?.weights).toEqual({ '4': 0.05 });
    expect(subjects(w)).toEqual(['[page] churn: the release is held']);
    w.clock.now += DAY;
    await minute(w, HEALTHY);
    expect(subjects(w)).toHaveLength(2);
  });

  it('is rolled back when it fails', async () => {
    const w = await held();
    await until(w, 'ROLLED_BACK', WORSE);
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });
});

describe('the stack is in progress', () => {
  it('no weight rises and nothing is promoted, but judging and rolling back go on', async () => {
    const w = await deployed();
    await minutes(w, 4, HEALTHY);
    w.stack.state = 'busy';
    await minutes(w, 60, HEALTHY);
    expect(w.alias()?.weights).toEqual({ '4': 0.05 });
    expect(w.state()).toMatchObject({ phase: 'JUDGING', step: 0 });
    await until(w, 'ROLLED_BACK', WORSE);
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('for hours: the release is not dead, and goes on afterwards', async () => {
    const w = await deployed();
    await minutes(w, 4, HEALTHY);
    w.stack.state = 'busy';
    for (let hours = 0; hours < 20; hours += 1) {
      await minutes(w, 3, HEALTHY);
      w.clock.now += 57 * MINUTE;
    }
    expect(w.alias()?.weights).toEqual({ '4': 0.05 });
    w.stack.state = 'done';
    await until(w, 'BAKING', HEALTHY);
  });

  it('a weight that was to rise when the worker died waits, and the answer does not', async () => {
    let dies = false;
    const w = await deployed(CANARY, {
      chaos: async (point) => {
        if (!dies || point !== 'before update alias') return;
        dies = false;
        throw new Error('killed');
      },
    });
    await minutes(w, 4, HEALTHY);
    dies = true;
    await until(w, 'BAKING', HEALTHY).catch(() => {});
    expect(w.state()?.intent?.after.weights).toEqual({ '4': 0.25 });
    const { RequestId } = await deploy(w, '4', 'b', {
      before: '4',
      settings: { ...CANARY, minRequests: 200 },
    });
    expect(w.answers.at(-1)).toMatchObject({ RequestId, Status: 'SUCCESS' });
    expect(w.state()?.settings.minRequests).toBe(200);
    await minutes(w, 5, HEALTHY);
    expect(w.alias()?.weights).toEqual({ '4': 0.05 });
    w.stack.state = 'done';
    await minutes(w, 1, HEALTHY);
    expect(w.alias()?.weights).toEqual({ '4': 0.25 });
  });

  it('when a step has passed: it is judged on', async () => {
    const w = await deployed();
    await until(w, 'BAKING', HEALTHY, { most: 26 }).catch(() => {});
    expect(w.alias()?.weights).toEqual({ '4': 0.5 });
    w.stack.state = 'busy';
    await minutes(w, 20, HEALTHY);
    expect(w.state()).toMatchObject({ phase: 'JUDGING', step: 2 });
    await until(w, 'ROLLED_BACK', WORSE);
  });

  it.each([
    ['in a dry run', { dryRun: true }, 'churn: dry run: step 1 would not have passed yet'],
    ['with onNoData: pass', { onNoData: 'pass', maxWait: 60 } as const, 'churn: a step passed without data'],
  ])('when a step is over without data, %s: that is told once, not each minute', async (_, more, subject) => {
    const w = await deployed({ ...CANARY, ...more });
    await minutes(w, 4, HEALTHY, { perMinute: 20 });
    w.stack.state = 'busy';
    await minutes(w, 60, HEALTHY, { perMinute: 20 });
    expect(w.state()).toMatchObject({ phase: 'JUDGING', step: 0 });
    expect(subjects(w)).toEqual([subject]);
  });
});

describe('deadline of a canary', () => {
  it('is the sum of its steps and an hour; past it a dead release is rolled back', async () => {
    const w = await deployed();
    await minutes(w, 4, HEALTHY);
    expect(w.state()?.deadline).toBe('2026-01-01T07:30:00.000Z');
    w.clock.now += 8 * 60 * MINUTE;
    await minute(w);
    expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', reason: expect.stringContaining('deadline') });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it.each([
    ['settings alone', '4'],
    ['the candidate, published anew', '5'],
  ])('is later where a deploy of %s lets the step wait longer', async (_, version) => {
    const low = { ...CANARY, minRequests: 100_000 };
    const w = await deployed(low);
    await minutes(w, 30);
    const before = w.state()?.deadline ?? '';
    await deploy(w, version, 'b', { before: '4', settings: { ...low, maxWait: (2 * DAY) / 1000 } });
    w.stack.state = 'done';
    const since = Date.parse(w.state()?.shifts.at(-1)?.at ?? '');
    const step = 10 * MINUTE + 2 * DAY;
    const later = new Date(since + 3 * step + 60 * MINUTE).toISOString();
    expect(w.state()).toMatchObject({ phase: 'JUDGING', step: 0, deadline: later });
    for (const { input } of w.schedules.values())
      expect(JSON.parse(input)).toMatchObject({ tick: { deadline: later } });
    w.clock.now = Date.parse(before) + MINUTE;
    await minutes(w, 2);
    expect(w.state()).toMatchObject({ phase: 'JUDGING', refused: [] });
    w.clock.now = since + step;
    await minutes(w, 2);
    // Its own time is over, and nobody decides against it.
    expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'nodata' }, refused: [] });
  });

  it('is in the schedule, which takes the weight away where the registry cannot be read', async () => {
    let down = false;
    const w = await deployed(CANARY, {
      chaos: async (point) => {
        if (down && /get models/.test(point)) throw new Error('AccessDenied');
      },
    });
    await minutes(w, 4, HEALTHY);
    down = true;
    await minutes(w, 60, HEALTHY);
    expect(w.alias()?.weights).toEqual({ '4': 0.05 });
    expect(w.counted.filter((metric) => metric === WORKER_METRICS.unreadable)).toHaveLength(60);
    w.clock.now += 8 * 60 * MINUTE;
    await minute(w);
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });
});

describe('an alias that somebody moves in mid-release', () => {
  it.each([
    ['to another weight', { version: '3', weights: { '4': 0.5 } }],
    ['to the candidate', { version: '4', weights: {} }],
    ['to another version', { version: '6', weights: {} }],
  ])('%s: held, paged, not touched', async (_, to) => {
    const w = await deployed();
    await minutes(w, 4, HEALTHY);
    w.aliases.byHand(FUNCTION, 'live', to);
    await minutes(w, 10, WORSE);
    expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'foreign' } });
    expect(w.alias()).toMatchObject({ ...to, description: 'manually' });
    expect(subjects(w)).toEqual(['[page] churn: the release is held']);
  });

  it('deletes: made again at stable, paged, and the step begins anew', async () => {
    const w = await deployed();
    await minutes(w, 4, HEALTHY);
    w.aliases.byHand(FUNCTION, 'live', undefined);
    await w.send(tick());
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
    expect(w.notices[0]?.text).toContain('sls models status --model churn');
    await until(w, 'BAKING', HEALTHY);
  });
});

describe('a deploy over a canary', () => {
  it('supersedes it: weight 0 first, the same stable', async () => {
    const w = await deployed();
    await minutes(w, 15, HEALTHY);
    const from = w.aliases.history.length;
    await deploy(w, '5', 'c', { before: '4' });
    expect(w.aliases.history.slice(from).map(({ to }) => [to.version, to.weights])).toEqual([['3', {}]]);
    expect(w.state()).toMatchObject({
      stable: { version: '3' },
      candidate: { version: '5' },
      shifts: [],
      judgements: [],
    });
    w.stack.state = 'done';
    await until(w, 'BAKING', { 3: 0.01, 5: 0.01 });
    expect(w.target()).toEqual({ version: '5', weights: {} });
  });

  it('also where it is held', async () => {
    const w = await deployed();
    await minutes(w, 4, HEALTHY);
    await w.command('hold');
    await deploy(w, '5', 'c', { before: '4' });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()).toMatchObject({
      phase: 'SHIFTING',
      stable: { version: '3' },
      candidate: { version: '5' },
    });
  });

  it('with the candidate’s fingerprint begins no new one', async () => {
    const w = await deployed();
    await minutes(w, 4, HEALTHY);
    const before = w.state();
    await deploy(w, '5', 'b', { before: '4' });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.state()).toMatchObject({
      release: before?.release,
      phase: 'JUDGING',
      candidate: { version: '4' },
    });
    expect(w.alias()?.weights).toEqual({ '4': 0.05 });
  });

  it('whose stack rolls back after it: all traffic on stable, whatever the phase', async () => {
    const w = await deployed();
    await minutes(w, 15, HEALTHY);
    await rollBack(w, '3', 'a', '4');
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });
});

describe('the gate', () => {
  it('that fails fails the deploy; nothing was exposed, nothing is refused later', async () => {
    const w = await live();
    const failed = {
      verdict: 'fail' as const,
      done: 9,
      count: 9,
      failed: [7],
      reason: 'Case 7 of 9 failed.',
    };
    w.gates.set('4', [
      { state: failed, failures: [{ case: 7, kind: 'different', differences: [], more: 0 }] },
    ]);
    await deploy(w, '4', 'b');
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: 'the gate failed: Case 7 of 9 failed.',
    });
    expect(w.aliases.history).toHaveLength(1);
    expect(w.state()).toMatchObject({ phase: 'ABORTED', refused: [] });
    const evidence = [...w.objects.objects].find(([key]) => key.endsWith(`gate-${w.state()?.release}.json`));
    expect(JSON.parse(evidence?.[1].text ?? '')).toMatchObject({ version: '4', failures: [{ case: 7 }] });
    expect(w.schedules.size).toBe(0);
    w.gates.delete('4');
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '3', 'a', { before: '4' }));
    // The history still says why.
    expect(w.state()).toMatchObject({
      phase: 'ABORTED',
      gate: { verdict: 'fail', failed: [7] },
      reason: 'the gate failed: Case 7 of 9 failed; the stack rolled back; version 3 keeps all traffic',
    });
    await deploy(w, '5', 'b', { before: '3' });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
  });

  it('of the first deploy too', async () => {
    const w = await live();
    w.aliases.byHand(FUNCTION, 'live', undefined);
    w.objects.objects.clear();
    w.gates.set('3', [
      { state: { verdict: 'fail', done: 1, count: 1, failed: [1], reason: 'no' }, failures: [] },
    ]);
    w.stack.state = 'busy';
    await w.send(request('Create', '3', 'a'));
    expect(w.answers.at(-1)).toMatchObject({ Status: 'FAILED' });
    expect(w.alias()).toBeUndefined();
  });

  it('goes on over several ticks, and no two workers are at it at once', async () => {
    const w = await live();
    const part = (done: number) => ({ state: { done, count: 30, failed: [] }, failures: [] });
    w.gates.set('4', [
      part(10),
      part(20),
      { state: { verdict: 'pass', done: 30, count: 30, failed: [] }, failures: [] },
    ]);
    await deploy(w, '4', 'b');
    expect(w.state()).toMatchObject({ phase: 'GATING', gate: { done: 10 } });
    expect(w.answers).toHaveLength(1);
    await w.send(tick());
    expect(w.state()?.gate).toEqual({ done: 20, count: 30, failed: [] });
    await w.send(tick());
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.gated).toEqual(['3', '4', '4', '4']);
  });

  it('that a dead worker holds is taken over when its lease ends', async () => {
    let [dies, dead] = [true, false];
    const gated = (): boolean => w?.gated.includes('4') === true;
    let w: World | undefined;
    w = await live(CANARY, {
      chaos: async (point) => {
        if (point === 'after gate' && dies && gated()) [dies, dead] = [false, true];
        // The dead do nothing more, not even handle their error.
        if (dead) throw new Error('killed');
      },
    });
    await expect(deploy(w, '4', 'b')).rejects.toThrow('killed');
    dead = false;
    expect(await w.send(tick())).toMatchObject({
      phase: 'GATING',
      reason: expect.stringContaining('is at case'),
    });
    await minutes(w, 6);
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
  });

  it('that does not end is given up 120 s before CloudFormation would', async () => {
    const w = await live();
    w.gates.set('4', [
      { state: { done: 0, count: 30, failed: [], reason: 'the reference is throttled' }, failures: [] },
    ]);
    await deploy(w, '4', 'b');
    await minutes(w, 7);
    expect(w.answers).toHaveLength(1);
    await minute(w);
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: 'the gate was not done in time: case 0 of 30: the reference is throttled',
    });
  });
});

describe('auto', () => {
  const auto = { ...CANARY, strategy: 'auto' as const };
  const withTraffic = async (perMinute: number, options = {}, settings: Settings = auto) => {
    const w = await live(settings, options);
    for (let at = 0; at < 24 * 60; at += 10) {
      w.metrics.add(FUNCTION, 'live', '3', w.clock.now, {
        invocations: 10 * perMinute,
        crashes: 0,
        requests: 10 * perMinute,
        errors: 0,
      });
      w.clock.now += 10 * MINUTE;
    }
    await deploy(w, '4', 'b', { settings });
    w.stack.state = 'done';
    return w;
  };

  it('is a canary where the last day’s traffic fills its steps', async () => {
    const w = await withTraffic(600);
    expect(w.state()).toMatchObject({ phase: 'SHIFTING', steps: auto.steps });
  });

  it('is all at once where it does not, and says so aloud', async () => {
    const w = await withTraffic(1);
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'SUCCESS',
      Reason: expect.stringContaining('60 requests an hour'),
    });
    await w.send(tick());
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(subjects(w)).toEqual(['churn: released all at once']);
    expect(w.state()?.phase).toBe('BAKING');
  });

  it('is all at once where a step is over before it can be judged: no traffic would fill it', async () => {
    const steps = [{ weight: 25, bake: 60 }];
    const w = await withTraffic(600, {}, { ...auto, steps, maxWait: 120 });
    await w.send(tick());
    expect(w.state()).toMatchObject({
      phase: 'BAKING',
      reason:
        'a step’s bake and maxWait are over before it can be judged, so all traffic goes to version 4 at once',
    });
    expect(subjects(w)).toEqual(['churn: released all at once']);
    const judged = await withTraffic(6000, {}, { ...auto, steps, maxWait: 240 });
    expect(judged.state()).toMatchObject({ phase: 'SHIFTING', steps });
    await until(judged, 'BAKING', { 3: 0.001, 4: 0.001 }, { perMinute: 6000, most: 8 });
  });

  it('fails the deploy where traffic cannot be read', async () => {
    const w = await withTraffic(600, {
      chaos: async (point: string) => {
        if (point === 'before read rate') throw new Error('AccessDenied');
      },
    });
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('AccessDenied'),
    });
    expect(w.alias()?.version).toBe('3');
  });

  it('waits for traffic that cannot be read at this moment, and fails in time where that stays so', async () => {
    const left = { failures: 1 };
    const chaos = async (point: string): Promise<void> => {
      if (point !== 'before read rate' || left.failures === 0) return;
      left.failures -= 1;
      throw new Error('Rate exceeded');
    };
    const w = await withTraffic(600, { chaos });
    expect(w.state()?.phase).toBe('GATING');
    w.stack.state = 'busy';
    await minute(w);
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    w.stack.state = 'done';
    await minute(w, HEALTHY);
    expect(w.state()).toMatchObject({ phase: 'JUDGING', steps: auto.steps });
    left.failures = Number.POSITIVE_INFINITY;
    await deploy(w, '5', 'c', { before: '4', settings: auto });
    await minutes(w, 7);
    expect(w.answers).toHaveLength(2);
    await minutes(w, 1);
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason:
        'the traffic of the last 24 hours cannot be read, and strategy auto follows from it: Rate exceeded',
    });
  });

  it('needs no traffic for a first version', async () => {
    const w = await live(auto, {
      chaos: async (point: string) => {
        if (point === 'before read rate') throw new Error('AccessDenied');
      },
    });
    expect(w.alias()?.version).toBe('3');
  });
});

describe('a dry run', () => {
  it('goes on at the end of each bake, and says what it would have done', async () => {
    const w = await deployed({ ...CANARY, dryRun: true });
    await until(w, 'BAKING', WORSE, { most: 40 });
    expect(w.alias()?.version).toBe('4');
    const told = subjects(w).filter((subject) => subject.includes('dry run'));
    // Once a step, however many minutes of it fail.
    expect(told).toEqual(Array(3).fill('churn: dry run: version 4 would have been rolled back'));
    expect(w.state()?.refused).toEqual([]);
  });

  it('that a person holds says so, too, once, and is not rolled back', async () => {
    const w = await deployed({ ...CANARY, dryRun: true });
    await until(w, 'JUDGING', HEALTHY);
    expect(await w.command('hold')).toMatchObject({ done: true });
    await minutes(w, 20, WORSE);
    const would = 'churn: dry run: version 4 would have been rolled back';
    const told = () => subjects(w).filter((subject) => subject === would);
    expect(told()).toEqual([would]);
    expect(w.state()?.phase).toBe('HELD');
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
    expect(await w.command('resume')).toMatchObject({ done: true });
    await minutes(w, 5, WORSE);
    expect(told()).toEqual([would]);
  });

  it('tells at the end of each step that it would not have passed yet, and nothing where it would have', async () => {
    const told = async (traffic: Traffic) => {
      const w = await deployed({ ...CANARY, dryRun: true });
      await until(w, 'BAKING', HEALTHY, { most: 40, ...traffic });
      return subjects(w).filter((subject) => subject.includes('dry run'));
    };
    expect(await told({ perMinute: 10 })).toEqual([
      'churn: dry run: step 1 would not have passed yet',
      'churn: dry run: step 2 would not have passed yet',
      'churn: dry run: step 3 would not have passed yet',
    ]);
    expect(await told({})).toEqual([]);
  });

  /** The dry run went on to its second step by time alone, and a deploy then ends it. */
  async function ended(rates: Rates, traffic?: Traffic): Promise<World> {
    const w = await deployed({ ...CANARY, dryRun: true });
    for (let done = 0; done < 30 && w.alias()?.weights['4'] !== 0.25; done += 1)
      await minute(w, rates, traffic);
    await deploy(w, '4', 'b', { before: '4' });
    w.stack.state = 'done';
    expect(w.state()).toMatchObject({ phase: 'JUDGING', step: 1, settings: { dryRun: false } });
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.25 } });
    return w;
  }
  const shares = (w: World, from: number) => w.aliases.history.slice(from).map(({ to }) => to.weights);

  it('that a deploy ends: the alias lost, no step is taken on one that failed', async () => {
    const w = await ended(WORSE);
    expect(w.state()?.judgements[0]).toMatchObject({ step: 0, verdict: 'fail' });
    w.aliases.byHand(FUNCTION, 'live', undefined);
    const from = w.aliases.history.length;
    await until(w, 'ROLLED_BACK', WORSE);
    expect(shares(w, from)).toEqual([{}, { '4': 0.05 }, {}]);
  });

  it('that a deploy ends: the alias lost, what lacked data begins anew, with all the time of its steps', async () => {
    const w = await ended(HEALTHY, { perMinute: 10 });
    expect(w.state()?.judgements[0]).toMatchObject({ step: 0, verdict: 'nodata' });
    w.aliases.byHand(FUNCTION, 'live', undefined);
    const from = w.aliases.history.length;
    await w.send(tick());
    expect(w.state()).toMatchObject({ phase: 'JUDGING', step: 0 });
    expect(Date.parse(w.state()?.deadline ?? '') - w.clock.now).toBe(7.5 * 60 * MINUTE);
    await until(w, 'BAKING', HEALTHY);
    expect(shares(w, from)).toEqual([{}, { '4': 0.05 }, { '4': 0.25 }, { '4': 0.5 }, {}]);
  });

  it('that a deploy ends as a weight is about to rise on a step that failed: it does not', async () => {
    let happens = (_: string): void => {};
    const w = await deployed({ ...CANARY, dryRun: true }, { chaos: async (point) => happens(point) });
    happens = () => {
      const { phase, step, intent } = w.state() ?? {};
      if (phase === 'SHIFTING' && step === 1 && intent === undefined) throw new Error('killed');
    };
    await minutes(w, 30, WORSE).catch(() => {});
    expect(w.state()).toMatchObject({ phase: 'SHIFTING', step: 1 });
    // The stack is done as soon as it has its answer.
    happens = (point) => {
      if (point === 'after answer') w.stack.state = 'done';
    };
    const from = w.aliases.history.length;
    await deploy(w, '4', 'b', { before: '4' });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    await minute(w, WORSE);
    expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', reason: expect.stringContaining('errors: ') });
    expect(shares(w, from)).toEqual([{}]);
  });
});

describe('latency', () => {
  const objective = { ...CANARY, p95: 100 };

  it('is judged by the edge that the stable version exceeds in nearest a tenth', async () => {
    const w = await live(objective);
    await minutes(w, 60, {});
    w.metrics.add(FUNCTION, 'live', '3', w.clock.now - 30 * MINUTE, { slow: [9000, 6000, 100, 0] });
    await deploy(w, '4', 'b', { settings: objective });
    w.stack.state = 'done';
    await w.send(tick());
    expect(w.state()?.basis).toEqual({ slow: 2, slower: 0.1, outputs: [], rejected: true });
  });

  it('is not judged where the objective changed', async () => {
    const w = await live(CANARY);
    await deploy(w, '4', 'b', { settings: objective });
    w.stack.state = 'done';
    await w.send(tick());
    expect(w.state()?.basis).toEqual({ outputs: [], rejected: true });
  });

  it('outputs are judged where both versions publish the same', async () => {
    const w = await live({ ...CANARY, signals: ['label_f1', 'score_f1'] });
    await deploy(w, '4', 'b', { settings: { ...CANARY, signals: ['label_f1', 'score_f2'] } });
    w.stack.state = 'done';
    await w.send(tick());
    expect(w.state()?.basis).toEqual({ outputs: ['label_f1'], rejected: true });
  });
});

describe('an endpoint that takes no weights', () => {
  it('is told plainly: the release is given up at stable, paged, and what goes without is named', async () => {
    const w = await deployed();
    w.aliases.refuses.weights = true;
    await minute(w);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()).toMatchObject({
      phase: 'ABORTED',
      reason: 'weights are not supported; strategy allAtOnce needs no weights',
      refused: [],
    });
    expect(subjects(w)).toEqual(['[page] churn: the release was given up, version 3 has all traffic']);
  });

  it('of a candidate that somebody deleted is told as that: no other strategy would help', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    w.aliases.unpublish(FUNCTION, '4');
    w.stack.state = 'done';
    await minute(w);
    expect(w.state()).toMatchObject({ phase: 'ABORTED', reason: `Function not found: ${FUNCTION}:4` });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });
});

describe('all at once', () => {
  it('after its gate, when the stack is done', async () => {
    const w = await live(SETTINGS);
    await deploy(w, '4', 'b', { settings: SETTINGS });
    expect(w.alias()?.version).toBe('3');
    w.stack.state = 'done';
    expect(await w.send(tick())).toMatchObject({ phase: 'DONE', running: false, version: '4' });
  });
});
