import { expect, it } from 'vitest';
import { dealWith, type ReceivedRecord } from '../../../../functions/batch/records.ts';

const BODY = '{"object":{"bucket":"in","key":"rows/a.csv"}}';
const denied = (name: string): Error =>
  Object.assign(new Error(`${name} is not allowed.`), { name, $metadata: { httpStatusCode: 403 } });

/** A message that came so many times, of a queue that refuses what is named. */
function received(times: number, refuses: readonly ('fail' | 'later')[] = []) {
  const asked: unknown[] = [];
  const logged: unknown[] = [];
  const call = async (name: 'fail' | 'later', ...given: readonly unknown[]): Promise<void> => {
    asked.push([name, ...given]);
    if (refuses.includes(name)) throw denied(`sqs:${name}`);
  };
  const record: ReceivedRecord = {
    body: BODY,
    receiptHandle: 'receipt',
    messageAttributes: {},
    attributes: { ApproximateReceiveCount: String(times) },
  };
  const dealt = dealWith(
    record,
    async () => {
      throw denied('s3:GetObject');
    },
    { fail: (...given) => call('fail', ...given), later: (...given) => call('later', ...given) },
    (level, message, fields) => logged.push({ level, message, ...fields }),
  );
  return { dealt, asked, logged };
}

it('what comes to nothing is put off by the times that it came, then put aside with its reason', async () => {
  for (const [times, seconds] of [30, 120, 600, 1800].entries()) {
    const { dealt, asked } = received(times + 1);
    await expect(dealt).rejects.toThrow('s3:GetObject is not allowed.');
    expect(asked).toEqual([['later', 'receipt', seconds]]);
  }
  const { dealt, asked, logged } = received(5);
  await dealt;
  const reason = 's3:GetObject: s3:GetObject is not allowed.';
  expect(asked).toEqual([['fail', BODY, { code: 'GAVE_UP', reason }]]);
  expect(logged).toMatchObject([{ level: 'error', reason, times: 5 }]);
});

it('what it came to nothing by is told, also where SQS takes no word of it', async () => {
  const later = received(1, ['later']);
  await expect(later.dealt).rejects.toThrow('s3:GetObject is not allowed.');
  expect(later.logged).toMatchObject([{ level: 'warn', reason: expect.stringContaining('sqs:later') }]);
  const last = received(5, ['fail']);
  await expect(last.dealt).rejects.toThrow('sqs:fail is not allowed.');
  expect(last.logged).toMatchObject([
    { level: 'error', reason: expect.stringContaining('s3:GetObject'), times: 5 },
  ]);
});
