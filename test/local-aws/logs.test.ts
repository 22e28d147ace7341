import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloudWatchLogs } from '../../aws/log-lines.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { logContract } from '../fakes/log-contract.ts';
import { withAndWithout } from './lambda.ts';
import { put } from './log-events.ts';

const hourAgo = (): number => Math.floor(Date.now() / 1000) * 1000 - 3_600_000;

let aws: LocalAws;
let logs: CloudWatchLogsClient;

beforeAll(async () => {
  aws = await startAws();
  logs = new CloudWatchLogsClient(client(aws.endpoint));
});
afterAll(async () => {
  logs?.destroy();
  await aws?.stop();
});

describe('the adapter keeps the contract of the log port', () => {
  logContract(() => ({
    logs: cloudWatchLogs(logs),
    at: hourAgo(),
    put: (group, events) => put(logs, group, events),
  }));
});

/**
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
describe('local AWS, for the log port', () => {
  it('reads patterns, refuses those that it cannot read, and gives pages', async () => {
    const { on, off } = await withAndWithout('log_filter', async (local) => {
      const own = new CloudWatchLogsClient({ ...client(local.endpoint), maxAttempts: 1 });
      const at = hourAgo();
      await put(own, 'group', [
        { at, message: '{"event":"UpdateTrail"}' },
        { at, message: '{"event":"Update"}' },
        { at, message: 'UpdateTrail' },
        { at, message: '{"status":404,"other":"404"}' },
        { at, message: '{"status":true}' },
      ]);
      const ask = async (filterPattern: string, limit?: number) => {
        const input = { logGroupName: 'group', filterPattern, limit };
        const answer = await own.send(new FilterLogEventsCommand(input)).catch((error: Error) => error.name);
        return typeof answer === 'string' ? answer : [answer.events?.length, answer.nextToken !== undefined];
      };
      const found = [
        await ask('{ $.event = "UpdateTrail" }'),
        await ask('{ $.event = "Update*" }'),
        await ask('{ $.event = "*" }', 1),
        await ask('{ $.status = 404 }'),
        await ask('{ $.other = 404 }'),
        await ask('UpdateTrail'),
        await ask('{ $.event = "a" && $.n > 1 }'),
        await ask('updateTRAIL'),
        await ask('?404 ?UpdateTrail'),
        await ask('event -UpdateTrail'),
        await ask('"tatus" ":true}"'),
        await ask('%Update%'),
        await ask('?404 event'),
        await ask(''),
      ];
      own.destroy();
      return found;
    });
    expect(on).toEqual([
      [1, false],
      [2, false],
      [1, true],
      [1, false],
      [0, false],
      [2, false],
      'InvalidParameterException',
      [0, false],
      [3, false],
      [1, false],
      [1, false],
      'InvalidParameterException',
      'InvalidParameterException',
      [5, false],
    ]);
    expect(off).toEqual([
      [5, false],
      [5, false],
      [1, false],
      [5, false],
      [5, false],
      [2, false],
      [5, false],
      [2, false],
      [0, false],
      [1, false],
      [1, false],
      [0, false],
      [0, false],
      [5, false],
    ]);
  });
});
