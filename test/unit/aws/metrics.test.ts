import {
  CloudWatchClient,
  type GetMetricDataCommandInput,
  type GetMetricDataCommandOutput,
  type MetricDataResult,
} from '@aws-sdk/client-cloudwatch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cloudWatchMetrics, periodFor, within } from '../../../aws/metrics.ts';
import { sideMetrics, sidesOf } from '../../../aws/sides.ts';
import { METRICS } from '../../../core/metrics/contract.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const NOW = Date.parse('2026-01-20T10:00:00Z');

type Page = Omit<GetMetricDataCommandOutput, '$metadata'>;

/** CloudWatch as it answers: the client's own steps stay, only the wire is taken away. */
function cloudWatch(answer: (asked: GetMetricDataCommandInput, page: number) => Page) {
  const asked: GetMetricDataCommandInput[] = [];
  const client = new CloudWatchClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  client.middlewareStack.add(
    () => async (args) => {
      const input = args.input as GetMetricDataCommandInput;
      asked.push(input);
      return { response: {}, output: { $metadata: {}, ...answer(input, asked.length) } };
    },
    { step: 'initialize', name: 'answer' },
  );
  return { port: cloudWatchMetrics(client, () => NOW), asked };
}

const complete = (
  { MetricDataQueries }: GetMetricDataCommandInput,
  values: number[] = [],
): MetricDataResult[] =>
  (MetricDataQueries ?? []).map(({ Id }) => ({
    Id,
    StatusCode: 'Complete',
    Timestamps: values.map((_, index) => new Date(NOW - (10 - index) * MINUTE)),
    Values: values,
  }));

const read = (port: ReturnType<typeof cloudWatch>['port'], signals: readonly string[] = []) =>
  port.sides('shop-churn', 'live', ['3', '4'], NOW - 10 * MINUTE, NOW, signals);

describe('what is asked of CloudWatch', () => {
  it('are the metrics of each version, with exactly their dimensions', () => {
    const metrics = sideMetrics('shop-churn', 'live', ['3', '4'], ['class']);
    expect(metrics).toHaveLength(2 * (2 + 4 + 4 + 5));
    expect(metrics.filter(({ version }) => version === '4').map(({ name }) => name)).toEqual([
      'Invocations',
      'Errors',
      'Requests',
      'Errors',
      'Rejected',
      'ColdStart',
      'Slow0',
      'Slow1',
      'Slow2',
      'Slow3',
      ...['a', 'b', 'aa', 'bb', 'ab'].map((score) => `Out_class_${score}`),
    ]);
    expect(metrics[0]).toMatchObject({
      namespace: 'AWS/Lambda',
      dimensions: { FunctionName: 'shop-churn', Resource: 'shop-churn:live', ExecutedVersion: '3' },
    });
    expect(metrics[3]).toMatchObject({
      namespace: METRICS.namespace,
      dimensions: { Model: 'shop-churn', Version: '3' },
    });
  });

  it('is at most 500 metrics a request, each under an id that no other has', async () => {
    const signals = Array.from({ length: 100 }, (_, index) => `signal${index}`);
    const { port, asked } = cloudWatch((input) => ({ MetricDataResults: complete(input, [1]) }));
    const sides = await read(port, signals);
    expect(asked.map(({ MetricDataQueries }) => MetricDataQueries?.length)).toEqual([500, 500, 20]);
    const ids = asked.flatMap(({ MetricDataQueries }) => (MetricDataQueries ?? []).map(({ Id }) => Id));
    expect(new Set(ids).size).toBe(1020);
    expect(Object.keys(sides.get('4')?.get(NOW - 10 * MINUTE)?.outputs ?? {})).toEqual(signals);
    for (const input of asked)
      expect(input).toMatchObject({ StartTime: new Date(NOW - 10 * MINUTE), EndTime: new Date(NOW) });
  });
});

describe('what was read', () => {
  it('goes on over pages, and each minute is counted once', async () => {
    const { port, asked } = cloudWatch((input, page) => ({
      MetricDataResults: complete(input, page === 1 ? [5] : [5, 7]).map((result, index) => ({
        ...result,
        StatusCode: page === 1 && index === 0 ? 'PartialData' : 'Complete',
      })),
      ...(page < 3 && { NextToken: `page ${page + 1}` }),
    }));
    const sides = await read(port);
    expect(asked.map(({ NextToken }) => NextToken)).toEqual([undefined, 'page 2', 'page 3']);
    expect(
      [...(sides.get('3') ?? [])].map(([at, { invocations }]) => [(NOW - at) / MINUTE, invocations]),
    ).toEqual([
      [10, 5],
      [9, 7],
    ]);
  });

  it('must be whole: part of the points, an error, a refusal or no answer is none', async () => {
    for (const status of ['PartialData', 'InternalError', 'Forbidden'] as const) {
      const { port } = cloudWatch((input) => ({
        MetricDataResults: complete(input, [1]).map((result, index) =>
          index === 1 ? { ...result, StatusCode: status } : result,
        ),
      }));
      await expect(read(port)).rejects.toThrow(`CloudWatch did not read Errors whole: ${status}`);
    }
    const less = cloudWatch((input) => ({ MetricDataResults: complete(input, [1]).slice(1) }));
    await expect(read(less.port)).rejects.toThrow('Invocations whole: no answer');
    const told = cloudWatch((input) => ({
      MetricDataResults: complete(input),
      Messages: [{ Code: 'MaxMetricsExceeded', Value: 'Maximum number of allowed metrics exceeded' }],
    }));
    await expect(read(told.port)).rejects.toThrow('MaxMetricsExceeded');
  });

  it('is absent where there is no point, and 0 only beside another of its kind', () => {
    const metrics = sideMetrics('f', 'live', ['1'], ['class']);
    const one = (name: string) => metrics.map((metric) => new Map(metric.name === name ? [[0, 4]] : []));
    expect(sidesOf(metrics, one('none'))).toEqual(new Map([['1', new Map()]]));
    expect(sidesOf(metrics, one('Slow2')).get('1')?.get(0)).toEqual({ slow: [0, 0, 4, 0] });
    expect(sidesOf(metrics, one('Out_class_aa')).get('1')?.get(0)).toEqual({
      outputs: { class: { a: 0, b: 0, aa: 4, bb: 0, ab: 0 } },
    });
  });

  it('lands where it belongs, whatever was published', () => {
    const metrics = sideMetrics('f', 'live', ['1', '2'], ['x', 'y']);
    const points = fc.array(fc.tuple(fc.nat(metrics.length - 1), fc.nat(3), fc.nat(1000)), { maxLength: 60 });
    fc.assert(
      fc.property(points, (published) => {
        const series = metrics.map(() => new Map<number, number>());
        for (const [metric, minute, value] of published) series[metric]?.set(minute * MINUTE, value);
        const sides = sidesOf(metrics, series);
        metrics.forEach(({ version, of }, index) => {
          for (const [minute, value] of series[index] ?? []) {
            const side = sides.get(version)?.get(minute);
            const found =
              'count' in of
                ? side?.[of.count]
                : 'slow' in of
                  ? side?.slow?.[of.slow]
                  : side?.outputs?.[of.output]?.[of.score];
            expect(found).toBe(value);
          }
        });
      }),
    );
  });
});

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html */
describe('what CloudWatch keeps', () => {
  it('decides the period; minutes that are gone are an error, not zeros', async () => {
    expect([0, 15 * DAY, 15 * DAY + 1, 63 * DAY, 64 * DAY].map(periodFor)).toEqual([60, 60, 300, 300, 3600]);
    expect(() => periodFor(456 * DAY)).toThrow(RangeError);
    const { port, asked } = cloudWatch((input) => ({ MetricDataResults: complete(input) }));
    await expect(port.sides('f', 'live', ['1'], NOW - 16 * DAY, NOW, [])).rejects.toThrow(RangeError);
    expect(asked).toEqual([]);
  });

  it('is asked for whole periods, and the rate is over these', async () => {
    expect(within(1, 3 * MINUTE - 1, 60)).toEqual([MINUTE, 2 * MINUTE]);
    expect(() => within(1, MINUTE, 60)).toThrow(RangeError);
    const { port, asked } = cloudWatch((input) => ({ MetricDataResults: complete(input, [30, 60]) }));
    const { perSecond, errorRate } = await port.rate('f', 'live', NOW - DAY - 1, NOW + 1);
    expect(perSecond).toBeCloseTo(90 / 86_400, 12);
    // 90 crashed and 90 failed of 90, as this answers the same for all: no more than all.
    expect(errorRate).toBe(1);
    const month = await port.rate('f', 'live', NOW - 30 * DAY - 1, NOW);
    expect(month.perSecond).toBeCloseTo(90 / (30 * 86_400), 12);
    expect(asked.map((input) => input.MetricDataQueries?.[0]?.MetricStat?.Period)).toEqual([60, 300]);
    expect(asked[0]).toMatchObject({ StartTime: new Date(NOW - DAY), EndTime: new Date(NOW) });
  });
});
