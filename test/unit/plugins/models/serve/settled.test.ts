import { expect, it } from 'vitest';
import {
  type BeingWritten,
  SETTLE_MS,
  settledFiles,
  writtenAt,
} from '../../../../../plugins/models/serve/settled.ts';

/** Writes of each file, in milliseconds; and what is told of at which time. */
function told(writes: Readonly<Record<string, readonly number[]>>, until: number) {
  const files = new Map<string, BeingWritten>();
  const found: [number, string][] = [];
  for (let now = 0; now <= until; now += 50) {
    for (const [name, times] of Object.entries(writes))
      if (times.includes(now)) files.set(name, writtenAt(files.get(name), now));
    for (const name of settledFiles(files, now)) {
      found.push([now, name]);
      files.delete(name);
    }
  }
  return found;
}

const often = (from: number, to: number) =>
  Array.from({ length: (to - from) / 50 + 1 }, (_, i) => from + i * 50);

it('files of one change are told of together, once all of them rest', () => {
  expect(told({ model: [0], weights: [300] }, 5000)).toEqual([
    [300 + SETTLE_MS, 'model'],
    [300 + SETTLE_MS, 'weights'],
  ]);
});

it('a model that is written for long is waited for', () => {
  expect(told({ model: often(0, 30_000) }, 40_000)).toEqual([[30_000 + SETTLE_MS, 'model']]);
});

it('a log that is written all the time does not keep a change from being told', () => {
  expect(told({ log: often(0, 60_000), model: [20_000, 40_000] }, 60_000)).toEqual([
    [20_000 + SETTLE_MS, 'model'],
    [40_000 + SETTLE_MS, 'model'],
  ]);
});

it('one that has just begun is waited for, and then no more', () => {
  expect(told({ model: [0], log: often(0, 60_000) }, 60_000)).toEqual([[10_000, 'model']]);
});
