/** `window` is declared anew, or a newer plugin gives documents other names, while the monitor runs. */
import { describe, expect, it } from 'vitest';
import type { DriftWindow } from '../../../../../core/drift/contract.ts';
import { driftText } from '../../../../../plugins/models/drift-report/drift-text.ts';
import { windowsIn } from '../../../../../plugins/models/drift-report/windows.ts';
import { baselineOf, HOUR, SCOPE, scene, WATCHED } from '../../../core/drift/scene.ts';

const MINUTES = 60_000;
const baseline = baselineOf();
const FOLDER = `${SCOPE}drift/churn/`;
const at = (time: string): number => Date.parse(`2026-11-25T${time}:00Z`);
const iso = (time: number): string => new Date(time).toISOString();
const SHIFTED = { age: 0.9, score: 0.9 };

/** Requests of four hours, and a monitor that has judged them by the hour until `until`. */
async function judged(until: string, row: (n: number) => Readonly<Record<string, number>> = () => ({})) {
  const it = scene('2026-11-25T10:02:00Z');
  it.keep(baseline);
  for (const hour of ['11', '12', '13', '14', '15', '16'])
    it.serve(baseline, `2026-11-25T${hour}:00:00Z`, 2400, row);
  for (let now = at('11:02'); now <= at(until); now += HOUR) {
    it.at(iso(now));
    await it.run();
  }
  return it;
}
type Scene = Awaited<ReturnType<typeof judged>>;

/** As documents were named before: the same text under the start alone. */
function renamed({ objects }: Scene): void {
  for (const [key, { text }] of [...objects.objects].filter(([key]) => key.startsWith(FOLDER))) {
    objects.objects.delete(key);
    objects.set(key.replace(/-\d+\.json$/, '.json'), text);
  }
}

/** From and to of all that is kept, as it is listed. */
async function listed({ objects }: Scene, since = at('10:00')): Promise<readonly DriftWindow[]> {
  return (await windowsIn(objects.port, FOLDER, since)).windows;
}
const spans = (windows: readonly DriftWindow[]): readonly string[] =>
  windows.map(({ from, to }) => `${from.slice(11, 16)}–${to.slice(11, 16)}`);

describe.each(['new names', 'old names'])('documents with %s', (names) => {
  const sceneOf = async (
    until: string,
    row?: (n: number) => Readonly<Record<string, number>>,
  ): Promise<Scene> => {
    const it = await judged(until, row);
    if (names === 'old names') renamed(it);
    return it;
  };

  it('of the same length are done, and are the window before', async () => {
    const it = await sceneOf('13:02', () => SHIFTED);
    it.published.length = 0;
    it.at(iso(at('13:32')));
    await it.run();
    expect(it.published).toEqual([]);
    it.at(iso(at('14:02')));
    await it.run();
    // Drift in two windows in a row, of which the first has such a name.
    expect(it.published.map(({ DriftFeatures }) => DriftFeatures)).toEqual([1]);
    expect(spans(await listed(it))).toEqual(['10:00–11:00', '11:00–12:00', '12:00–13:00', '13:00–14:00']);
  });

  it('of an hour are none of five minutes with the same start, and their time is not judged again', async () => {
    const it = await sceneOf('14:02', () => SHIFTED);
    it.published.length = 0;
    const minutes = { ...WATCHED, window: 300 };
    it.at(iso(at('14:07')));
    await it.run(minutes);
    expect(spans(await listed(it, at('13:59')))).toEqual(['13:00–14:00', '14:00–14:05']);
    // The hour before is no window before the first five minutes: that is one window with drift.
    expect(it.published.map(({ DriftFeatures }) => DriftFeatures)).toEqual([0]);
    it.at(iso(at('14:32')));
    await it.run(minutes);
    expect(it.published.map(({ DriftFeatures }) => DriftFeatures)).toEqual([0, 1, 1, 1, 1, 1]);

    // Back again: of the hour that has begun nobody has judged the rest.
    it.published.length = 0;
    for (const time of ['14:35', '15:02', '15:07']) {
      it.at(iso(at(time)));
      await it.run();
    }
    expect(it.published.map(({ DriftFeatures }) => DriftFeatures)).toEqual([1]);
    const all = await listed(it);
    expect(spans(all)).toEqual([
      ...['10:00–11:00', '11:00–12:00', '12:00–13:00', '13:00–14:00'],
      ...['14:00–14:05', '14:05–14:10', '14:10–14:15', '14:15–14:20', '14:20–14:25', '14:25–14:30'],
      '14:00–15:00',
    ]);
    const hour = all.at(-1);
    expect(hour?.rows).toBe(2400);
    const text = driftText('churn', { windows: all, cut: false }, at('15:10'));
    expect(text).toContain('14:00–15:00 UTC');
    expect(text).toContain('windows of several lengths, since `window` was changed: 5 of 1h, then 6 of 5m');
  });
});

it('of a day that was not over every part is judged, though it has more windows than an outage makes good', async () => {
  const days = { ...WATCHED, window: 86_400 };
  const it = scene('2026-11-24T00:02:00Z');
  it.keep(baseline);
  await it.run(days);
  it.at('2026-11-25T10:02:00Z');
  await it.run(days);
  it.at('2026-11-25T10:07:00Z');
  await it.run({ ...WATCHED, window: 300 });
  const windows = await listed(it, at('00:00') - 2 * 24 * HOUR);
  expect(windows).toHaveLength(2 + (10 * HOUR + 5 * MINUTES) / (5 * MINUTES));
  windows.slice(1).forEach(({ from }, index) => {
    expect(from).toBe(windows[index]?.to);
  });
  expect(it.told.filter(({ message }) => message.includes('too long ago'))).toEqual([]);
});
