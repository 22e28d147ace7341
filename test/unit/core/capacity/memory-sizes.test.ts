import { array, assert, constantFrom, double, integer, option, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chosenSize,
  type MeasuredSize,
  reached,
  type SizeRow,
  sizeLadder,
  sizeRow,
} from '../../../../core/capacity/memory-sizes.ts';

const price = (memory: number, billed: number): number => 0.2 + (memory / 1024) * billed * 16.6667e-3;
const ms = double({ min: 0.1, max: 2000, noNaN: true });
const measured = record({
  memory: integer({ min: 128, max: 10_240 }),
  warm: array(ms, { maxLength: 200 }).map((all) =>
    all.map((duration) => ({ duration, billed: Math.ceil(duration) })),
  ),
  cold: array(ms, { maxLength: 3 }),
  failed: option(constantFrom('signal: killed', 'timeout'), { nil: undefined }),
}).map(({ failed, ...one }): MeasuredSize => ({ ...one, ...(failed !== undefined && { failed }) }));
const objectives = option(record({ percentile: constantFrom(0.5, 0.9, 0.95, 0.99), ms }), { nil: undefined });
const ran = (row: SizeRow) => ('failed' in row ? [] : [row]);

describe('the chosen size', () => {
  it('keeps the objective, and no cheaper one does; without one that does the fastest is named', () => {
    assert(
      property(array(measured, { maxLength: 8 }), objectives, (sizes, objective) => {
        const rows = sizes.map((size) => sizeRow(size, objective, price));
        const runs = rows.flatMap(ran);
        const choice = chosenSize(rows, objective);
        const kept = runs.filter(
          (row) => objective === undefined || reached(row, objective.percentile) <= objective.ms,
        );
        if (choice.kind === 'cheapest') {
          const costs = kept.filter(({ memory }) => memory === choice.memory).map(({ million }) => million);
          expect(Math.min(...costs)).toBe(Math.min(...kept.map(({ million }) => million)));
        } else {
          expect(kept).toEqual([]);
          expect(choice.memory === undefined).toBe(runs.length === 0);
          if (objective === undefined || choice.memory === undefined) return;
          const at = Math.min(...runs.map((row) => reached(row, objective.percentile)));
          expect(choice.lacks).toBe(at - objective.ms);
          expect(choice.lacks).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('is the same in any order, and a looser objective never costs more', () => {
    assert(
      property(array(measured, { maxLength: 8 }), ms, ms, (sizes, one, other) => {
        const cost = (limit: number, all: readonly MeasuredSize[]): number => {
          const objective = { percentile: 0.95, ms: limit };
          const rows = all.map((size) => sizeRow(size, objective, price));
          const choice = chosenSize(rows, objective);
          if (choice.kind === 'none') return Number.POSITIVE_INFINITY;
          return Math.min(
            ...rows
              .flatMap(ran)
              .flatMap(({ memory, million, keeps }) => (memory === choice.memory && keeps ? [million] : [])),
          );
        };
        expect(cost(Math.max(one, other), sizes)).toBeLessThanOrEqual(cost(Math.min(one, other), sizes));
        expect(cost(one, sizes.toReversed())).toBe(cost(one, sizes));
      }),
    );
  });
});

describe('a row', () => {
  const warm = (count: number, of: (i: number) => number) =>
    Array.from({ length: count }, (_, i) => ({ duration: of(i), billed: Math.ceil(of(i)) }));

  it('has percentiles of its own time and of what is billed, and the price of the mean', () => {
    const row = sizeRow(
      { memory: 1024, warm: warm(130, (i) => i + 0.5), cold: [900, 400, 500], used: 90 },
      undefined,
      price,
    );
    expect(row).toEqual({
      ...{ memory: 1024, invocations: 130, used: 90, init: 500 },
      latency: [
        { percentile: 0.5, ms: 65.5, bound: 79.5 },
        // With so few only the largest one bounds it for sure.
        { percentile: 0.95, ms: 123.5, bound: 129.5 },
      ],
      billed: { p50: 66, p95: 124, mean: 65.5 },
      million: price(1024, 65.5),
    });
  });

  it('keeps an objective only for sure, where there are invocations enough to say so', () => {
    const keeps = (count: number, limit: number): boolean | undefined => {
      const row = sizeRow(
        { memory: 512, warm: warm(count, (i) => i), cold: [] },
        { percentile: 0.95, ms: limit },
        price,
      );
      return 'failed' in row ? undefined : row.keeps;
    };
    // p95 of 130 is 123, and for sure 129; of 50 it is 47, and nothing is sure.
    expect([keeps(130, 125), keeps(130, 129), keeps(50, 47), keeps(50, 46)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('of a size that does not run tells why, and costs nothing', () => {
    expect(sizeRow({ memory: 128, warm: [], cold: [], failed: 'signal: killed' }, undefined, price)).toEqual({
      ...{ memory: 128, invocations: 0, failed: 'signal: killed' },
    });
    expect(sizeRow({ memory: 128, warm: [], cold: [3] }, undefined, price)).toMatchObject({
      failed: 'no warm invocation was seen',
    });
  });
});

it('the ladder has the model’s own size, and none that its files do not fit into', () => {
  expect(sizeLadder(1769, 20)).toEqual([128, 256, 512, 1024, 1769, 3008]);
  expect(sizeLadder(2048, 300)).toEqual([512, 1024, 1769, 2048, 3008]);
  // Files that are larger than all of these.
  expect(sizeLadder(1769, 3338)).toEqual([4096, 6144, 8192, 10_240]);
  expect(sizeLadder(1769, 10_241)).toEqual([]);
});
