import { describe, expect, it } from 'vitest';
import type { Release } from '../../../../core/release/document/contract.ts';
import { UNATTENDED, WORKER_METRICS } from '../../../../core/release/document/worker-contract.ts';
import { intend } from '../../../../core/release/state/transitions.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION, fakeWorld, GROUP, LIVE, request, SCOPE } from '../../../fakes/world.ts';
import {
  DAY,
  deploy,
  deployed,
  due,
  live,
  MINUTE,
  minute,
  minutes,
  promoted,
  until,
  type World,
} from './traffic.ts';

const sweep = (w: World) => w.send({ sweep: true });
const of = (w: World, metric: string) => w.countsOf.get(metric) ?? [];
const none = (w: World): void => w.countsOf.clear();
const edit = (w: World, change: Partial<Release>): void =>
  w.objects.set(LIVE, JSON.stringify({ ...w.state(), ...change }));

/** Another model beside it, whose function has weights or not. */
function beside(w: World, model: string, weights: Record<string, number> = {}): string {
  const name = `shop-dev-${model}`;
  for (const version of ['1', '2']) w.aliases.publish(name, version);
  w.aliases.byHand(name, 'live', { version: '1', weights });
  w.objects.set(`${SCOPE}functions/${name}.json`, JSON.stringify({ schema: 1, model }));
  return name;
}

describe('a schedule that is lost', () => {
  const CASES: readonly (readonly [string, () => Promise<World>])[] = [
    ['a canary', () => deployed()],
    [
      'one that waits for its stack',
      async () => {
        const w = await live();
        await deploy(w, '4', 'b');
        return w;
      },
    ],
    ['a version that is watched', () => promoted()],
    [
      'one that is held',
      async () => {
        const w = await deployed();
        await minutes(w, 2);
        await w.command('hold');
        return w;
      },
    ],
    [
      'a watch that goes on after a release that was given up',
      async () => {
        const w = await promoted();
        await deploy(w, '5', 'c', { before: '4' });
        w.stack.state = 'done';
        await w.command('rollback');
        await due(w);
        expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', watch: {} });
        return w;
      },
    ],
    [
      'a notice that waits for its topic',
      async () => {
        const w = await deployed(CANARY, {
          chaos: async (point) => {
            if (point.includes('publish')) throw new Error('no topic');
          },
        });
        await w.command('rollback');
        expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', notices: [{}] });
        return w;
      },
    ],
  ];

  it.each(CASES)('is put back as it was: %s', async (_, make) => {
    const w = await make();
    await due(w);
    const before = [...w.schedules.values()];
    expect(before).toHaveLength(1);
    w.schedules.clear();
    await sweep(w);
    // Its pace may be that of what it has become meanwhile.
    const told = (made: typeof before) => made.map(({ every: _, ...rest }) => rest);
    expect(told([...w.schedules.values()])).toEqual(told(before));
    await sweep(w);
    expect(w.log.filter(({ message }) => message === 'put a schedule back')).toHaveLength(1);
  });

  it('is left as it is where it is there', async () => {
    const w = await deployed();
    const [key, schedule] = [...w.schedules][0] ?? [];
    if (key === undefined || schedule === undefined) throw new Error('no schedule');
    w.schedules.set(key, { ...schedule, every: 'rate(7 minutes)' });
    await sweep(w);
    expect(w.schedules.get(key)?.every).toBe('rate(7 minutes)');
  });

  it('is told anew where it is there, and nobody looks at the weights: its role may be gone', async () => {
    const w = await deployed();
    await minutes(w, 3);
    const [key, schedule] = [...w.schedules][0] ?? [];
    if (key === undefined || schedule === undefined) throw new Error('no schedule');
    w.schedules.set(key, { ...schedule, role: 'arn:aws:iam::123456789012:role/of-another-path' });
    w.clock.now += UNATTENDED * 1000 - 1000;
    await sweep(w);
    expect(w.schedules.get(key)?.role).not.toBe(schedule.role);
    w.clock.now += 2000;
    await sweep(w);
    expect(w.schedules.get(key)).toEqual(schedule);
    expect(w.log.filter(({ message }) => message === 'told a schedule anew')).toHaveLength(1);
  });

  it('is made for nothing that is at rest', async () => {
    const w = await live();
    await sweep(w);
    expect([w.state()?.phase, w.schedules.size]).toEqual(['DONE', 0]);
    const watched = await promoted();
    watched.clock.now += DAY;
    await due(watched);
    expect([watched.state()?.phase, watched.schedules.size]).toEqual(['DONE', 0]);
    await sweep(watched);
    expect(watched.schedules.size).toBe(0);
  });

  it('is not made for an end whose alias somebody moved: its tick would end itself', async () => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    await w.command('rollback');
    w.aliases.byHand(FUNCTION, 'live', { version: '6', weights: {} });
    await due(w);
    expect(w.schedules.size).toBe(0);
    await sweep(w);
    expect(w.schedules.size).toBe(0);
  });

  it('that cannot be made leaves its function without a look, for the alarm', async () => {
    const w = await deployed(CANARY, {
      chaos: async (point) => {
        if (point === 'before make schedule') throw new Error('AccessDenied');
      },
    });
    none(w);
    await sweep(w);
    expect(of(w, WORKER_METRICS.swept)).toEqual([]);
    expect(of(w, WORKER_METRICS.unreadable)).toEqual([FUNCTION]);
  });
});

describe('weights that nobody looks at', () => {
  it('are counted once no tick came for five minutes', async () => {
    const w = await deployed();
    await minutes(w, 3);
    w.clock.now += UNATTENDED * 1000 - 1000;
    await sweep(w);
    expect(of(w, WORKER_METRICS.unattended)).toEqual([]);
    w.clock.now += 2000;
    await sweep(w);
    expect(of(w, WORKER_METRICS.unattended)).toEqual([FUNCTION]);
    await due(w);
    await sweep(w);
    expect(of(w, WORKER_METRICS.unattended)).toEqual([FUNCTION]);
  });

  it('are counted where no release runs, and where no document is', async () => {
    const w = await live();
    w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: { '4': 0.5 } });
    w.clock.now += DAY;
    const other = beside(w, 'fraud', { '2': 0.1 });
    const quiet = beside(w, 'scores');
    none(w);
    await sweep(w);
    expect([...of(w, WORKER_METRICS.unattended)].sort()).toEqual([FUNCTION, other].sort());
    expect([...of(w, WORKER_METRICS.swept)].sort()).toEqual([FUNCTION, other, quiet].sort());
  });

  it('that came between two reads are nobody’s neglect', async () => {
    let racing = false;
    const w: World = await deployed(CANARY, {
      chaos: async (point) => {
        if (point !== 'before get alias' || !racing) return;
        racing = false;
        edit(w, { rev: 99 });
        w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: { '4': 0.05 } });
      },
    });
    w.clock.now += DAY;
    racing = true;
    await sweep(w);
    expect(w.alias()?.weights).toEqual({ '4': 0.05 });
    expect(of(w, WORKER_METRICS.unattended)).toEqual([]);
  });

  it('of a document by a newer worker are counted', async () => {
    const w = await deployed();
    await minutes(w, 3);
    edit(w, { schema: 2 as 1 });
    w.schedules.clear();
    await sweep(w);
    expect(of(w, WORKER_METRICS.unattended)).toEqual([FUNCTION]);
    expect(w.schedules.size).toBe(0);
  });

  const blind = { on: false };
  it.each<readonly [string, (w: World) => unknown]>([
    ['held by a person', (w) => w.command('hold')],
    [
      'held, since somebody moved the alias',
      (w) => w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: { '4': 0.3 } }),
    ],
    [
      'about to be raised, while the stack is busy',
      (w) => {
        w.stack.state = 'busy';
        const state = w.state();
        if (state === undefined) throw new Error('no document');
        const after = { version: '3', weights: { '4': 0.25 } };
        const before = [{ version: '3', weights: { '4': 0.05 } }];
        edit(w, { intent: intend(state, after, 'JUDGING', w.clock.now, before) });
      },
    ],
    [
      'judged while the stack is busy',
      (w) => {
        w.stack.state = 'busy';
      },
    ],
    [
      'judged by metrics that cannot be read',
      () => {
        blind.on = true;
      },
    ],
  ])('are none that are ticked each minute: %s', async (_, befalls) => {
    blind.on = false;
    const w = await deployed(CANARY, {
      chaos: async (point) => {
        if (blind.on && point === 'before read metrics') throw new Error('AccessDenied');
      },
    });
    await minutes(w, 3);
    await befalls(w);
    for (let passed = 0; passed < 30; passed += 1) {
      await minute(w);
      expect(w.alias()?.weights).not.toEqual({});
      await sweep(w);
    }
    expect(of(w, WORKER_METRICS.unattended)).toEqual([]);
  });
});

describe('what is looked at', () => {
  it('is every function with an alias, also at rest; what was removed is passed over', async () => {
    const w = await live();
    const other = beside(w, 'fraud');
    const removed = beside(w, 'old');
    w.aliases.byHand(removed, 'live', undefined);
    none(w);
    await sweep(w);
    expect([...of(w, WORKER_METRICS.swept)].sort()).toEqual([FUNCTION, other].sort());
    w.aliases.byHand(FUNCTION, 'live', undefined);
    none(w);
    await sweep(w);
    expect(of(w, WORKER_METRICS.swept)).toEqual([other]);
    expect(w.schedules.size).toBe(0);
  });

  it('goes on beside a document that cannot be read', async () => {
    const w = await deployed();
    const other = beside(w, 'fraud');
    w.objects.set(`${SCOPE}releases/fraud/live.json`, 'no JSON');
    w.schedules.clear();
    none(w);
    await sweep(w);
    expect(w.schedules.size).toBe(1);
    expect(of(w, WORKER_METRICS.swept)).toEqual([FUNCTION]);
    expect(of(w, WORKER_METRICS.unreadable)).toEqual([other]);
  });

  it('is some at a time', async () => {
    let [now, most] = [0, 0];
    const w = fakeWorld({
      chaos: async (point) => {
        if (point !== 'before get alias') return;
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 1));
        now -= 1;
      },
    });
    for (let index = 0; index < 40; index += 1) beside(w, `m${index}`);
    await sweep(w);
    expect(of(w, WORKER_METRICS.swept)).toHaveLength(40);
    expect(most).toBe(8);
  });

  it('is a function whose alias CloudFormation asks for, from its first request on', async () => {
    const w = fakeWorld();
    w.aliases.publish(FUNCTION, '3');
    await w.send(request('Create', '3', 'a'));
    expect(new Set(of(w, WORKER_METRICS.swept))).toEqual(new Set([FUNCTION]));
    // Its alarm is made a moment later, and looks at minutes that are over.
    expect(Math.min(...w.ages)).toBeGreaterThan(2 * MINUTE);
    none(w);
    w.stack.state = 'busy';
    w.aliases.publish(FUNCTION, '4');
    await w.send(request('Update', '4', 'b', { before: '3', settings: CANARY }));
    expect(of(w, WORKER_METRICS.swept).length).toBeGreaterThan(0);
  });

  it('fails as a whole where the registry cannot be listed: the alarm is then about its absence', async () => {
    const w = fakeWorld({
      chaos: async (point) => {
        if (point.includes('list')) throw new Error('AccessDenied');
      },
    });
    await expect(sweep(w)).rejects.toThrow('AccessDenied');
  });
});

describe('a schedule that the sweep makes too late', () => {
  it('ends itself', async () => {
    const w = await deployed();
    const schedule = [...w.schedules.values()][0];
    await w.command('rollback');
    await due(w);
    expect(w.schedules.size).toBe(0);
    if (schedule === undefined) throw new Error('no schedule');
    w.schedules.set(`${GROUP}/${schedule.name}`, schedule);
    await due(w);
    expect(w.schedules.size).toBe(0);
    await until(w, 'ROLLED_BACK');
  });
});
