import { describe, expect, it } from 'vitest';
import {
  CATCH_UP,
  completeWindows,
  dueWindows,
  isGap,
  oldNameOf,
  reachOf,
  type Span,
  windowName,
  windowNamed,
} from '../../../../core/drift/windows.ts';

const HOUR = 3_600_000;
const at = (iso: string): number => Date.parse(iso);
const names = (now: string, seconds: number): readonly string[] =>
  completeWindows(at(now), seconds).map(oldNameOf);

describe('windows', () => {
  it.each([
    ['2026-03-29T12:01:59.999Z', '2026-03-29T100000Z'],
    ['2026-03-29T12:02:00.000Z', '2026-03-29T110000Z'],
    ['2026-03-29T13:00:00.000Z', '2026-03-29T110000Z'],
    ['2026-03-29T13:01:59.999Z', '2026-03-29T110000Z'],
    // Europe’s clocks go forward at 01:00 and back at 01:00 UTC: UTC’s do not.
    ['2026-03-29T01:02:00.000Z', '2026-03-29T000000Z'],
    ['2026-03-29T02:02:00.000Z', '2026-03-29T010000Z'],
    ['2026-10-25T02:02:00.000Z', '2026-10-25T010000Z'],
    ['2026-01-01T00:02:00.000Z', '2025-12-31T230000Z'],
  ])('at %s the last hour that is complete begins at %s', (now, name) => {
    expect(names(now, 3600).at(-1)).toBe(name);
  });

  it.each([
    [300, '2026-11-25T135500Z', '2026-11-25T120000Z'],
    [3600, '2026-11-25T130000Z', '2026-11-24T140000Z'],
    [86_400, '2026-11-24T000000Z', '2026-11-01T000000Z'],
  ])('of %d seconds there are 24 in a row, oldest first, aligned to the epoch', (seconds, newest, oldest) => {
    const windows = completeWindows(at('2026-11-25T14:02:00Z'), seconds);
    expect(windows).toHaveLength(CATCH_UP);
    expect(windows.map(oldNameOf).at(-1)).toBe(newest);
    expect(windows.map(oldNameOf)[0]).toBe(oldest);
    for (const [index, { from, to }] of windows.entries()) {
      expect(to - from).toBe(seconds * 1000);
      expect(from % (seconds * 1000)).toBe(0);
      if (index > 0) expect(from).toBe(windows[index - 1]?.to);
    }
  });

  it('a name leads back to the window, an old one to its start', () => {
    for (const window of completeWindows(at('2026-11-25T14:02:00Z'), 300)) {
      expect(windowNamed(windowName(window))).toEqual(window);
      expect(windowNamed(oldNameOf(window))).toEqual({ from: window.from });
    }
    const [hour] = completeWindows(at('2026-11-25T14:02:00Z'), 3600).slice(-1);
    expect(hour && windowName(hour)).toBe('2026-11-25T130000Z-3600');
    for (const name of ['2026-13-45T000000Z', 'notes', '2026-11-25T130000Z-', '2026-11-25T130000Z-0x5'])
      expect(windowNamed(name), name).toBeUndefined();
  });

  it('names are in the order of starts, of any length', () => {
    const names = [86_400, 300, 3600].flatMap((seconds) =>
      completeWindows(at('2026-11-25T14:02:00Z'), seconds).flatMap((window) => [
        windowName(window),
        oldNameOf(window),
      ]),
    );
    const starts = names.toSorted().map((name) => windowNamed(name)?.from ?? Number.NaN);
    expect(starts).toEqual(starts.toSorted((one, other) => one - other));
    expect(new Set(names.filter((name) => name.includes('Z-'))).size).toBe(3 * CATCH_UP);
  });

  const complete = completeWindows(at('2026-11-25T14:02:00Z'), 3600);
  const [oldest] = complete;

  const hours = (from: number): Span => ({ from, to: from + HOUR });

  it('what has a document is not judged again, gaps are', () => {
    const kept = complete.filter((_, index) => index !== 3 && index !== 23);
    expect(dueWindows(complete, kept, undefined)).toEqual({ windows: [complete[3], complete[23]] });
    expect(isGap(complete, kept)).toBe(false);
  });

  it('a model that is new has only the last one judged', () => {
    expect(dueWindows(complete, [], undefined)).toEqual({ windows: [complete[23]] });
    expect(isGap(complete, [])).toBe(true);
  });

  it('after a long outage the last 24 are judged, and what is missed is told', () => {
    const ago = (count: number): Span => hours((oldest?.from ?? 0) - count * HOUR);
    expect(dueWindows(complete, [], { first: ago(99), last: ago(5) })).toEqual({
      windows: complete,
      missed: { from: ago(4).from, to: oldest?.from },
    });
    expect(dueWindows(complete, [], { first: ago(1), last: ago(1) })).toEqual({ windows: complete });
  });

  it('what was before the first document is nobody’s, a gap behind it is judged', () => {
    const kept = [complete[10], complete[20]].flatMap((window) => window ?? []);
    const [tenth, last] = kept;
    if (tenth === undefined || last === undefined) throw new Error('no window');
    expect(dueWindows(complete, kept, { first: tenth, last })).toEqual({
      windows: [...complete.slice(11, 20), ...complete.slice(21)],
    });
    expect(dueWindows(complete, kept, { first: hours(0), last }).windows).toHaveLength(22);
  });
});

describe('where `window` was changed', () => {
  const MINUTE = 60_000;
  const DAY = 86_400_000;
  const LATE = 2 * MINUTE;
  /**
   * What the monitor judges from one time to another, as it wakes once an hour and at the end; documents in
   * the order of their ends.
   */
  function run(kept: Span[], from: string, to: string, seconds: number): Span[] {
    const [begin, end] = [at(from), at(to) - 5 * MINUTE];
    const times = Array.from({ length: Math.floor((end - begin) / HOUR) + 1 }, (_, i) => begin + i * HOUR);
    for (const time of [...times, end]) {
      const now = time + LATE;
      const latest = completeWindows(now, seconds);
      // As documents are asked for: those of two days before, too.
      const seen = (windows: readonly Span[]): readonly Span[] =>
        kept.filter((window) => window.from >= (windows[0]?.from ?? 0) - 2 * DAY);
      const complete = completeWindows(now, seconds, reachOf(latest, seen(latest)));
      const [first, last] = [kept[0], kept.at(-1)];
      const history = first && last && { first, last };
      const { windows, missed } = dueWindows(
        complete,
        seen(complete),
        isGap(complete, seen(complete)) ? history : undefined,
      );
      expect(missed, new Date(now).toISOString()).toBeUndefined();
      kept.push(...windows);
    }
    return kept;
  }
  const LENGTHS = [300, 3600, 86_400];
  const changes = LENGTHS.flatMap((one) =>
    LENGTHS.filter((other) => other !== one).flatMap((other) =>
      ['2026-11-25T00:00:00Z', '2026-11-25T10:00:00Z', '2026-11-25T10:35:00Z', '2026-11-25T23:55:00Z'].map(
        (when) => [one, other, when] as const,
      ),
    ),
  );

  it.each(changes)(
    'from %d to %d seconds at %s and back no time is left out, and none judged again',
    (one, other, when) => {
      const back = new Date(at(when) + 2 * DAY).toISOString();
      const kept = run([], '2026-11-23T00:00:00Z', when, one);
      const before = kept.length;
      run(kept, when, back, other);
      const later = kept.length;
      run(kept, back, new Date(at(back) + 2 * DAY).toISOString(), one);
      expect(new Set(kept.map(windowName)).size).toBe(kept.length);
      const [first] = kept;
      let until = first?.from ?? 0;
      kept.forEach(({ from, to }, index) => {
        expect(from, 'no time is left out').toBeLessThanOrEqual(until);
        expect(to, 'none is judged again as a whole').toBeGreaterThan(until);
        // Only where the length changes does a window begin with what another one had already.
        if (index !== before && index !== later) expect(from).toBe(until);
        until = to;
      });
      expect(kept.slice(before, later).every(({ from, to }) => to - from === other * 1000)).toBe(true);
      expect(later).toBeGreaterThan(before);
      expect(kept.length).toBeGreaterThan(later);
    },
  );
});
