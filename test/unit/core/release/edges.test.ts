import { describe, expect, it } from 'vitest';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION, fakeWorld, LIVE, request, SCOPE, STACK, tick } from '../../../fakes/world.ts';

const MINUTE = 60_000;

/** A service whose first version, 3, is live. */
async function live(options: Parameters<typeof fakeWorld>[0] = {}) {
  const w = fakeWorld(options);
  for (const version of ['3', '4', '5', '6']) w.aliases.publish(FUNCTION, version);
  await w.send(request('Create', '3', 'a'));
  w.stack.state = 'done';
  return w;
}
/** A deploy of `version`, up to the worker's answer: the stack is still busy. */
async function deploy(w: ReturnType<typeof fakeWorld>, version: string, fingerprint: string, before = '3') {
  w.stack.state = 'busy';
  const event = request('Update', version, fingerprint, { before });
  await w.send(event);
  return event;
}

describe('the first version', () => {
  it('is promoted inside the resource, and nothing is left running', async () => {
    const w = await live();
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.answers).toMatchObject([
      {
        Status: 'SUCCESS',
        PhysicalResourceId: `${FUNCTION}:live`,
        LogicalResourceId: 'ChurnLiveAlias',
        StackId: STACK,
      },
    ]);
    expect(w.state()).toMatchObject({
      phase: 'DONE',
      stable: { version: '3', fingerprint: 'a' },
      highest: 3,
    });
    expect(w.schedules.size).toBe(0);
  });

  it('is recorded with what it is', async () => {
    const w = await live();
    const record = JSON.parse(w.objects.objects.get(`${SCOPE}versions/churn/3.json`)?.text ?? '');
    expect(record).toEqual({
      schema: 1,
      model: 'churn',
      functionName: FUNCTION,
      version: '3',
      identity: 'identity of a',
      fingerprint: 'a',
      layer: 'layer',
      source: 'source',
      at: '2026-01-01T00:00:00.000Z',
    });
  });

  it('replaces an alias that a half-made deploy left', async () => {
    const w = fakeWorld();
    w.aliases.publish(FUNCTION, '2');
    w.aliases.publish(FUNCTION, '3');
    w.aliases.byHand(FUNCTION, 'live', { version: '2', weights: { '3': 0.5 } });
    await w.send(request('Create', '3', 'a'));
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('that cannot be had fails the resource, with the reason', async () => {
    const w = fakeWorld();
    w.aliases.publish(FUNCTION, '2');
    await w.send(request('Create', '3', 'a'));
    expect(w.answers).toMatchObject([{ Status: 'FAILED', Reason: expect.stringContaining('not found') }]);
    expect(w.schedules.size).toBe(0);
  });

  it('archives a live.json that it finds', async () => {
    const w = await live();
    w.aliases.byHand(FUNCTION, 'live', undefined);
    w.stack.state = 'busy';
    await w.send(request('Create', '4', 'b'));
    expect(w.state()).toMatchObject({ phase: 'DONE', stable: { version: '4' }, lives: [{ version: '4' }] });
    const kept = [...w.objects.objects].filter(([key]) => key.startsWith(`${SCOPE}releases/churn/2026`));
    expect(kept.map(([, { text }]) => JSON.parse(text).stable.version)).toEqual(['3']);
  });
});

describe('stack in progress', () => {
  it('answers at once, and promotes when it is done, on anyone’s tick', async () => {
    const w = await live();
    const { RequestId } = await deploy(w, '4', 'b');
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(await w.send(tick())).toEqual({
      model: 'churn',
      release: RequestId,
      phase: 'PROMOTING',
      running: true,
      version: '3',
      candidate: '4',
      reason: 'the stack is still in progress',
    });
    w.stack.state = 'done';
    expect(await w.send(tick())).toMatchObject({ phase: 'DONE', running: false, version: '4' });
    expect(w.state()?.lives).toMatchObject([{ version: '4' }, { version: '3' }]);
    expect(w.schedules.size).toBe(0);
  });

  it.each(['unknown', 'rollingBack'] as const)('does not promote while the stack is %s', async (state) => {
    const w = await live();
    await deploy(w, '4', 'b');
    w.stack.state = state;
    await w.send(tick());
    expect(w.alias()?.version).toBe('3');
  });

  it('ticks by a schedule whose input tells alias, stable and deadline', async () => {
    const w = await live();
    const { RequestId } = await deploy(w, '4', 'b');
    const [schedule] = [...w.schedules.values()];
    expect(schedule).toMatchObject({
      group: 'group',
      every: 'rate(1 minute)',
      target: 'arn:aws:lambda:us-east-1:1:function:shop-dev-models-release',
    });
    expect(JSON.parse(schedule?.input ?? '')).toEqual({
      tick: {
        model: 'churn',
        functionName: FUNCTION,
        alias: 'live',
        release: RequestId,
        stable: '3',
        deadline: '2026-01-01T01:00:00.000Z',
        stack: STACK,
        schedule: { group: 'group', name: schedule?.name },
      },
    });
    expect(schedule?.name.length).toBeLessThanOrEqual(64);
  });

  it('waits as long as the stack takes, and puts the deadline off', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    for (let minutes = 0; minutes < 300; minutes += 10) {
      w.clock.now += 10 * MINUTE;
      await w.send(tick());
    }
    const [schedule] = [...w.schedules.values()];
    expect(Date.parse(JSON.parse(schedule?.input ?? '').tick.deadline)).toBeGreaterThan(w.clock.now);
    w.stack.state = 'done';
    expect(await w.send(tick())).toMatchObject({ phase: 'DONE', version: '4' });
  });

  it('promotes at once what behaves as the stable version does', async () => {
    const w = await live();
    await deploy(w, '4', 'a');
    expect(w.alias()?.version).toBe('4');
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.state()).toMatchObject({ phase: 'DONE', stable: { version: '4' } });
  });

  it('a change of something else leaves the alias as it is', async () => {
    const w = await live();
    const before = w.alias();
    await deploy(w, '3', 'a');
    expect(w.alias()).toEqual(before);
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.schedules.size).toBe(0);
  });
});

describe('stack rolls back', () => {
  it.each([
    ['before the candidate had traffic', 'b'],
    ['after it was promoted inside the resource', 'a'],
  ])('%s: all traffic on stable before the answer', async (_, fingerprint) => {
    const w = await live();
    await deploy(w, '4', fingerprint);
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '3', 'a', { before: '4' }));
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    w.aliases.unpublish(FUNCTION, '4');
    w.stack.state = 'done';
    expect(await w.send(tick())).toMatchObject({ phase: 'ABORTED', running: false, version: '3' });
    expect(w.schedules.size).toBe(0);
  });

  it('to a version that never was live: stable keeps the traffic, and its release begins anew', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    await deploy(w, '5', 'c', '4');
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '4', 'b', { before: '5' }));
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()).toMatchObject({ stable: { version: '3' }, candidate: { version: '4' } });
  });

  it('takes weights away whatever the phase and whoever set them', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    w.aliases.byHand(FUNCTION, 'live', { version: '4', weights: { '3': 0.5 } });
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '3', 'a', { before: '4' }));
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('gets through without a tick, and without a registry', async () => {
    for (const broken of [/put schedule/, /get models/]) {
      let on = false;
      const w = await live({
        chaos: async (point) => {
          if (on && broken.test(point)) throw new Error('AccessDenied');
        },
      });
      await deploy(w, '4', 'a');
      on = true;
      w.stack.state = 'rollingBack';
      await w.send(request('Update', '3', 'a', { before: '4' }));
      expect(w.target(), String(broken)).toEqual({ version: '3', weights: {} });
      expect(w.answers.at(-1), String(broken)).toMatchObject({ Status: 'SUCCESS' });
    }
  });

  it('refuses nothing later', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '3', 'a', { before: '4' }));
    await deploy(w, '5', 'b');
    w.stack.state = 'done';
    expect(await w.send(tick())).toMatchObject({ phase: 'DONE', version: '5' });
  });
});

describe('a deploy over another', () => {
  it('supersedes what still waits, with the same stable, and keeps its document', async () => {
    const w = await live();
    const first = await deploy(w, '4', 'b');
    const [old] = [...w.schedules.values()];
    await deploy(w, '5', 'c', '4');
    expect(w.state()).toMatchObject({
      phase: 'PROMOTING',
      stable: { version: '3' },
      candidate: { version: '5' },
    });
    const kept = [...w.objects.objects].find(([key]) => key.endsWith(`Z-${first.RequestId}.json`));
    expect(JSON.parse(kept?.[1].text ?? '')).toMatchObject({
      phase: 'SUPERSEDED',
      candidate: { version: '4' },
    });
    expect(kept?.[1].text).not.toContain('secret');
    w.stack.state = 'done';
    await w.send(JSON.parse(old?.input ?? ''));
    expect(w.alias()?.version).toBe('5');
    expect(w.schedules.size).toBe(0);
  });

  it('takes weights manually off before it goes on', async () => {
    const w = await live();
    w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: { '4': 0.1 } });
    await deploy(w, '5', 'c');
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('takes what has 100 % for stable, also where a person put it there', async () => {
    const w = await live();
    w.aliases.byHand(FUNCTION, 'live', { version: '6', weights: {} });
    await deploy(w, '6', 'd');
    expect(w.state()).toMatchObject({ phase: 'DONE', stable: { version: '6' } });
  });
});

describe('crash between UpdateAlias and the write', () => {
  it('is fixed by the next tick', async () => {
    let armed = false;
    const w = await live({
      chaos: async (point) => {
        if (armed && point === 'after update alias') {
          armed = false;
          throw new Error('killed');
        }
      },
    });
    await deploy(w, '4', 'b');
    w.stack.state = 'done';
    armed = true;
    await expect(w.send(tick())).rejects.toThrow('killed');
    expect(w.state()).toMatchObject({ phase: 'PROMOTING', intent: { after: { version: '4' } } });
    expect(await w.send(tick())).toMatchObject({ phase: 'DONE', version: '4' });
  });

  it('a foreign alias is held and not touched, until the next deploy takes it from there', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    w.aliases.byHand(FUNCTION, 'live', { version: '6', weights: {} });
    w.stack.state = 'done';
    const answer = await w.send(tick());
    expect(answer).toMatchObject({ phase: 'HELD', running: false, version: '6' });
    expect(answer?.reason).toContain('points to version 6');
    expect(w.alias()?.description).toBe('manually');
    await deploy(w, '5', 'c', '4');
    expect(w.state()).toMatchObject({ phase: 'PROMOTING', stable: { version: '6' } });
    w.stack.state = 'done';
    expect(await w.send(tick())).toMatchObject({ phase: 'DONE', version: '5' });
  });
});

describe('an alias moved manually when no release runs', () => {
  it('is not touched, and whoever ticks is told', async () => {
    const w = await live();
    w.aliases.byHand(FUNCTION, 'live', { version: '6', weights: {} });
    const answer = await w.send(tick());
    expect(answer).toMatchObject({ phase: 'DONE', running: false, version: '6' });
    expect(answer?.reason).toContain('ended with version 3 live');
    expect(w.alias()?.description).toBe('manually');
    w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: {} });
    expect((await w.send(tick()))?.reason).toBeUndefined();
  });
});

describe('a slower worker', () => {
  it.each([
    ['a deploy over it', 'busy', '5', 'c'],
    ['a rollback of the stack', 'rollingBack', '3', 'a'],
  ] as const)('cannot make a move that was given up: %s', async (_, stack, version, fingerprint) => {
    let release: () => void = () => {};
    let slow = false;
    const w = await live({
      chaos: async (point) => {
        if (!slow || point !== 'before update alias') return;
        slow = false;
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    });
    await deploy(w, '4', 'b');
    w.stack.state = 'done';
    slow = true;
    const slower = w.send(tick());
    while (slow) await new Promise(setImmediate);
    expect(w.state()?.intent).toMatchObject({ after: { version: '4' } });

    w.stack.state = stack;
    await w.send(request('Update', version, fingerprint, { before: '4' }));
    release();
    await slower;
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.aliases.history.map(({ to }) => to.version)).not.toContain('4');
    expect(w.state()?.phase).not.toBe('HELD');
  });
});

describe('alias deleted manually', () => {
  it('is made again at stable, and the way to its permissions is told', async () => {
    const w = await live();
    w.aliases.byHand(FUNCTION, 'live', undefined);
    const answer = await w.send(tick());
    expect(answer).toMatchObject({ phase: 'DONE', version: '3' });
    expect(answer?.reason).toContain('sls models status --model churn');
  });

  it('in mid-release: first stable, then on', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    w.aliases.byHand(FUNCTION, 'live', undefined);
    await w.send(tick());
    expect(w.alias()?.version).toBe('3');
    w.stack.state = 'done';
    expect(await w.send(tick())).toMatchObject({ phase: 'DONE', version: '4' });
  });

  it('does not loop where the function is gone too', async () => {
    const w = await live();
    w.aliases.byHand(FUNCTION, 'live', undefined);
    w.aliases.unpublish(FUNCTION, '3');
    expect(await w.send(tick())).toMatchObject({ phase: 'HELD', running: false });
  });
});

describe('registry unreadable or denied', () => {
  const denied = async () => {
    const on = { now: false };
    const w = await live({
      chaos: async (point) => {
        if (on.now && /get models/.test(point)) throw new Error('AccessDenied');
      },
    });
    await deploy(w, '4', 'b');
    const [schedule] = [...w.schedules.values()];
    w.stack.state = 'done';
    on.now = true;
    return { w, input: JSON.parse(schedule?.input ?? ''), on };
  };

  it('promotes nothing', async () => {
    const { w, input } = await denied();
    expect(await w.send(input)).toMatchObject({ phase: 'UNKNOWN', running: true });
    expect(w.alias()?.version).toBe('3');
  });

  it('past the deadline: weight 0', async () => {
    const { w, input } = await denied();
    w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: { '4': 0.05 } });
    w.clock.now += 59 * MINUTE;
    await w.send(input);
    expect(w.alias()?.weights).toEqual({ '4': 0.05 });
    w.clock.now += 2 * MINUTE;
    await w.send(input);
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('whose weight was taken away meanwhile ends rolled back: that was our own hand', async () => {
    const { w, input, on } = await denied();
    w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: { '4': 0.05 } });
    w.clock.now += 61 * MINUTE;
    await w.send(input);
    on.now = false;
    expect(await w.send(input)).toMatchObject({ phase: 'ROLLED_BACK', running: false, version: '3' });
    expect(w.state()).toMatchObject({
      refused: [{ version: '4' }],
      reason: expect.stringContaining('deadline'),
    });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('whose weight was taken away is no matter of the next release', async () => {
    const { w, input, on } = await denied();
    w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: { '4': 0.05 } });
    w.clock.now += 61 * MINUTE;
    await w.send(input);
    on.now = false;
    w.stack.state = 'busy';
    await deploy(w, '5', 'c', '4');
    w.stack.state = 'done';
    expect(await w.send(tick())).toMatchObject({ version: '5' });
    expect(w.state()?.refused).toEqual([]);
  });

  it('fails a deploy at once, nothing touched', async () => {
    const { w } = await denied();
    await deploy(w, '5', 'c', '4');
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('nothing was changed'),
    });
    expect(w.alias()?.version).toBe('3');
  });

  it('read but not written: a deploy fails, and its stack goes back all the same', async () => {
    let denied = false;
    const w = await live({
      chaos: async (point) => {
        if (denied && /before (create|replace) /.test(point)) throw new Error('AccessDenied');
      },
    });
    denied = true;
    await deploy(w, '4', 'b');
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: 'nothing was changed: the registry cannot be written: Error: AccessDenied',
    });
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '3', 'a', { before: '4' }));
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });
});

describe('a canary whose stack rolled back while the registry was away', () => {
  /** Version 4 has 5 %; a deploy of version 5 fails, and so nobody can note that its stack went back. */
  async function without(before: (w: ReturnType<typeof fakeWorld>) => Promise<unknown>) {
    const on = { now: false };
    const w = await live({
      chaos: async (point) => {
        if (on.now && /get models/.test(point)) throw new Error('AccessDenied');
      },
    });
    w.stack.state = 'busy';
    await w.send(request('Update', '4', 'b', { before: '3', settings: CANARY }));
    w.stack.state = 'done';
    await w.send(tick());
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
    await before(w);
    on.now = true;
    await deploy(w, '5', 'c', '4');
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '4', 'b', { before: '5', settings: CANARY }));
    expect(w.target()).toEqual({ version: '3', weights: {} });
    w.stack.state = 'done';
    on.now = false;
    return w;
  }

  it('takes its step again: that was our own hand', async () => {
    const w = await without(async () => undefined);
    expect(await w.send(tick())).toMatchObject({ phase: 'JUDGING', candidate: '4', running: true });
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
    expect(w.state()?.shifts.map(({ weight }) => weight)).toEqual([5, 0, 5]);
    await w.send(tick());
    expect(w.notices.map(({ subject }) => subject)).toEqual(['churn: the release takes its step again']);
  });

  it('is superseded by the next deploy, whose release had no step to take again', async () => {
    const w = await without(async () => undefined);
    w.stack.state = 'busy';
    await w.send(request('Update', '6', 'd', { before: '4', settings: CANARY }));
    w.stack.state = 'done';
    await w.send(tick());
    await w.send(tick());
    expect(w.target()).toEqual({ version: '3', weights: { '6': 0.05 } });
    expect(w.state()?.shifts.map(({ weight }) => weight)).toEqual([5]);
    expect(w.notices).toEqual([]);
  });

  it('stays held, without weight, where a person held it', async () => {
    const w = await without((world) => world.command('hold'));
    expect(await w.send(tick())).toMatchObject({ phase: 'HELD', version: '3' });
    expect(w.state()).toMatchObject({ held: { by: 'person', from: 'SHIFTING' } });
    expect(await w.command('resume')).toMatchObject({ done: true, tick: { phase: 'JUDGING' } });
  });
});

describe('a rollback of the stack without a registry, where AWS refuses the move', () => {
  it('gets through, and its reason does not say that traffic was moved', async () => {
    const on = { now: false };
    const w = await live({
      chaos: async (point) => {
        if (on.now && /get models/.test(point)) throw new Error('AccessDenied');
      },
    });
    await deploy(w, '4', 'a');
    on.now = true;
    w.aliases.unpublish(FUNCTION, '3');
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '3', 'a', { before: '4' }));
    expect(w.target()?.version).toBe('4');
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'SUCCESS',
      Reason: expect.stringMatching(/^the alias could not be moved to version 3: Function not found/),
    });
  });
});

describe('deadline', () => {
  it('ends a dead release at stable', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    w.stack.state = 'done';
    w.clock.now += 61 * MINUTE;
    expect(await w.send(tick())).toMatchObject({ phase: 'ABORTED', running: false, version: '3' });
    expect(w.state()?.reason).toContain('deadline');
  });

  it('answers FAILED 120 s before CloudFormation would give up', async () => {
    let down = false;
    const w = fakeWorld({
      chaos: async (point) => {
        if (down && /create alias/.test(point)) throw new Error('Lambda is down');
      },
    });
    w.aliases.publish(FUNCTION, '3');
    down = true;
    await expect(w.send(request('Create', '3', 'a'))).rejects.toThrow('down');
    w.clock.now += 479_000;
    await expect(w.send(tick())).rejects.toThrow('down');
    expect(w.answers).toEqual([]);
    w.clock.now += 1000;
    await w.send(tick());
    expect(w.answers).toMatchObject([{ Status: 'FAILED' }]);
    expect(w.schedules.size).toBe(0);
  });

  it('does not run backwards with a clock', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    w.clock.now -= 24 * 60 * MINUTE;
    w.stack.state = 'done';
    expect(await w.send(tick())).toMatchObject({ phase: 'DONE', version: '4' });
    expect(Date.parse(w.state()?.updatedAt ?? '')).toBeGreaterThanOrEqual(Date.parse('2026-01-01T00:00:00Z'));
  });

  it('whatever is written, by a deploy’s own tick too', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    const before = w.state()?.updatedAt;
    w.clock.now -= 24 * 60 * MINUTE;
    await w.send(tick({ deployment: '01JA0000000000000000000000' }));
    expect(w.state()).toMatchObject({ updatedAt: before, deployment: { id: '01JA0000000000000000000000' } });
  });
});

describe('the schedule cannot be made', () => {
  it('fails the resource, nothing touched, and what ran before goes on', async () => {
    let broken = false;
    const w = await live({
      chaos: async (point) => {
        if (broken && point === 'before put schedule') throw new Error('AccessDeniedException');
      },
    });
    const before = w.alias();
    broken = true;
    await deploy(w, '4', 'b');
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('AccessDeniedException'),
    });
    expect(w.alias()).toEqual(before);
    expect(w.state()).toMatchObject({ phase: 'DONE', stable: { version: '3' } });
    // Still it cannot: a stack that rolls back must not be stuck for it.
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '3', 'a', { before: '4' }));
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.alias()).toEqual(before);
    w.stack.state = 'done';
    await w.send(tick());
    expect(w.alias()?.version).toBe('3');
  });
});

describe('a request that comes again, since its worker died before it could schedule the tick', () => {
  /** Version 4 has 5 %; then a worker dies with the request written down, and no schedule can be made. */
  async function cut(next: (w: ReturnType<typeof fakeWorld>) => Promise<unknown>) {
    const on = { dies: false, broken: false };
    const w = await live({
      chaos: async (point) => {
        if (on.dies && point.startsWith('after replace') && point.endsWith('live.json')) {
          on.broken = true;
          throw new Error('killed');
        }
        if (on.broken && (on.dies || point === 'before put schedule'))
          throw new Error('AccessDeniedException');
      },
    });
    w.stack.state = 'busy';
    await w.send(request('Update', '4', 'b', { before: '3', settings: CANARY }));
    w.stack.state = 'done';
    await w.send(tick());
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
    w.stack.state = 'busy';
    on.dies = true;
    await next(w).catch(() => undefined);
    on.dies = false;
    return { w, on };
  }

  it('of a candidate that takes the place of one with traffic: that loses it, and the deploy fails', async () => {
    const event = request('Update', '5', 'c', { before: '4', settings: CANARY });
    const { w } = await cut((world) => world.send(event));
    expect(w.state()).toMatchObject({ candidate: { version: '5' }, request: { id: event.RequestId } });
    await w.send(event);
    expect(w.answers.at(-1)).toMatchObject({
      RequestId: event.RequestId,
      Status: 'FAILED',
      Reason: expect.stringContaining('AccessDeniedException'),
    });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()).toMatchObject({ phase: 'ABORTED', stable: { version: '3' } });
  });

  it('of other settings: the release that they are about goes on, judged as before', async () => {
    const event = request('Update', '4', 'b', { before: '4', settings: { ...CANARY, maxWait: 60 } });
    const { w, on } = await cut((world) => world.send(event));
    await w.send(event);
    expect(w.answers.at(-1)).toMatchObject({ RequestId: event.RequestId, Status: 'FAILED' });
    expect(w.state()).toMatchObject({ phase: 'JUDGING', candidate: { version: '4' } });
    on.broken = false;
    w.stack.state = 'done';
    expect(await w.send(tick())).toMatchObject({ phase: 'JUDGING', running: true });
  });
});

describe('repeated and late requests', () => {
  it('a repeated RequestId does nothing', async () => {
    const w = await live();
    const event = await deploy(w, '4', 'b');
    const [state, alias, answers] = [w.state(), w.alias(), w.answers.length];
    await w.send(event);
    expect([w.state(), w.alias(), w.answers.length]).toEqual([state, alias, answers]);
  });

  it('a repetition of an old one is no rollback', async () => {
    const w = await live();
    const old = await deploy(w, '4', 'b');
    w.stack.state = 'done';
    await w.send(tick());
    await deploy(w, '5', 'c', '4');
    await w.send(old);
    expect(w.state()).toMatchObject({ candidate: { version: '5' }, stable: { version: '4' } });
    expect(w.alias()?.version).toBe('4');
  });

  it('one that first arrives when its stack is done is not followed', async () => {
    const w = await live();
    await w.send(request('Update', '5', 'c', { before: '3' }));
    expect(w.state()?.candidate).toBeUndefined();
    expect(w.answers.at(-1)).toMatchObject({ Status: 'FAILED' });
  });

  it('carries on for a worker that died before it scheduled the tick', async () => {
    const w = await live();
    const event = await deploy(w, '4', 'b');
    // The document as such a worker leaves it: written, not scheduled, not answered.
    const { request: served, ...state } = w.state() ?? {};
    const { answered: _, ...unanswered } = { ...served, answered: undefined, url: event.ResponseURL };
    w.objects.set(LIVE, JSON.stringify({ ...state, request: unanswered }));
    w.schedules.clear();
    await w.send(event);
    expect(w.schedules.size).toBe(1);
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS', RequestId: event.RequestId });
  });
});

describe('Delete', () => {
  it('stops the release and takes schedule, capacity and alias away; of the document only its id is new', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    for (const version of ['3', '4']) w.capacity.hold(FUNCTION, version);
    const [before, found] = [w.objects.objects.size, w.state()];
    const deletion = request('Delete', '4', 'b');
    await w.send(deletion);
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: `${FUNCTION}:live` });
    expect([w.alias(), w.schedules.size, w.capacity.held(FUNCTION)]).toEqual([undefined, 0, []]);
    const requests = [...(found?.requests ?? []), deletion.RequestId];
    expect(w.state()).toEqual({
      ...found,
      requests,
      rev: (found?.rev ?? 0) + 1,
      updatedAt: w.state()?.updatedAt,
    });
    expect(w.objects.objects.size).toBe(before);
  });

  it('tolerates that nothing is there', async () => {
    const w = fakeWorld();
    await w.send(request('Delete', '4', 'b'));
    expect(w.answers).toMatchObject([{ Status: 'SUCCESS' }]);
    expect(w.objects.objects.size).toBe(0);
  });

  it('of a resource that CloudFormation had to name itself goes by its properties', async () => {
    const w = await live();
    await w.send(request('Delete', '3', 'a', { physicalId: 'shop-dev-ChurnLiveAlias-1ABC' }));
    expect(w.alias()).toBeUndefined();
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: 'shop-dev-ChurnLiveAlias-1ABC',
    });
  });

  it('of the alias that a renamed function left does not stop the new one’s release', async () => {
    const w = await live();
    w.stack.state = 'busy';
    w.aliases.publish('renamed', '1');
    await w.send(request('Update', '1', 'a', { functionName: 'renamed', before: '3' }));
    expect(w.aliases.at('renamed', 'live')?.version).toBe('1');
    await w.send(request('Delete', '3', 'a', { physicalId: `${FUNCTION}:live` }));
    expect([w.alias(), w.aliases.at('renamed', 'live')?.version]).toEqual([undefined, '1']);
  });

  it('passes AWS’s reason on when it cannot', async () => {
    const w = await live({
      chaos: async (point) => {
        if (point === 'before delete alias') throw new Error('AccessDenied');
      },
    });
    await w.send(request('Delete', '3', 'a'));
    expect(w.answers.at(-1)).toMatchObject({ Status: 'FAILED', Reason: 'Error: AccessDenied' });
  });

  it('leaves a schedule of an emptied registry to end itself', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    const [schedule] = [...w.schedules.values()];
    w.objects.objects.clear();
    w.stack.state = 'gone';
    expect(await w.send(JSON.parse(schedule?.input ?? ''))).toEqual({
      model: 'churn',
      phase: 'NONE',
      running: false,
    });
    expect(w.schedules.size).toBe(0);
  });
});

describe('a document of a newer schema', () => {
  const newer = async () => {
    const w = await live();
    await deploy(w, '4', 'a');
    const text = JSON.stringify({
      schema: 2,
      functionName: FUNCTION,
      alias: 'live',
      stable: { version: '3' },
      highest: 4,
      more: {},
    });
    w.objects.set(LIVE, text);
    return { w, text };
  };

  it('lets an older worker put all traffic on stable, and leaves the document alone', async () => {
    const { w, text } = await newer();
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '3', 'a', { before: '4' }));
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.objects.objects.get(LIVE)?.text).toBe(text);
  });

  it('refuses a deploy, and ticks do nothing', async () => {
    const { w, text } = await newer();
    await deploy(w, '5', 'c', '4');
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('newer version'),
    });
    expect(await w.send(tick())).toMatchObject({ phase: 'UNKNOWN' });
    expect(w.objects.objects.get(LIVE)?.text).toBe(text);
  });

  it('is archived as it is by a Create', async () => {
    const { w, text } = await newer();
    await w.send(request('Create', '5', 'c'));
    expect(w.state()).toMatchObject({ schema: 1, phase: 'DONE', stable: { version: '5' } });
    expect([...w.objects.objects.values()].map((object) => object.text)).toContain(text);
  });
});

describe('every path answers', () => {
  it.each([
    ['no version', { Version: '' }],
    ['an unpublished version', { Version: '$LATEST' }],
    ['no function', { FunctionName: undefined }],
  ])('a request with %s', async (_, properties) => {
    const w = fakeWorld();
    const event = request('Create', '3', 'a');
    await w.send({ ...event, ResourceProperties: { ...event.ResourceProperties, ...properties } });
    expect(w.answers).toMatchObject([{ Status: 'FAILED', RequestId: event.RequestId }]);
    await w.send({ ...event, RequestType: 'Delete', ResourceProperties: {} });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
  });

  it('with a reason under 1 KB', async () => {
    const w = fakeWorld({
      chaos: async (point) => {
        if (/put schedule/.test(point)) throw new Error('ü'.repeat(3000));
      },
    });
    w.aliases.publish(FUNCTION, '3');
    await w.send(request('Create', '3', 'a'));
    expect(Buffer.byteLength(w.answers[0]?.Reason ?? '')).toBeLessThan(1024);
  });

  it('and nothing of the answer URL is logged', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    await w.send(request('Delete', '4', 'b'));
    expect(JSON.stringify(w.log)).not.toContain('secret');
  });

  it('throws for what it cannot answer', async () => {
    await expect(fakeWorld().send({})).rejects.toThrow(
      'neither a tick, a command, a sweep, an alarm nor a request',
    );
  });
});
