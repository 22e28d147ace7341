import { array, assert, constantFrom, double, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { poissonArrivals } from '../../../../../core/capacity/arrivals.ts';
import { hourlyRates } from '../../../../../core/capacity/environments/minutes.ts';
import { dailyWeek, evenWeek } from '../../../../../core/capacity/environments/week.ts';
import { capacityWords } from '../../../../../plugins/models/capacity/capacity-words.ts';
import type { TrafficLoad } from '../../../../../plugins/models/capacity/load.ts';
import type { Quota } from '../../../../../plugins/models/capacity/quota.ts';
import { capacityReport } from '../../../../../plugins/models/capacity/report.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { declaredModels, FACTS } from '../../../../fixtures/service.ts';

const account = { all: 1000, unreserved: 1000, from: 'Lambda' };
const QUOTA: Quota = { limit: 1000, of: 'account', account };
const even = (rate: number): TrafficLoad => ({
  from: 'declared',
  words: 'as declared',
  week: evenWeek(rate),
  timezone: 'UTC',
});

type Given = { ms?: number; promised?: number; quota?: Quota };

function reported(more: object, load: TrafficLoad, { ms = 50, promised = 0.001, quota = QUOTA }: Given = {}) {
  const [model] = declaredModels({ churn: more });
  if (model === undefined) throw new Error('no model');
  return capacityReport({
    ...{ model, facts: FACTS, load, quota },
    options: { promised, crowd: 10_000, idle: { seconds: 300, isGiven: false } },
    times: { duration: { ms, from: 'assumed' }, init: { ms: 500, from: 'assumed' } },
  });
}

const office = dailyWeek(Array.from({ length: 24 }, (_, hour) => (hour >= 8 && hour < 20 ? 400 : 40)));
const WINDOW = { days: 'mon-fri', from: '08:00', to: '20:00', timezone: 'Europe/Berlin', min: 10, max: 50 };

it('no window is proposed that keeps as many as all other times: one at least is written', () => {
  const seldom = dailyWeek(Array.from({ length: 24 }, (_, hour) => (hour === 5 ? 0.001 : 0)));
  const { proposal } = reported({}, { ...even(1), from: 'curve', week: seldom });
  expect(proposal?.concurrency).toEqual({ provisioned: { min: 1, max: 1, target: 0.1 } });
});

it('what requests cost is counted part by part: what is kept for the day answers no request of the night', () => {
  const load: TrafficLoad = { ...even(1), from: 'curve', week: office };
  const { parts, proposal } = reported({ memory: 1024 }, load);
  const [night, day] = parts;
  const costs = (rate: number, provisioned: number) => {
    const alone = reported({ memory: 1024 }, even(rate)).proposal;
    expect(alone?.concurrency.provisioned.min).toBe(provisioned);
    return alone?.dollars ?? { kept: Number.NaN, requests: Number.NaN, onDemand: Number.NaN };
  };
  const [dark, light] = [costs(night?.rate ?? 0, night?.kept ?? 0), costs(day?.rate ?? 0, day?.kept ?? 0)];
  const mixed = (of: 'requests' | 'onDemand'): number =>
    (night?.time ?? 0) * dark[of] + (day?.time ?? 0) * light[of];
  expect(proposal?.dollars.requests).toBeCloseTo(mixed('requests'), 6);
  expect(proposal?.dollars.onDemand).toBeCloseTo(mixed('onDemand'), 6);
});

it('quiet working days have a window where the weekend is busy all day', () => {
  const week = Array.from({ length: 168 }, (_, hour) => (hour >= 120 ? 400 : 4));
  const { proposal } = reported({}, { ...even(1), from: 'curve', week });
  expect(proposal?.concurrency).toMatchObject({
    provisioned: { min: 40 },
    schedule: [{ days: 'mon-fri', from: '00:00', to: '23:00', min: 4 }],
  });
});

describe('target 0.7 against what a load needs', () => {
  // Loads, by a second of each request.
  it.each([
    [1, 6, 0.16, false],
    [5, 14, 0.35, false],
    [20, 35, 0.57, false],
    [50, 71, 0.7, true],
    [200, 238, 0.83, true],
  ])('%d in progress: %d, at a target of %d', (load, kept, target, keeps) => {
    const report = reported({}, even(load), { ms: 1000, quota: { ...QUOTA, limit: 5000 } });
    expect(report.parts).toMatchObject([{ kept, load, time: 1 }]);
    expect(report.today).toMatchObject({ from: 'default', target: 0.7, keeps });
    expect(report.proposal?.concurrency.provisioned).toMatchObject({ min: kept });
    expect(report.proposal?.concurrency.provisioned.target).toBeCloseTo(target, 2);
    const words = capacityWords(report);
    if (keeps) expect(words).toContain('which keeps the promise');
    else expect(words).toContain(`in progress: ${report.proposal?.concurrency.provisioned.target} is not`);
  });

  it('where ten requests a second are what asks for more, that is said, and not that the promise breaks', () => {
    const words = capacityWords(reported({}, even(2000), { quota: { ...QUOTA, limit: 5000 } }));
    expect(words).toContain(
      'find none free by Erlang B, which is within 0.1 %, yet an instance is given no more than ten requests a second',
    );
    expect(words).not.toContain('more than 0.1 %');
  });

  it('a range that is declared is judged as declared, and a fixed number as that', () => {
    const range = { concurrency: { provisioned: { min: 2, max: 40, target: 0.6 } } };
    const low = reported(range, even(100));
    expect(low.today).toMatchObject({ from: 'declared', target: 0.6, keeps: false });
    // 5 in progress at 0.6: nine.
    expect(low.parts).toMatchObject([{ kept: 14, today: { kept: 9, share: expect.closeTo(0.0375, 4) } }]);
    expect(capacityWords(low)).toContain(
      'target     0.6 (declared): scaling comes to rest at 9 of 14\n             that must be kept',
    );
    const enough = reported({ concurrency: { provisioned: { min: 14, max: 40 } } }, even(100));
    expect(enough.today.keeps).toBe(true);
    const fixed = reported({ concurrency: { provisioned: 5 } }, even(100));
    expect(fixed.today).toMatchObject({ scales: false, keeps: false });
    expect(capacityWords(fixed)).toContain(
      'today      a fixed number is declared (5 of 14 that must be kept)',
    );
  });

  it('ten requests a second an instance are asked of what is declared, too', () => {
    // Two in progress: the formula needs eight, Lambda a hundred.
    const few = reported({ concurrency: { provisioned: 20 } }, even(1000), { ms: 2 });
    expect(few.parts).toMatchObject([{ kept: 100, isByRate: true }]);
    expect(few.today.share).toBeLessThan(0.001);
    expect(few.today.keeps).toBe(false);
    expect(reported({ concurrency: { provisioned: 100 } }, even(1000), { ms: 2 }).today.keeps).toBe(true);
  });

  it('a load so small that no target is low enough is held by min', () => {
    const { proposal } = reported({}, even(5));
    expect(proposal?.concurrency.provisioned).toEqual({ min: 4, max: 5, target: 0.1 });
    expect(capacityWords(reported({}, even(5)))).toContain(
      '0.1 is the least there is, and `min` keeps the promise',
    );
  });
});

describe('a week', () => {
  it('is parted by the schedule that is declared', () => {
    const load: TrafficLoad = { from: 'curve', words: 'curve', week: office, timezone: 'Europe/Berlin' };
    const declared = { concurrency: { provisioned: { min: 2, max: 20 }, schedule: WINDOW } };
    const { parts, proposal } = reported(declared, load);
    expect(parts.map(({ kept, load: mean }) => [kept, Math.round(mean)])).toEqual([
      // Weekends are as busy as working days here: what is outside of the window must do for them, too.
      [40, 6],
      [40, 20],
    ]);
    expect(proposal?.concurrency.schedule).toEqual([
      {
        days: 'mon-fri',
        from: '08:00',
        to: '20:00',
        timezone: 'Europe/Berlin',
        min: 40,
        max: expect.any(Number),
      },
    ]);
  });

  it('a window over midnight, written as two, has the minute between them', () => {
    const week = dailyWeek(Array.from({ length: 24 }, (_, hour) => (hour >= 20 || hour < 4 ? 400 : 1)));
    const load: TrafficLoad = { from: 'curve', words: 'curve', week, timezone: 'UTC' };
    const range = { days: 'daily', timezone: 'UTC', min: 40, max: 80 };
    const schedule = [
      { ...range, from: '20:00', to: '23:59' },
      { ...range, from: '00:00', to: '04:00' },
    ];
    const { proposal } = reported({ concurrency: { provisioned: 1, schedule } }, load);
    expect(proposal?.concurrency.provisioned).toMatchObject({ min: 3, max: 3 });
    expect(proposal?.concurrency.schedule?.map(({ min }) => min)).toEqual([40, 40]);
  });

  it('gets windows where they spare something', () => {
    const load: TrafficLoad = { from: 'curve', words: 'curve', week: office, timezone: 'UTC' };
    const { parts, proposal } = reported({}, load, { ms: 200, quota: { ...QUOTA, limit: 10_000 } });
    expect(parts).toMatchObject([
      { kept: 18, load: 8, time: 0.5 },
      { load: 80, time: 0.5, window: { from: 480, to: 1200 } },
    ]);
    expect(proposal?.line).toMatch(
      /^concurrency: \{ provisioned: \{ min: 18, max: \d+, target: 0\.\d+ \}, schedule: \[\{ days: daily, from: "08:00", to: "20:00", timezone: UTC, min: \d+, max: \d+ \}\] \}$/,
    );
  });

  it('what is proposed may be written as it is, and keeps the promise then', () => {
    const rates = array(double({ min: 0.01, max: 200, noNaN: true }), { minLength: 24, maxLength: 168 });
    assert(
      property(
        rates,
        constantFrom(
          {},
          { provisioned: { min: 1, max: 9 }, schedule: WINDOW },
          { provisioned: 3, reserved: 4000 },
        ),
        constantFrom(5, 50, 300),
        constantFrom(0.01, 0.001, 0.0001),
        (given, concurrency, ms, promised) => {
          const week = Array.from({ length: 168 }, (_, hour) => given[hour % given.length] ?? 0);
          const timezone = 'schedule' in concurrency ? WINDOW.timezone : 'UTC';
          const load: TrafficLoad = { from: 'curve', words: 'w', week, timezone };
          const quota: Quota = { ...QUOTA, limit: 100_000 };
          const { proposal } = reported({ concurrency }, load, { ms, promised, quota });
          const written = parseYaml(`${proposal?.line}`) as object;
          const { problems } = parseModels({ churn: { artifact: 'a.onnx', ...written } });
          expect(problems).toEqual([]);
          const again = reported(written, load, { ms, promised, quota });
          expect(again.today.share).toBeLessThanOrEqual(promised);
          expect(again.today.keeps).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('arrivals that are replayed', () => {
  const fileOf = (arrivals: readonly number[]): TrafficLoad => ({
    from: 'file',
    words: 'a file',
    rates: hourlyRates(arrivals),
    timezone: 'UTC',
    replayed: { arrivals, words: 'arrivals of a file' },
  });

  it('Poisson: the replay agrees with Erlang B', () => {
    const report = reported({}, fileOf(poissonArrivals(20, 20_000, 3)), { ms: 250, promised: 0.01 });
    const { erlang = 0, simulated = 0, dispersion = 0 } = report.replayed ?? {};
    expect(simulated / erlang).toBeGreaterThan(0.9);
    expect(simulated / erlang).toBeLessThan(1.1);
    expect(dispersion).toBeCloseTo(1, 1);
    expect(capacityWords(report)).toContain('about the same, whose number in 1 s varies');
  });

  it('a few that find none free by chance are no bursts', () => {
    // Five of 20,000, where two or three were to be expected.
    const report = reported({}, fileOf(poissonArrivals(5, 4000, 4)));
    const { erlang = 0, simulated = 0, dispersion = 0 } = report.replayed ?? {};
    expect(simulated / erlang).toBeGreaterThan(1.5);
    expect(dispersion).toBeCloseTo(1, 1);
    const words = capacityWords(report);
    expect(words).toContain('times as many, of so few that it may be chance, whose number in 1 s varies');
    expect(words).not.toContain('bursts');
  });

  it('bursts: Erlang B is far too low, and more are kept', () => {
    const bursts = poissonArrivals(4, 20_000, 3).flatMap((at) => [at, at, at, at, at]);
    const report = reported({}, fileOf(bursts));
    const { erlang = 0, simulated = 0, dispersion = 0, proposed } = report.replayed ?? {};
    expect(simulated / erlang).toBeGreaterThan(18);
    expect(dispersion).toBeGreaterThan(4);
    expect(report.parts).toMatchObject([{ erlang: { kept: 6 }, kept: 16 }]);
    const beyond = 1 - (proposed?.kept ?? 0) / bursts.length;
    expect(beyond).toBeLessThanOrEqual(0.001);
    expect(report.proposal?.concurrency.provisioned).toMatchObject({ min: 16 });
    expect(capacityWords(report)).toContain(
      'they come in bursts, whose number in 1 s varies 4.93 times as much',
    );
  });

  it('by the clock: each window keeps what its own arrivals need', () => {
    const monday = Date.UTC(2026, 10, 23);
    const at = (hour: number, minute: number): number => monday + hour * 3_600_000 + minute * 60_000;
    // Five at once every minute from 8 to 20, one every minute otherwise, a week long.
    const arrivals = Array.from({ length: 7 * 24 }, (_, hour) =>
      Array.from({ length: 60 }, (_, minute) =>
        hour % 24 >= 8 && hour % 24 < 20 ? Array(5).fill(at(hour, minute)) : [at(hour, minute)],
      ),
    ).flat(2);
    const load: TrafficLoad = {
      ...{ from: 'cloudwatch', words: 'w', timezone: 'UTC' },
      week: dailyWeek(Array.from({ length: 24 }, (_, hour) => (hour >= 8 && hour < 20 ? 5 : 1) / 60)),
      replayed: { arrivals, words: 'w' },
    };
    const schedule = { ...WINDOW, days: 'daily', timezone: 'UTC' };
    const report = reported({ concurrency: { provisioned: { min: 1, max: 9 }, schedule } }, load);
    expect(report.parts.map(({ kept, replayed }) => [kept, replayed?.kept, replayed?.requests])).toEqual([
      [expect.any(Number), 1, 7 * 12 * 60],
      [5, 5, 7 * 12 * 60 * 5],
    ]);
    expect(report.replayed?.proposed).toMatchObject({
      cold: 0,
      throttled: 0,
      kept: arrivals.length,
      most: 5,
    });
  });

  it('the busiest ones are held against Erlang B at their own rates, and not at those of the week', () => {
    const start = Date.UTC(2026, 10, 23, 12);
    const arrivals = poissonArrivals(200, 600, 5).map((at) => start + at);
    const load: TrafficLoad = {
      ...{ from: 'cloudwatch', words: 'w', timezone: 'UTC' },
      week: Array.from({ length: 168 }, (_, hour) => (hour === 12 ? 200 : 20)),
      replayed: { arrivals, words: 'the busiest', isPart: true },
    };
    const WHOLE = { ...WINDOW, days: 'mon-fri', from: '09:00', to: '21:00', timezone: 'UTC' };
    const report = reported({ concurrency: { provisioned: { min: 1, max: 99 }, schedule: WHOLE } }, load, {
      ms: 200,
    });
    const [quiet, busy] = report.parts;
    // One of the sixty hours of the window: most of those that find none free are in it.
    expect(busy?.erlang.share).toBeLessThanOrEqual(0.001);
    expect(busy?.replayed?.share).toBeGreaterThan(0.002);
    const { erlang = 0, simulated = 0 } = report.replayed ?? {};
    expect(simulated / erlang).toBeGreaterThan(1 / 1.5);
    expect(simulated / erlang).toBeLessThan(1.5);
    // What is promised of all is no more than what is kept by the formula.
    expect(busy?.kept).toBeLessThanOrEqual((busy?.erlang.kept ?? 0) + 2);
    expect(quiet?.replayed).toMatchObject({ requests: 0, kept: 0 });
    const words = capacityWords(report);
    expect(words).toContain('do: about the same');
    expect(words).not.toContain('bursts,');
    expect(words).toMatch(/at all other times .*–$/m);
  });

  it('few arrivals are no proof, and it says so', () => {
    const report = reported({}, fileOf(poissonArrivals(1, 500, 3)));
    expect(report.replayed?.needs).toBe(3000);
    expect(capacityWords(report)).toContain('too few to show 0.1 %: at least 3,000 arrivals are needed');
  });
});

describe('quotas', () => {
  it('a crowd meets the ramp where the account is large, and the account where it is not', () => {
    const large = reported({}, even(100), { quota: { ...QUOTA, limit: 50_000 } });
    expect(large.crowd).toMatchObject({ served: 1014, throttled: 8986, meets: 'ramp', kept: 14 });
    expect(capacityWords(large)).toContain(
      "10,000 at once: with 14 kept 1,014 are served and 8,986 refused with 429\n             they meet Lambda's ramp, 1,000 new instances at once and 100 more a second",
    );
    const reserved: Quota = { ...QUOTA, limit: 40, of: 'reserved' };
    const small = reported({ concurrency: { reserved: 40 } }, even(100), { quota: reserved });
    expect(small.crowd).toMatchObject({ served: 40, throttled: 9960, meets: 'limit' });
    expect(capacityWords(small)).toContain('they meet what is reserved for it, 40 instances');
  });

  it('what does not fit is told with what to ask for', () => {
    const tight = reported({}, even(100), { quota: { ...QUOTA, limit: 120 } });
    expect(tight.proposal).toMatchObject({
      isBounded: true,
      lacks: expect.stringContaining('hold 28 instances together'),
    });
    expect(capacityWords(tight)).toContain('ask AWS for a quota that is 8 larger');
    const bounded = reported({}, even(100), { quota: { ...QUOTA, limit: 134 } });
    expect(bounded.proposal).toMatchObject({
      isBounded: true,
      concurrency: { provisioned: { min: 14, max: 17 } },
    });
    expect(bounded.proposal?.lacks).toBeUndefined();
    const three = reported({ release: { strategy: 'blueGreen' } }, even(100));
    expect(three.proposal?.release.versions).toBe(3);
    const over = reported({}, even(30_000), { quota: { ...QUOTA, limit: 1000 } });
    expect(capacityWords(over)).toContain('the busiest hour needs 3,000 instances, more than those 1,000');
  });

  it('nothing is proposed for nothing', () => {
    const none = reported({}, even(0));
    expect(none.proposal).toBeUndefined();
    expect(capacityWords(none)).toContain('write      nothing: no request comes');
  });
});

it('more traffic needs no fewer, and a promise of less no more', () => {
  assert(
    property(double({ min: 0.01, max: 300, noNaN: true }), integer({ min: 1, max: 500 }), (rate, ms) => {
      const keptAt = (of: number, promised: number): number =>
        reported({}, even(of), { ms, promised }).parts[0]?.kept ?? 0;
      expect(keptAt(1.3 * rate, 0.001)).toBeGreaterThanOrEqual(keptAt(rate, 0.001));
      expect(keptAt(rate, 0.01)).toBeLessThanOrEqual(keptAt(rate, 0.001));
    }),
    { numRuns: 50 },
  );
});
