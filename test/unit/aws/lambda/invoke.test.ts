import { expect, it } from 'vitest';
import { reportOf } from '../../../../aws/lambda/invoke.ts';

// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
const COLD =
  'REPORT RequestId: 12\tDuration: 2.64 ms\tBilled Duration: 151 ms\tMemory Size: 512 MB\tMax Memory Used: 83 MB\tInit Duration: 147.54 ms\t';
const WARM =
  'REPORT RequestId: 12\tDuration: 1502.51 ms\tBilled Duration: 1503 ms\tMemory Size: 512 MB\tMax Memory Used: 84 MB\tStatus: timeout';

it('reads the report at the end of a log', () => {
  expect(reportOf(`START RequestId: 12\nEND RequestId: 12\n${COLD}\n`)).toEqual({
    duration: 2.64,
    billed: 151,
    init: 147.54,
    memory: 83,
  });
  expect(reportOf(WARM)).toEqual({ duration: 1502.51, billed: 1503, memory: 84 });
});

it('takes the last one, and no line of the function’s own', () => {
  expect(reportOf(`${COLD}\nsays REPORT RequestId: 12\tDuration: 9 ms\n${WARM}`)).toEqual({
    duration: 1502.51,
    billed: 1503,
    memory: 84,
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report
it('reads it from a JSON log, too', () => {
  const line = JSON.stringify({
    time: '2026-01-01T00:00:00.000Z',
    type: 'platform.report',
    record: {
      requestId: '12',
      metrics: {
        durationMs: 1.96,
        billedDurationMs: 149,
        memorySizeMB: 512,
        maxMemoryUsedMB: 83,
        initDurationMs: 146.5,
      },
      status: 'success',
    },
  });
  expect(reportOf(`{"type":"platform.start"}\n${line}\n`)).toEqual({
    duration: 1.96,
    billed: 149,
    init: 146.5,
    memory: 83,
  });
});

it('has nothing to say where the log has none', () => {
  expect(reportOf('')).toEqual({});
  expect(reportOf('{"message":"hello"}')).toEqual({});
});
