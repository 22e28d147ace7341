import { array, assert, double, integer, property, record } from 'fast-check';
import { expect, it } from 'vitest';
import { erlangB, leastServers, mixedErlangB } from '../../../../core/capacity/erlang.ts';

/** The formula as it stands in the books: a^k/k! over the sum of a^i/i!, in logarithms. */
function asDefined(load: number, servers: number): number {
  const terms = [0];
  for (let i = 1; i <= servers; i += 1) terms.push((terms[i - 1] ?? 0) + Math.log(load / i));
  const most = Math.max(...terms);
  const sum = terms.reduce((all, term) => all + Math.exp(term - most), 0);
  return Math.exp((terms[servers] ?? 0) - most) / sum;
}

it('is Erlang’s formula as it is defined', () => {
  assert(
    property(double({ min: 0.01, max: 300, noNaN: true }), integer({ min: 0, max: 400 }), (load, servers) => {
      const [is, should] = [erlangB(load, servers), asDefined(load, servers)];
      expect(Math.abs(is - should)).toBeLessThanOrEqual(1e-9 * Math.max(is, should) + 1e-300);
    }),
  );
});

/** Simulated in notes on capacity, and in every table of Erlang B. */
it.each([
  [1, 6],
  [5, 14],
  [20, 35],
  [50, 71],
  [200, 238],
])('a load of %d needs %d servers to turn one of a thousand away', (load, servers) => {
  expect(leastServers([{ load, weight: 1 }], 0.001)).toBe(servers);
});

const parts = array(
  record({
    load: double({ min: 0, max: 200, noNaN: true }),
    weight: double({ min: 0, max: 10, noNaN: true }),
  }),
  { maxLength: 6 },
);

it('finds the fewest servers that keep the share', () => {
  assert(
    property(parts, double({ min: 1e-6, max: 1, noNaN: true, minExcluded: true }), (loads, share) => {
      const servers = leastServers(loads, share);
      expect(mixedErlangB(loads, servers)).toBeLessThanOrEqual(share);
      if (servers > 0) expect(mixedErlangB(loads, servers - 1)).toBeGreaterThan(share);
    }),
  );
});

it('counts each part of a day by the requests that arrive in it', () => {
  const day = [
    { load: 1, weight: 3 },
    { load: 9, weight: 1 },
  ];
  expect(mixedErlangB(day, 5)).toBeCloseTo((3 * 1 * erlangB(1, 5) + 9 * erlangB(9, 5)) / 12, 12);
  expect(mixedErlangB(day, 5)).toBeGreaterThan(erlangB(3, 5));
});

it('nothing that arrives needs nothing; a share of 0 is kept by no number', () => {
  expect(leastServers([{ load: 0, weight: 1 }], 0.001)).toBe(0);
  expect(leastServers([], 0.001)).toBe(0);
  expect(() => leastServers([{ load: 1, weight: 1 }], 0)).toThrow(RangeError);
  expect(() => leastServers([{ load: Number.NaN, weight: 1 }], 0.1)).toThrow(RangeError);
});
