import { describe, expect, it } from 'vitest';
import { folderOf, type Job } from '../../../../core/batch/job.ts';
import type { Latest } from '../../../../core/batch/latest.ts';
import { finishLargeJob, scorePart } from '../../../../core/batch/receive.ts';
import { fakeBucket } from '../../../fakes/bucket.ts';
import { calm } from '../../../fakes/chaos.ts';
import { ENTRY, scene } from './scene.ts';

/** Which job is told to have the answers of an object. */

const KEY = 'rows/a.csv';
type Scene = ReturnType<typeof scene>;
const told = (s: Scene): Latest => JSON.parse(s.files()[`scored/sum/latest/${KEY}.json`] ?? 'null');
const eventOf = (bucket: string, etag: string, sequencer: string, versionId?: string): string =>
  JSON.stringify({
    source: 'aws.s3',
    detail: { bucket: { name: bucket }, object: { key: KEY, etag, sequencer, 'version-id': versionId } },
  });
const ASKED = JSON.stringify({ object: { bucket: 'in', key: KEY } });

describe('objects of the same key in two buckets', () => {
  /** Entries with a bucket each, whose answers go to one place. */
  function twoBuckets(whole?: number) {
    const s = scene(whole === undefined ? {} : { whole });
    const buckets = { in: s.input, in2: fakeBucket(calm, () => s.clock.now) };
    const bucketOf = (name: string) => buckets[name as keyof typeof buckets];
    const world: Partial<Scene['world']> = {
      entries: [ENTRY, { ...ENTRY, input: { ...ENTRY.input, bucket: 'in2' } }],
      head: (object) => bucketOf(object.bucket).head(object),
      source: (object, head) => bucketOf(object.bucket).source(object, head),
    };
    Object.assign(s.world, world);
    const upload = (bucket: keyof typeof buckets, text: string, sequencer: string): string =>
      eventOf(bucket, buckets[bucket].set(KEY, text).etag, sequencer);
    return { s, upload };
  }
  const buckets = ({ object, others = [] }: Latest): readonly string[] =>
    [object, ...others.map((one) => one.object)].map(({ bucket, etag }) => `${bucket} ${etag}`);

  it.each([
    ['0A', '0F'],
    ['0F', '0A'],
  ])('are both scored, and both told, whatever S3 numbers their writes (%s, %s)', async (one, other) => {
    const { s, upload } = twoBuckets();
    const events = [upload('in', '1,2\n', one), upload('in2', '5,6\n7,8\n', other)];
    for (const event of events) {
      await s.send(event);
      s.clock.now += 1000;
    }
    expect(s.counted).toMatchObject({ JobsDone: 2, Rows: 3 });
    const found = told(s);
    expect(found).toMatchObject({
      schema: 1,
      object: { bucket: 'in2' },
      others: [{ object: { bucket: 'in' } }],
    });
    expect(found.others?.[0]?.job).not.toBe(found.job);
    // Both again: nothing is written.
    const before = s.files();
    for (const event of events) await s.send(event);
    expect(s.files()).toEqual(before);
  });

  it('do not take each other’s order away: the earlier write of one that ends last is not told', async () => {
    const { s, upload } = twoBuckets(10);
    await s.send(upload('in', '1,2\n'.repeat(9), '01'));
    s.clock.now += 1000;
    await s.send(upload('in', '3,4\n', '02'));
    await s.send(upload('in2', '5,6\n', '03'));
    const before = told(s);
    expect(buckets(before)).toHaveLength(2);
    await s.map(s.spread[0] as Job);
    expect(told(s)).toEqual(before);
    s.clock.now += 1000;
    await s.send(upload('in', '7,8\n', '04'));
    expect(buckets(told(s))).toEqual([`in ${s.input.objects.get(KEY)?.etag}`, `in2 ${before.object.etag}`]);
  });
});

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
it.each([
  ['0055AED6DCD90281E5', '0055AED6DCD91A'],
  ['0055AED6DCD9', '0055AED6DCD90281E5'],
])('of writes whose sequencers differ in length (%s, %s) the later one is told', async (one, other) => {
  const s = scene({ whole: 10 });
  const upload = (text: string, sequencer: string): string =>
    eventOf('in', s.input.set(KEY, text).etag, sequencer);
  await s.send(upload('1,2\n'.repeat(9), one));
  const [job] = s.spread as [Job];
  // All of it is read before it is overwritten.
  for (const part of JSON.parse(s.files()['_PLAN.json'] ?? '')) await scorePart(s.world, job, part);
  s.clock.now += 1000;
  await s.send(upload('3,4\n', other));
  const later = told(s);
  expect(later.object.sequencer).toBe(other);
  await finishLargeJob(s.world, job);
  expect(told(s)).toEqual(later);
});

describe('in a versioned bucket', () => {
  function versioned(whole?: number) {
    const s = scene(whole === undefined ? {} : { whole });
    const { head, source, objects, set } = s.input;
    const versions = new Map<string, NonNullable<ReturnType<typeof objects.get>>>();
    const ofVersion = async <T>(versionId: string | undefined, work: () => Promise<T>): Promise<T> => {
      const current = objects.get(KEY);
      const found = versions.get(versionId ?? '');
      if (versionId !== undefined) objects.delete(KEY);
      if (found !== undefined) objects.set(KEY, found);
      try {
        return await work();
      } finally {
        objects.delete(KEY);
        if (current !== undefined) objects.set(KEY, current);
      }
    };
    Object.assign(s.world, {
      head: (object) =>
        ofVersion(object.versionId, async () => {
          const found = await head(object);
          const [versionId] = [...versions].find(([, one]) => one.etag === found?.etag) ?? [];
          return found && { ...found, ...(versionId !== undefined && { versionId }) };
        }),
      source: (object, found) => ({
        bytes: found.bytes,
        stream: async function* (start, end) {
          const all = await ofVersion(object.versionId, () => source(object, found).range(0, found.bytes));
          yield all.subarray(start, end);
        },
        range: (start, end) => ofVersion(object.versionId, () => source(object, found).range(start, end)),
      }),
    } satisfies Partial<Scene['world']>);
    let count = 0;
    return {
      s,
      upload: (text: string): string => {
        s.clock.now += 60_000;
        count += 1;
        versions.set(`v${count}`, set(KEY, text));
        return eventOf('in', objects.get(KEY)?.etag ?? '', `0${count}`, `v${count}`);
      },
      /** The newest version is deleted, so the one before is the object again. */
      restore: (): string => {
        s.clock.now += 60_000;
        const [, before] = [...versions.values()].reverse();
        versions.delete(`v${count}`);
        if (before !== undefined) objects.set(KEY, before);
        return before?.etag ?? '';
      },
      remove: (version: string): unknown => versions.delete(version),
    };
  }

  it.each([1_000_000, 10])(
    'a mark of deletion leaves the version that an event names, which is scored (whole up to %i bytes)',
    async (whole) => {
      const { s, upload } = versioned(whole);
      const event = upload('1,2\n3,4\n5,6\n7,8\n');
      s.input.objects.delete(KEY);
      await s.send(event);
      for (const job of s.spread) await s.map(job);
      expect(s.counted).toMatchObject({ JobsDone: 1, Rows: 4 });
      expect(s.files()).toHaveProperty('_SUCCESS.json');
    },
  );

  it.each(['asked for', 'sent again'])(
    'what is the object again since the later version was deleted is scored and told once it is %s',
    async (how) => {
      for (const wasDone of [true, false]) {
        const { s, upload, restore } = versioned();
        const event = upload('1,2\n');
        if (wasDone) await s.send(event);
        await s.send(upload('9,9\n8,8\n'));
        const etag = restore();
        expect(told(s).object.etag).not.toBe(etag);
        await s.send(how === 'asked for' ? ASKED : event, true);
        expect(told(s).object.etag).toBe(etag);
        expect(s.counted).toMatchObject({ JobsDone: 2, Rows: 3 });
      }
    },
  );

  it('a large object that is again what it was is told at the end of its parts, and not where it was overwritten', async () => {
    for (const isRestored of [true, false]) {
      const { s, upload, restore } = versioned(10);
      upload('1,2\n'.repeat(9));
      await s.send(ASKED, true);
      const [job] = s.spread as [Job];
      await s.send(upload('9,9\n'));
      const later = told(s).object.etag;
      if (isRestored) restore();
      await s.map(job);
      expect(s.files()).toHaveProperty('_SUCCESS.json');
      expect(told(s).object.etag).toBe(isRestored ? job.object.etag : later);
    }
  });

  it('a large object whose first version is deleted while its parts run is scored by the second one, of the same content', async () => {
    const { s, upload, remove } = versioned(10);
    await s.send(upload('1,2\n'.repeat(9)));
    const [job] = s.spread.splice(0) as [Job];
    s.busy.push(folderOf(job, ENTRY).prefix);
    // Its parts are at work, so nothing comes of this event.
    await s.send(upload('1,2\n'.repeat(9)));
    remove('v1');
    await s.map(job);
    expect([s.failed, s.spread]).toEqual([[], []]);
    s.busy.length = 0;
    await s.sendAgain();
    for (const one of s.spread) await s.map(one);
    expect(s.counted).toMatchObject({ JobsDone: 1, Rows: 9 });
    expect(told(s).object).toMatchObject({ etag: job.object.etag, versionId: 'v2' });
    expect([s.failed, s.again]).toEqual([[], []]);
  });

  it('an event of a version that was overwritten since is passed over once the later one is scored', async () => {
    const { s, upload } = versioned();
    const earlier = upload('1,2\n');
    await s.send(upload('9,9\n8,8\n'));
    const before = s.files();
    await s.send(earlier);
    expect(s.files()).toEqual(before);
  });
});

it.each(['', '{"schema":1,"obj', 'null', '[]', '{"schema":1}', '{"object":"x","others":[null,{}]}'])(
  'a document that somebody damaged (%j) keeps no object waiting, and is written anew',
  async (text) => {
    const s = scene();
    await s.send(s.upload(KEY, '1,2\n3,4\n'));
    s.output.set(`scored/sum/latest/${KEY}.json`, text);
    await s.send(s.upload(KEY, '5,6\n'));
    expect(s.failed).toEqual([]);
    expect(told(s)).toMatchObject({ schema: 1, object: { key: KEY, bytes: 4 } });
  },
);
