import { describe, expect, it } from 'vitest';
import type { Provided } from '../../../../../core/ports/aws.ts';
import { rangeAt } from '../../../../../core/release/capacity-range.ts';
import type { Release } from '../../../../../core/release/document/contract.ts';
import type { Settings } from '../../../../../core/release/document/settings-contract.ts';
import { CANARY } from '../../../../fakes/settings.ts';
import { FUNCTION, request, tick } from '../../../../fakes/world.ts';
import { statusIn } from '../seen.ts';
import {
  alarm,
  DAY,
  deploy,
  deployed,
  live,
  MINUTE,
  minute,
  minutes,
  promoted,
  rollBack,
  until,
  type World,
} from '../traffic.ts';

const HEALTHY = { 3: 0.02, 4: 0.02 };
const provisioned = { min: 2, max: 20, target: 0.7 };
const schedules = [
  {
    name: 'day',
    start: 'cron(0 8 ? * MON-FRI *)',
    end: 'cron(0 20 ? * MON-FRI *)',
    timezone: 'Europe/Berlin',
    min: 10,
    max: 50,
  },
];
const WARM: Settings = { ...CANARY, capacity: { provisioned, schedules } };
const held = (w: World) => w.capacity.held(FUNCTION);
const scaled = (w: World) => [...w.capacity.scalings.keys()];

describe('provisioned concurrency', () => {
  it('of a first version is ready before it is promoted, and scales afterwards', async () => {
    const w = await live(WARM, { readyAfter: 2 * MINUTE });
    expect(w.alias()).toBeUndefined();
    expect(await w.send(tick())).toMatchObject({
      phase: 'WARMING',
      reason: '0 of 2 instances of version 3 are ready',
    });
    w.stack.state = 'busy';
    await minutes(w, 2);
    expect(w.alias()?.version).toBe('3');
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.capacity.scalings.get(`${FUNCTION}:3`)).toEqual({
      ...provisioned,
      schedules: [
        { name: 'day-start', at: 'cron(0 8 ? * MON-FRI *)', timezone: 'Europe/Berlin', min: 10, max: 50 },
        { name: 'day-end', at: 'cron(0 20 ? * MON-FRI *)', timezone: 'Europe/Berlin', min: 2, max: 20 },
      ],
    });
  });

  it('is not taken away in the minute between two windows that follow each other, at midnight, too', async () => {
    const window = (name: string, start: string, end: string, min: number, timezone = 'UTC') => ({
      name,
      start: `cron(${start} *)`,
      end: `cron(${end} *)`,
      timezone,
      min,
      max: 90,
    });
    const windows = [
      window('evening', '0 18 ? * MON-FRI', '59 21 ? * MON,TUE,WED,THU,FRI', 10),
      window('night', '0 22 ? * FRI,SAT', '59 23 ? * FRI,SAT', 30),
      window('late', '0 0 ? * SAT,SUN', '0 6 ? * SAT,SUN', 40),
      window('noon', '0 12 ? * *', '59 12 ? * *', 5),
      window('abroad', '0 13 ? * SUN', '0 14 ? * SUN', 6, 'Asia/Tokyo'),
    ];
    const w = await live({ ...CANARY, capacity: { provisioned, schedules: windows } });
    await minutes(w, 2);
    const scaling = w.capacity.scalings.get(`${FUNCTION}:3`);
    expect(scaling?.schedules.map(({ name, at }) => [name, at])).toEqual([
      ['evening-start', 'cron(0 18 ? * MON-FRI *)'],
      // On Fridays the night begins a minute later.
      ['evening-end', 'cron(59 21 ? * MON,TUE,WED,THU *)'],
      ['night-start', 'cron(0 22 ? * FRI,SAT *)'],
      ['late-start', 'cron(0 0 ? * SAT,SUN *)'],
      ['late-end', 'cron(0 6 ? * SAT,SUN *)'],
      ['noon-start', 'cron(0 12 ? * * *)'],
      // In another time zone nothing follows.
      ['noon-end', 'cron(59 12 ? * * *)'],
      ['abroad-start', 'cron(0 13 ? * SUN *)'],
      ['abroad-end', 'cron(0 14 ? * SUN *)'],
    ]);
    const minAt = (iso: string) => scaling && rangeAt(scaling, Date.parse(iso)).min;
    // A Friday and the Saturday after it; then a Sunday’s midnight, which nothing follows.
    expect(minAt('2026-01-09T21:59:30Z')).toBe(10);
    expect(minAt('2026-01-09T23:59:30Z')).toBe(30);
    expect(minAt('2026-01-10T00:00:00Z')).toBe(40);
    expect(minAt('2026-01-11T23:59:30Z')).toBe(2);
  });

  it('that holds around the clock is not taken away at midnight', async () => {
    const day = {
      name: 'day',
      start: 'cron(0 0 ? * * *)',
      end: 'cron(59 23 ? * * *)',
      timezone: 'UTC',
      min: 10,
      max: 50,
    };
    const w = await live({ ...CANARY, capacity: { provisioned, schedules: [day] } });
    await minutes(w, 2);
    expect(w.capacity.scalings.get(`${FUNCTION}:3`)?.schedules.map(({ name }) => name)).toEqual([
      'day-start',
    ]);
  });

  it('of the last good version is ready before it gets half of a suspect’s traffic', async () => {
    const w = await live(WARM, { readyAfter: 2 * MINUTE });
    await minutes(w, 2);
    w.stack.state = 'done';
    await minute(w);
    await deploy(w, '4', 'b', { settings: WARM });
    w.stack.state = 'done';
    await until(w, 'BAKING', HEALTHY);
    await minutes(w, 2, HEALTHY);
    expect(held(w)).toEqual(['4']);
    await alarm(w);
    await minute(w, HEALTHY);
    expect(w.state()?.phase).toBe('REVERSING');
    expect(held(w).toSorted()).toEqual(['3', '4']);
    expect(w.target()).toEqual({ version: '4', weights: {} });
    await minutes(w, 2, HEALTHY);
    expect(w.target()).toEqual({ version: '4', weights: { '3': 0.5 } });
  });

  it('of a candidate is as much as the live version has now, ready before any traffic, gone from the old one afterwards', async () => {
    const w = await live(WARM);
    w.capacity.hold(FUNCTION, '3', 7);
    await deploy(w, '4', 'b', { settings: WARM });
    expect(await w.world.capacity.provided(FUNCTION, '4')).toMatchObject({ requested: 7 });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    w.stack.state = 'done';
    await minutes(w, 15, HEALTHY);
    expect(held(w)).toEqual(['3', '4']);
    expect(scaled(w)).toEqual([`${FUNCTION}:3`]);
    await until(w, 'BAKING', HEALTHY);
    await minute(w);
    expect(held(w)).toEqual(['4']);
    expect(scaled(w)).toEqual([`${FUNCTION}:4`]);
  });

  it('of a candidate grows with the live version’s before each weight', async () => {
    const w = await deployed(WARM);
    await minutes(w, 5, HEALTHY);
    w.capacity.hold(FUNCTION, '3', 6);
    await minutes(w, 9, HEALTHY);
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.25 } });
    expect(await w.world.capacity.provided(FUNCTION, '4')).toMatchObject({ requested: 6 });
  });

  it.each([
    ['come up', ({ requested }: Provided): Provided => ({ requested, ready: 1, state: 'inProgress' })],
    [
      'cannot be read',
      () => {
        throw new Error('AccessDenied');
      },
    ],
  ])(
    'of a candidate with a weight: it is judged on while they %s, and is not refused for them',
    async (_, found) => {
      const weighed = async () => {
        const w = await deployed(WARM);
        await minutes(w, 5, HEALTHY);
        w.capacity.hold(FUNCTION, '3', 6);
        const { provided } = w.world.capacity;
        Object.assign(w.world.capacity, {
          provided: async (name: string, version: string) => {
            const has = await provided(name, version);
            return version === '4' && has !== undefined ? found(has) : has;
          },
        });
        await minutes(w, 20, HEALTHY);
        expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
        return w;
      };
      const bad = await weighed();
      await until(bad, 'ROLLED_BACK', { 3: 0.02, 4: 0.5 }, { most: 10 });
      expect(bad.target()).toEqual({ version: '3', weights: {} });
      const late = await weighed();
      await until(late, 'ABORTED', HEALTHY, { most: 10 * 60 });
      expect([late.target(), late.state()?.refused]).toEqual([{ version: '3', weights: {} }, []]);
      const promotes = await weighed();
      await promotes.command('promote');
      await minutes(promotes, 2, HEALTHY);
      expect((await statusIn(promotes)).next).toBe(
        'all traffic as soon as the stack is done and its instances are ready, unless it fails',
      );
    },
  );

  it('of a candidate with a weight that cannot be changed is told, however often somebody ticks', async () => {
    let denied = false;
    const w = await deployed(WARM, {
      chaos: async (point) => {
        if (denied && point === 'before provide capacity') throw new Error('AccessDenied');
      },
    });
    await minutes(w, 5, HEALTHY);
    w.capacity.hold(FUNCTION, '3', 6);
    denied = true;
    for (let passed = 0; passed < 30; passed += 1) {
      await minute(w, HEALTHY);
      w.clock.now += 20_000;
      expect(await w.send(tick())).toMatchObject({ phase: 'JUDGING', weight: 5 });
    }
    expect(w.notices.map(({ subject }) => subject)).toEqual([
      '[page] churn: provisioned concurrency cannot be read or changed',
    ]);
    denied = false;
    await w.send(tick());
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.25 } });
  });

  it('of what behaves alike is ready, too, before it is promoted at once', async () => {
    const w = await live(WARM);
    await deploy(w, '4', 'a', { settings: WARM });
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect([held(w), scaled(w)]).toEqual([['4'], [`${FUNCTION}:4`]]);
  });

  it('that fails or is refused fails the deploy; the candidate keeps none', async () => {
    for (const refused of [true, false]) {
      const w = await live(WARM);
      if (refused) w.capacity.limits.unreserved = 103;
      else w.capacity.hold(FUNCTION, '4', 2, 'no room in the zone');
      await deploy(w, '4', 'b', {
        settings: { ...WARM, capacity: { provisioned: { ...provisioned, max: 2 }, schedules: [] } },
      });
      expect(w.answers.at(-1)).toMatchObject({
        Status: 'FAILED',
        Reason: expect.stringMatching(refused ? /beyond the limit/ : /no room in the zone/),
      });
      expect(held(w)).toEqual(['3']);
      expect(w.target()).toEqual({ version: '3', weights: {} });
    }
  });

  it('that another candidate gave up a moment ago, and that counts still, fails no deploy', async () => {
    const small = { ...CANARY, capacity: { provisioned: { min: 2, max: 2, target: 0.7 }, schedules: [] } };
    const w = await deployed(small);
    await minutes(w, 2, HEALTHY);
    expect(held(w)).toEqual(['3', '4']);
    w.capacity.limits.reserved = 4;
    const { release, provide } = w.world.capacity;
    let freed = Number.NEGATIVE_INFINITY;
    Object.assign(w.world.capacity, {
      release: async (...of: Parameters<typeof release>) => {
        freed = w.clock.now;
        await release(...of);
      },
      provide: async (...of: Parameters<typeof provide>) =>
        w.clock.now < freed + MINUTE / 2 ? { refused: '6 instances are beyond the limit' } : provide(...of),
    });
    await deploy(w, '5', 'c', { before: '4', settings: small });
    expect(w.state()).toMatchObject({ phase: 'WARMING', candidate: { version: '5' } });
    await minute(w, HEALTHY);
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(held(w)).toEqual(['3', '5']);
  });

  it.each([
    ['the function’s reservation', { reserved: 99, unreserved: 1000 }],
    ['the account', { unreserved: 99 }],
  ])('twice the peak beyond %s is refused before anything is asked for', async (_, limits) => {
    const w = await live(WARM);
    Object.assign(w.capacity.limits, limits);
    await deploy(w, '4', 'b', { settings: WARM });
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('2 × 50 = 100'),
    });
    expect(held(w)).toEqual(['3']);
  });

  it('that is not ready in time fails the deploy', async () => {
    const w = await live(CANARY, { readyAfter: DAY });
    await deploy(w, '4', 'b', { settings: WARM });
    expect(w.state()?.phase).toBe('WARMING');
    await minutes(w, 8);
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('not ready in time'),
    });
    expect(held(w)).not.toContain('4');
  });

  it('that cannot be looked at fails the deploy in time, and does not keep its stack from going back', async () => {
    let denied = false;
    const chaos = async (point: string) => {
      if (denied && point === 'before list capacity') throw new Error('AccessDenied');
    };
    const w = await live(WARM, { chaos });
    denied = true;
    await deploy(w, '4', 'b', { settings: WARM });
    const answers = w.answers.length;
    w.clock.now += 8 * MINUTE;
    // The stack hears of it; what is left to be put away is tried at each tick.
    await w.send(tick());
    expect(w.answers.slice(answers)).toMatchObject([
      { Status: 'FAILED', Reason: 'provisioned concurrency was not ready in time: AccessDenied' },
    ]);
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '3', 'a', { before: '4', settings: WARM }));
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.schedules.size).toBe(1);
  });

  it('that cannot be looked at fails a deploy of settings alone in time, and the canary under way goes on', async () => {
    let denied = false;
    const chaos = async (point: string) => {
      if (denied && point === 'before list capacity') throw new Error('AccessDenied');
    };
    const w = await deployed(WARM, { chaos });
    await until(w, 'JUDGING', HEALTHY);
    denied = true;
    w.stack.state = 'busy';
    const wider = { ...WARM, capacity: { provisioned: { ...provisioned, max: 30 }, schedules } };
    await deploy(w, '4', 'b', { before: '4', settings: wider });
    const answers = w.answers.length;
    w.clock.now += 8 * MINUTE;
    await w.send(tick());
    expect(w.answers.slice(answers)).toMatchObject([
      { Status: 'FAILED', Reason: 'provisioned concurrency could not be changed in time: AccessDenied' },
    ]);
    expect(w.state()).toMatchObject({ phase: 'JUDGING', candidate: { version: '4' } });
  });

  it('of a superseded candidate goes before the next one gets some', async () => {
    const w = await deployed(WARM);
    await minutes(w, 4, HEALTHY);
    expect(held(w)).toEqual(['3', '4']);
    await deploy(w, '5', 'c', { before: '4', settings: WARM });
    expect(held(w)).toEqual(['3', '5']);
  });

  it('of a withdrawn candidate is gone before CloudFormation is answered', async () => {
    const w = await deployed(WARM);
    await minutes(w, 4, HEALTHY);
    w.stack.state = 'rollingBack';
    const answers = w.answers.length;
    const spy: string[][] = [];
    const world = w.world.answer;
    Object.assign(w.world, {
      answer: async (url: string, body: string) => {
        spy.push([...held(w)]);
        return world(url, body);
      },
    });
    await w.send(request('Update', '3', 'a', { before: '4', settings: WARM }));
    expect(w.answers).toHaveLength(answers + 1);
    expect(spy).toEqual([['3']]);
  });

  it('of a candidate that is rolled back goes with it', async () => {
    const w = await deployed(WARM);
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.3 });
    await minute(w);
    expect(held(w)).toEqual(['3']);
  });

  it('that could not be taken away yet is, also where its schedule is lost meanwhile', async () => {
    let isBroken = false;
    const chaos = async (point: string): Promise<void> => {
      if (isBroken && point === 'before release capacity') throw new Error('Rate exceeded');
    };
    const w = await deployed(WARM, { chaos });
    await minutes(w, 2, HEALTHY);
    isBroken = true;
    await w.command('rollback');
    await minute(w);
    expect([w.state()?.phase, held(w)]).toEqual(['ROLLED_BACK', ['3', '4']]);
    w.schedules.clear();
    isBroken = false;
    await w.send({ sweep: true });
    await minute(w);
    expect([held(w), w.schedules.size]).toEqual([['3'], 0]);
  });

  it('changes on both versions in mid-release, without a new one', async () => {
    const w = await deployed(WARM);
    await minutes(w, 4, HEALTHY);
    const before = w.state()?.release;
    const more = { ...WARM, capacity: { provisioned: { ...provisioned, min: 5 }, schedules } };
    await deploy(w, '4', 'b', { before: '4', settings: more });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    await w.send(tick());
    expect(w.state()).toMatchObject({ release: before, phase: 'JUDGING' });
    for (const version of ['3', '4'])
      expect(await w.world.capacity.provided(FUNCTION, version)).toMatchObject({ requested: 5 });
    expect(w.capacity.scalings.get(`${FUNCTION}:3`)?.min).toBe(5);
  });

  it('changes alone when nothing runs; what AWS refuses fails the deploy', async () => {
    const w = await live(WARM);
    const more = (min: number): Settings => ({
      ...WARM,
      capacity: { provisioned: { ...provisioned, min }, schedules },
    });
    await deploy(w, '3', 'a', { settings: more(6) });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.capacity.scalings.get(`${FUNCTION}:3`)?.min).toBe(6);
    w.capacity.limits.unreserved = 110;
    await deploy(w, '3', 'a', { settings: more(15) });
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('beyond the limit'),
    });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    await rollBack(w, '3', 'a', '3');
    w.capacity.limits.unreserved = 1000;
    await deploy(w, '3', 'a', { settings: more(15) });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.capacity.scalings.get(`${FUNCTION}:3`)?.min).toBe(15);
  });

  it('that AWS refused the live version is told by status, and asked for again by a deploy of the same', async () => {
    const w = await promoted(WARM);
    // Somebody took them away, and what the account has left is used up by others.
    await w.world.capacity.release(FUNCTION, '4');
    w.capacity.limits.unreserved = 100;
    await minutes(w, 10, HEALTHY);
    expect(held(w)).toEqual([]);
    expect(await statusIn(w)).toMatchObject({
      level: 'look',
      summary:
        'Version 4 has all traffic. AWS refused provisioned concurrency that is declared, and the release goes on without: 2 instances are beyond the limit.',
      todo: [
        'Requests may start cold. Lower `concurrency.provisioned`, or raise the limit, and deploy: `sls deploy --stage dev`.',
      ],
    });
    w.capacity.limits.unreserved = 1000;
    await minutes(w, 20, HEALTHY);
    expect(held(w)).toEqual([]);
    await deploy(w, '4', 'b', { before: '4', settings: WARM, again: '2026-01-01T01:00:00Z' });
    w.stack.state = 'done';
    await minute(w, HEALTHY);
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(held(w)).toEqual(['4']);
    expect(w.state()).toMatchObject({ phase: 'BAKING', stable: { version: '4' } });
    expect((await statusIn(w)).level).toBe('ok');
  });

  it('that AWS could not start is told by status, with what asks for it again', async () => {
    const w = await promoted(WARM);
    w.capacity.hold(FUNCTION, '4', 2, 'FUNCTION_ERROR_INIT_FAILURE');
    await minutes(w, 10, HEALTHY);
    expect(await statusIn(w)).toMatchObject({
      level: 'look',
      summary:
        'Version 4 has all traffic. AWS could not start the provisioned concurrency of version 4: FUNCTION_ERROR_INIT_FAILURE.',
      todo: [
        'Requests may start cold. Once the cause is gone, ask AWS again: `aws lambda put-provisioned-concurrency-config --function-name shop-dev-churn --qualifier 4 --provisioned-concurrent-executions 2`.',
      ],
      capacity: [{ version: '4', ready: 0, requested: 2 }],
    });
    w.capacity.hold(FUNCTION, '4', 2);
    expect((await statusIn(w)).level).toBe('ok');
  });

  it('that a deploy no longer asks for stays on the live version until the candidate is', async () => {
    const w = await live(WARM);
    await deploy(w, '4', 'b', { settings: CANARY });
    w.stack.state = 'done';
    await minutes(w, 15, HEALTHY);
    expect([held(w), scaled(w)]).toEqual([['3'], [`${FUNCTION}:3`]]);
    await until(w, 'BAKING', HEALTHY);
    await minute(w);
    expect([held(w), scaled(w)]).toEqual([[], []]);
  });

  it('that is no longer asked for goes from the live version', async () => {
    const w = await live(WARM);
    await deploy(w, '3', 'a', { settings: CANARY });
    expect([held(w), scaled(w)]).toEqual([[], []]);
  });

  it('of a person on the live version is left alone', async () => {
    const w = await live(CANARY);
    w.capacity.hold(FUNCTION, '3', 3);
    w.capacity.hold(FUNCTION, '6', 3);
    await w.send(tick());
    expect(held(w)).toEqual(['3']);
  });

  it('of a version that somebody gave the traffic to is left alone, also where its release is over', async () => {
    for (const settings of [CANARY, WARM]) {
      const w = await live(settings);
      w.capacity.hold(FUNCTION, '6', 3);
      w.aliases.byHand(FUNCTION, 'live', { version: '6', weights: {} });
      await alarm(w);
      expect(held(w)).toContain('6');
      w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: { 6: 0.5 } });
      await w.send(tick());
      expect(held(w)).toContain('6');
      await w.command('rollback');
      expect(held(w)).not.toContain('6');
    }
  });

  it('of another alias, which a tool beside us shifts, is left alone; on ours it would stand in the way', async () => {
    for (const settings of [CANARY, WARM]) {
      const w = await live(settings);
      for (const qualifier of ['blue', 'live']) w.capacity.hold(FUNCTION, qualifier, 3);
      await deploy(w, '4', 'b', { settings });
      w.stack.state = 'done';
      await until(w, 'BAKING', HEALTHY);
      await minute(w);
      expect(held(w).filter((qualifier) => !/^\d/.test(qualifier))).toEqual(['blue']);
    }
  });
});

describe('blueGreen', () => {
  const settings: Settings = { ...WARM, strategy: 'blueGreen', steps: [] };

  it('is warmed to the live version’s capacity, takes all at once, and the old one keeps its own through the window', async () => {
    const w = await live(settings);
    w.capacity.hold(FUNCTION, '3', 9);
    await deploy(w, '4', 'b', { settings });
    expect(await w.world.capacity.provided(FUNCTION, '4')).toMatchObject({ requested: 9 });
    w.stack.state = 'done';
    await w.send(tick());
    expect(w.target()).toEqual({ version: '4', weights: {} });
    await minutes(w, 20);
    expect(held(w)).toEqual(['3', '4']);
    w.clock.now += DAY;
    await minute(w);
    expect(held(w)).toEqual(['4']);
    expect(w.state()?.phase).toBe('DONE');
  });

  /** Version 4 is live and watched, version 3 keeps its instances. */
  const watched = async (): Promise<World> => {
    const w = await live(settings);
    await deploy(w, '4', 'b', { settings });
    w.stack.state = 'done';
    await minutes(w, 2);
    expect(w.state()).toMatchObject({ phase: 'BAKING', watch: { keeps: '3' } });
    expect(held(w)).toEqual(['3', '4']);
    return w;
  };
  const failed = { state: { verdict: 'fail' as const, done: 1, count: 1, failed: [1] }, failures: [] };
  const back = async (w: World): Promise<void> => {
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '4', 'b', { before: '5', settings }));
    w.stack.state = 'done';
    await minute(w);
  };

  it('keeps them through a deploy whose gate fails, until the watch ends', async () => {
    const w = await watched();
    w.gates.set('5', [failed]);
    await deploy(w, '5', 'c', { before: '4', settings });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'FAILED' });
    await back(w);
    expect([w.state()?.phase, held(w)]).toEqual(['ABORTED', ['3', '4']]);
    await alarm(w);
    expect(w.alias()?.weights).toEqual({ '3': 0.5 });
    await until(w, 'ABORTED', { 3: 0.3, 4: 0.3 }, { most: 15 });
    await minute(w);
    expect(held(w)).toEqual(['3', '4']);
    w.clock.now += DAY;
    await minute(w);
    expect([held(w), w.schedules.size]).toEqual([['4'], 0]);
  });

  it('gives them up when the watch ends also where somebody moved the alias since', async () => {
    const w = await watched();
    w.gates.set('5', [failed]);
    await deploy(w, '5', 'c', { before: '4', settings });
    await back(w);
    w.aliases.byHand(FUNCTION, 'live', { version: '6', weights: {} });
    await minutes(w, 2);
    expect([w.state()?.phase, held(w)]).toEqual(['ABORTED', ['3', '4']]);
    // A schedule that is lost is put back for that, too.
    w.schedules.clear();
    await w.send({ sweep: true });
    w.clock.now += DAY;
    await minute(w);
    expect([held(w), w.schedules.size]).toEqual([['4'], 0]);
  });

  it('keeps them in every phase of a canary, beside the candidate’s own, and after its rollback', async () => {
    const w = await watched();
    await deploy(w, '5', 'c', { before: '4', settings: WARM });
    w.stack.state = 'done';
    await minutes(w, 4, { 4: 0.02, 5: 0.02 });
    expect([w.state()?.phase, held(w)]).toEqual(['JUDGING', ['3', '4', '5']]);
    await w.command('hold');
    await minute(w);
    expect(held(w)).toEqual(['3', '4', '5']);
    await w.command('resume');
    await until(w, 'ROLLED_BACK', { 4: 0.02, 5: 0.4 });
    await minute(w);
    expect(held(w)).toEqual(['3', '4']);
  });

  it('gives them up in the midst of a later canary when the watch ends', async () => {
    const w = await watched();
    w.clock.now += DAY - 10 * MINUTE;
    await deploy(w, '5', 'c', { before: '4', settings: WARM });
    w.stack.state = 'done';
    await minutes(w, 2, { 4: 0.02, 5: 0.02 });
    expect(held(w)).toEqual(['3', '4', '5']);
    await minutes(w, 10, { 4: 0.02, 5: 0.02 });
    expect([w.state()?.phase, held(w)]).toEqual(['JUDGING', ['4', '5']]);
  });

  it('gives them up for the next one when another version is promoted', async () => {
    const w = await watched();
    await deploy(w, '5', 'c', { before: '4', settings });
    w.stack.state = 'done';
    await minutes(w, 2);
    expect([w.state()?.watch?.keeps, held(w)]).toEqual(['4', ['4', '5']]);
    await deploy(w, '6', 'd', { before: '5', settings: WARM });
    w.stack.state = 'done';
    await until(w, 'BAKING', { 5: 0.02, 6: 0.02 });
    await minute(w);
    expect(w.state()?.watch).not.toHaveProperty('keeps');
    expect(held(w)).toEqual(['6']);
  });

  it('gives them up when somebody goes back to it, or further', async () => {
    const w = await watched();
    await w.command('rollback');
    await minute(w);
    expect([w.target()?.version, held(w)]).toEqual(['3', ['3']]);
  });

  it('gives them up with the deploy that ends the watch, or no longer asks for any', async () => {
    for (const changed of [
      { ...settings, rollbackWindow: 0 },
      { ...settings, capacity: { provisioned, schedules: [] }, rollbackWindow: 60 },
    ]) {
      const w = await watched();
      await deploy(w, '4', 'b', { before: '4', settings: changed });
      expect([w.answers.at(-1)?.Status, held(w)]).toEqual(['SUCCESS', ['4']]);
      await w.send(tick());
      expect([w.state()?.phase, w.schedules.size]).toEqual(['DONE', 0]);
    }
    const w = await watched();
    const { capacity: _, ...none } = settings;
    await deploy(w, '4', 'b', { before: '4', settings: none });
    expect(held(w)).toEqual([]);
    expect(w.state()?.phase).toBe('BAKING');
  });

  it('keeps them through a deploy on its way that asks for none', async () => {
    const w = await watched();
    const { capacity: _, ...none } = settings;
    await deploy(w, '5', 'c', {
      before: '4',
      settings: { ...none, strategy: 'canary', steps: CANARY.steps },
    });
    w.stack.state = 'done';
    await minutes(w, 4, { 4: 0.02, 5: 0.02 });
    expect([w.state()?.phase, held(w)]).toEqual(['JUDGING', ['3', '4']]);
  });

  it('keeps them whatever strategy the settings name afterwards', async () => {
    const w = await watched();
    await deploy(w, '4', 'b', { before: '4', settings: WARM });
    await w.send(tick());
    expect([w.state()?.phase, held(w)]).toEqual(['BAKING', ['3', '4']]);
  });

  it('keeps them after a version that behaves as the live one', async () => {
    const w = await watched();
    await deploy(w, '5', 'b', { before: '4', settings });
    w.stack.state = 'done';
    await minutes(w, 2);
    expect([w.target()?.version, held(w)]).toEqual(['5', ['3', '5']]);
  });

  it('does not keep what an alarm would not bring back any more', async () => {
    const w = await watched();
    await deploy(w, '5', 'a', { before: '4', settings: WARM });
    w.stack.state = 'done';
    await minutes(w, 3, { 4: 0.02, 5: 0.02 });
    await w.command('rollback');
    await minute(w);
    expect(held(w)).toEqual(['4']);
  });

  it('whose document an older worker wrote keeps them while nothing else is deployed', async () => {
    const w = await watched();
    const found = await w.world.registry.release('churn');
    const { keeps: _, ...watch } = found?.release?.watch ?? { since: '', until: '' };
    await w.world.registry.move({ ...(found?.release as Release), watch }, found?.etag);
    await minute(w);
    expect(held(w)).toEqual(['3', '4']);
    w.gates.set('5', [failed]);
    await deploy(w, '5', 'c', { before: '4', settings });
    await back(w);
    expect(held(w)).toEqual(['4']);
  });

  describe('makes three versions of a release in its watch', () => {
    it.each([
      ['the function’s reservation', { reserved: 149, unreserved: 1000 }, 'concurrency.reserved leaves'],
      ['the account', { unreserved: 149 }, 'the account has unreserved'],
    ])('which is refused before anything moves where it is beyond %s', async (_, limits, whose) => {
      const w = await watched();
      Object.assign(w.capacity.limits, limits);
      const moves = w.aliases.history.length;
      const ends = w.state()?.watch?.until ?? '';
      await deploy(w, '5', 'c', { before: '4', settings });
      const { Status, Reason = '' } = w.answers.at(-1) ?? {};
      expect(Status).toBe('FAILED');
      for (const part of [
        `version 3 keeps its provisioned concurrency until ${ends}`,
        '3 × 50 = 150 instances are more than the 149',
        whose,
        'deploy again after that time',
        'rollbackWindow: 0',
        'lower concurrency.provisioned.max',
      ])
        expect(Reason).toContain(part);
      expect([held(w), w.aliases.history.length]).toEqual([['3', '4'], moves]);
      await back(w);
      expect(held(w)).toEqual(['3', '4']);
      // Both ways out.
      w.clock.now = Date.parse(ends);
      await deploy(w, '5', 'c', { before: '4', settings });
      expect([w.answers.at(-1)?.Status, held(w)]).toEqual(['SUCCESS', ['4', '5']]);
    });

    it('which goes once a deploy of what is live has ended the watch', async () => {
      const w = await watched();
      w.capacity.limits.unreserved = 149;
      await deploy(w, '5', 'c', { before: '4', settings });
      await back(w);
      await deploy(w, '4', 'b', { before: '4', settings: { ...settings, rollbackWindow: 0 } });
      w.stack.state = 'done';
      await minute(w);
      await deploy(w, '5', 'c', { before: '4', settings });
      expect([w.answers.at(-1)?.Status, held(w)]).toEqual(['SUCCESS', ['4', '5']]);
    });

    it('which goes where three fit, and where there is none on the third', async () => {
      for (const release of [false, true]) {
        const w = await watched();
        w.capacity.limits.unreserved = release ? 149 : 250;
        if (release) await w.world.capacity.release(FUNCTION, '3');
        await deploy(w, '5', 'c', { before: '4', settings });
        expect(w.answers.at(-1)?.Status).toBe('SUCCESS');
      }
    });

    it('of which waiting does not help where two are too many', async () => {
      const w = await watched();
      w.capacity.limits.unreserved = 99;
      await deploy(w, '5', 'c', { before: '4', settings });
      expect(w.answers.at(-1)?.Reason).toContain('2 × 50 = 100');
    });
  });

  it('goes back at once: the old version is warm', async () => {
    const w = await live(settings);
    await deploy(w, '4', 'b', { settings });
    w.stack.state = 'done';
    await w.send(tick());
    w.clock.now += MINUTE;
    await alarm(w);
    expect(w.target()).toEqual({ version: '4', weights: { '3': 0.5 } });
  });
});

describe('a reversed canary under provisioned concurrency', () => {
  it('begins when the last good version has as much, ready; the live one’s goes when it is rolled back', async () => {
    const w = await promoted(WARM, { readyAfter: 0 });
    expect(held(w)).toEqual(['4']);
    await alarm(w);
    expect(held(w)).toEqual(['4', '3']);
    expect(w.alias()?.weights).toEqual({ '3': 0.5 });
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.3 }, { most: 14 });
    await minute(w);
    expect([held(w), scaled(w)]).toEqual([['3'], [`${FUNCTION}:3`]]);
  });

  it('begins without where AWS gives none', async () => {
    const w = await promoted(WARM);
    w.capacity.limits.unreserved = 103;
    await alarm(w);
    expect(w.alias()?.weights).toEqual({ '3': 0.5 });
    expect(w.state()?.reversal?.cold).toContain('beyond the limit');
  });

  it('that acquits leaves none on the last good version', async () => {
    const w = await promoted(WARM);
    await alarm(w);
    await until(w, 'BAKING', { 3: 0.3, 4: 0.3 }, { most: 15 });
    await minute(w);
    expect(held(w)).toEqual(['4']);
  });
});
