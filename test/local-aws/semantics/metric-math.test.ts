/** The metric math of the local AWS, against what AWS's pages say of it. */
import { CloudWatchClient, GetMetricDataCommand, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import { describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { withAndWithout } from '../lambda.ts';
import { type Alarm, ask, type Series } from './metric-math.ts';

type Case = readonly [expression: string, expected: Series | RegExp];

/** Asks all of them at once, over the same series. */
async function hold(series: Readonly<Record<string, Series>>, cases: readonly Case[]): Promise<void> {
  const [answers] = await ask(cases.map(([expression]) => [series, [expression]]));
  for (const [index, [expression, expected]] of cases.entries()) {
    if (expected instanceof RegExp) expect(answers[index], expression).toMatch(expected);
    else expect(answers[index], expression).toEqual(expected);
  }
}

const _ = null;

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html */
describe('metric math', () => {
  it('takes missing values for 0, and drops points that divide by zero', () =>
    hold({ m1: [6, _, 2, _], m2: [3, 4, _, _], zero: [0, 0, 0, 0] }, [
      ['m1+m2', [9, 4, 2, _]],
      ['m1-m2', [3, -4, 2, _]],
      ['m1*m2', [18, 0, 0, _]],
      ['m1/m2', [2, 0, _, _]],
      ['m2/m1', [0.5, _, 0, _]],
      ['m1/zero', [_, _, _, _]],
      ['m1+1', [7, _, 3, _]],
      ['1-m1', [-5, _, -1, _]],
      ['-m1', [-6, _, -2, _]],
      ['-5*m1', [-30, _, -10, _]],
      ['m1/zero+m2', [3, 4, _, _]],
      ['zero^(-1)', [_, _, _, _]],
      ['(-m1)^0.5', [_, _, _, _]],
    ]));

  it('compares to 0 and 1, what only one side has with 0', () =>
    hold({ metric1: [30, 20, 0, 0], metric2: [20, _, 20, _] }, [
      // The page's own table.
      ['(metric1 < metric2)', [0, 0, 1, 0]],
      ['(metric1 >= 30)', [1, 0, 0, 0]],
      ['(metric1 > 15 AND metric2 > 15)', [1, 0, 0, 0]],
      ['metric1 > 15 && metric2 > 15', [1, 0, 0, 0]],
      ['metric1 > 25 OR metric2 > 15', [1, 0, 1, 0]],
      ['metric1 > 25 || metric2 > 15', [1, 0, 1, 0]],
      ['metric1 == 0', [0, 0, 1, 1]],
      ['metric1 != 0', [1, 1, 0, 0]],
      ['metric1 <= 20', [0, 1, 1, 1]],
      ['metric2 > 15', [1, _, 1, _]],
      ['(metric1 > 15) + (metric2 > 15)', [2, 1, 1, 0]],
    ]));

  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#using-IF-expressions
  it('chooses by IF: its tables, point for point', () =>
    hold({ metric1: [1, 1, 0, 0, _], metric2: [30, _, 0, 0, 30], metric3: [0, 0, 20, _, 20] }, [
      ['IF(metric1, metric2, metric3)', [30, 0, 20, _, _]],
      ['IF(metric1, 5, metric3)', [5, 5, 20, _, _]],
      ['IF(metric1, metric2, 5)', [30, 0, 5, 5, _]],
      ['IF(metric1, metric2)', [30, 0, _, _, _]],
      ['IF(metric1, 5)', [5, 5, _, _, _]],
      ['IF(metric1, 5, 7)', [5, 5, 7, 7, _]],
      ['IF(-metric1, 5, 7)', [5, 5, 7, 7, _]],
      ['IF(1, metric2, metric3)', [30, _, 0, 0, 30]],
      ['IF(0, metric2, metric3)', [0, 0, 20, _, 20]],
      ['IF(0, metric2)', [_, _, _, _, _]],
      ['IF(metric2<20, metric2)', [_, _, 0, 0, _]],
      ['IF(metric1<1, 10, 2)', [2, 2, 10, 10, _]],
      ['IF(1, 2, 3)', /IF of a number/],
      ['IF(1, metric2, 3)', /IF of a number/],
    ]));

  it('fills, with a number or another series', () =>
    hold({ m1: [_, 10, _, 30, _], m2: [7, _, 8, _, _], none: [_, _, _, _, _] }, [
      ['FILL(m1,0)', [0, 10, 0, 30, 0]],
      ['FILL(none,0)', [0, 0, 0, 0, 0]],
      ['FILL(m1,m2)', [7, 10, 8, 30, _]],
      ['FILL(m1,MIN(m1))', [10, 10, 10, 30, 10]],
      ['m2-FILL(m1,0)', [7, -10, 8, -30, 0]],
    ]));

  it('reads by the usual order, and in the order of writing', () =>
    hold({ m: [2, 3] }, [
      ['1+m*2', [5, 7]],
      ['2*m^2', [8, 18]],
      ['2+3*(4+m)^0.5', [2 + 3 * Math.sqrt(6), 2 + 3 * Math.sqrt(7)]],
      ['10-m-1', [7, 6]],
      ['24/m/2', [6, 4]],
      ['24/m*2', [24, 16]],
      ['m+1>3', [0, 1]],
      ['m*m>2*m', [0, 1]],
      ['(m>2)+(m>1)', [1, 2]],
    ]));

  it('has the functions of the page, by their uppercase names', () =>
    hold({ m: [Math.E, 100, -2.5, 0], n: [1, _, 2, 3] }, [
      ['LOG(m)', [1, Math.log(100), _, _]],
      ['LOG10(m)', [Math.log10(Math.E), 2, _, _]],
      ['ABS(m)', [Math.E, 100, 2.5, 0]],
      ['CEIL(m)', [3, 100, -2, 0]],
      ['FLOOR(m)', [2, 100, -3, 0]],
      ['n/MAX(n)', [1 / 3, _, 2 / 3, 1]],
      ['SUM([m,n])', [Math.E + 1, 100, -0.5, 3]],
      ['AVG([m,n])', [(Math.E + 1) / 2, 50, -0.25, 1.5]],
    ]));

  it('refuses what the page does not have, and what it does not say how to read', () =>
    hold({ m: [1], a: [2] }, [
      ['EXP(m)', /EXP is not supported/],
      ['SQRT(m)', /SQRT is not supported/],
      ["SEARCH('{N} Errors', 'Sum', 60)", /SEARCH is not supported/],
      ['log(m)', /not expected/],
      ['m**2', /not expected/],
      ['m%2', /cannot be read/],
      ['m+', /not expected/],
      ['(m', /missing/],
      ['m m', /not expected/],
      ['', /1 to 2048/],
      [`m${'+m'.repeat(1024)}`, /1 to 2048/],
      ['x+1', /there is no 'x'/],
      // The final result must be a time series.
      ['SUM(m)', /no time series/],
      ['1+1', /no time series/],
      ['1e-7*m', /cannot be read/],
      ['.5*m', /cannot be read/],
      ['m^a^2', /power of a power/],
      ['-m^2', /before a power/],
      ['m+-a', /not expected/],
      ['m>a>1', /comparison of a comparison/],
      ['m>1 AND a>1 OR a>2', /AND beside OR/],
      ['IF(m)', /arguments/],
    ]));

  it('goes by ids, through chains in any order', async () => {
    const [answers] = await ask([
      [{ m: [2] }, ['e1*10', 'm+1', 'e0+e1']],
      [{ m: [2] }, ['e1', 'e0']],
    ]);
    expect(answers).toEqual([[33], 'expressions refer to each other']);
  });
});

const stat = (Id: string, Period = 60, ReturnData = false) => ({
  Id,
  MetricStat: { Metric: { Namespace: 'N', MetricName: Id }, Period, Stat: 'Sum' },
  ReturnData,
});
const shown = (Expression: string, Id = 'shown') => ({ Id, Expression, ReturnData: true });

describe('alarms on metric math', () => {
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_WallClockWindow.html
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  it('are refused beyond AWS’s limits', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => stat(`m${i}`));
    const hidden = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ Id: `e${i}`, Expression: 'm0', ReturnData: false }));
    const clock = { EvaluationWindow: { WallClockWindow: { Timezone: 'UTC' } } };
    const cases: readonly (readonly [Alarm, RegExp | null])[] = [
      [{ Metrics: [...many(10), shown('m0+m9')] }, null],
      [{ Metrics: [...many(11), shown('m0+m9')] }, /at most 10 metrics/],
      [{ Metrics: [...many(1), ...hidden(9), shown('m0')] }, null],
      [{ Metrics: [...many(1), ...hidden(10), shown('m0')] }, /10 expressions/],
      [{ Metrics: [...many(1), { Id: 'e', Expression: 'm0', ReturnData: false }] }, /exactly one/],
      [{ Metrics: [stat('m', 60, true), shown('m')] }, /exactly one/],
      [{ Metrics: [stat('m', 60, true)] }, null],
      [{ Metrics: [stat('m'), stat('n', 300), shown('m+n')] }, /same Period/],
      [{ Metrics: [stat('m'), stat('m'), shown('m')] }, /twice/],
      [{ Metrics: [stat('M'), shown('1')] }, /lowercase/],
      [{ Metrics: [stat('m'), shown("SEARCH('{N} Errors', 'Sum', 60)")] }, /SEARCH/],
      [{ Metrics: [stat('m'), shown('AVG(m)')] }, /no time series/],
      [{ Metrics: [stat('m', 3600), shown('m')], EvaluationPeriods: 168 }, null],
      [{ Metrics: [stat('m', 3600), shown('m')], EvaluationPeriods: 169 }, /a week/],
      [{ Metrics: [stat('m', 300), shown('m')], EvaluationPeriods: 289 }, /a day/],
      [{ Metrics: [stat('m', 86_400), shown('m')], EvaluationPeriods: 2, ...clock }, null],
      [{ Metrics: [stat('m', 600), shown('m')], ...clock }, /window by the clock/],
    ];
    const [, refused] = await ask(
      [],
      cases.map(([alarm]) => alarm),
    );
    for (const [index, [alarm, why]] of cases.entries()) {
      if (why === null) expect(refused[index], JSON.stringify(alarm)).toBeNull();
      else expect(refused[index], JSON.stringify(alarm)).toMatch(why);
    }
  });

  it('are refused by the interface, too', async () => {
    const { on, off } = await withAndWithout('alarms', async (aws) => {
      const cloudWatch = new CloudWatchClient({ ...client(aws.endpoint), maxAttempts: 1 });
      const Metrics = [stat('m'), shown('SQRT(m)')];
      const put = new PutMetricAlarmCommand({
        AlarmName: 'a',
        Metrics,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanThreshold',
      });
      const [EndTime, StartTime] = [new Date(), new Date(Date.now() - 60_000)];
      const get = new GetMetricDataCommand({ MetricDataQueries: Metrics, StartTime, EndTime });
      const refusal = (call: Promise<unknown>) =>
        call.then(
          () => undefined,
          (error: Error) => `${error.name}: ${error.message}`,
        );
      const found = [await refusal(cloudWatch.send(put)), await refusal(cloudWatch.send(get))];
      cloudWatch.destroy();
      return found;
    });
    expect(on).toEqual(Array(2).fill(expect.stringMatching(/^Validation.*: metric math: SQRT/)));
    expect(off[0]).toBeUndefined();
  });
});
