import { expect, it } from 'vitest';
import { KEYS } from '../../../../core/batch/contract.ts';
import { type Failed, folderOf, type Job, type Success } from '../../../../core/batch/job.ts';
import { readAgain } from '../../../../core/batch/message.ts';
import { finishLargeJob, receiveMessage, scorePart } from '../../../../core/batch/receive.ts';
import { reopen } from '../../../../core/batch/retry.ts';
import type { Part } from '../../../../core/tabular/cells/contract.ts';
import type { Tensors } from '../../../../core/tensor/tensors.ts';
import { scene } from './scene.ts';

/** Somebody asks for a failed job anew, while others are at it. */

const KEY = 'rows/a.csv';
const codes = (s: ReturnType<typeof scene>) => s.failed.map(({ code }) => code);
const success = (s: ReturnType<typeof scene>) =>
  JSON.parse(s.files()['_SUCCESS.json'] ?? 'null') as Success | null;

/** Names of files that `_SUCCESS.json` tells of and that are not as it says. */
function untrue(s: ReturnType<typeof scene>): readonly string[] {
  return (success(s)?.files ?? [])
    .filter(({ key, sha256 }) => s.output.objects.get(key)?.metadata.sha256 !== sha256)
    .map(({ key }) => key);
}

it('two who ask at once, one of them slower, get the job done, once', async () => {
  for (let seed = 0; seed < 100; seed++) {
    let state = seed * 7919 + 1;
    const random = (): number => {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      return state / 0x7fffffff;
    };
    let isSlow = false;
    let pace = 1;
    const s = scene({
      whole: seed % 2 === 0 ? 10 : 1_000_000,
      part: [60, 200, 1000][seed % 3] as number,
      file: 100_000,
      entry: { tolerate: 0 },
      pace: () => pace * (0.5 + random()),
      chaos: async (point) => {
        if (!isSlow || point.startsWith('before read rows/')) return;
        for (let n = Math.floor(random() * 4); n > 0; n--)
          await new Promise((resolve) => setImmediate(resolve));
      },
    });
    const { run } = s.world;
    Object.assign(s.world, {
      run: (rows: Tensors) => {
        run(rows);
        throw new Error('away');
      },
    });
    const event = s.upload(KEY, '1,2\n'.repeat(400));
    await s.send(event);
    for (const job of s.spread.splice(0)) await s.map(job);
    expect(codes(s)).toEqual(['TOO_MANY_ERRORS']);
    // An execution runs by itself, and only once at a time.
    let execution: Promise<void> | undefined;
    Object.assign(s.world, {
      spread: async (job: Job) => {
        if (execution !== undefined) return 'running';
        execution = s.map(job).then(() => {
          execution = undefined;
        });
        return 'started';
      },
    });
    // What was away is back. Files are cut by time.
    Object.assign(s.world, { run, left: () => 900_000 });
    [isSlow, pace] = [true, 3000];
    const order = JSON.stringify({ object: { bucket: 'in', key: KEY } });
    s.clock.now += 60_000;
    const asked = [event, order].map((body) => receiveMessage(s.world, { body, again: true }));
    await Promise.allSettled(asked);
    await execution;
    for (let turns = 0; s.again.length > 0 && turns < 20; turns++) {
      s.clock.now += 60_000;
      const [body, since] = [s.again.pop() as string, s.since.pop()];
      await receiveMessage(s.world, { body, again: true, ...(since !== undefined && { since }) }).catch(() =>
        s.again.push(body),
      );
    }
    expect(success(s)).toMatchObject({ rows: 400, errors: 0 });
    expect([codes(s), untrue(s)]).toEqual([['TOO_MANY_ERRORS'], []]);
  }
});

/** A job of that many rows whose model could not be run. */
async function broken(rows: number) {
  const s = scene({ entry: { tolerate: 0 } });
  Object.assign(s.world, {
    run: () => {
      throw new Error('away');
    },
  });
  await s.send(s.upload(KEY, '1,2\n'.repeat(rows)));
  const [key = ''] = s.output.objects.keys();
  return { s, folder: { bucket: 'out', prefix: key.slice(0, key.lastIndexOf('/') + 1) } };
}

it.each([
  ['whose parts run still', (s: ReturnType<typeof scene>, prefix: string) => s.busy.push(prefix)],
  [
    'that is complete by now',
    (s: ReturnType<typeof scene>, prefix: string) => s.output.set(`${prefix}${KEYS.success}`, '{}'),
  ],
])('of a job %s no file is taken away', async (_, happens) => {
  const { s, folder } = await broken(40);
  happens(s, folder.prefix);
  const names = (): readonly string[] => [...s.output.objects.keys()].filter((one) => /part-/.test(one));
  const before = names();
  expect(before.length).toBeGreaterThan(2);
  expect(await reopen(s.world, folder)).toBe(false);
  expect(names()).toEqual(before);
});

it('files of many parts are taken away at once, and nothing is under way any more once that has failed', async () => {
  const { s, folder } = await broken(400);
  const own = s.output.files;
  const counts = { now: 0, most: 0 };
  const files = {
    ...own,
    remove: async (one: string) => {
      counts.most = Math.max(counts.most, ++counts.now);
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (one.endsWith('part-00003.csv')) throw new Error('S3 is away');
      await own.remove(one);
      counts.now--;
    },
  };
  const world = { ...s.world, files: () => files };
  await expect(reopen(world, folder)).rejects.toThrow('S3 is away');
  // But for the one that failed.
  expect(counts.now).toBe(1);
  expect(counts.most).toBeGreaterThan(4);
  expect(Object.keys(s.files()).filter((name) => name.startsWith('part-'))).toEqual(['part-00003.csv']);
  expect(Object.keys(s.files())).toContain(KEYS.failed);
});

it('who asks while another version ends the job takes nothing away of it', async () => {
  const s = scene({ part: 400, entry: { tolerate: 0 } });
  const { run } = s.world;
  let runs = 0;
  Object.assign(s.world, {
    run: (rows: Tensors) => {
      if (++runs % 2 === 1) throw new Error('away');
      return run(rows);
    },
  });
  const event = s.upload(KEY, '1,2\n'.repeat(400));
  await s.send(event);
  expect(codes(s)).toEqual(['TOO_MANY_ERRORS']);
  // The next version tolerates them; its event is dealt with between the look at the folder and the removals.
  Object.assign(s.world, { version: '8', run });
  Object.assign(s.world.entries[0] ?? {}, { tolerate: 1 });
  s.clock.now += 1000;
  for (const point of ['keys', 'replace', 'remove'] as const) {
    const files = s.output.files;
    const original = files[point].bind(files) as (...args: readonly unknown[]) => unknown;
    let isFirst = true;
    Object.assign(files, {
      [point]: async (...args: readonly unknown[]) => {
        if (isFirst) {
          isFirst = false;
          await s.send(event).catch(() => {});
        }
        return original(...args);
      },
    });
    await s.send(event, true);
    for (let turns = 0; s.again.length > 0 && turns < 5; turns++) {
      s.clock.now += 60_000;
      await s.send(s.again.pop() as string, true, s.since.pop());
    }
    expect(success(s)?.rows).toBe(400);
    expect(untrue(s)).toEqual([]);
  }
});

it.each(['before', 'while'])(
  'a claim of a failed job’s folder that was made %s another attempt fails is kept',
  async (when) => {
    const s = scene({ entry: { tolerate: 0 } });
    Object.assign(s.world, {
      run: () => {
        throw new Error('away');
      },
    });
    const event = s.upload(KEY, '1,2\n'.repeat(40));
    await s.send(event);
    const key = [...s.output.objects.keys()].find((one) => one.endsWith(KEYS.failed)) ?? '';
    const failed = (): Failed => JSON.parse(s.files()[KEYS.failed] ?? 'null');
    const reopening = new Date(s.clock.now).toISOString();
    const claim = (): unknown => s.output.set(key, JSON.stringify({ ...failed(), reopening }));
    if (when === 'before') claim();
    // Between its look at what is there and its own word of the failure.
    const { fail } = s.world.queue;
    const claiming: typeof fail = async (...args) => {
      if (when === 'while') claim();
      await fail(...args);
    };
    Object.assign(s.world.queue, { fail: claiming });
    Object.assign(s.world, { version: '8' });
    s.clock.now += 1000;
    await s.send(event);
    expect(failed()).toMatchObject({ version: '8', reopening });
    // So whoever asks now does not take away what the other one is at.
    s.clock.now += 1000;
    await s.send(event, true);
    expect([s.again, s.failed.length, s.counted.JobsFailed]).toEqual([[event], 2, 2]);
  },
);

it('who asks while parts of the failed attempt still run is heard once they are through', async () => {
  const s = scene({ whole: 10, part: 200, file: 10_000, entry: { tolerate: 0 } });
  const event = s.upload(KEY, '1,2\n'.repeat(200));
  await s.send(event);
  const [job] = s.spread.splice(0) as [Job];
  const folder = folderOf(job, s.world.entries[0] as never);
  const plan = s.output.objects.get(`${folder.prefix}${KEYS.plan}`);
  const parts = JSON.parse(Buffer.from(plan?.bytes ?? []).toString()) as Part[];
  // A file that follows none.
  s.output.set(`${folder.prefix}part-00000.csv`, 'x', { first: '7', rows: '3', errors: '0', ms: '1' });
  await scorePart(s.world, job, parts[0] as Part);
  expect(codes(s)).toEqual(['FILES_DISAGREE']);
  // As the reason says, and asked for while the others run.
  s.output.objects.delete(`${folder.prefix}part-00000.csv`);
  s.busy.push(folder.prefix);
  s.clock.now += 60_000;
  await s.send(event, true);
  expect([s.again, s.since, s.spread]).toEqual([[event], [undefined], []]);
  for (const part of parts.slice(1)) await scorePart(s.world, job, part);
  await finishLargeJob(s.world, job);
  s.busy.length = 0;
  await s.send(s.again.pop() as string, true);
  for (const one of s.spread) await s.map(one);
  expect(success(s)).toMatchObject({ rows: 200, errors: 0 });
});

it('a twin that waited its turn does not try again what failed meanwhile', async () => {
  const s = scene({ whole: 10, part: 200, entry: { tolerate: 0 } });
  s.busy.push('another');
  const event = s.upload(KEY, 'x,2\n'.repeat(200));
  await s.send(event);
  s.clock.now += 5000;
  await s.send(event);
  s.busy.pop();
  s.clock.now += 60_000;
  for (const began of s.since.splice(0)) {
    await s.send(event, true, began);
    for (const job of s.spread.splice(0)) await s.map(job);
    s.clock.now += 1000;
  }
  expect([codes(s), s.counted.JobsFailed]).toEqual([['TOO_MANY_ERRORS'], 1]);
});

it('who asked while no entry took the object is heard once one does', async () => {
  for (const how of ['redrive', 'order']) {
    const s = scene({ entry: { tolerate: 0 } });
    const { run } = s.world;
    Object.assign(s.world, {
      run: () => {
        throw new Error('away');
      },
    });
    const event = s.upload(KEY, '1,2\n'.repeat(5));
    await s.send(event);
    expect(codes(s)).toEqual(['TOO_MANY_ERRORS']);
    const [entry] = s.world.entries;
    // The version that is live meanwhile does not know it.
    Object.assign(s.world, { run, entries: [], version: '8' });
    if (how === 'redrive') await s.send(event, true);
    else await s.send(JSON.stringify({ object: { bucket: 'in', key: KEY } }));
    for (let turns = 0; turns < 3; turns++) {
      s.clock.now += 900_000;
      await s.sendAgain();
    }
    Object.assign(s.world, { entries: [entry], version: '9' });
    s.clock.now += 900_000;
    await s.sendAgain();
    expect([how, codes(s), s.again, success(s)]).toMatchObject([
      how,
      ['TOO_MANY_ERRORS'],
      [],
      { rows: 5, errors: 0, version: '9' },
    ]);
  }
});

it('who asked for what no entry takes is told so after a day', async () => {
  const s = scene();
  const event = s.upload('other/a.csv', '1,2\n');
  await s.send(event, true);
  s.clock.now += 80_000_000;
  await s.sendAgain();
  expect([codes(s), s.again]).toEqual([[], [event]]);
  s.clock.now += 10_000_000;
  await s.sendAgain();
  expect([codes(s), s.again]).toEqual([['NO_ENTRY'], []]);
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
it('what SQS itself moves back from the queue of failures is tried, and does not vanish', async () => {
  const s = scene({ entry: { tolerate: 0 } });
  const { run } = s.world;
  Object.assign(s.world, {
    run: () => {
      throw new Error('away');
    },
  });
  await s.send(s.upload(KEY, '1,2\n'.repeat(40)));
  expect(codes(s)).toEqual(['TOO_MANY_ERRORS']);
  Object.assign(s.world, { run });
  s.clock.now += 60_000;
  // It keeps the attributes that it was put aside with.
  for (const { body, code } of s.failed.splice(0))
    await receiveMessage(s.world, { body, ...readAgain(undefined, code) });
  expect(success(s)?.rows).toBe(40);
  expect(readAgain('2026-11-29T12:00:00.000Z', undefined)).toEqual({
    again: true,
    since: '2026-11-29T12:00:00.000Z',
  });
  expect(readAgain(undefined, undefined)).toEqual({ again: false });
});

it.each(['', '{"schema":1,"ver', 'null', '{"schema":1}'])(
  'a _FAILED.json that somebody damaged (%j) keeps its object from nothing',
  async (text) => {
    for (const isBetter of [true, false]) {
      const { s, folder } = await broken(4);
      const key = `${folder.prefix}${KEYS.failed}`;
      s.output.set(key, text);
      for (const one of await s.output.files.keys(`${folder.prefix}part-`)) await s.output.files.remove(one);
      if (isBetter) Object.assign(s.world, { run: scene().world.run });
      s.clock.now += 60_000;
      const body = JSON.stringify({ object: { bucket: 'in', key: KEY } });
      await receiveMessage(s.world, { body, again: false });
      expect(success(s)?.rows).toBe(isBetter ? 4 : undefined);
      expect(codes(s)).toEqual(isBetter ? ['TOO_MANY_ERRORS'] : ['TOO_MANY_ERRORS', 'TOO_MANY_ERRORS']);
      expect(s.output.objects.has(key)).toBe(!isBetter);
    }
  },
);
