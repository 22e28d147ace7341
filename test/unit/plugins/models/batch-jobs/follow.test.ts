import { expect, it } from 'vitest';
import { KEYS } from '../../../../../core/batch/contract.ts';
import type { Failed, Success } from '../../../../../core/batch/job.ts';
import {
  EMPTY,
  exitCode,
  followJobs,
  type JobsOutcome,
  STILL,
  type Standing,
} from '../../../../../plugins/models/batch-jobs/follow.ts';
import {
  asItStands,
  type Followed,
  followed,
  type KnownFiles,
  lookAtJob,
  seenState,
  stateOf,
} from '../../../../../plugins/models/batch-jobs/jobs.ts';
import { outcomeText, standingLine, stateLine } from '../../../../../plugins/models/batch-jobs/text.ts';
import type { Model } from '../../../../../plugins/models/declaration/model.ts';
import { batchMemory } from '../../../../../plugins/models/plan/batch/functions.ts';
import { PRICES } from '../../../../../plugins/models/plan/shared/prices.ts';
import { span } from '../../../../../plugins/models/releases/words/time.ts';
import { fakeBucket } from '../../../../fakes/bucket.ts';
import { ENTRY, scene } from '../../../core/batch/scene.ts';

const QUEUE = 'jobs';
const ASKED = { model: 'sum', entries: [ENTRY], queue: QUEUE };
const MODEL = { name: 'sum', memory: 512, architecture: 'arm64' } as Model;

/** Buckets and a queue, and the jobs of objects in it. `each` is what happens at a look. */
function simulated(each: (looks: number) => void = () => {}) {
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
  const [input, output] = [fakeBucket(), fakeBucket(undefined, () => clock.now)];
  const depth = { waiting: 0, atWork: 0 };
  let looks = 0;
  const cloud = {
    head: (bucket: string, key: string) => input.head({ bucket, key }),
    files: () => output.files,
    async *objects(_: string, prefix: string) {
      const found = [...output.objects].filter(([key]) => key.startsWith(prefix)).sort();
      yield found.map(([key, { etag, bytes, modified }]) => ({ key, etag, bytes: bytes.length, modified }));
    },
    depth: async (queue: string) => {
      expect(queue).toBe(QUEUE);
      each(++looks);
      return { ...depth };
    },
  };
  return {
    clock,
    cloud,
    depth,
    input,
    output,
    looks: () => looks,
    job: (key: string): Followed => {
      const { etag, bytes } = input.set(key, key);
      return followed('sum', 'ab'.repeat(32), ENTRY, 'in', { key, etag, bytes: bytes.length });
    },
    write: ({ folder }: Followed, name: string, content: unknown = {}, more?: 'true'): void => {
      const metadata = { rows: '8', ...(more && { more }) };
      const { files = [] } = (content ?? {}) as Partial<Success>;
      const named = files.map((file) => ({ ...file, key: `${folder.prefix}${file.key}` }));
      for (const { key } of named) output.set(key, '', metadata);
      const all = files.length === 0 ? content : { ...(content as object), files: named };
      output.set(`${folder.prefix}${name}`, JSON.stringify(all), metadata);
    },
    wait: (...jobs: readonly Followed[]): Promise<JobsOutcome> => followJobs(cloud, ASKED, jobs, () => {}, 0),
  };
}

const failure = (startedAt: string): Partial<Failed> => ({
  code: 'TOO_MANY_ERRORS',
  reason: 'Too many.',
  startedAt,
  failedAt: startedAt,
});
const success = (ms: number): Partial<Success> => ({
  rows: 8,
  errors: 0,
  files: [{ key: 'part-00000.csv', first: 1, rows: 8, errors: 0, bytes: 1, sha256: '', ms }],
});
const PLAN = [
  { part: 0, from: 0, to: 1, row: 0 },
  { part: 1, from: 1, to: 2, row: 1 },
];

it('a job that nothing comes of is lost once the queue stays empty, those after it at once', async () => {
  const s = simulated((looks) => {
    // It is at work for a while, and again when SQS hands it over anew.
    s.depth.atWork = looks <= 20 || (looks > 60 && looks <= 70) ? 1 : 0;
  });
  const jobs = ['rows/a.csv', 'rows/b.csv', 'rows/c.csv'].map(s.job);
  const outcome = await s.wait(...jobs);
  expect(outcome.lost).toEqual(jobs);
  expect(s.looks()).toBe(70 + EMPTY + 2 * 2);
  expect(exitCode(outcome)).toBe(1);
  expect(outcomeText(outcome, MODEL, 1000)).toMatch(/! s3:\/\/in\/rows\/a.csv: no outcome.*--failed.*log/);
});

it('a job whose parts are scored is not lost for as long as one may take', async () => {
  const s = simulated((looks) => {
    if (looks === STILL - 1) s.write(job, 'part-00000.csv');
  });
  const job = s.job('rows/a.csv');
  s.write(job, KEYS.plan, PLAN);
  expect((await s.wait(job)).lost).toEqual([job]);
  // The part is seen a look after it was written.
  expect(s.looks()).toBe(STILL + STILL);
});

const away = (code: string): Error => Object.assign(new Error(code), { code });

it('a look that does not get through is made again, for five minutes; what AWS refuses ends the wait', async () => {
  const s = simulated();
  const job = s.job('rows/a.csv');
  let [asked, at] = [0, 0];
  const failing = (error: unknown, times: number) => ({
    ...s.cloud,
    depth: async () => {
      asked++;
      at += 60_000;
      if (asked <= times) throw error;
      s.write(job, KEYS.success, success(1));
      return { waiting: 0, atWork: 1 };
    },
  });
  const wait = (error: unknown, times: number) => {
    [asked, at] = [0, 0];
    return followJobs(
      failing(error, times),
      ASKED,
      [job],
      () => {},
      0,
      50,
      () => at,
    );
  };
  await expect(wait(away('AccessDenied'), 1)).rejects.toThrow('AccessDenied');
  expect(asked).toBe(1);
  await expect(wait(away('ENOTFOUND'), 99)).rejects.toThrow('ENOTFOUND');
  expect(asked).toBe(6);
  expect((await wait(away('ENOTFOUND'), 5)).done).toMatchObject([{ job, rows: 8 }]);
});

it('a job whose queue is never empty is waited for no longer once nothing of it moves, nor are those after it', async () => {
  const s = simulated(() => {
    s.depth.waiting = 7;
  });
  const [one, ...others] = ['rows/a.csv', 'rows/b.csv', 'rows/c.csv'].map(s.job);
  if (one === undefined) throw new Error('no job');
  s.write(one, KEYS.success, success(10));
  const outcome = await followJobs(s.cloud, ASKED, [one, ...others], () => {}, 0, 50);
  expect(outcome).toMatchObject({ done: [{ job: one }], left: others, lost: [] });
  expect(s.looks()).toBe(51);
  expect(exitCode(outcome)).toBe(1);
  expect(outcomeText(outcome, MODEL, 1000)).toMatch(
    /! s3:\/\/in\/rows\/b.csv: not a row of it was scored for a day, so this command waits no longer for it, nor for 1 object after it\..*sls models batch --model sum --status/,
  );
});

it('a job that ends is not lost, and one that was overwritten is told to be', async () => {
  const s = simulated((looks) => {
    if (looks === EMPTY - 1) s.write(one, KEYS.success, success(10));
  });
  const [one, other] = [s.job('rows/a.csv'), s.job('rows/b.csv')];
  s.input.set('rows/b.csv', 'newer');
  const outcome = await s.wait(one, other);
  expect(outcome).toMatchObject({ done: [{ job: one }], over: [other], failed: [], lost: [] });
  expect(exitCode(outcome)).toBe(0);
});

it('what failed before is not this attempt’s failure, whatever clocks say', async () => {
  const s = simulated((looks) => {
    // By a clock that is an hour slow.
    if (looks === 3) s.write(job, KEYS.failed, failure('2025-12-31T23:00:00.000Z'));
  });
  const bare = s.job('rows/a.csv');
  s.write(bare, KEYS.failed, failure('2030-01-01T00:00:00.000Z'));
  const job = await asItStands(s.cloud, ASKED, bare);
  const outcome = await s.wait(job);
  expect(outcome.failed).toMatchObject([{ failed: { startedAt: '2025-12-31T23:00:00.000Z' } }]);
  expect(s.looks()).toBe(3);
  expect(exitCode(outcome)).toBe(1);
});

it('a job that runs again is not shown as failed, one that failed last is', async () => {
  const s = simulated();
  const job = s.job('rows/a.csv');
  const state = async () => stateOf(await lookAtJob(s.cloud, job.folder));
  expect(await state()).toEqual({ state: 'waiting' });
  s.write(job, KEYS.plan, PLAN);
  s.write(job, 'part-00000.csv');
  s.clock.now += 1000;
  s.write(job, KEYS.failed, failure('2026-01-01T00:00:00.000Z'));
  expect(await state()).toMatchObject({ state: 'failed' });
  s.clock.now += 1000;
  s.write(job, 'part-00001.csv');
  const now = await state();
  expect(now).toMatchObject({ state: 'running', parts: 2, of: 2, rows: 16 });
  expect(stateLine(job, now, s.clock.now)).toMatch(/2 of 2 parts scored, 16 rows; before that, .* it failed/);
});

it('a part that a slow model is at still is not shown as scored, its rows are', async () => {
  const s = simulated();
  const job = s.job('rows/a.csv');
  s.write(job, 'part-00000.csv', {}, 'true');
  expect(stateOf(await lookAtJob(s.cloud, job.folder))).toMatchObject({
    state: 'running',
    parts: 0,
    rows: 8,
  });
  s.write(job, KEYS.plan, PLAN);
  s.write(job, 'part-00000_00001.csv');
  s.write(job, 'part-00001.csv', {}, 'true');
  const now = stateOf(await lookAtJob(s.cloud, job.folder));
  expect(now).toMatchObject({ state: 'running', parts: 1, of: 2, rows: 24 });
});

it('an object that another version has scored is not shown as one that waits', async () => {
  const s = simulated();
  const [job, next] = [s.job('rows/a.csv'), s.job('rows/b.csv')];
  const shown = async (one: Followed): Promise<string> =>
    stateLine(one, await seenState(s.cloud, ASKED, one), s.clock.now);
  const tell = (object: object, by: string): void =>
    void s.cloud
      .files()
      .replace(
        'scored/sum/latest/rows/a.csv.json',
        JSON.stringify({ schema: 1, object, job: by, finishedAt: '2025-12-31T23:58:00.000Z' }),
        s.output.objects.get('scored/sum/latest/rows/a.csv.json')?.etag,
      );
  const waits = 's3://in/rows/a.csv: nothing of it is scored yet';
  expect(await shown(job)).toBe(waits);
  const by = 's3://out/scored/sum@ffffffffffff/0/';
  tell(job.object, by);
  expect(await shown(job)).toMatch(
    /: done at .* by another version or entry \(s3:\/\/out\/scored\/sum@f+\/0\/\)/,
  );
  expect(await shown(next)).toBe('s3://in/rows/b.csv: nothing of it is scored yet');
  // What tells of another content, or of files that are gone, has no answers of this one.
  tell({ ...job.object, etag: 'another' }, by);
  expect(await shown(job)).toBe(waits);
  tell(job.object, `s3://out/${job.folder.prefix}`);
  expect(await shown(job)).toBe(waits);
});

it('an object that another version scores while it waits is done by that one, and not lost', async () => {
  const s = simulated();
  const bare = ['rows/a.csv', 'rows/b.csv', 'rows/c.csv'].map(s.job);
  const by = (one: Followed): Followed => ({
    ...one,
    folder: { ...one.folder, prefix: one.folder.prefix.replace(/@\w+/, '@ffffffffffff') },
  });
  const tell = (one: Followed, finishedAt: string): void => {
    s.write(by(one), KEYS.success, { ...success(1000), version: '2' });
    const { bucket, prefix } = by(one).folder;
    const told = { schema: 1, object: one.object, job: `s3://${bucket}/${prefix}`, finishedAt };
    s.output.set(`scored/sum/latest/${one.object.key}.json`, JSON.stringify(told));
  };
  const [fresh, known, lost] = bare as [Followed, Followed, Followed];
  // What had been scored before it was asked for is no outcome.
  tell(known, '2025-12-31T23:58:00.000Z');
  tell(lost, '2025-12-31T23:59:00.000Z');
  const jobs = await Promise.all(bare.map((one) => asItStands(s.cloud, ASKED, one)));
  tell(fresh, '2026-01-01T00:01:00.000Z');
  tell(known, '2026-01-01T00:01:00.000Z');
  const outcome = await s.wait(...jobs);
  expect(outcome.done).toMatchObject(
    [fresh, known].map((one) => ({ job: by(one), rows: 8, version: '2', other: true })),
  );
  expect(outcome.lost).toEqual(jobs.slice(2));
  const text = outcomeText(outcome, MODEL, 1000);
  expect(text).toContain('2 objects scored: 16 rows');
  expect(text).toMatch(/^- 2 of them by another version or entry/m);
  expect(text).toContain('rows/a.csv → s3://out/scored/sum@ffffffffffff/');
});

it('costs are of the batch function’s memory, and of what this wait is for', async () => {
  const s = simulated();
  const [before, fresh] = [s.job('rows/a.csv'), s.job('rows/b.csv')];
  s.write(before, KEYS.success, success(5_000_000));
  const jobs = [await asItStands(s.cloud, ASKED, before), await asItStands(s.cloud, ASKED, fresh)];
  s.write(fresh, KEYS.success, success(1_000_000));
  const text = outcomeText(await s.wait(...jobs), MODEL, 1000);
  // A thousand seconds of a GB, which is more than the endpoint's 512 MB, and two requests.
  expect(batchMemory(MODEL)).toBe(1024);
  const dollars = 1000 * PRICES.gbSecond.arm64 + 2 * PRICES.request;
  expect(text).toContain(`about $${dollars.toPrecision(2)} (Lambda only)`);
  expect(text).toContain('2 objects scored (1 of them before)');
});

it('rows and the time left are of what this wait is for, and not of what was done before', async () => {
  const lines: string[] = [];
  const s = simulated((looks) => {
    if (looks === 2) s.write(fresh, KEYS.success, success(10));
  });
  const [before, fresh] = [s.job('rows/a.csv'), s.job('rows/b.csv')];
  s.write(before, KEYS.success, { ...success(10), rows: 1_000_000 });
  s.write(fresh, KEYS.plan, PLAN);
  s.write(fresh, 'part-00000.csv');
  const jobs = [await asItStands(s.cloud, ASKED, before), await asItStands(s.cloud, ASKED, fresh)];
  const told = (standing: Standing): unknown => lines.push(standingLine(standing, 60_000));
  const outcome = await followJobs(s.cloud, ASKED, jobs, told, 0);
  expect(outcome.done.map(({ rows }) => rows)).toEqual([1_000_000, 8]);
  // A minute for the first half: another one for the rest.
  expect(new Set(lines)).toEqual(
    new Set([`1 of 2 objects done, part 1 of 2, 8 rows, 0.13 rows/s, about ${span(60_000)} left`]),
  );
});

it('a job of many files is looked at some files at a time, each once', async () => {
  const s = simulated();
  const job = s.job('rows/large.csv');
  const names = Array.from({ length: 100 }, (_, i) => `part-${String(i).padStart(5, '0')}.csv`);
  for (const name of names) s.write(job, name);
  const asked: string[] = [];
  const counts = { now: 0, most: 0 };
  const own = s.cloud.files();
  const files = {
    ...own,
    head: async (key: string) => {
      if (key.includes('/part-')) asked.push(key);
      counts.most = Math.max(counts.most, ++counts.now);
      return own.head(key).finally(() => counts.now--);
    },
  };
  const cloud = { ...s.cloud, files: () => files };
  const known: KnownFiles = new Map();
  for (const _ of [1, 2])
    expect(stateOf(await lookAtJob(cloud, job.folder, known))).toMatchObject({ parts: 100, rows: 800 });
  expect(asked).toEqual(names.map((name) => `${job.folder.prefix}${name}`));
  expect(counts.most).toBeGreaterThan(1);
  expect(counts.most).toBeLessThan(50);
});

it('a _SUCCESS.json that somebody damaged is told by its place, with the way out', async () => {
  const s = simulated();
  const job = s.job('rows/a.csv');
  for (const content of [null, {}]) {
    s.write(job, KEYS.success, content);
    const outcome = await s.wait(await asItStands(s.cloud, ASKED, job));
    expect(outcome).toMatchObject({ done: [], failed: [{ failed: { code: 'FILES_DISAGREE' } }] });
    expect(exitCode(outcome)).toBe(1);
    expect(outcomeText(outcome, MODEL, 1000)).toContain(
      `is damaged, so nobody can tell which files have its answers. Delete s3://out/${job.folder.prefix}_SUCCESS.json and ask`,
    );
  }
});

it('a _PLAN.json that somebody damaged hides nothing else', async () => {
  const s = simulated();
  const job = s.job('rows/a.csv');
  for (const content of [null, {}, 'all']) {
    s.write(job, KEYS.plan, content);
    expect(stateOf(await lookAtJob(s.cloud, job.folder))).toEqual({ state: 'waiting' });
  }
});

it('a job whose files were deleted, though not what names them, is not told as done', async () => {
  const s = simulated();
  const bare = s.job('rows/a.csv');
  s.write(bare, KEYS.success, { ...success(10), startedAt: 'then', finishedAt: '2025-12-31T23:58:00.000Z' });
  const job = await asItStands(s.cloud, ASKED, bare);
  expect(await s.wait(job)).toMatchObject({ done: [{ rows: 8 }], failed: [] });
  const part = `${job.folder.prefix}part-00000.csv`;
  s.output.objects.delete(part);
  const outcome = await s.wait(job);
  expect(outcome).toMatchObject({ done: [], failed: [{ failed: { code: 'FILES_DISAGREE' } }] });
  expect(exitCode(outcome)).toBe(1);
  expect(outcomeText(outcome, MODEL, 1000)).toContain(
    `1, the first of them part-00000.csv. Delete s3://out/${job.folder.prefix}_SUCCESS.json and ask`,
  );
  expect(await seenState(s.cloud, ASKED, job)).toMatchObject({ state: 'failed' });
});

it('a job whose errors were deleted is told what to delete so that they are written anew', async () => {
  const s = scene();
  await s.send(s.upload('rows/a.csv', 'x_0,x_1\n1,2\nno,4\n5,6\n7,8\n'));
  const [job] = [...s.output.objects.keys()].filter((key) => key.endsWith(KEYS.success));
  const prefix = (job ?? '').slice(0, -KEYS.success.length);
  const folder = { bucket: 'out', prefix };
  const cloud = {
    files: () => s.output.files,
    async *objects(_: string, below: string) {
      const found = [...s.output.objects].filter(([key]) => key.startsWith(below)).sort();
      yield found.map(([key, { etag, bytes, modified }]) => ({ key, etag, bytes: bytes.length, modified }));
    },
  };
  const errors = `${prefix}errors-00000.jsonl`;
  expect(s.output.objects.delete(errors)).toBe(true);
  const { failed } = await lookAtJob(cloud, folder);
  expect(failed?.reason).toContain(
    `1, the first of them errors-00000.jsonl. Delete s3://out/${prefix}_SUCCESS.json, and part-00000.csv with those`,
  );
  // As it says.
  for (const name of [KEYS.success, 'part-00000.csv']) s.output.objects.delete(`${prefix}${name}`);
  await s.send(JSON.stringify({ object: { bucket: 'in', key: 'rows/a.csv' } }), true);
  expect(await lookAtJob(cloud, folder)).toMatchObject({ success: { rows: 4, errors: 1 } });
  expect(s.output.objects.has(errors)).toBe(true);
});
