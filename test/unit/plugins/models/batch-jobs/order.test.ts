import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Listed } from '../../../../../plugins/models/batch-jobs/cloud.ts';
import { type JobOrder, jobsIn, order } from '../../../../../plugins/models/batch-jobs/order.ts';
import { ENTRY } from '../../../core/batch/scene.ts';

const ASKED: JobOrder = {
  model: 'sum',
  identity: '0123456789abcdef'.repeat(4),
  entries: [{ ...ENTRY, input: { ...ENTRY.input, bucket: 'incoming' } }],
  queue: 'jobs',
};
const keyOf = (number: number): string => `rows/${String(number).padStart(7, '0')}.csv`;

/** A listing of so many objects, 1000 a page as S3 gives them, and what is sent. */
function simulated(count: number) {
  /** By number: how often it was sent. */
  const sent = new Uint8Array(count);
  const batches = { most: 0, open: 0, mostOpen: 0 };
  return {
    sent,
    batches,
    cloud: {
      head: async () => undefined,
      async *objects(): AsyncIterable<readonly Listed[]> {
        for (let first = 0; first < count; first += 1000) {
          await new Promise((resolve) => setImmediate(resolve));
          yield Array.from({ length: Math.min(1000, count - first) }, (_, i) => ({
            key: keyOf(first + i),
            etag: (first + i).toString(16).padStart(32, '0'),
            bytes: 1,
            modified: '2026-01-01T00:00:00.000Z',
          }));
        }
      },
      send: async (queue: string, bodies: readonly string[]): Promise<void> => {
        expect(queue).toBe('jobs');
        batches.most = Math.max(batches.most, bodies.length);
        batches.mostOpen = Math.max(batches.mostOpen, ++batches.open);
        await new Promise((resolve) => setImmediate(resolve));
        batches.open--;
        for (const body of bodies) {
          const { bucket, key } = JSON.parse(body).object;
          const number = Number(/^rows\/(\d{7})\.csv$/.exec(key)?.[1]);
          if (bucket !== 'incoming' || sent[number] === undefined)
            throw new Error(`${body} was never listed`);
          sent[number] += 1;
        }
      },
    },
  };
}

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
const used = (): number => {
  collect();
  return process.memoryUsage().heapUsed / 1e6;
};

describe('an order', () => {
  it('asks for nothing that the function passes over: marks of folders, documents of other jobs', async () => {
    const sent: string[] = [];
    const folder = `rows/churn@0123456789ab/${'0'.repeat(64)}`;
    const marks = ['rows/', 'rows/a/', 'rows/_SUCCESS', 'rows/a/_SUCCESS', 'rows/a_$folder$'];
    const rows = ['rows/b.csv', 'rows/b_SUCCESS', 'rows/c/_SUCCESS', 'rows/d_$folder$'];
    const keys = [...marks, `${folder}/_SUCCESS.json`, `${folder}/map/x/y`, ...rows];
    const cloud = {
      head: async () => undefined,
      async *objects(): AsyncIterable<readonly Listed[]> {
        yield keys.map((key) => ({
          ...{ key, etag: '0'.repeat(32), modified: '2026-01-01T00:00:00.000Z' },
          bytes: marks.includes(key) || key === 'rows/b_SUCCESS' ? 0 : 1,
        }));
      },
      send: async (_queue: string, bodies: readonly string[]): Promise<void> => {
        for (const body of bodies) sent.push(JSON.parse(body).object.key);
      },
    };
    const entry = { ...ENTRY, input: { bucket: 'incoming', prefix: 'rows/', suffix: '' } };
    const jobs = [];
    for await (const page of order(cloud, { ...ASKED, entries: [entry] }, 's3://incoming/rows/'))
      jobs.push(...page);
    expect(sent).toEqual(rows);
    expect(jobs).toHaveLength(4);
  });

  it('of a million objects sends each once, a page at a time, in memory that does not grow', async () => {
    const { cloud, sent, batches } = simulated(1_000_000);
    const began = performance.now();
    let [jobs, pages, early] = [0, 0, 0];
    for await (const page of order(cloud, ASKED, 's3://incoming/rows/')) {
      jobs += page.length;
      pages += 1;
      if (pages === 100) early = used();
    }
    const seconds = (performance.now() - began) / 1000;
    const grown = used() - early;
    console.log(
      `a million objects: ${seconds.toFixed(1)} s besides S3 and SQS, ${grown.toFixed(1)} MB more after 1000 pages than after 100`,
    );
    expect([jobs, pages]).toEqual([1_000_000, 1000]);
    expect(sent.every((times) => times === 1)).toBe(true);
    // SQS takes ten at once.
    expect(batches).toEqual({ most: 10, open: 0, mostOpen: 8 });
    expect(grown).toBeLessThan(20);
  });

  it('to wait for keeps its jobs: under a kilobyte each', async () => {
    const { cloud } = simulated(20_000);
    const before = used();
    const jobs = [];
    for await (const page of order(cloud, ASKED, 's3://incoming/rows/')) jobs.push(...page);
    const each = ((used() - before) * 1e6) / jobs.length;
    console.log(`${each.toFixed(0)} bytes a job`);
    expect(jobs[19_999]?.object.key).toBe(keyOf(19_999));
    expect(each).toBeLessThan(1000);
  });

  it('that finds nothing to score says what would be taken, or that nothing is there', async () => {
    const { cloud } = simulated(0);
    const other = simulated(1).cloud;
    const ask = async (input: string, there = cloud): Promise<void> => {
      for await (const _ of order(there, ASKED, input)) break;
    };
    await expect(ask('s3://incoming/rows/a.csv')).rejects.toThrow(
      /^--input: There is no object whose place begins with s3:\/\/incoming\/rows\/a\.csv\. Write /,
    );
    const txt = { ...other, objects: () => [[{ key: 'rows/a.txt', etag: 'e', bytes: 9 }]] };
    await expect(ask('s3://incoming/rows/', txt as never)).rejects.toThrow(
      /Nothing below s3:\/\/incoming\/rows\/ is taken by sum/,
    );
    // A key may have the end of a line.
    await expect(ask('s3://incoming/rows/a\nb.csv')).rejects.toThrow(/There is no object whose place/);
    await expect(ask('s3:/in')).rejects.toThrow(/is no place in S3/);
  });

  it('asks S3 about no bucket of which nothing is taken: a wrong name is told as one', async () => {
    const asked = (): never => {
      throw new Error('The specified bucket does not exist');
    };
    const cloud = { head: asked, objects: asked, send: asked };
    const ordered = async (): Promise<void> => {
      for await (const _ of order(cloud, ASKED, 's3://incomming/rows/')) break;
    };
    const told =
      /^--input: Nothing below s3:\/\/incomming\/rows\/ is taken by sum\. Its entries .* take s3:\/\/inc/;
    await expect(ordered()).rejects.toThrow(told);
    await expect(jobsIn(cloud, ASKED, 's3://incomming/rows/')).rejects.toThrow(told);
  });

  it('looks at each job before its message is sent', async () => {
    const { cloud, sent } = simulated(2_500);
    const seen: string[] = [];
    const jobs = [];
    for await (const page of order(cloud, ASKED, 's3://incoming/rows/', async (job) => {
      expect(sent[Number(/\d{7}/.exec(job.object.key)?.[0])]).toBe(0);
      seen.push(job.object.key);
      return { ...job, failedBefore: job.object.key };
    }))
      jobs.push(...page);
    expect(seen.length).toBe(2_500);
    expect(jobs.every(({ object, failedBefore }) => failedBefore === object.key)).toBe(true);
  });
});

describe('what is shown', () => {
  it.each([
    [999, 999, false],
    [1000, 1000, false],
    [1001, 1000, true],
  ])('of %i objects is the first thousand, and whether there are more', async (count, shown, isMore) => {
    const { cloud } = simulated(count);
    const found = await jobsIn(cloud, ASKED, 's3://incoming/rows/');
    expect([found.jobs.length, found.isMore]).toEqual([shown, isMore]);
  });

  it.each([
    [[], 'There is no object whose place begins with s3://incoming/row/. '],
    [[{ key: 'row/a.txt', etag: 'e', bytes: 9 }], 'Nothing below s3://incoming/row/ is taken by sum. '],
  ])('of nothing is why it is nothing: a prefix may be misspelled', async (listed, told) => {
    const cloud = { head: async () => undefined, objects: () => [listed] } as never;
    const found = await jobsIn(cloud, ASKED, 's3://incoming/row/');
    expect(found).toMatchObject({ jobs: [], isMore: false, none: expect.stringContaining(told) });
    expect(await jobsIn(simulated(1).cloud, ASKED, 's3://incoming/rows/')).not.toHaveProperty('none');
  });

  it('is found on later pages, where the first have nothing for the model', async () => {
    const { cloud } = simulated(1500);
    const entries = ASKED.entries.map((entry) => ({
      ...entry,
      input: { ...entry.input, prefix: 'rows/00012' },
    }));
    const found = await jobsIn(cloud, { ...ASKED, entries }, 's3://incoming/rows/');
    expect([found.jobs.length, found.isMore]).toEqual([100, false]);
  });
});
