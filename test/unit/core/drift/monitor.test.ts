import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readLine } from '../../../../core/drift/lines.ts';
import { quotedName } from '../../../../core/drift/text.ts';
import { driftText } from '../../../../plugins/models/drift-report/drift-text.ts';
import {
  baselineOf,
  category,
  constant,
  digestOf,
  HOUR,
  lineOf,
  numeric,
  SCOPE,
  scene,
  WATCHED,
} from './scene.ts';

const NOW = '2026-11-25T14:03:00Z';
const shifted = (n: number) => ({ age: 0.5 + 0.5 * ((n * 0.618) % 1) });
const baseline = baselineOf();

describe('a window', () => {
  it('is judged, published and kept', async () => {
    const it = scene(NOW);
    const digest = it.keep(baseline);
    it.serve(baseline, '2026-11-25T14:00:00Z', 400, shifted);
    await it.run();
    expect(it.published).toEqual([
      {
        _aws: {
          Timestamp: Date.parse('2026-11-25T14:00:00Z'),
          CloudWatchMetrics: [
            {
              Namespace: 'ServerlessModels',
              Dimensions: [['Model']],
              Metrics: [{ Name: 'DriftMax' }, { Name: 'DriftFeatures' }, { Name: 'DriftRows' }],
            },
          ],
        },
        Model: 'shop-dev-churn',
        DriftMax: expect.closeTo(0.86, 2),
        // In this window; of the one before nothing is known.
        DriftFeatures: 0,
        DriftRows: 400,
      },
    ]);
    expect(it.names()).toEqual(['2026-11-25T130000Z-3600']);
    expect(it.document('2026-11-25T130000Z-3600')).toMatchObject({
      schema: 1,
      model: 'churn',
      baseline: digest,
      from: '2026-11-25T13:00:00.000Z',
      to: '2026-11-25T14:00:00.000Z',
      requests: 400,
      rows: 400,
      signals: [{ label: 'age', drifted: true }, { label: 'plan', drifted: false }, { label: 'score' }],
    });
  });

  it('counts as drifted what did so in the window before, too', async () => {
    const it = scene('2026-11-25T13:05:00Z');
    it.keep(baseline);
    it.serve(baseline, '2026-11-25T13:00:00Z', 400, shifted);
    it.serve(baseline, '2026-11-25T14:00:00Z', 400, shifted);
    it.serve(baseline, '2026-11-25T15:00:00Z', 400);
    for (const time of ['13:05', '14:05', '15:05']) {
      it.at(`2026-11-25T${time}:00Z`);
      await it.run();
    }
    expect(it.published.map((line) => (line as { DriftFeatures?: number }).DriftFeatures)).toEqual([0, 1, 0]);
  });

  it('tells a person what drifted, which way, and from how many rows', async () => {
    const it = scene(NOW);
    it.keep(baseline);
    it.serve(baseline, '2026-11-25T14:00:00Z', 400, (n) => ({
      ...shifted(n),
      plan: n % 4 === 0 ? 'new' : 'a',
    }));
    await it.run();
    expect(it.told).toEqual([
      {
        level: 'warn',
        message: expect.stringMatching(
          /^churn, 2026-11-25T13:00Z to 2026-11-25T14:00Z, 400 rows: 2 of 2 inputs drifted: "age" \+0\.\d\d σ, higher \(p \d+e-\d+, 400 rows\); "plan" \d\.\d\d σ, other shares \(p \d+e-\d+, 400 rows\), 25 % of them unseen values\.$|^churn, 2026-11-25T13:00Z to 2026-11-25T14:00Z, 400 rows: 2 of 2 inputs drifted: "plan" .*; "age" .*\.$/,
        ),
        fields: expect.objectContaining({ model: 'churn', baseline: digestOf(baseline) }),
      },
    ]);
  });

  it('of outputs that drifted counts no feature: they have alarms of their own', async () => {
    const it = scene(NOW);
    it.keep(baseline);
    it.serve(baseline, '2026-11-25T14:00:00Z', 400, (n) => ({ score: 0.5 + 0.5 * ((n * 0.618) % 1) }));
    await it.run();
    expect(it.published).toEqual([expect.objectContaining({ DriftFeatures: 0 })]);
    expect(it.published[0]?.DriftMax).toBeLessThan(0.15);
    expect(it.document('2026-11-25T130000Z-3600').signals[2].drifted).toBe(true);
  });

  it('has the rows of jobs beside those of requests, and a shared log once', async () => {
    const it = scene(NOW);
    const digest = it.keep(baseline);
    const jobs = '/aws/lambda/shop-dev-churn-batch';
    it.logs.make(jobs);
    const at = Date.parse('2026-11-25T13:30:00Z');
    for (let n = 0; n < 5; n++) it.logs.put(WATCHED.logGroup, at + n, lineOf(baseline, digest, {}));
    for (let n = 0; n < 7; n++) it.logs.put(jobs, at + n, lineOf(baseline, digest, {}));
    await it.run({ ...WATCHED, batchLogGroup: jobs });
    expect(it.document('2026-11-25T130000Z-3600')).toMatchObject({ rows: 12 });

    const shared = scene(NOW);
    shared.keep(baseline);
    for (let n = 0; n < 5; n++) shared.logs.put(WATCHED.logGroup, at + n, lineOf(baseline, digest, {}));
    await shared.run({ ...WATCHED, batchLogGroup: WATCHED.logGroup });
    expect(shared.document('2026-11-25T130000Z-3600')).toMatchObject({ rows: 5 });
  });

  it('of a sample says how many requests it stands for, and judges by what was scored', async () => {
    const it = scene(NOW);
    const digest = it.keep(baseline);
    const put = (count: number) => {
      for (let n = 0; n < count; n++) {
        const line = { ...JSON.parse(lineOf(baseline, digest, { age: 0.99 })), sample: 0.01 };
        it.logs.put(WATCHED.logGroup, Date.parse('2026-11-25T13:30:00Z') + n, JSON.stringify(line));
      }
    };
    put(120);
    await it.run();
    expect(it.document('2026-11-25T130000Z-3600')).toMatchObject({
      requests: 120,
      rows: 120,
      estimated: 12_000,
    });
    expect(it.document('2026-11-25T130000Z-3600').signals[0]).toMatchObject({ n: 120, drifted: true });
    expect(it.published[0]).toMatchObject({ DriftRows: 120 });
    expect(it.told[0]?.message).toContain('120 rows of about 12000 requests: 1 of 2 inputs drifted');
    expect(
      driftText('churn', { windows: [it.document('2026-11-25T130000Z-3600')], cut: false }, Date.parse(NOW)),
    ).toContain('120 rows in 120 requests, scored of about 12000\n');
    const few = scene(NOW);
    few.keep(baseline);
    const line = { ...JSON.parse(lineOf(baseline, digest, { age: 0.99 })), sample: 0.01 };
    for (let n = 0; n < 99; n++)
      few.logs.put(WATCHED.logGroup, Date.parse('2026-11-25T13:30:00Z') + n, JSON.stringify(line));
    await few.run();
    expect(few.document('2026-11-25T130000Z-3600').signals[0]).toMatchObject({ n: 99, drifted: false });
  });

  it('of a model whose answers alone are watched is told of by these, and by requests', async () => {
    const answers = baselineOf([numeric('score', { of: 'output', tensor: 'y', value: 'prediction' })]);
    const told = async (requests: number, rows: number, row = {}) => {
      const it = scene(NOW);
      const digest = it.keep(answers);
      for (let n = 0; n < requests; n++) {
        const line = lineOf(answers, digest, ...Array.from({ length: rows }, () => row));
        it.logs.put(WATCHED.logGroup, Date.parse('2026-11-25T13:30:00Z') + n, line);
      }
      await it.run();
      return it.told[0]?.message.split(' rows: ')[1];
    };
    expect(await told(50, 10)).toBe('too few requests to tell.');
    expect(await told(400, 1)).toBe('no output drifted.');
    expect(await told(400, 1, { score: 0.99 })).toMatch(/^1 of 1 output drifted: "score" \+/);
  });

  it('without a line is kept as empty, and has no DriftMax, which 0 would be', async () => {
    const it = scene(NOW);
    await it.run();
    expect(it.published).toEqual([expect.objectContaining({ DriftFeatures: 0, DriftRows: 0 })]);
    expect(it.published[0]).not.toHaveProperty('DriftMax');
    expect(it.document('2026-11-25T130000Z-3600')).toMatchObject({ baseline: '', requests: 0, signals: [] });
  });

  it('has the lines from its start to before its end', async () => {
    const it = scene(NOW);
    const digest = it.keep(baseline);
    const end = Date.parse('2026-11-25T14:00:00Z');
    for (const at of [end - HOUR - 1, end - HOUR, end - 1, end])
      it.logs.put(WATCHED.logGroup, at, lineOf(baseline, digest, {}));
    await it.run();
    expect(it.document('2026-11-25T130000Z-3600')).toMatchObject({ requests: 2 });
  });

  it('skips and counts what is none of ours', async () => {
    const it = scene(NOW);
    const digest = it.keep(baseline);
    it.serve(baseline, '2026-11-25T14:00:00Z', 120);
    const forged = { ...readLine(lineOf(baseline, digest, {})), a: [1e300, 0, 0] };
    for (const text of ['{"drift":"x"}', '{"drift":""}', JSON.stringify(forged), 'no JSON'])
      it.logs.put(WATCHED.logGroup, Date.parse('2026-11-25T13:30:00Z'), text);
    await it.run();
    expect(it.told).toEqual([expect.objectContaining({ fields: expect.objectContaining({ skipped: 3 }) })]);
    expect(it.document('2026-11-25T130000Z-3600').rows).toBe(120);
  });

  it('of which no line can be read is told and alarmed', async () => {
    const it = scene(NOW);
    it.logs.put(WATCHED.logGroup, Date.parse('2026-11-25T13:30:00Z'), '{"drift":"x"}');
    await it.run();
    expect(it.published[0]).toMatchObject({ Model: 'shop-dev-churn', DriftUnreadable: 1 });
  });
});

describe('a notice', () => {
  const hours = ['13:05', '14:05', '15:05', '16:05'];
  const moved = (n: number) => ({ ...shifted(n), plan: n % 4 === 0 ? 'secret-plan' : 'a' });
  const through = async (scenes: ReturnType<typeof scene>, rows: readonly (typeof moved | undefined)[]) => {
    const counts: number[] = [];
    for (const [index, row] of rows.entries()) {
      scenes.at(`2026-11-25T${hours[index]}:00Z`);
      scenes.serve(baseline, `2026-11-25T${hours[index]?.slice(0, 2)}:00:00Z`, 400, row);
      await scenes.run();
      counts.push(scenes.notices.length);
    }
    return counts;
  };

  it('is sent when drift that alarms count begins, and once', async () => {
    const it = scene(NOW);
    it.keep(baseline);
    expect(await through(it, [moved, moved, moved, moved])).toEqual([0, 1, 1, 1]);
    const again = scene(NOW);
    again.keep(baseline);
    expect(await through(again, [undefined, moved, undefined, moved])).toEqual([0, 0, 0, 0]);
  });

  it('has model, window, columns with their shift, a picture, and what to do; and no value', async () => {
    const it = scene(NOW);
    it.keep(baseline);
    await through(it, [moved, moved]);
    const [{ subject, text } = { subject: '', text: '' }] = it.notices;
    expect(subject).toBe('churn: drift of 2 of its inputs');
    expect(text).toContain('churn (shop-dev-churn)');
    expect(text).toContain('2026-11-25T13:00Z to 2026-11-25T14:00Z, 400 rows');
    expect(text).toMatch(/\n {2}"age" \+0\.8\d σ, higher \(p \d+e-\d+, 400 rows\)\n/);
    expect(text).toMatch(/\n {2}"plan" \d\.\d\d σ, other shares/);
    // A tenth of the reference in each, and all that is live in the upper half.
    expect(text).toMatch(/\n {2}1 {6}█{12} {12} {2}10 % {26} {3}0 %\n/);
    expect(text).toMatch(/\n {2}10 {5}█{12} {12} {2}10 % {2}█{23,24} +20 %\n/);
    expect(text).toMatch(/\n {2}unseen .* 0 % {2}█+ +25 %\n/);
    expect(text).toContain('sls models drift --model churn');
    expect(text).toContain('sls models report');
    expect(text).not.toContain('secret-plan');
  });

  it('is of classes, too, and of three columns a picture', async () => {
    const label = category('label', { of: 'output', tensor: 'y', value: 'label' });
    const many = baselineOf([...['c1', 'c2', 'c3', 'c4'].map((name) => numeric(name)), label]);
    const it = scene(NOW);
    it.keep(many);
    const row = (n: number) => {
      const value = shifted(n).age;
      return { c1: value, c2: value, c3: value, c4: value, label: 'c' };
    };
    for (const hour of ['13', '14']) {
      it.at(`2026-11-25T${hour}:05:00Z`);
      it.serve(many, `2026-11-25T${hour}:00:00Z`, 400, row);
      await it.run();
    }
    expect(it.notices.map(({ subject }) => subject)).toEqual([
      'churn: drift of 4 of its inputs and the shares of its classes',
    ]);
    expect(it.notices[0]?.text.match(/this window/g)).toHaveLength(3);
  });

  it('that cannot be sent is sent in the next run, before the window has its document', async () => {
    let refused = true;
    const it = scene(NOW, async (point) => {
      if (point === 'before publish' && refused) throw new Error('no topic');
    });
    it.keep(baseline);
    await through(it, [moved, moved]);
    expect(it.notices).toEqual([]);
    expect(it.names()).toEqual(['2026-11-25T120000Z-3600']);
    expect(it.published.at(-1)).toMatchObject({ DriftUnreadable: 1 });
    refused = false;
    await it.run();
    expect(it.notices).toHaveLength(1);
    expect(it.names()).toHaveLength(2);
  });
});

describe('run again', () => {
  it('nothing is read, published or written twice', async () => {
    const points: string[] = [];
    const it = scene(NOW, async (point) => {
      points.push(point);
    });
    it.keep(baseline);
    it.serve(baseline, '2026-11-25T14:00:00Z', 200);
    await it.run();
    const before = [it.published.length, it.objects.objects.size];
    points.length = 0;
    it.at('2026-11-25T14:08:00Z');
    await it.run();
    expect([it.published.length, it.objects.objects.size]).toEqual(before);
    expect(points.filter((point) => !point.startsWith('before list'))).toEqual([]);
  });

  it.each([
    // By the hour a month has fewer documents than a page of the list.
    [3600, NOW, ['2026-11']],
    [3600, '2026-11-02T14:03:00Z', ['2026-10', '2026-11']],
    [300, NOW, ['2026-11-23', '2026-11-24', '2026-11-25']],
    [86_400, NOW, ['2026-10', '2026-11']],
  ])(
    'in windows of %d seconds it asks the registry for no more lists than it needs, each run costs',
    async (window, now, days) => {
      const points: string[] = [];
      const it = scene(now, async (point) => {
        points.push(point);
      });
      for (let n = 0; n < 24; n++) {
        const to = Math.floor(Date.parse(now) / (window * 1000)) * window * 1000 - n * window * 1000;
        const from = new Date(to - window * 1000).toISOString();
        const name = `${from.slice(0, 19).replaceAll(':', '')}Z-${window}`;
        const kept = {
          schema: 1,
          model: 'churn',
          baseline: '',
          from,
          to: new Date(to).toISOString(),
          signals: [],
        };
        it.objects.set(`${SCOPE}drift/churn/${name}.json`, JSON.stringify(kept));
      }
      await it.run({ ...WATCHED, window });
      expect(points.toSorted()).toEqual(days.map((day) => `before list ${SCOPE}drift/churn/${day}`));
    },
  );

  it('after a crash between publishing and writing, the same is published again and written once', async () => {
    let crash = true;
    const it = scene(NOW, async (point) => {
      if (crash && point.startsWith('before create')) throw new Error('killed');
    });
    it.keep(baseline);
    it.serve(baseline, '2026-11-25T14:00:00Z', 200, shifted);
    await it.run();
    expect(it.names()).toEqual([]);
    crash = false;
    it.at('2026-11-25T14:08:00Z');
    await it.run();
    const windows = it.published.filter((line) => 'DriftRows' in line);
    expect(windows).toHaveLength(2);
    expect(windows[0]).toEqual(windows[1]);
    expect(it.names()).toEqual(['2026-11-25T130000Z-3600']);
  });

  it('two at once write one document', async () => {
    const it = scene(NOW);
    it.keep(baseline);
    it.serve(baseline, '2026-11-25T14:00:00Z', 200);
    await Promise.all([it.run(), it.run()]);
    expect(it.names()).toEqual(['2026-11-25T130000Z-3600']);
    expect(it.told.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('after an outage', () => {
  it('windows are made good, oldest first, and what is too old is told', async () => {
    const it = scene('2026-11-20T14:03:00Z');
    it.keep(baseline);
    await it.run();
    it.at(NOW);
    it.serve(baseline, '2026-11-25T10:00:00Z', 150);
    it.told.length = 0;
    await it.run();
    expect(it.names()).toHaveLength(25);
    expect(it.document('2026-11-25T090000Z-3600').rows).toBe(150);
    expect(it.told[0]).toMatchObject({
      level: 'warn',
      message: expect.stringContaining('too long ago'),
      fields: { from: '2026-11-20T14:00:00.000Z', to: '2026-11-24T14:00:00.000Z' },
    });
    const ends = it.published.slice(1).map(({ _aws }) => (_aws as { Timestamp: number }).Timestamp);
    expect(ends).toEqual(ends.toSorted((one, other) => one - other));
  });

  it('a run whose time is up leaves the rest to the next', async () => {
    const it = scene('2026-11-25T04:03:00Z');
    await it.run();
    it.at(NOW);
    it.leave(5000);
    await it.run();
    expect(it.names()).toHaveLength(1);
    expect(it.told.at(-1)).toMatchObject({ level: 'warn', message: expect.stringContaining('10 windows') });
    it.leave(200_000);
    await it.run();
    expect(it.names()).toHaveLength(11);
  });
});

describe('several baselines', () => {
  it('of two that have half of the rows each, the same is judged in windows one after the other', async () => {
    const other = baselineOf([numeric('age', { phi: 1.01 })]);
    const it = scene('2026-11-25T12:05:00Z');
    for (const one of [baseline, other]) it.keep(one);
    for (const [hour, rows, others] of [
      ['12', 210, 190],
      ['13', 190, 210],
      ['14', 210, 190],
      ['15', 190, 210],
    ] as const) {
      it.serve(baseline, `2026-11-25T${hour}:00:00Z`, rows, shifted);
      it.serve(other, `2026-11-25T${hour}:00:00Z`, others, shifted);
      it.at(`2026-11-25T${hour}:05:00Z`);
      await it.run();
    }
    expect(it.published.map(({ DriftFeatures }) => DriftFeatures)).toEqual([0, 1, 1, 1]);
    expect(it.notices).toHaveLength(1);
    it.serve(baseline, '2026-11-25T16:00:00Z', 100, shifted);
    it.serve(other, '2026-11-25T16:00:00Z', 300, shifted);
    it.at('2026-11-25T16:05:00Z');
    await it.run();
    expect(it.document('2026-11-25T150000Z-3600')).toMatchObject({ baseline: digestOf(other), rows: 300 });
  });

  it('of a canary’s and the stable one’s, that of most rows is judged and the other named', async () => {
    const it = scene(NOW);
    const canary = baselineOf([numeric('age'), constant('fee')]);
    it.keep(baseline);
    it.keep(canary);
    it.serve(canary, '2026-11-25T14:00:00Z', 20);
    it.serve(baseline, '2026-11-25T14:00:00Z', 180);
    await it.run();
    expect(it.document('2026-11-25T130000Z-3600')).toMatchObject({ baseline: digestOf(baseline), rows: 180 });
    expect(it.told[0]).toMatchObject({
      level: 'info',
      fields: { baseline: digestOf(canary), rows: 20 },
    });
    expect(it.published).toEqual([expect.objectContaining({ DriftRows: 180 })]);
  });

  it('one that is larger than any is not read', async () => {
    const it = scene(NOW);
    const huge = `{"schema":1,"signals":[${' '.repeat(64 * 1024 * 1024)}]}`;
    const digest = createHash('sha256').update(huge).digest('hex');
    it.objects.set(`models/files/${digest}`, huge);
    expect(await it.world.baseline(digest)).toBeUndefined();
    const small = it.keep(baseline);
    expect(await it.world.baseline(small)).toEqual(baseline);
  });

  it('one that the registry has not is told and alarmed, and the other judged', async () => {
    const it = scene(NOW);
    const other = baselineOf([numeric('age')]);
    it.keep(baseline);
    it.serve(other, '2026-11-25T14:00:00Z', 300);
    it.serve(baseline, '2026-11-25T14:00:00Z', 150);
    await it.run();
    expect(it.published).toEqual([
      expect.objectContaining({ DriftUnreadable: 1 }),
      expect.objectContaining({ DriftRows: 150 }),
    ]);
    expect(it.told[0]).toMatchObject({ level: 'error', fields: { baseline: digestOf(other), rows: 300 } });
  });

  it.each([
    ['is not there', undefined],
    ['is not what its name says', '{"schema":1,"signals":[]}'],
  ])('the only one that %s is tried again until it is', async (_, text) => {
    const it = scene(NOW);
    if (text !== undefined) it.objects.set(`models/files/${digestOf(baseline)}`, text);
    it.serve(baseline, '2026-11-25T14:00:00Z', 150);
    await it.run();
    await it.run();
    expect(it.names()).toEqual([]);
    expect(it.published).toHaveLength(2);
    it.keep(baseline);
    await it.run();
    expect(it.names()).toEqual(['2026-11-25T130000Z-3600']);
  });
});

describe('what cannot be read', () => {
  it('of one model is told and alarmed, and the others are judged', async () => {
    const it = scene(NOW);
    it.keep(baseline);
    const gone = { ...WATCHED, model: 'gone', functionName: 'shop-dev-gone', logGroup: '/aws/lambda/gone' };
    await it.run(gone, WATCHED);
    expect(it.published).toContainEqual(
      expect.objectContaining({ Model: 'shop-dev-gone', DriftUnreadable: 1 }),
    );
    expect(it.told.find(({ level }) => level === 'error')).toMatchObject({
      message: expect.stringContaining('gone'),
      fields: { reason: expect.stringContaining('does not exist') },
    });
    expect(it.names()).toEqual(['2026-11-25T130000Z-3600']);
  });

  it('of a log with more lines than the time allows is not judged from a part of them', async () => {
    let pages = 0;
    const it = scene(NOW, async (point) => {
      if (point === 'before read logs' && ++pages === 2) it.leave(1000);
    });
    it.keep(baseline);
    it.serve(baseline, '2026-11-25T14:00:00Z', 150);
    await it.run();
    expect(it.names()).toEqual([]);
    expect(it.published).toEqual([expect.objectContaining({ DriftUnreadable: 1 })]);
    // And what to do about it.
    expect(it.told[0]?.fields.reason).toMatch(
      /more lines than one run can read.*`drift\.sample`.*`drift\.window`/,
    );
  });

  it('of a log for which a run had no time left is read by the next run, and blames nothing', async () => {
    const it = scene('2026-11-25T12:03:00Z');
    it.keep(baseline);
    await it.run();
    it.at(NOW);
    it.serve(baseline, '2026-11-25T13:00:00Z', 150);
    it.serve(baseline, '2026-11-25T14:00:00Z', 150);
    it.published.length = 0;
    it.told.length = 0;
    // Most of the time is gone, as other models had long logs, or windows were made good.
    it.leave(100_000);
    let pages = 0;
    const lines = it.world.logs.lines;
    it.world.logs = {
      async *lines(group, member, from, to) {
        for await (const page of lines(group, member, from, to)) {
          pages += 1;
          if (pages === 60) it.leave(5000);
          yield page;
        }
      },
    };
    await it.run();
    expect(it.names()).toHaveLength(2);
    expect(it.published.filter((line) => 'DriftUnreadable' in line)).toEqual([]);
    expect(it.told.filter(({ level }) => level === 'error')).toEqual([]);
    expect(it.told.at(-1)).toMatchObject({
      level: 'warn',
      message: 'churn: 1 window is left for the next run.',
      fields: { from: '2026-11-25T13:00:00.000Z' },
    });
    it.leave(280_000);
    await it.run();
    expect(it.names()).toHaveLength(3);
  });

  it('counts once a run, however many windows and failures there are', async () => {
    const it = scene('2026-11-25T04:03:00Z');
    await it.run();
    it.at(NOW);
    it.published.length = 0;
    for (const hour of ['05', '06', '07'])
      for (const signal of ['a', 'b'])
        it.serve(baselineOf([numeric(signal)]), `2026-11-25T${hour}:00:00Z`, 120);
    await it.run();
    expect(it.published).toEqual([expect.objectContaining({ DriftUnreadable: 1 })]);
    expect(it.told.filter(({ level }) => level === 'error')).toHaveLength(2);
  });

  it('of one window keeps the later ones waiting, so that none is judged without the one before', async () => {
    let refusals = 0;
    const it = scene('2026-11-25T11:05:00Z', async (point) => {
      if (point !== 'before read logs' || refusals === 0) return;
      refusals -= 1;
      throw new Error('refused');
    });
    it.keep(baseline);
    await it.run();
    for (const hour of ['12', '13', '14']) it.serve(baseline, `2026-11-25T${hour}:00:00Z`, 400, shifted);
    it.at(NOW);
    it.published.length = 0;
    refusals = 1;
    await it.run();
    expect(it.names()).toEqual(['2026-11-25T100000Z-3600']);
    await it.run();
    expect(it.published.map(({ DriftFeatures }) => DriftFeatures)).toEqual([undefined, 0, 1, 1]);
    expect(it.notices).toHaveLength(1);
  });

  it.each(['{"schema":1', 'null', '{"schema":1,"to":"2026-11-25T13:00:00.000Z"}'])(
    'of the documents, %s counts as none and is told by its key',
    async (text) => {
      const it = scene('2026-11-25T13:05:00Z');
      it.keep(baseline);
      await it.run();
      const key = `${SCOPE}drift/churn/2026-11-25T120000Z-3600.json`;
      it.objects.set(key, text);
      it.at(NOW);
      it.published.length = 0;
      await it.run();
      expect(it.names()).toEqual(['2026-11-25T120000Z-3600', '2026-11-25T130000Z-3600']);
      expect(it.published).toContainEqual(expect.objectContaining({ DriftUnreadable: 1 }));
      expect(it.told.find(({ level }) => level === 'error')).toMatchObject({
        message: 'churn: a document of an earlier window is damaged and counts as none.',
        fields: { key },
      });
    },
  );

  it('each model is first in its turn', async () => {
    const first: string[] = [];
    const it = scene(NOW);
    for (const minute of ['03', '08']) {
      it.at(`2026-11-25T14:${minute}:00Z`);
      it.told.length = 0;
      await it.run({ ...WATCHED, logGroup: 'none' }, { ...WATCHED, model: 'other', logGroup: 'none' });
      first.push(it.told[0]?.message.split(':')[0] ?? '');
    }
    expect(first.toSorted()).toEqual(['churn', 'other']);
  });
});

describe('a label', () => {
  it('is quoted, on one line, and not endless', () => {
    expect(quotedName('age')).toBe('"age"');
    expect(quotedName('a "b"\n\u2028\u202e\u0000c')).toBe('"a \\"b\\"\uFFFD\uFFFD\uFFFD\uFFFDc"');
    expect(quotedName('x'.repeat(500))).toHaveLength(62);
  });
});
