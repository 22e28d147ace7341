import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEYS } from '../../../../core/batch/contract.ts';
import { folderOf, type Job, partKey, type Success } from '../../../../core/batch/job.ts';
import { finishLargeJob, scorePart } from '../../../../core/batch/receive.ts';
import type { Part } from '../../../../core/tabular/cells/contract.ts';
import type { Block } from '../../../../core/tabular/cells/format.ts';
import { firstRow, splitBlock } from '../../../../core/tabular/cells/split.ts';
import type { Tensors } from '../../../../core/tensor/tensors.ts';
import { ENTRY, scene } from './scene.ts';

const KEY = 'rows/a.csv';
/** Rows of two numbers; every fifth is broken. */
const csv = (rows: number): string =>
  Array.from({ length: rows }, (_, i) => (i % 5 === 3 ? `${i},x\n` : `${i},${i / 2}\n`)).join('');
const due = (rows: number) => ({
  answers: Array.from({ length: rows }, (_, i) => i)
    .filter((i) => i % 5 !== 3)
    .map((i) => `${i + 1},${i * 1.5}`),
  faults: Array.from({ length: rows }, (_, i) => i + 1).filter((row) => row % 5 === 4),
});

/** What somebody reads who reads what `_SUCCESS.json` names, in its order. */
function read(s: ReturnType<typeof scene>) {
  const files = s.files();
  const success = JSON.parse(files['_SUCCESS.json'] ?? 'null') as Success | null;
  if (success === null) return undefined;
  const text = (key: string): string => files[key.replace(/^.*\/[0-9a-f]{64}\//, '')] as string;
  const answers = success.files.map(({ key }) => text(key).trim().split('\n').slice(1));
  return {
    success,
    names: success.files.map(({ key }) => key.replace(/^.*\//, '')),
    answers: answers.flat(),
    faults: success.files.flatMap(({ errorsKey }) =>
      errorsKey === undefined
        ? []
        : text(errorsKey)
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line).row as number),
    ),
    rows: success.files.map(({ rows, errors }, i) => [rows, (answers[i]?.length ?? 0) + errors]),
  };
}

describe('a part', () => {
  it('whose answers fill more than a file has several, which list in their order', async () => {
    const s = scene({ part: 2000, file: 1000 });
    await s.send(s.upload(KEY, csv(500)));
    const found = read(s);
    expect(found).toMatchObject(due(500));
    expect(found?.names.length).toBeGreaterThan(3);
    expect(found?.names.slice(0, 2)).toEqual(['part-00000.csv', 'part-00000_00001.csv']);
    expect(found?.names.toSorted()).toEqual(found?.names);
    expect(s.counted).toMatchObject({ Rows: 500, RowErrors: 100 });
    // Parts are counted, not their files.
    expect(s.counted.PartsDone).toBe(new Set(found?.names.map((name) => name.slice(0, 10))).size);
  });

  it('of many faulty rows has them in several files, too', async () => {
    const s = scene({ part: 1_000_000, file: 20_000, entry: { tolerate: 1 } });
    await s.send(s.upload(KEY, 'x,y\n'.repeat(1000)));
    const found = read(s);
    expect(found?.success).toMatchObject({ rows: 999, errors: 999 });
    expect(found?.names.length).toBeGreaterThan(5);
    expect(found?.faults).toEqual(Array.from({ length: 999 }, (_, i) => i + 1));
  });

  it.each([
    ['whole', 1_000_000],
    ['among others side by side', 10],
  ])(
    'that a slow model is at for hours, %s, is scored by one invocation after the other',
    async (_, whole) => {
      // Half an hour a thousand rows: 4,000 rows are two hours, of which one invocation has a quarter.
      const s = scene({ whole, part: 1_000_000, pace: () => 1800 });
      const event = s.upload(KEY, csv(4000));
      await s.send(event);
      for (const job of s.spread) await s.map(job);
      for (let turns = 0; s.again.length > 0 && turns < 30; turns++) {
        const [body, began] = [s.again.pop() as string, s.since.pop() as string];
        await s.send(body, true, began);
      }
      const found = read(s);
      expect(found).toMatchObject(due(4000));
      // Every five minutes what is scored is kept.
      expect(found?.names.length).toBeGreaterThan(20);
      expect(s.counted).toMatchObject({ Rows: 4000, PartsDone: 1 });
      // From the first of them to the last, and not the last one's time only.
      expect(s.counted.JobDuration).toBeGreaterThan(1.5 * 3600 * 1000);
      expect(found?.success.startedAt).toBe('2026-01-01T00:00:00.000Z');
    },
  );

  it('of a model that is slow from some row on is not lost with its invocation: what is scored stays', async () => {
    let rows = 0;
    // 10 s a row at first; the 300th takes 12 minutes at once.
    const s = scene({ part: 1_000_000, pace: () => (++rows === 300 ? 720_000 : 10_000) });
    const event = s.upload(KEY, csv(600));
    for (let tries = 0; read(s) === undefined && tries < 30; tries++)
      await s.send(event, true).catch(() => {});
    expect(read(s)).toMatchObject(due(600));
    // What the killed invocation had not written yet is some minutes' work.
    expect(rows).toBeLessThan(480 + 60);
  });

  it('that each invocation is late for from its start gets on all the same, a step at a time', async () => {
    const s = scene({ whole: 10, part: 1_000_000 });
    await s.send(s.upload(KEY, csv(100)));
    Object.assign(s.world, { left: () => 60_000 });
    for (const job of s.spread) await s.map(job);
    expect(read(s)).toMatchObject(due(100));
    expect(read(s)?.names.length).toBe(4);
  });

  it('of any pace, with files of any size, killed anywhere and by twins at once, has its rows once each, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.constantFrom(0, 700, 2500, 9000),
        fc.integer({ min: 300, max: 20_000 }),
        fc.array(fc.nat(60), { maxLength: 5 }),
        fc.boolean(),
        fc.infiniteStream(fc.double({ min: 0.2, max: 2, noNaN: true })),
        async (isLarge, pace, file, deaths, twin, jitter) => {
          const state = { left: Number.POSITIVE_INFINITY };
          const s = scene({
            whole: isLarge ? 10 : 1_000_000,
            part: 3000,
            file,
            pace: () => pace * (jitter.next().value as number),
            chaos: async () => {
              state.left -= 1;
              if (state.left < 0) throw new Error('killed');
            },
          });
          const event = s.upload(KEY, csv(700));
          const attempt = async (left: number): Promise<void> => {
            state.left = left;
            await Promise.allSettled(
              twin ? [s.send(event, true), s.send(event, true)] : [s.send(event, true)],
            );
            for (const job of s.spread.splice(0)) {
              state.left = left;
              await (twin ? Promise.allSettled([s.map(job), s.map(job)]) : s.map(job).catch(() => {}));
            }
          };
          for (const left of deaths) await attempt(left);
          for (let tries = 0; read(s) === undefined && tries < 60; tries++)
            await attempt(Number.POSITIVE_INFINITY);
          const found = read(s);
          expect(found).toMatchObject(due(700));
          for (const [rows, there] of found?.rows ?? []) expect(there).toBe(rows);
        },
      ),
      { numRuns: 60 },
    );
  });
});

it('that a twin cut elsewhere is not mixed with one’s own: the next turn goes on behind it', async () => {
  const s = scene({ part: 1_000_000, file: 2000 });
  const event = s.upload(KEY, csv(500));
  // The other one had room for more rows in a file.
  const other = scene({ part: 1_000_000, file: 3000 });
  await other.send(other.upload(KEY, csv(500)));
  const first = [...other.output.objects].filter(([key]) => /(part|errors)-00000\.\w+$/.test(key));
  const { create } = s.output.files;
  let isLate = true;
  Object.assign(s.output.files, {
    create: async (...args: Parameters<typeof create>) => {
      if (isLate && args[0].endsWith('errors-00000.jsonl')) {
        isLate = false;
        for (const [key, object] of first) s.output.objects.set(key, object);
      }
      return create(...args);
    },
  });
  await s.send(event);
  expect([s.again, s.failed, read(s)]).toEqual([[event], [], undefined]);
  await s.send(event, true, s.since[0]);
  expect(read(s)).toMatchObject(due(500));
});

describe('files that do not follow one another are no answer:', () => {
  const code = (s: ReturnType<typeof scene>) => s.failed.map((one) => one.code);

  it('where somebody deleted one, and what is written in its place ends elsewhere', async () => {
    for (const whole of [10, 1_000_000]) {
      const s = scene({ whole, part: 1_000_000, file: 1500, entry: { tolerate: 0 } });
      const event = s.upload(KEY, csv(500));
      const attempt = async (): Promise<void> => {
        await s.send(event, s.failed.length > 0);
        for (const job of s.spread.splice(0)) await s.map(job);
      };
      await attempt();
      expect(code(s)).toEqual(['TOO_MANY_ERRORS']);
      for (const key of s.output.objects.keys())
        if (key.endsWith('part-00000.csv')) s.output.objects.delete(key);
      Object.assign(s.world.sizes, { file: 2500 });
      Object.assign(s.world.entries[0] ?? {}, { tolerate: 0.5 });
      for (let tries = 0; tries < 3; tries++) {
        s.clock.now += 1000;
        await attempt();
      }
      expect(read(s)).toBeUndefined();
      expect(new Set(code(s).slice(1))).toEqual(new Set(['FILES_DISAGREE']));
      expect(s.failed.at(-1)?.reason).toMatch(/part-00000_00001\.csv begins with row \d+ .* Delete this one/);
      // As it says.
      for (const key of s.output.objects.keys()) if (/part-0/.test(key)) s.output.objects.delete(key);
      s.clock.now += 1000;
      await attempt();
      expect(read(s)).toMatchObject(due(500));
    }
  });

  it('where the plan is gone once its parts are scored: the job fails at once, and is planned anew', async () => {
    const s = scene({ whole: 10 });
    const event = s.upload(KEY, csv(100));
    await s.send(event);
    const plan = [...s.output.objects.keys()].find((key) => key.endsWith('/_PLAN.json')) ?? '';
    const [job] = s.spread.splice(0);
    s.output.objects.delete(plan);
    await finishLargeJob(s.world, job as Job);
    expect(s.failed).toMatchObject([
      { code: 'FILES_DISAGREE', reason: expect.stringMatching(/\/_PLAN\.json is gone.* again\./) },
    ]);
    // As it says.
    s.clock.now += 1000;
    await s.send(event, true);
    for (const next of s.spread.splice(0)) await s.map(next);
    expect(read(s)).toMatchObject(due(100));
  });

  it.each([
    '[]\n',
    '[{"part":0,"from":4,"to":44,"row":0,"line":2}]',
    '{}',
    '7',
    '[{"part":1},{"part":0}]',
    '[{"part":0,',
    '',
  ])(
    'where somebody wrote another plan (%j) while parts ran: the job fails at once, and is planned anew',
    async (text) => {
      const s = scene({ whole: 10 });
      const event = s.upload(KEY, csv(100));
      await s.send(event);
      const key = [...s.output.objects.keys()].find((one) => one.endsWith('/_PLAN.json')) ?? '';
      const [job] = s.spread.splice(0) as [Job];
      for (const part of JSON.parse(s.files()['_PLAN.json'] ?? '')) await scorePart(s.world, job, part);
      s.output.set(key, text);
      await finishLargeJob(s.world, job);
      expect(s.failed).toMatchObject([
        { code: 'FILES_DISAGREE', reason: expect.stringMatching(/\/_PLAN\.json .* Delete it.* again/) },
      ]);
      // As it says.
      s.output.objects.delete(key);
      s.clock.now += 1000;
      await s.send(event, true);
      for (const next of s.spread.splice(0)) await s.map(next);
      expect(read(s)).toMatchObject(due(100));
    },
  );

  it('where the last one is deleted before the job ends: its reason says that, too, not only that it failed', async () => {
    const s = scene({ whole: 10 });
    const event = s.upload(KEY, csv(100));
    await s.send(event);
    const [job] = s.spread.splice(0);
    const folder = folderOf(job as Job, ENTRY);
    const plan = await s.output.files.read(`${folder.prefix}${KEYS.plan}`);
    const parts = JSON.parse(plan?.text ?? '[]') as Part[];
    for (const part of parts) await scorePart(s.world, job as Job, part);
    s.output.objects.delete(partKey(folder, { part: parts.length - 1, number: 0 }, 'csv'));
    await finishLargeJob(s.world, job as Job);
    expect(s.failed).toMatchObject([
      {
        code: 'PARTS_MISSING',
        reason: expect.stringMatching(/^1 of \d+ parts are not there .* were deleted meanwhile, .* again/),
      },
    ]);
    // As it says.
    s.clock.now += 1000;
    await s.send(event, true);
    for (const next of s.spread.splice(0)) await s.map(next);
    expect(read(s)).toMatchObject(due(100));
  });

  it('where one was copied without its metadata: it is not told as one whose rows have no number', async () => {
    const s = scene();
    const event = s.upload(KEY, csv(100));
    await s.send(event);
    const [part = ''] = [...s.output.objects.keys()].filter((key) => key.endsWith('part-00000.csv'));
    s.output.set(part, s.output.objects.get(part)?.bytes ?? '');
    s.output.objects.delete(part.replace('part-00000.csv', '_SUCCESS.json'));
    s.clock.now += 1000;
    await s.send(event, true);
    expect([read(s), code(s)]).toEqual([undefined, ['FILES_DISAGREE']]);
    expect(s.failed[0]?.reason).toMatch(/^\S+part-00000\.csv does not say which rows it has.* Delete it/);
    // As it says.
    s.output.objects.delete(part);
    s.clock.now += 1000;
    await s.send(event, true);
    expect(read(s)).toMatchObject(due(100));
  });

  it('where parts were cut otherwise in between', async () => {
    const s = scene({ part: 200, file: 10_000, entry: { tolerate: 0 } });
    const event = s.upload(KEY, csv(100));
    await s.send(event);
    Object.assign(s.world.sizes, { part: 300 });
    Object.assign(s.world.entries[0] ?? {}, { tolerate: 0.5 });
    s.clock.now += 1000;
    await s.send(event, true);
    expect([read(s), code(s)]).toEqual([undefined, ['TOO_MANY_ERRORS', 'FILES_DISAGREE']]);
  });
});

it('an object whose reading takes all of an invocation fails, and is not asked for without end', async () => {
  const s = scene({ part: 40 });
  let looks = 0;
  Object.assign(s.world, { left: () => (looks++ < 5 ? 900_000 : 60_000) });
  const event = s.upload(KEY, csv(200));
  await s.send(event);
  expect(s.again).toHaveLength(1);
  // Unpacking what is scored already takes as long as all of it.
  await s.send(event, true, s.since[0]);
  expect(s.failed).toMatchObject([{ code: 'TOO_LARGE' }]);
  expect(s.again).toHaveLength(1);
});

it('an object whose planning takes all of an invocation fails at once, and says what to do', async () => {
  const s = scene({ whole: 10, part: 40 });
  let left = 900_000;
  Object.assign(s.world, { left: () => (left -= 50_000) });
  await s.send(s.upload(KEY, csv(1000)));
  expect(s.failed).toMatchObject([
    { code: 'TOO_LARGE', reason: expect.stringMatching(/takes all of an invocation.* several pieces\.$/) },
  ]);
  expect(Object.keys(s.files())).toEqual(['_FAILED.json']);
  expect([s.spread, s.again]).toEqual([[], []]);
});

it('rows that take much longer than those before are tried some at a time', async () => {
  let rows = 0;
  const s = scene({ part: 1_000_000, pace: () => (++rows > 32 ? 250 : 1) });
  const event = s.upload(KEY, csv(5000));
  await s.send(event);
  for (let turns = 0; s.again.length > 0 && turns < 30; turns++) await s.send(s.again.pop() as string, true);
  expect(read(s)).toMatchObject(due(5000));
  // Nothing was lost with an invocation: no row was scored twice.
  expect(rows).toBe(4000);
});

it('faulty rows say nothing of how long a model takes', async () => {
  let most = 0;
  // Hundreds of broken rows, then good ones of 20 ms: about fifty of them are a second.
  const s = scene({ part: 1_000_000, entry: { tolerate: 1 }, pace: () => 20 });
  const { run } = s.world;
  Object.assign(s.world, {
    run: (rows: Tensors) => {
      most = Math.max(most, rows.x?.shape[0] ?? 0);
      return run(rows);
    },
  });
  await s.send(s.upload(KEY, 'x,y\n'.repeat(400) + '1,2\n'.repeat(3000)));
  expect(read(s)?.success).toMatchObject({ rows: 3399, errors: 399 });
  expect(most).toBeLessThan(64);
});

it('a long refusal is cut, and counted in what a file may hold', async () => {
  const s = scene({ part: 1_000_000, file: 100_000, entry: { tolerate: 1 } });
  const run = (): never => {
    throw Object.assign(new Error('x'.repeat(50_000)), { status: 422, code: 'NO' });
  };
  Object.assign(s.world, { run });
  await s.send(s.upload(KEY, csv(1000)));
  const files = s.files();
  const errors = Object.entries(files).filter(([name]) => name.startsWith('errors-'));
  expect(read(s)?.success.errors).toBe(1000);
  expect(Math.max(...errors.map(([, text]) => text.length))).toBeLessThan(250_000);
});

it('a column that is carried and called as an answer fails the object, before anything is scored', async () => {
  for (const whole of [10, 1_000_000]) {
    const s = scene({ whole, entry: { join: true } });
    await s.send(s.upload(KEY, `a,b,y\n${'1,2,3\n'.repeat(50)}`));
    expect(s.failed).toMatchObject([{ code: 'WRONG_HEADER', reason: expect.stringContaining('column y') }]);
    expect([Object.keys(s.files()), s.spread]).toEqual([['_FAILED.json'], []]);
  }
});

describe('two answers whose columns have one name', () => {
  const outputs = [
    { name: 'dense', datatype: 'FP32', shape: [-1, 2] },
    { name: 'dense_1', datatype: 'FP32', shape: [-1, 1] },
  ] as const;
  const sent = async (outputFormat: string, emit: readonly string[] = []) => {
    const base = scene();
    const { signature } = base.world.manifest;
    const s = scene({ entry: { outputFormat, emit }, manifest: { signature: { ...signature, outputs } } });
    Object.assign(s.world, {
      run: ({ x }: Tensors) => {
        const rows = x?.shape[0] ?? 0;
        const of = (width: number) => ({
          datatype: 'FP32',
          shape: [rows, width],
          data: new Float32Array(rows * width).fill(width),
        });
        return { outputs: { dense: of(2), dense_1: of(1) } };
      },
    });
    await s.send(s.upload(KEY, '1,2\n3,4\n'));
    return { failed: s.failed, isDone: '_SUCCESS.json' in s.files() };
  };

  it.each(['csv', 'parquet'])(
    'fail the object where columns have names, %s: the reason blames no column of it',
    async (format) => {
      const { failed } = await sent(format);
      expect(failed).toMatchObject([{ code: 'WRONG_HEADER' }]);
      expect(failed[0]?.reason).toMatch(
        /^Two of the answers have a column dense_1\..*`emit`.*`outputFormat: jsonl`/,
      );
      expect(await sent(format, ['dense'])).toEqual({ failed: [], isDone: true });
    },
  );

  it.each(['npy', 'jsonl'])('do no harm in %s', async (format) => {
    expect(await sent(format)).toEqual({ failed: [], isDone: true });
  });
});

it('any block in two has its rows, once each and in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 2, maxLength: 40 }),
      fc.nat(),
      fc.boolean(),
      (good, at, typed) => {
        const numbers = good.map((_, i) => 11 + i);
        const rows = numbers.filter((_, i) => good[i]);
        const block: Block = {
          part: 3,
          read: good.length,
          rows: typed ? Float64Array.from(rows) : rows,
          lines: rows.map((row) => row * 2),
          tensors:
            rows.length === 0
              ? {}
              : {
                  x: {
                    datatype: 'FP64',
                    shape: [rows.length, 2],
                    data: Float64Array.from(rows.flatMap((row) => [row, -row])),
                  },
                },
          carried: [rows.map((row) => `id ${row}`)],
          faults: numbers.filter((_, i) => !good[i]).map((row) => ({ row, code: 'C', reason: 'r' })),
        };
        const count = 1 + (at % (good.length - 1));
        const pieces = splitBlock(block, count);
        expect(firstRow(block)).toBe(11);
        expect(pieces.map(({ read }) => read)).toEqual([count, good.length - count]);
        expect(pieces.map((piece) => piece.rows.length + piece.faults.length)).toEqual([
          count,
          good.length - count,
        ]);
        expect(pieces.flatMap((piece) => Array.from(piece.rows))).toEqual(rows);
        expect(pieces.flatMap((piece) => Array.from(piece.lines ?? []))).toEqual(rows.map((row) => row * 2));
        expect(pieces.flatMap((piece) => Array.from(piece.carried[0] ?? []))).toEqual(block.carried[0]);
        expect(pieces.flatMap((piece) => piece.faults)).toEqual(block.faults);
        for (const { rows: some, tensors } of pieces) {
          expect(Object.keys(tensors).length).toBe(some.length === 0 ? 0 : 1);
          if (tensors.x === undefined) continue;
          expect(tensors.x.shape).toEqual([some.length, 2]);
          expect([...tensors.x.data]).toEqual(Array.from(some).flatMap((row) => [row, -row]));
        }
      },
    ),
  );
});
