/**
 * What traffic can be: none, a row, empty columns, values never seen, windows' edges, several versions. Lines
 * of the endpoint's own meter, reference data packed by the plugin, its alarms, its monitor.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DRIFT_METRICS, type DriftWindow } from '../../core/drift/contract.ts';
import { type Days, startDays } from './drift-days.ts';
import {
  deployMonitor,
  type Packed,
  packed,
  type Row,
  rowOf,
  rowsOf,
  type Scene,
  traffic,
} from './drift-scene.ts';
import { invoke } from './lambda.ts';

let days: Days;
let kinds: Readonly<Record<'native' | 'wide' | 'other' | 'ordered', Packed>>;

const SHIFTED = (): Row => ({ amount: 0.5 + 0.5 * rowOf().amount });
const drifted = ({ signals }: DriftWindow) => signals.flatMap((one) => (one.drifted ? [one.label] : []));
/** Rows of a column in the last window: with a value, without, of all cells, of the last one. */
async function column(name: string, label: string) {
  const found = (await days.document(name, days.last)).signals.find((signal) => signal.label === label);
  if (found === undefined) throw new Error(`no ${label}`);
  const { n, nulls, cells } = found;
  return { n, nulls, cells: cells.reduce((sum, count) => sum + count, 0), last: cells.at(-1) };
}

beforeAll(async () => {
  days = await startDays();
  const { before, last } = days;
  kinds = {
    native: await packed('native', rowsOf(2000)),
    wide: await packed('wide', rowsOf(2000)),
    other: await packed(
      'native',
      Array.from({ length: 2000 }, () => rowOf(SHIFTED())),
    ),
    // As after a year in which the amount rose: a window of it is like none of the others.
    ordered: await packed(
      'native',
      Array.from({ length: 2000 }, (_, n) => rowOf({ amount: n / 2000 })),
    ),
  };
  for (const kind of Object.values(kinds)) await days.keep(kind);
  const both = (given: () => Row) => (scene: Scene) => [
    ...traffic(scene, before, 200, given),
    ...traffic(scene, last, 200, given),
  ];
  const { native, wide, other, ordered } = kinds;
  await days.serve(
    'quiet',
    native,
    both(() => ({})),
  );
  await days.serve('shifted', native, both(SHIFTED));
  await days.serve('stopped', native, (scene) => traffic(scene, before, 200, SHIFTED));
  await days.serve('began', native, (scene) => traffic(scene, last, 200, SHIFTED));
  await days.serve('silent', native, () => []);
  await days.serve('single', native, (scene) => scene.asked(last.from + 1, rowsOf(1, { amount: 0.99 })));
  await days.serve(
    'empty',
    native,
    both(() => ({ amount: Number.NaN })),
  );
  await days.serve(
    'wide-quiet',
    wide,
    both(() => ({})),
  );
  await days.serve(
    'wide-empty',
    wide,
    both(() => ({ amount: Number.NaN })),
  );
  await days.serve(
    'wide-constant',
    wide,
    both(() => ({ fixed: 8 })),
  );
  await days.serve(
    'wide-came',
    wide,
    both(() => ({ gone: 1 })),
  );
  let unseen = 0;
  await days.serve(
    'wide-unseen',
    wide,
    both(() => (unseen++ % 3 === 0 ? { plan: 'new' } : {})),
  );
  await days.serve('edges', native, (scene) =>
    [before.from - 1, before.from, before.to - 1, before.to, last.to - 1, last.to].flatMap((at, index) =>
      scene.asked(at, rowsOf(index + 1)),
    ),
  );
  await days.serve('versions', native, (scene) => [
    ...traffic(scene, last, 100),
    ...traffic(scene, last, 60, undefined, '2'),
  ]);
  await days.serve('rebased', native, (scene) => [
    ...traffic(scene, before, 60),
    ...traffic(scene, before, 200, undefined, '2', other),
    ...traffic(scene, last, 200, SHIFTED),
    ...traffic(scene, last, 60, SHIFTED, '2', other),
  ]);
  // The template declares one version, and after a rollback the other is live.
  await days.serve('returned-ordered', native, (scene) => [
    ...traffic(scene, before, 200, SHIFTED, '1', ordered),
    ...traffic(scene, last, 200, SHIFTED, '1', ordered),
  ]);
  await days.serve('returned-even', ordered, (scene) => [
    ...traffic(scene, before, 200, SHIFTED, '1', native),
    ...traffic(scene, last, 200, SHIFTED, '1', native),
  ]);
  await deployMonitor(
    days.aws,
    'shop-dev-models-drift',
    [...days.scenes.values()].map(({ watched }) => watched),
  );
  const { error, log } = await invoke(days.aws, 'shop-dev-models-drift');
  if (error !== undefined) throw new Error(log);
});
afterAll(() => days?.stop());

describe('windows', () => {
  it('have what came from their start to before their end, once, in log and metrics alike', async () => {
    expect((await days.document('edges', days.before)).rows).toBe(2 + 3);
    expect((await days.document('edges', days.last)).rows).toBe(4 + 5);
    expect(await days.metric('edges', DRIFT_METRICS.rows, 'Sum')).toEqual({
      '-3': 1,
      '-2': 5,
      '-1': 9,
      '0': 6,
    });
  });

  it('that were judged stay as they are, whatever is found in the log later', async () => {
    const scene = days.scenes.get('edges');
    if (scene === undefined) throw new Error('no scene');
    const found = await days.document('edges', days.last);
    await days.append(scene, scene.asked(days.last.from + 5, rowsOf(10)));
    expect((await invoke(days.aws, 'shop-dev-models-drift')).error).toBeUndefined();
    expect(await days.document('edges', days.last)).toEqual(found);
    expect(await days.metric('edges', DRIFT_METRICS.seen, 'Maximum')).toEqual({ '-1': 5, '0': 9 });
  });

  it('count every row of every column', async () => {
    for (const [name, { watched }] of days.scenes)
      for (const window of [days.before, days.last]) {
        const { requests, rows: seen, signals } = await days.document(watched.model, window);
        for (const { label, n, nulls, cells } of signals) {
          const sum = cells.reduce((total, count) => total + count, 0);
          const isOutput = label === 'prediction';
          expect(n + nulls, `${name} ${label}`).toBe(isOutput ? requests : seen);
          // Parts of requests are rounded.
          expect(sum, `${name} ${label}`).toBeCloseTo(n, isOutput ? 2 : 9);
        }
      }
    for (const name of ['quiet', 'shifted', 'wide-quiet', 'wide-unseen'])
      expect(await days.document(name, days.last), name).toMatchObject({ requests: 200, rows: 1100 });
  });

  it('without traffic, or with a single row, are kept as such and judge nothing', async () => {
    expect(await days.document('silent', days.last)).toMatchObject({
      baseline: '',
      requests: 0,
      rows: 0,
      signals: [],
    });
    expect(await days.metric('silent', DRIFT_METRICS.seen, 'Maximum')).toEqual({ '-1': 0, '0': 0 });
    expect(await days.metric('silent', DRIFT_METRICS.max, 'Maximum')).toEqual({});
    expect(await days.document('single', days.last)).toMatchObject({ requests: 1, rows: 1 });
    expect(drifted(await days.document('single', days.last))).toEqual([]);
    expect(await days.metric('single', DRIFT_METRICS.max, 'Maximum')).toEqual({});
  });
});

describe('columns', () => {
  it('as in the reference are quiet: a constant, and one that is empty there and here', async () => {
    expect(drifted(await days.document('wide-quiet', days.last))).toEqual([]);
    expect(await column('wide-quiet', 'fixed')).toMatchObject({ n: 1100, nulls: 0 });
    expect(await column('wide-quiet', 'gone')).toEqual({ n: 0, nulls: 1100, cells: 0, last: 0 });
    for (const { facts } of [kinds.native, kinds.wide])
      expect(facts.signals.filter(({ constant }) => constant).map(({ name }) => name)).toEqual(['fixed']);
  });

  it('that the reference has empty cells of are the monitor’s, however few they are', async () => {
    const holes = rowsOf(600).map((row, n) => (n % 3 === 0 ? { ...row, amount: Number.NaN } : row));
    expect((await packed('native', holes)).facts.native).toBe(false);
    expect(kinds.native.facts.native).toBe(true);
  });

  it('are told where they are empty, no longer constant, no longer empty, or have unseen values', async () => {
    expect(drifted(await days.document('wide-empty', days.last))).toEqual(['amount', 'prediction']);
    expect(await column('wide-empty', 'amount')).toMatchObject({ n: 0, nulls: 1100 });
    expect(drifted(await days.document('wide-constant', days.last))).toEqual(['fixed', 'prediction']);
    expect(drifted(await days.document('wide-came', days.last))).toEqual(['gone']);
    expect(drifted(await days.document('wide-unseen', days.last))).toEqual(['plan']);
    expect((await column('wide-unseen', 'plan')).last).toBeGreaterThan(360);
    expect(drifted(await days.document('empty', days.last))).toEqual(['amount', 'prediction']);
  });
});

describe('two versions', () => {
  it('with the same reference data are one', async () => {
    expect(await days.document('versions', days.last)).toMatchObject({
      baseline: kinds.native.scored.baseline,
      requests: 160,
      rows: 880,
    });
    expect(await days.metric('versions', DRIFT_METRICS.rows, 'Sum')).toEqual({ '-1': 880 });
  });

  it('with different ones are not added up: the one with more rows is judged, and a change of it is no second window', async () => {
    expect(await days.document('rebased', days.before)).toMatchObject({
      baseline: kinds.other.scored.baseline,
      rows: 1100,
    });
    const found = await days.document('rebased', days.last);
    expect(found).toMatchObject({ baseline: kinds.native.scored.baseline, rows: 1100 });
    expect(drifted(found)).toContain('amount');
    expect(drifted(await days.document('rebased', days.before))).toContain('amount');
    expect(await days.metric('rebased', DRIFT_METRICS.signals, 'Maximum')).toEqual({ '-1': 0, '0': 0 });
    expect(await days.metric('rebased', DRIFT_METRICS.unreadable, 'Sum')).toEqual({});
  });
});

it('after a rollback the alarm judges by the live version’s baseline', async () => {
  const phiOf = ({ facts }: Packed) => Math.max(...facts.signals.map(({ phi }) => phi));
  expect(phiOf(kinds.native)).toBeLessThan(1.5);
  expect(phiOf(kinds.ordered)).toBeGreaterThan(20);
  // So does the monitor, whose windows say the same.
  expect(drifted(await days.document('returned-ordered', days.last))).not.toContain('amount');
  expect(drifted(await days.document('returned-even', days.last))).toContain('amount');
  const states = async () => {
    const all = await days.states();
    return ['ordered', 'even'].map((name) => all[`returned-${name}-drift`]);
  };
  await expect.poll(states, { interval: 500 }).toEqual(['OK', 'ALARM']);
});

it('alarms are on where two windows in a row drifted, and nowhere else', async () => {
  const on = [
    'shifted-drift',
    'shifted-drift-outputs',
    // CloudWatch adds up what either version scored against its own reference data.
    'rebased-drift',
    'rebased-drift-outputs',
    // By the reference of the version that is live, though the alarm is of one whose reference explains as
    // much.
    'returned-even-drift',
    'returned-even-drift-outputs',
    'wide-came-drift',
    'wide-constant-drift',
    'wide-constant-drift-outputs',
    'wide-empty-drift',
    'wide-unseen-drift',
  ];
  const names = [...days.scenes.values()].flatMap(({ alarms }) =>
    alarms.map(({ name }) => name.replace('shop-dev-', '')),
  );
  expect(names).toEqual(expect.arrayContaining(on));
  // Without traffic, or with a row: no alarm, and not for want of data.
  const expected = Object.fromEntries(names.map((name) => [name, on.includes(name) ? 'ALARM' : 'OK']));
  await expect.poll(days.states, { interval: 500 }).toEqual(expected);
});
