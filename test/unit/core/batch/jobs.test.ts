import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEYS } from '../../../../core/batch/contract.ts';
import { type Folder, folderOf, type Job } from '../../../../core/batch/job.ts';
import { finishLargeJob, receiveMessage, scorePart } from '../../../../core/batch/receive.ts';
import type { Part } from '../../../../core/tabular/cells/contract.ts';
import type { Tensors } from '../../../../core/tensor/tensors.ts';
import { ENTRY, scene, steady } from './scene.ts';

/** Rows of two numbers; every seventh is broken where asked for. */
const csv = (rows: number, broken = false): string =>
  Array.from({ length: rows }, (_, i) => (broken && i % 7 === 3 ? `${i},x\n` : `${i},${i / 2}\n`)).join('');

const success = (files: Record<string, string>) => JSON.parse(files['_SUCCESS.json'] ?? 'null');
const KEY = 'rows/a.csv';
const partsIn = (s: ReturnType<typeof scene>, { prefix }: Folder): readonly Part[] =>
  JSON.parse(Buffer.from(s.output.objects.get(`${prefix}${KEYS.plan}`)?.bytes ?? []).toString());
/** All but the pointer, which knows of the latest write. */
const answers = (s: ReturnType<typeof scene>) =>
  Object.fromEntries(Object.entries(s.files()).filter(([name]) => !name.includes('/latest/')));

describe('an object', () => {
  it('is scored in parts, each with its rows, and marked complete last', async () => {
    const s = scene();
    await s.send(s.upload(KEY, csv(12)));
    const files = s.files();
    expect(Object.keys(files)).toEqual([
      '_SUCCESS.json',
      'part-00000.csv',
      'part-00001.csv',
      'scored/sum/_OWNER.json',
      'scored/sum/latest/rows/a.csv.json',
    ]);
    expect(files['part-00000.csv']).toBe('row,y\n1,0\n2,1.5\n3,3\n4,4.5\n5,6\n6,7.5\n7,9\n8,10.5\n');
    expect(files['part-00001.csv']).toBe('row,y\n9,12\n10,13.5\n11,15\n12,16.5\n');
    expect(success(files)).toMatchObject({
      rows: 12,
      errors: 0,
      version: '7',
      files: [{ rows: 8 }, { rows: 4 }],
    });
    const order = [...s.output.objects.keys()].map((key) => key.replace(/.*\//, ''));
    expect(order).toEqual(['part-00000.csv', 'part-00001.csv', '_SUCCESS.json', '_OWNER.json', 'a.csv.json']);
    expect(s.counted).toMatchObject({ Rows: 12, RowErrors: 0, PartsDone: 2, JobsDone: 1 });
  });

  it('that is large is planned once, scored side by side, and comes out the same byte for byte', async () => {
    const [whole, large] = [scene(), scene({ whole: 10 })];
    await whole.send(whole.upload(KEY, csv(50, true)));
    await large.send(large.upload(KEY, csv(50, true)));
    expect(large.files()).not.toHaveProperty('_SUCCESS.json');
    for (const job of large.spread) await large.map(job);
    expect(steady(large.files())).toEqual(steady(whole.files()));
  });

  it.each([10, 1_000_000])(
    'that comes twice, or is uploaded again as it was, adds nothing (whole up to %i bytes)',
    async (whole) => {
      const s = scene({ whole });
      const event = s.upload(KEY, csv(30));
      await s.send(event);
      for (const job of s.spread) await s.map(job);
      const [before, counted] = [answers(s), { ...s.counted }];
      s.clock.now += 60_000;
      await s.send(event);
      await s.send(s.upload(KEY, csv(30)));
      expect(answers(s)).toEqual(before);
      expect(s.counted).toEqual(counted);
      expect(s.spread.length).toBe(whole === 10 ? 1 : 0);
    },
  );

  it('that was overwritten before its event came is passed over, whatever the order of events', async () => {
    const s = scene();
    const older = s.upload(KEY, csv(3));
    s.clock.now += 1000;
    const newer = s.upload(KEY, csv(5));
    await s.send(newer);
    const before = s.files();
    await s.send(older);
    expect(s.files()).toEqual(before);
    expect(success(before).rows).toBe(5);
    expect(JSON.parse(before['scored/sum/latest/rows/a.csv.json'] ?? '').job).toMatch(/[0-9a-f]{64}\/$/);
  });

  it('that is gone, or no message of ours, loses nothing', async () => {
    const s = scene();
    const event = s.upload(KEY, csv(3));
    s.input.objects.delete(KEY);
    await s.send(event);
    expect(s.files()).toEqual({});
    expect(s.failed).toEqual([]);
    await s.send('{"Records":[]}');
    await s.send('no JSON');
    expect(s.failed.map(({ code }) => code)).toEqual(['UNKNOWN_MESSAGE', 'UNKNOWN_MESSAGE']);
  });

  it('of an entry that the next version knows waits for that one, and is put aside after a day without', async () => {
    const s = scene();
    const events = ['other/a.csv', 'another/a.csv'].map((key) => s.upload(key, csv(3)));
    for (const event of events) await s.send(event);
    expect([s.failed, s.again]).toEqual([[], events]);
    const [began] = s.since;
    s.clock.now += 80_000_000;
    Object.assign(s.world.entries[0] ?? {}, { input: { bucket: 'in', prefix: 'other/', suffix: '.csv' } });
    for (const event of s.again.splice(0)) await s.send(event, true, began);
    expect(success(s.files())).toMatchObject({ rows: 3 });
    expect([s.failed, s.again]).toEqual([[], events.slice(1)]);
    s.clock.now += 10_000_000;
    for (const event of s.again.splice(0)) await s.send(event, true, began);
    expect(s.failed).toMatchObject([{ code: 'NO_ENTRY', body: events[1] }]);
    expect(s.again).toEqual([]);
  });

  it.each([
    ['overwritten', (s: ReturnType<typeof scene>) => s.input.set(KEY, csv(4))],
    ['deleted', (s: ReturnType<typeof scene>) => s.input.objects.delete(KEY)],
  ])('%s while it is read is given up, and nothing is taken for complete', async (_, happens) => {
    for (const whole of [10, 1_000_000]) {
      let reads = 0;
      const s: ReturnType<typeof scene> = scene({
        whole,
        chaos: async (point) => {
          if (point === `before read ${KEY}` && ++reads === 20) happens(s);
        },
      });
      await s.send(s.upload(KEY, csv(50)));
      for (const job of s.spread) await s.map(job);
      expect(s.files()).not.toHaveProperty('_SUCCESS.json');
      expect(s.files()).not.toHaveProperty('_FAILED.json');
      expect(s.failed).toEqual([]);
    }
  });

  it('that is large, overwritten, and what it was again while its parts run, is scored after them', async () => {
    const s = scene({ whole: 10 });
    await s.send(s.upload(KEY, csv(50)));
    const [job] = s.spread.splice(0) as [Job];
    const folder = folderOf(job, ENTRY);
    s.busy.push(folder.prefix);
    s.clock.now += 1000;
    const between = s.upload(KEY, csv(4));
    for (const part of partsIn(s, folder)) await scorePart(s.world, job, part);
    s.clock.now += 1000;
    await s.send(s.upload(KEY, csv(50)));
    await s.send(between);
    await finishLargeJob(s.world, job);
    expect([s.failed, s.spread]).toEqual([[], []]);
    s.busy.length = 0;
    s.clock.now += 60_000;
    await s.sendAgain();
    for (const one of s.spread) await s.map(one);
    expect(success(s.files())).toMatchObject({ rows: 50, object: { etag: job.object.etag } });
    expect([s.failed, s.again, s.spread.length]).toEqual([[], [], 1]);
  });

  it.each([
    ['', 0],
    ['\n', 0],
    ['1,2', 1],
    ['1,2\r\n3,4\r\n', 2],
    ['\uFEFFa,b\n1,2\n', 1],
  ])('of %j has %i rows', async (text, rows) => {
    const s = scene();
    await s.send(s.upload(KEY, text));
    expect(success(s.files())).toMatchObject({ rows, errors: 0 });
  });
});

it('that is large waits until the parts of another one are through, so that both together take no more instances', async () => {
  const s = scene({ whole: 10 });
  s.busy.push('scored/sum@0123456789ab/another/');
  const event = s.upload(KEY, csv(30));
  await s.send(event);
  expect([s.spread, s.again, Object.keys(s.files())]).toEqual([[], [event], []]);
  s.busy.length = 0;
  await s.send(event, true);
  expect(s.spread).toHaveLength(1);
});

it('written first, overwritten, and written again is the one that is pointed to, whatever ends last', async () => {
  const s = scene({ whole: 10 });
  const first = s.upload(KEY, csv(30));
  await s.send(first);
  await s.map(s.spread[0] as never);
  s.clock.now += 1000;
  await s.send(s.upload(KEY, csv(40)));
  s.clock.now += 1000;
  await s.send(s.upload(KEY, csv(30)));
  const pointed = (): string => JSON.parse(s.files()['scored/sum/latest/rows/a.csv.json'] ?? '').job;
  const before = pointed();
  await s.map(s.spread[1] as never);
  expect(pointed()).toBe(before);
});

it('scored by the model before and by the next one is pointed to by whichever was asked later', async () => {
  const s = scene({ whole: 10 });
  await s.send(s.upload(KEY, csv(30)));
  s.clock.now += 1000;
  const manifest = { ...s.world.manifest, identity: 'f'.repeat(64) };
  const next = { ...s.world, manifest, version: '8', sizes: { ...s.world.sizes, whole: 1_000_000 } };
  const asked = { body: JSON.stringify({ object: { bucket: 'in', key: KEY } }), again: false };
  await receiveMessage(next, asked);
  const pointed = (): string => JSON.parse(s.files()['scored/sum/latest/rows/a.csv.json'] ?? '').job;
  expect(pointed()).toContain('/sum@ffffffffffff/');
  await s.map(s.spread[0] as never);
  expect(pointed()).toContain('/sum@ffffffffffff/');
  // Asked again, the model before is the later one.
  s.clock.now += 1000;
  await receiveMessage(s.world, asked);
  expect(pointed()).toContain('/sum@0123456789ab/');
});

it('what a model before in a chain writes about its jobs is no object of the next', async () => {
  const s = scene({ entry: { input: { bucket: 'in', prefix: '', suffix: '' } } });
  for (const name of [
    '_SUCCESS.json',
    '_FAILED.json',
    '_PLAN.json',
    'errors-00000.jsonl',
    'map/x/manifest.json',
  ])
    await s.send(s.upload(`a@0123456789ab/${'0'.repeat(64)}/${name}`, '{}'));
  await s.send(s.upload('folder/', ''));
  expect([s.files(), s.failed]).toEqual([{}, []]);
});

it('in a folder of one’s own that is called latest is an object like any other', async () => {
  const s = scene({ entry: { input: { bucket: 'in', prefix: '', suffix: '' } } });
  await s.send(s.upload('incoming/latest/a.json', '1,2\n'));
  expect(success(s.files())).toMatchObject({ rows: 1 });
});

it('of a very long key has its pointer all the same', async () => {
  const s = scene({ entry: { input: { bucket: 'in', prefix: '', suffix: '' } } });
  const key = `${'long/'.repeat(200)}${'k'.repeat(20)}`;
  await s.send(s.upload(key, csv(3)));
  expect(s.failed).toEqual([]);
  const keys = [...s.output.objects.keys()];
  expect(keys.every((one) => Buffer.byteLength(one) <= 1024)).toBe(true);
  expect(keys).toContainEqual(expect.stringMatching(/\/latest\/[0-9a-f]{64}\.json$/));
});

it.each(['csv', 'jsonl', 'npy', 'parquet'] as const)(
  'of a part without one good row is written as %s, and its rows are told',
  async (outputFormat) => {
    const s = scene({ entry: { outputFormat, tolerate: 1 }, part: 8 });
    await s.send(s.upload(KEY, '1,2\n1,x\n2,x\n3,x\n4,5\n'));
    expect(s.failed).toEqual([]);
    expect(success(s.files())).toMatchObject({ rows: 5, errors: 3 });
  },
);

it.each([
  [29, 29, 100],
  [1.4, 14, 1000],
  [19.7, 197, 1000],
])(
  'with exactly as many faulty rows as %d percent tolerate is complete, and with one more it fails',
  async (percent, errors, all) => {
    for (const faulty of [errors, errors + 1]) {
      const s = scene({ entry: { tolerate: percent / 100 }, part: 100_000 });
      const rows = Array.from({ length: all }, (_, i) => (i >= all - faulty ? `${i},x\n` : `${i},1\n`)).join(
        '',
      );
      await s.send(s.upload(KEY, rows));
      expect(s.failed.map(({ code }) => code)).toEqual(faulty === errors ? [] : ['TOO_MANY_ERRORS']);
      if (faulty === errors) expect(success(s.files())).toMatchObject({ rows: all, errors });
    }
  },
);

describe('what is wrong', () => {
  it('in a row is a line of the errors’ file, with row, line and reason, and no value', async () => {
    const s = scene({ part: 1000 });
    await s.send(s.upload(KEY, 'a,b\n1,2\n\n3,secret\n5\n7,8\n'));
    const files = s.files();
    expect(files['part-00000.csv']).toBe('row,y\n1,3\n4,15\n');
    const errors = (files['errors-00000.jsonl'] ?? '')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(errors).toMatchObject([
      { row: 2, line: 4, code: 'WRONG_VALUE' },
      { row: 3, line: 5, code: 'WRONG_LENGTH' },
    ]);
    expect(files['errors-00000.jsonl']).not.toContain('secret');
    expect(success(files)).toMatchObject({ rows: 4, errors: 2 });
  });

  it('in more rows than are tolerated fails the job, says where, and is listed once', async () => {
    const s = scene({ entry: { tolerate: 0.01 } });
    const event = s.upload(KEY, csv(14, true));
    await s.send(event);
    await s.send(event);
    expect(s.files()).not.toHaveProperty('_SUCCESS.json');
    expect(Object.keys(s.files())).not.toContainEqual(expect.stringContaining('latest'));
    expect(s.failed).toMatchObject([
      {
        code: 'TOO_MANY_ERRORS',
        reason: expect.stringMatching(/^2 of 14 rows failed; 1 % are tolerated\. Line 4: WRONG_VALUE, /),
      },
    ]);
    expect(JSON.parse(s.files()['_FAILED.json'] ?? '')).toMatchObject({
      code: 'TOO_MANY_ERRORS',
      version: '7',
    });
    expect(s.counted).toMatchObject({ JobsFailed: 1 });
  });

  it('is passed over where it comes again to the same version, and the log says why', async () => {
    const s = scene({ entry: { tolerate: 0.01 } });
    const logged: unknown[] = [];
    Object.assign(s.world, {
      log: (level: string, message: string, fields: object) => logged.push({ level, message, ...fields }),
    });
    await s.send(s.upload(KEY, csv(14, true)));
    logged.length = 0;
    await s.send(s.upload(KEY, csv(14, true)));
    expect(s.failed).toHaveLength(1);
    expect(logged).toMatchObject([
      {
        level: 'info',
        message: 'An object is passed over.',
        reason: expect.stringMatching(/TOO_MANY_ERRORS/),
      },
    ]);
  });

  it('is tried again manually, and by another version; a job that then succeeds has failed no more', async () => {
    const s = scene({ entry: { tolerate: 0.01 } });
    const event = s.upload(KEY, csv(14, true));
    await s.send(event);
    s.clock.now += 1000;
    await s.send(event, true);
    expect(s.failed).toHaveLength(2);
    s.clock.now += 1000;
    const repaired = {
      ...s.world,
      version: '8',
      entries: s.world.entries.map((one) => ({ ...one, tolerate: 0.5 })),
    };
    const { receiveMessage } = await import('../../../../core/batch/receive.ts');
    const rows = s.counted.Rows;
    await receiveMessage(repaired, { body: event, again: false });
    expect(success(s.files())).toMatchObject({ rows: 14, errors: 2, version: '8' });
    expect(s.files()).not.toHaveProperty('_FAILED.json');
    // Nothing was scored a second time.
    expect(s.counted.Rows).toBe(rows);
  });

  it.each([
    ['whole', 1_000_000],
    ['large', 10],
  ])(
    'with the model or its transform, and not with the rows, is tried anew manually (%s)',
    async (_, whole) => {
      const s = scene({ whole, entry: { tolerate: 0.2 }, file: 100 });
      const { run } = s.world;
      const runAll = async (event: string): Promise<void> => {
        await s.send(event, s.failed.length > 0);
        for (const job of s.spread.splice(0)) await s.map(job);
      };
      let fails = true;
      Object.assign(s.world, {
        run: (rows: Tensors) => {
          // What its transform asks is away for the rows from 1,000 on.
          if (fails && Array.from(rows.x?.data ?? [], Number).some((value) => value >= 1000))
            throw new Error('away');
          return run(rows);
        },
      });
      const event = s.upload(KEY, csv(2000, true));
      await runAll(event);
      expect(s.failed).toMatchObject([{ code: 'TOO_MANY_ERRORS' }]);
      const parts = () => Object.entries(s.files()).filter(([name]) => name.startsWith('part-'));
      const before = new Map(parts());
      s.clock.now += 1000;
      fails = false;
      await runAll(event);
      const quiet = scene({ whole, entry: { tolerate: 0.2 }, file: 100 });
      await quiet.send(quiet.upload(KEY, csv(2000, true)));
      for (const job of quiet.spread) await quiet.map(job);
      const answers = (of: typeof s) => {
        const files = of.files();
        const keys = (success(files).files as { key: string }[]).map(({ key }) => key.replace(/^.*\//, ''));
        return keys.flatMap((key) => (files[key] ?? '').trim().split('\n').slice(1));
      };
      expect(answers(s)).toEqual(answers(quiet));
      expect(success(s.files())).toMatchObject({ rows: 2000, errors: 286 });
      expect(s.files()).not.toHaveProperty('_FAILED.json');
      // What had no such rows was left alone, though it has rows that are broken.
      expect(parts().filter(([name, text]) => before.get(name) === text).length).toBeGreaterThan(50);
    },
  );

  it('in a header of any length is told in a reason that a person can read', async () => {
    const s = scene();
    const name = 'name'.repeat(2_400);
    await s.send(s.upload(KEY, `${name},${name}\n1,2\n`));
    expect(s.failed).toMatchObject([{ code: 'WRONG_HEADER' }]);
    expect(s.failed[0]?.reason.length).toBeLessThan(5000);
    expect(s.files()['_FAILED.json']?.length).toBeLessThan(10_000);
  });

  it.each([
    ['a header of other columns', 'a,b,c\n1,2,3\n', 'WRONG_HEADER'],
    ['a quote that never closes', '1,2\n3,"4\n5,6\n', 'UNCLOSED_QUOTE'],
  ])('in the object itself, %s, fails it with %s', async (_, text, code) => {
    const s = scene();
    await s.send(s.upload(KEY, text));
    expect(s.failed).toMatchObject([{ code }]);
    expect(s.files()).not.toHaveProperty('_SUCCESS.json');
  });
});

describe('a death', () => {
  /** Kills the n-th call, and all after it until the invocation is over. */
  const dying = () => {
    const state = { left: Number.POSITIVE_INFINITY };
    return {
      state,
      chaos: async () => {
        state.left -= 1;
        if (state.left < 0) throw new Error('killed');
      },
    };
  };

  it('in any phase, any number of times, at once with a twin or not: the outcome is that of a quiet run, byte for byte', async () => {
    const quiet = scene();
    await quiet.send(quiet.upload(KEY, csv(40, true)));
    const due = steady(quiet.files());
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(fc.nat(120), { maxLength: 6 }),
        fc.boolean(),
        async (isLarge, deaths, twin) => {
          const { state, chaos } = dying();
          const s = scene({ chaos, whole: isLarge ? 10 : 1_000_000 });
          const event = s.upload(KEY, csv(40, true));
          const attempt = async (left: number): Promise<void> => {
            state.left = left;
            const sends = twin ? [s.send(event), s.send(event)] : [s.send(event)];
            await Promise.allSettled(sends);
            for (const job of s.spread) {
              state.left = left;
              await s.map(job, 1).catch(() => {});
            }
          };
          for (const left of deaths) await attempt(left);
          state.left = Number.POSITIVE_INFINITY;
          await s.send(event, true);
          for (const job of s.spread.slice(-1)) await s.map(job);
          expect(steady(s.files())).toEqual(due);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('of a part that cannot be scored leaves the job failed, not half done', async () => {
    const s = scene({
      whole: 10,
      chaos: async (point) => {
        if (point.includes('part-00001')) throw new Error('S3 fails');
      },
    });
    await s.send(s.upload(KEY, csv(40)));
    for (const job of s.spread) await s.map(job).catch(() => {});
    expect(s.files()).not.toHaveProperty('_SUCCESS.json');
  });

  it('of time comes back to the rest: what is scored stays', async () => {
    const s = scene();
    let left = 900_000;
    const world = { ...s.world, left: () => (left -= 300_000) };
    const { receiveMessage } = await import('../../../../core/batch/receive.ts');
    const event = s.upload(KEY, csv(60));
    await receiveMessage(world, { body: event, again: false });
    expect(s.again).toEqual([event]);
    expect(s.files()).not.toHaveProperty('_SUCCESS.json');
    const rows = s.counted.Rows as number;
    expect(rows).toBeGreaterThan(0);
    await s.send(event, true);
    expect(success(s.files()).rows).toBe(60);
    expect(s.counted.Rows).toBe(60);
  });
});

it.each([
  ['counts for drift', {}, 1],
  ['with drift: false does not', { drift: false }, 0],
] as const)('an entry’s object %s', async (_, entry, expected) => {
  const s = scene({ entry });
  const { run } = s.world;
  const told: string[] = [];
  const counted: typeof run = async (rows) => ({
    ...(await run(rows)),
    accepted: () => told.push('a block'),
  });
  Object.assign(s.world, { run: counted });
  await s.send(s.upload(KEY, '1,2\n3,4\n'));
  expect(success(s.files())).toMatchObject({ rows: 2, errors: 0 });
  expect(told).toHaveLength(expected);
});
