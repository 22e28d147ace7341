import { expect, it } from 'vitest';
import type { Failure } from '../../../../../aws/queue-messages.ts';
import type { Failed, Success } from '../../../../../core/batch/job.ts';
import type { JobsOutcome } from '../../../../../plugins/models/batch-jobs/follow.ts';
import { followed } from '../../../../../plugins/models/batch-jobs/jobs.ts';
import { redriveHint, redrivenText } from '../../../../../plugins/models/batch-jobs/redriven-text.ts';
import {
  failureText,
  outcomeText,
  standingLine,
  stateLine,
} from '../../../../../plugins/models/batch-jobs/text.ts';
import type { Model } from '../../../../../plugins/models/declaration/model.ts';
import { ENTRY } from '../../../core/batch/scene.ts';

const MODEL = { name: 'sum', memory: 1024, architecture: 'arm64' } as Model;
const NOW = Date.parse('2026-01-01T00:00:00Z');
const TIME = '2026-01-01T00:00:00.000Z';

/** Who may upload an object chooses its key, and what stands in its first line, which reasons quote. */
const ESCAPE = '\u001b[2J\u001b[31m';
const KEY = `rows/a\n${ESCAPE}all is done\u202E.csv`;
const REASON = `It has no column ${ESCAPE}x\r\nNothing failed.`;
const SHOWN = 's3://in/rows/a \uFFFD[2J\uFFFD[31mall is done\uFFFD.csv';
const job = followed('sum', 'ab'.repeat(32), ENTRY, 'in', { key: KEY, etag: 'e', bytes: 1 });
const failed = { code: 'WRONG_HEADER', reason: REASON, startedAt: TIME, failedAt: TIME } as Failed;
const success = { rows: 1, errors: 0, files: [], startedAt: TIME, finishedAt: TIME } as unknown as Success;
const failure: Failure = {
  id: '1',
  body: JSON.stringify({ object: { bucket: 'in', key: KEY } }),
  receipt: '',
  code: failed.code,
  reason: REASON,
  sentAt: TIME,
};

it('keys and reasons are shown as what they are: a terminal obeys none of them, and each has one line', () => {
  const done = [{ job, rows: 1, errors: 0, version: '1', files: 1, ms: 1 }];
  const outcome: JobsOutcome = { done, failed: [{ job, failed }], over: [job], lost: [job], left: [job] };
  const texts = [
    [outcomeText(outcome, MODEL, 1000), 6],
    [stateLine(job, { state: 'waiting' }, NOW), 1],
    [stateLine(job, { state: 'running', parts: 1, rows: 1, failed }, NOW), 1],
    [stateLine(job, { state: 'done', success }, NOW), 1],
    [stateLine(job, { state: 'failed', failed }, NOW), 1],
    [failureText([failure], NOW), 1],
    [redrivenText([failure], MODEL), 1],
    [redriveHint([failure], MODEL), 2],
  ] as const;
  for (const [text, lines] of texts) {
    expect(text).toContain(SHOWN);
    expect(text.split('\n')).toHaveLength(lines);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
});

it.each([
  ['one small object', 1, 5, '$0.00000047'],
  ['some', 20, 1_000_000, '$0.013'],
  ['many of a slow model', 1_000_000, 1e10, '$130'],
  ['a month of them', 1_000_000, 2e11, '$2,700'],
  ['nothing that was not done before', 0, 0, '$0'],
])('what %s cost is written without a power of ten', (_, files, ms, dollars) => {
  const done = files === 0 ? [] : [{ job, rows: 1, errors: 0, version: '1', files, ms }];
  const text = outcomeText({ done, failed: [], over: [], lost: [], left: [] }, MODEL, 1000);
  expect(text).toContain(`about ${dollars} (Lambda only)`);
});

it.each([
  [12, 300_000, '12 rows, 0.04 rows/s'],
  [90, 60_000, '90 rows, 1.5 rows/s'],
  [300_000, 60_000, '300,000 rows, 5,000 rows/s'],
])('%i rows in %i ms have a rate that is not rounded to nothing', (rows, ms, told) => {
  const standing = { ended: 0, of: 1, fresh: { ended: 0, of: 1 }, rows };
  expect(standingLine(standing, ms)).toBe(`0 of 1 object done, ${told}`);
});
