import { CloudWatchClient, GetMetricDataCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { smooth } from '../../core/drift/statistics/smooth.ts';
import { effectiveRows, sharedPart, smoothThreshold } from '../../core/drift/statistics/threshold.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import type { DriftFacts } from '../../plugins/models/declaration/model.ts';
import { alarmLogicalId, DRIFT, lambdaName } from '../../plugins/models/declaration/naming.ts';
import { parseModels } from '../../plugins/models/declaration/parse.ts';
import { driftAlarms } from '../../plugins/models/plan/drift/alarms.ts';
import { alphaOf } from '../../plugins/models/plan/drift/budget.ts';
import { nativeBudget } from '../../plugins/models/plan/drift/functions.ts';
import { drifting } from '../../plugins/models/plan/drift/monitor.ts';
import { HOST as host } from '../fixtures/service.ts';
import { invoke, makeFunction } from './lambda.ts';

/** The emitted metric math, evaluated where the alarm is, says what the statistics say. */
const HOUR = 3_600_000;
const EFFECT = 0.1;
const M = 5000;
const PHI = [1, 1.7, 1, 4];
const [model] = drifting(
  parseModels({ churn: { artifact: 'a.onnx', drift: { baseline: 'r.csv', budget: 5 } } }).models,
);
const factsOf = (of: 'input' | 'output'): DriftFacts => ({
  sha256: 'f'.repeat(64),
  bytes: 1,
  rows: M,
  native: true,
  signals: PHI.map((phi, i) => ({
    name: `${of}${i}`,
    label: `${of}${i}`,
    of,
    kind: 'numeric',
    phi,
    m: M,
  })),
});

/** Rows of a window, and the mean scores of each signal: around the threshold, on both sides of it. */
const WINDOWS = [99, 100, 101, 300, 1000, 5000, 40_000].flatMap((n) =>
  [0, 0.6, 0.95, 1.05, 1.4].map((share) => ({ n, share })),
);

let aws: LocalAws;
let cloudWatch: CloudWatchClient;
beforeAll(async () => {
  aws = await startAws();
  cloudWatch = new CloudWatchClient(client(aws.endpoint));
});
afterAll(async () => {
  cloudWatch?.destroy();
  await aws?.stop();
});

/**
 * n of inputs is the scored rows, n of outputs the scored requests, however many were answered. The template
 * declares another reference than the version that answers: a smaller one, with other φ.
 */
it.each([
  ['input', 'drift'],
  ['output', 'outputs'],
] as const)(
  'an alarm of %ss counts the signals whose statistic is beyond the threshold of the live version’s reference',
  async (of, suffix) => {
    if (model === undefined) throw new Error('no model');
    const facts = factsOf(of);
    const declared = {
      ...facts,
      rows: 700,
      signals: facts.signals.map((signal) => ({ ...signal, m: 700, phi: 5 - signal.phi })),
    };
    const alpha = alphaOf(nativeBudget(model, facts));
    const first = Math.floor(Date.now() / HOUR) * HOUR - (WINDOWS.length + 1) * HOUR;
    const expected: number[] = [];
    for (const [i, { n, share }] of WINDOWS.entries()) {
      const limit = smoothThreshold(effectiveRows(n, M), EFFECT, alpha, sharedPart(n, M));
      // The first signal lies at `share` of its own threshold in h₁, the others in both scores and less and
      // less.
      const sums = PHI.map((phi, k) => {
        const size = Math.sqrt((phi * limit * (share / (k + 1))) / effectiveRows(n, M)) * n;
        return k === 0 ? { a: size, b: 0 } : { a: -size * 0.6, b: size * 0.8 };
      });
      const beyond = sums.filter(
        ({ a, b }, k) => (smooth({ n, a, b }, M, PHI[k] ?? 1)?.t ?? 0) > (PHI[k] ?? 1) * limit,
      );
      expected.push(n < 100 ? 0 : beyond.length);
      const about = {
        Timestamp: new Date(first + i * HOUR + 60_000),
        Dimensions: [{ Name: 'Model', Value: 'shop-dev-churn' }],
      };
      const point = (MetricName: string, Value: number) => ({ MetricName, Value, ...about });
      const counts =
        of === 'input'
          ? [point('ScaledRows', n), point('ScaledRowsNoise', n / Math.sqrt(M))]
          : [{ MetricName: 'ScaledAnswers', Values: [1 / Math.sqrt(M)], Counts: [n], ...about }];
      await cloudWatch.send(
        new PutMetricDataCommand({
          Namespace: 'ServerlessModels',
          MetricData: [
            ...counts,
            // Ten times as many were answered.
            point('Requests', 10 * n),
            ...sums.flatMap(({ a, b }, k) =>
              [a, b].map((sum, score) =>
                point(`Scaled_${of}${k}_${'ab'[score]}`, sum / Math.sqrt(PHI[k] ?? 1)),
              ),
            ),
          ],
        }),
      );
    }
    const alarm = driftAlarms(model, declared, host).find(
      ({ logicalId }) => logicalId === alarmLogicalId('churn', suffix),
    );
    const { Metrics } = (alarm?.resource.Properties ?? {}) as {
      Metrics?: ConstructorParameters<typeof GetMetricDataCommand>[0]['MetricDataQueries'];
    };
    const { MetricDataResults = [] } = await cloudWatch.send(
      new GetMetricDataCommand({
        MetricDataQueries: Metrics,
        StartTime: new Date(first),
        EndTime: new Date(first + WINDOWS.length * HOUR),
        ScanBy: 'TimestampAscending',
      }),
    );
    expect(MetricDataResults.map(({ Id }) => Id)).toEqual(['watched']);
    expect(MetricDataResults[0]?.Values).toEqual(expected);
    expect(new Set(expected)).toEqual(new Set([0, 1]));
  },
);

it('an alarm of the monitor counts runs that ended before they could count their failure, beside those that did', async () => {
  if (model === undefined) throw new Error('no model');
  const name = lambdaName(host.service, host.stage, DRIFT);
  await makeFunction(aws, { name, code: 'export const handler = (ends) => ends && process.exit(1);' });
  const began = Date.now();
  for (const ends of [true, false, true]) await invoke(aws, name, ends);
  await cloudWatch.send(
    new PutMetricDataCommand({
      Namespace: 'ServerlessModels',
      MetricData: [
        {
          MetricName: 'DriftUnreadable',
          Value: 1,
          Timestamp: new Date(began),
          Dimensions: [{ Name: 'Model', Value: 'shop-dev-churn' }],
        },
      ],
    }),
  );
  const alarm = driftAlarms(model, factsOf('input'), host).at(-1);
  const { Metrics, Threshold } = (alarm?.resource.Properties ?? {}) as {
    Metrics?: ConstructorParameters<typeof GetMetricDataCommand>[0]['MetricDataQueries'];
    Threshold?: number;
  };
  // The hour may end between two of them.
  const { MetricDataResults = [] } = await cloudWatch.send(
    new GetMetricDataCommand({
      MetricDataQueries: Metrics,
      StartTime: new Date(Math.floor(began / HOUR) * HOUR),
      EndTime: new Date(Math.ceil((Date.now() + 1) / HOUR) * HOUR),
    }),
  );
  const runs = (MetricDataResults[0]?.Values ?? []).reduce((sum, one) => sum + one, 0);
  expect(runs).toBe(3);
  expect(runs).toBeGreaterThan(Threshold ?? Number.POSITIVE_INFINITY);
});
