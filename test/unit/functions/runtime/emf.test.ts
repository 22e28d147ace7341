import type { Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DRIFT_METRICS } from '../../../../core/drift/contract.ts';
import { metricLine } from '../../../../core/metrics/line.ts';
import { WORKER_ENV, WORKER_METRICS } from '../../../../core/release/document/worker-contract.ts';
import { writeMetrics } from '../../../../functions/runtime/emf.ts';

/** What Lambda gives a function whose `logs` name a format and a level. */
const logging = (format: string, level: string): void => {
  vi.stubEnv('AWS_LAMBDA_LOG_FORMAT', format);
  vi.stubEnv('AWS_LAMBDA_LOG_LEVEL', level);
};
const written: string[] = [];
beforeEach(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.doUnmock('../../../../aws/clients/s3.ts');
  vi.doUnmock('@aws-lambda-powertools/logger');
  vi.resetModules();
  written.length = 0;
});
const lines = (): unknown[] =>
  written
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('metrics of functions that are not asked for each request', () => {
  const line = metricLine('shop-dev-churn-batch', 0, { JobsFailed: 1 });

  it('are kept by Lambda at whatever level the service asks for in the JSON format', () => {
    for (const level of ['WARN', 'ERROR', 'FATAL']) {
      logging('JSON', level);
      written.length = 0;
      writeMetrics(line + line);
      expect(lines()).toMatchObject([
        { JobsFailed: 1, level, timestamp: expect.stringMatching(/^\d{4}-.*Z$/) },
        { JobsFailed: 1, level },
      ]);
    }
  });

  it('are as they come in any other', () => {
    for (const [format, level] of [
      ['Text', ''],
      ['Text', 'ERROR'],
      ['JSON', 'INFO'],
    ] as const) {
      logging(format, level);
      written.length = 0;
      writeMetrics(line);
      expect(written).toEqual([line]);
    }
  });
});

/** What both workers find in their environment. */
const OURS = {
  [WORKER_ENV.bucket]: 'registry',
  [WORKER_ENV.scope]: 'models/123456789012/us-east-1/shop/dev/',
  [WORKER_ENV.scheduleGroup]: 'shop',
  [WORKER_ENV.scheduleRole]: 'arn:aws:iam::123456789012:role/schedule',
  [WORKER_ENV.topic]: 'arn:aws:sns:us-east-1:123456789012:alerts',
  [WORKER_ENV.files]: 'models/files/',
};
const functionName = 'shop-dev-churn';
const context = {
  functionName: 'shop-dev-models-release',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:shop-dev-models-release',
  getRemainingTimeInMillis: () => 300_000,
} as Context;

it('the release worker and the drift monitor write them so', async () => {
  logging('JSON', 'ERROR');
  for (const [name, value] of Object.entries(OURS)) vi.stubEnv(name, value);
  vi.resetModules();
  // A registry that cannot be read: the first that either counts.
  const send = () => Promise.reject(new Error('no network'));
  vi.doMock('../../../../aws/clients/s3.ts', () => ({ s3Client: () => ({ send }) }));
  const quiet = () => undefined;
  vi.doMock('@aws-lambda-powertools/logger', () => ({
    Logger: class {
      addContext = quiet;
      error = quiet;
    },
  }));
  const { createMonitor } = await import('../../../../functions/drift/handler.ts');
  const watched = {
    model: 'churn',
    functionName,
    logGroup: '/aws/lambda/x',
    window: 3600,
    q: 0.1,
    effect: 0.1,
  };
  await createMonitor([watched])({}, context);
  const { handler } = await import('../../../../functions/release/handler.ts');
  // What comes of it is another matter.
  await handler({ tick: { model: 'churn', functionName, alias: 'live' } }, context).catch(() => undefined);
  expect(lines()).toMatchObject([
    { [DRIFT_METRICS.unreadable]: 1, level: 'ERROR' },
    { [WORKER_METRICS.unreadable]: 1, level: 'ERROR' },
  ]);
});
