import { describe, expect, it } from 'vitest';
import { CATCH_UP, completeWindows, dueWindows, nameOf, startOf } from '../../../functions/drift/windows.ts';

const at = (iso: string): number => Date.parse(iso);
const names = (now: string, seconds: number): readonly string[] =>
  completeWindows(at(now), seconds).map(nameOf);

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
    expect(windows.map(nameOf).at(-1)).toBe(newest);
    expect(windows.map(nameOf)[0]).toBe(oldest);
    for (const [index, { from, to }] of windows.entries()) {
      expect(to - from).toBe(seconds * 1000);
      expect(from % (seconds * 1000)).toBe(0);
      if (index > 0) expect(from).toBe(windows[index - 1]?.to);
    }
  });

  it('a name leads back to the start', () => {
    for (const window of completeWindows(at('2026-11-25T14:02:00Z'), 300))
      expect(startOf(nameOf(window))).toBe(window.from);
    expect(startOf('2026-13-45T000000Z')).toBeUndefined();
    expect(startOf('notes')).toBeUndefined();
  });

  const complete = completeWindows(at('2026-11-25T14:02:00Z'), 3600);
  const [oldest] = complete;

  it('what has a document is not due, gaps are', () => {
    const written = new Set(complete.map(nameOf).filter((_, index) => index !== 3 && index !== 23));
    expect(dueWindows(complete, written, undefined)).toEqual({ windows: [complete[3], complete[23]] });
  });

  it('a model that is new has only the last one due', () => {
    expect(dueWindows(complete, new Set(), undefined)).toEqual({ windows: [complete[23]] });
  });

  it('after a long outage the last 24 are due, and what is missed is told', () => {
    const hour = 3_600_000;
    const ago = (hours: number) => (oldest?.from ?? 0) - hours * hour;
    expect(dueWindows(complete, new Set(), { first: ago(99), last: ago(5) })).toEqual({
      windows: complete,
      missed: { from: ago(4), to: oldest?.from },
    });
    expect(dueWindows(complete, new Set(), { first: ago(1), last: ago(1) })).toEqual({
      windows: complete,
    });
  });

  it('what was before the first document is nobody’s, a gap behind it is due', () => {
    const [tenth, last] = [complete[10]?.from ?? 0, complete[20]?.from ?? 0];
    const written = new Set([complete[10], complete[20]].map((window) => (window && nameOf(window)) || ''));
    expect(dueWindows(complete, written, { first: tenth, last })).toEqual({
      windows: [...complete.slice(11, 20), ...complete.slice(21)],
    });
    expect(dueWindows(complete, written, { first: 0, last }).windows).toHaveLength(22);
  });
});
