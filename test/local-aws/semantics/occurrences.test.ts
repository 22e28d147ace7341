import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { awsPython } from '../../../local-aws/aws-python.ts';
import { localAws } from '../../../local-aws/start.ts';
import { byteCode } from '../../../local-aws/venv.ts';

/** [schedule, time zone, looked at first, a moment when it takes place] */
type Case = readonly [schedule: string, zone: string, from: string, due: string];

// https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
const CASES: readonly Case[] = [
  ['cron(0 8 ? * MON-FRI *)', 'UTC', '2026-01-16T08:00:00Z', '2026-01-19T08:00:00Z'], // over a weekend
  ['cron(0 8 ? * MON-FRI *)', 'Europe/Berlin', '2026-01-19T00:00:00Z', '2026-01-19T07:00:00Z'], // winter
  ['cron(0 8 ? * MON-FRI *)', 'Europe/Berlin', '2026-07-20T00:00:00Z', '2026-07-20T06:00:00Z'], // summer
  ['cron(30 1 * * ? *)', 'Asia/Kathmandu', '2026-07-20T00:00:00Z', '2026-07-20T19:45:00Z'],
  ['cron(30 2 * * ? *)', 'Europe/Berlin', '2026-10-25T00:29:59Z', '2026-10-25T00:30:00Z'], // shown twice
  ['cron(30 2 * * ? *)', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'], // and due once
  ['at(2026-07-20T08:00:00)', 'America/New_York', '2026-07-20T00:00:00Z', '2026-07-20T12:00:00Z'],
  ['rate(5 minutes)', 'UTC', '2026-01-01T00:05:00Z', '2026-01-01T00:10:00Z'], // from the new year on
];

/**
 * Python: whether each case takes place in the second up to its moment, and not between the first look and
 * that.
 */
const PROGRAM = `
import json, sys
from semantics.scaling import occurrences
origin = 1767225600
answers = []
for schedule, zone, start, moment in json.load(sys.stdin):
    where = occurrences.zone(zone)
    ask = lambda since, until: occurrences.due(schedule, where, since, until, origin)
    answers.append([ask(start, moment - 1), ask(start, moment), ask(moment - 1, moment), ask(moment, moment + 30)])
print(json.dumps(answers))
`;

it('scheduled actions take place by the clock of their time zone', async () => {
  const running = promisify(execFile)(await awsPython(() => {}), ['-c', PROGRAM], {
    env: { ...process.env, PYTHONPATH: localAws, PYTHONPYCACHEPREFIX: byteCode },
  });
  const epoch = (time: string): number => Date.parse(time) / 1000;
  const cases = CASES.map(([schedule, zone, from, due]) => [schedule, zone, epoch(from), epoch(due)]);
  running.child.stdin?.end(JSON.stringify(cases));
  const answers: unknown[] = JSON.parse((await running).stdout.trim().split('\n').at(-1) ?? '');
  CASES.forEach((one, index) => {
    expect(answers[index], one.join(' ')).toEqual([false, true, true, false]);
  });
});
