import { expect, it } from 'vitest';
import { seeded } from '../../../../../../core/capacity/random.ts';
import { alarmsOf } from '../../../../../../plugins/models/plan/plan.ts';
import { declaredModels, HOST } from '../../../../../fixtures/service.ts';
import { alarmValues, type Point } from '../../../../../metric-expression.ts';

/** An hour of requests, `rate` a second that know nothing of each other, each of so many seconds. */
type Traffic = { readonly rate: number; readonly seconds: number; readonly kept: number };

/**
 * What Lambda tells of each minute: with each request how many of the kept instances are in use with it, and
 * whether it found one.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#concurrency-metrics
 */
function minutesOf({ rate, seconds, kept }: Traffic): readonly Readonly<Record<string, Point>>[] {
  const random = seeded(7);
  const minutes = Array.from({ length: 60 }, () => ({ used: 0, most: 0, served: 0, spilled: 0 }));
  let busy: number[] = [];
  for (let at = 0; ; ) {
    at -= Math.log(1 - random()) / rate;
    const minute = minutes[Math.floor(at / 60)];
    if (minute === undefined) break;
    busy = busy.filter((end) => end > at);
    const isServed = busy.length < kept;
    if (isServed) busy.push(at + seconds);
    minute[isServed ? 'served' : 'spilled'] += 1;
    minute.used += busy.length;
    minute.most = Math.max(minute.most, busy.length);
  }
  return minutes.map(({ used, most, served, spilled }): Readonly<Record<string, Point>> => {
    const requests = served + spilled;
    if (requests === 0) return {};
    return {
      ProvisionedConcurrencyUtilization: { Average: used / requests / kept, Maximum: most / kept },
      ProvisionedConcurrentExecutions: { Maximum: most },
      Invocations: { Sum: requests },
      ProvisionedConcurrencySpilloverInvocations: { Sum: spilled },
    };
  });
}

/** Suffixes of the alarms that go on within that hour. */
function goneOn(traffic: Traffic): readonly (string | undefined)[] {
  const minutes = minutesOf(traffic);
  return declaredModels({ churn: { concurrency: { provisioned: traffic.kept } } })
    .flatMap((model) => alarmsOf(model, HOST))
    .filter(({ kind }) => kind?.suffix === 'provisioned' || kind?.suffix === 'spillover')
    .filter(({ resource: { Properties } }) => {
      const {
        Metrics,
        MetricName,
        Statistic,
        Threshold,
        EvaluationPeriods: of,
        DatapointsToAlarm,
      } = Properties;
      const above = minutes.map((minute) => {
        const value = Array.isArray(Metrics)
          ? alarmValues(Metrics, minute).watched
          : minute[String(MetricName)]?.[String(Statistic)];
        return value !== undefined && value > Number(Threshold);
      });
      return above.some(
        (_, at) => above.slice(at, at + Number(of)).filter(Boolean).length >= Number(DatapointsToAlarm),
      );
    })
    .map(({ kind }) => kind?.suffix);
}

it.each([
  ['one instance, asked every ten seconds', { rate: 0.1, seconds: 0.05, kept: 1 }],
  ['two, of which a fiftieth is in use', { rate: 2, seconds: 0.02, kept: 2 }],
  ['what `plan --capacity` proposes for 100 requests a second', { rate: 100, seconds: 0.2, kept: 35 }],
])('instances that suffice call nobody: %s', (_, traffic) => {
  expect(goneOn(traffic)).toEqual([]);
});

it.each([
  ['a fifth too few', { rate: 100, seconds: 0.2, kept: 16 }],
  ['two of six', { rate: 30, seconds: 0.2, kept: 2 }],
])('instances that do not call: %s', (_, traffic) => {
  expect(goneOn(traffic)).toEqual(['provisioned', 'spillover']);
});

it('one instance that does not suffice is told by what finds none', () => {
  expect(goneOn({ rate: 10, seconds: 0.2, kept: 1 })).toEqual(['spillover']);
});
