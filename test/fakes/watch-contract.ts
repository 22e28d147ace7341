import { expect, it } from 'vitest';
import type { Provided } from '../../core/ports/aws.ts';
import { rangeAt } from '../../core/release/capacity-range.ts';
import type { Subject } from './contract.ts';

const MINUTE = 60_000;
const minuteOf = (at: number): number => Math.floor(at / MINUTE) * MINUTE;

/** Capacity, metrics, alarms and notices: what a release is warmed and watched by. */
export function watchContract(subject: () => Subject): void {
  it('provisioned concurrency is listed and released', async () => {
    const { capacity, functionName } = subject();
    expect(await capacity.list(functionName)).toEqual(['1']);
    await capacity.release(functionName, '1');
    await capacity.release(functionName, '1');
    expect(await capacity.list(functionName)).toEqual([]);
    expect(await capacity.list('no-such-function')).toEqual([]);
  });

  it('provisioned concurrency is asked for, and ready after a while', async () => {
    const { capacity, functionName, pause } = subject();
    expect(await capacity.provided(functionName, '2')).toBeUndefined();
    expect(await capacity.provided(functionName, '99')).toBeUndefined();
    expect(await capacity.provided('no-such-function', '1')).toBeUndefined();
    const began = performance.now();
    expect(await capacity.provide(functionName, '2', 2)).toBe('ok');
    const first = await capacity.provided(functionName, '2');
    // The local AWS needs three seconds: where this process was held up for so long, it may be over.
    if (performance.now() - began < 2500)
      expect(first).toEqual({ requested: 2, ready: 0, state: 'inProgress' });
    let last: Provided | undefined = first;
    for (let looks = 0; last?.state === 'inProgress' && looks < 100; looks += 1) {
      await pause();
      last = await capacity.provided(functionName, '2');
    }
    expect(last).toEqual({ requested: 2, ready: 2, state: 'ready' });
    expect(await capacity.provide(functionName, '2', 2)).toBe('ok');
    expect(await capacity.provided(functionName, '2')).toEqual(last);
    expect(await capacity.list(functionName)).toEqual(['2']);
  });

  it('more than there can be is refused, with AWS’s reason, and nothing changes', async () => {
    const { capacity, functionName } = subject();
    const { unreserved } = await capacity.limits(functionName);
    expect(unreserved).toBeGreaterThan(100);
    await capacity.provide(functionName, '2', 2);
    const refused = { refused: expect.stringMatching(/./) };
    // 100 stay unreserved, and 2 are taken.
    expect(await capacity.provide(functionName, '1', unreserved - 101)).toEqual(refused);
    expect(await capacity.provide(functionName, '99', 1)).toEqual(refused);
    expect(await capacity.provided(functionName, '1')).toBeUndefined();
    expect(await capacity.list(functionName)).toEqual(['2']);
  });

  it('a version is scaled as given and nothing else, and released whole', async () => {
    const { capacity, functionName, scalingOf, now } = subject();
    await capacity.provide(functionName, '2', 2);
    const action = { timezone: 'Europe/Berlin', min: 3, max: 9 };
    const day = { name: 'day-start', at: 'cron(0 8 ? * MON-FRI *)', ...action };
    const night = { name: 'day-end', at: 'cron(0 20 ? * MON-FRI *)', ...action, min: 2, max: 5 };
    const other = { name: 'weekend-start', at: 'cron(30 9 ? * SAT *)', ...action };
    const scaling = { min: 2, max: 5, target: 0.7, schedules: [day, night] };
    await capacity.scale(functionName, '2', scaling);
    await capacity.scale(functionName, '2', scaling);
    expect(await scalingOf('2')).toEqual({
      ...scaling,
      ...rangeAt(scaling, now()),
      schedules: [night, day],
    });
    const changed = { min: 1, max: 3, target: 0.5, schedules: [{ ...day, max: 4 }, other] };
    await capacity.scale(functionName, '2', changed);
    expect(await scalingOf('2')).toEqual({ ...changed, ...rangeAt(changed, now()) });
    await capacity.scale(functionName, '2', { min: 1, max: 3, target: 0.5, schedules: [] });
    expect(await scalingOf('2')).toEqual({ min: 1, max: 3, target: 0.5, schedules: [] });
    await capacity.release(functionName, '2');
    expect(await scalingOf('2')).toBeUndefined();
    expect(await capacity.list(functionName)).toEqual([]);
  });

  it('what each version did behind an alias is told by minute, and requests of all as a rate', async () => {
    const { aliases, metrics, functionName, serve, now } = subject();
    const scores = { a: 1.5, b: -2, aa: 3, bb: 4.25, ab: -0.5 };
    const did = {
      invocations: 3,
      crashes: 1,
      requests: 2,
      errors: 1,
      rejected: 2,
      coldStarts: 1,
      slow: [2, 1, 1, 0] as const,
      outputs: { 'confidence-12ab': scores },
    };
    const from = minuteOf(now());
    await aliases.create(functionName, 'watched', {
      version: '1',
      weights: {},
      description: '',
    });
    await serve('watched', '1', did);
    const to = minuteOf(now()) + MINUTE;
    const read = (from: number, to: number, signals: readonly string[]) =>
      metrics.sides(functionName, 'watched', ['1', '2'], from, to, signals);

    const sides = await read(from, to, ['confidence-12ab', 'unheard']);
    expect([...sides.keys()]).toEqual(['1', '2']);
    expect(sides.get('2')).toEqual(new Map());
    const minutes = [...(sides.get('1') ?? [])];
    for (const [minute] of minutes) expect(minute % MINUTE).toBe(0);
    const total = (of: (side: (typeof minutes)[0][1]) => number | undefined): number =>
      minutes.reduce((sum, [, side]) => sum + (of(side) ?? 0), 0);
    expect({
      invocations: total((side) => side.invocations),
      crashes: total((side) => side.crashes),
      requests: total((side) => side.requests),
      errors: total((side) => side.errors),
      rejected: total((side) => side.rejected),
      coldStarts: total((side) => side.coldStarts),
      slow: [0, 1, 2, 3].map((edge) => total((side) => side.slow?.[edge])),
      outputs: {
        'confidence-12ab': Object.fromEntries(
          (['a', 'b', 'aa', 'bb', 'ab'] as const).map((score) => [
            score,
            total((side) => side.outputs?.['confidence-12ab']?.[score]),
          ]),
        ),
      },
    }).toEqual(did);
    // Signals that are not asked for, minutes before and after, other aliases.
    for (const [, side] of (await read(from, to, [])).get('1') ?? [])
      expect(side).not.toHaveProperty('outputs');
    expect((await read(from - 5 * MINUTE, from, [])).get('1')).toEqual(new Map());
    expect((await read(to, to + MINUTE, [])).get('1')).toEqual(new Map());
    expect((await read(from, from, [])).get('1')).toEqual(new Map());
    expect((await metrics.sides(functionName, 'other', ['1'], from, to, [])).get('1')).not.toEqual(
      sides.get('1'),
    );

    const rate = await metrics.rate(functionName, 'watched', to - 10 * MINUTE, to);
    expect(rate.perSecond).toBeCloseTo(3 / 600, 9);
    expect(rate.errorRate).toBeCloseTo(2 / 3, 9);
    expect(await metrics.rate(functionName, 'watched', from - 10 * MINUTE, from)).toEqual({
      perSecond: 0,
      errorRate: 0,
    });
    await expect(metrics.rate(functionName, 'watched', to + 1, to + MINUTE)).rejects.toThrow(RangeError);
  });

  it('alarms are told with the time at which their state turned; those that are not there are left out', async () => {
    const { alarms, setAlarm, now, pause } = subject();
    expect(await alarms.states([])).toEqual(new Map());
    await setAlarm('churn-errors', 'OK');
    await pause();
    // CloudWatch may tell whole seconds.
    const before = now() - 1000;
    await setAlarm('churn-errors', 'ALARM');
    await setAlarm('churn-latency', 'OK');
    const after = now();
    const read = () => alarms.states(['churn-errors', 'churn-latency', 'churn-none']);
    const states = await read();
    expect([...states.keys()].sort()).toEqual(['churn-errors', 'churn-latency']);
    expect(states.get('churn-errors')?.state).toBe('ALARM');
    expect(states.get('churn-latency')?.state).toBe('OK');
    const since = states.get('churn-errors')?.since ?? 0;
    expect(since).toBeGreaterThanOrEqual(before);
    expect(since).toBeLessThanOrEqual(after);
    await pause();
    await pause();
    await setAlarm('churn-errors', 'ALARM');
    expect((await read()).get('churn-errors')).toEqual({ state: 'ALARM', since });
  });

  it('a notice reaches the topic’s subscribers', async () => {
    const { notices, published, pause } = subject();
    const notice = { subject: 'churn: version 4 was rolled back', text: 'x1 12 of 100\n“errors” × 3' };
    await notices(notice.subject, notice.text);
    for (let looks = 0; (await published()).length === 0 && looks < 100; looks += 1) await pause();
    expect(await published()).toEqual([notice]);
  });
}
