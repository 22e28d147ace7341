import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Baseline, type NumericSignal, PARTS } from '../../../../../core/drift/contract.ts';
import { clear, createTally, numberTaker } from '../../../../../core/drift/drift-tally.ts';
import { greatestScores, locationOf, rankOf, spreadOf } from '../../../../../core/drift/score.ts';
import { judgeSignals } from '../../../../../core/drift/window-judge.ts';
import { categoryPart } from '../../../../../plugins/models/baseline/category.ts';
import { type NumericPart, numericPart, windowsOf } from '../../../../../plugins/models/baseline/numeric.ts';

const NOTE = numericPart(Float64Array.from([1, 1, 2, 2, 2, 3, 4, 5, 6, 9]));

describe('a numeric signal', () => {
  it('has ranks and scores manually', () => {
    const ranks = [0, 1, 2, 3.5, 9].map((x) => rankOf(NOTE.knots, x));
    [0, 0.054166666667, 0.333333333333, 0.611111111111, 1].forEach((rank, i) => {
      expect(ranks[i]).toBeCloseTo(rank, 11);
    });
    const u = rankOf(NOTE.knots, 2);
    const location = locationOf(NOTE, u);
    expect(location).toBeCloseTo(-0.528539246479, 11);
    // No second score of ten rows is above 1, and that of the least rank would be.
    expect(greatestScores(NOTE).b).toBeCloseTo(1, 12);
    expect(spreadOf(NOTE, u, location)).toBeCloseTo(-0.785423019073 / 1.854358633861, 11);
  });

  it('has cells up to each decile, equal ones merged', () => {
    const edges = [1, 1.8, 2, 2.5, 3.4, 4.3, 5.2, 6.3];
    expect(NOTE.edges).toHaveLength(edges.length);
    for (const [i, edge] of edges.entries()) expect(NOTE.edges[i]).toBeCloseTo(edge, 12);
    expect(NOTE.counts).toEqual([2, 0, 3, 0, 1, 1, 1, 1, 1]);
  });

  it('takes no power of a value: Node 22 and 24 differ in its last digit, and in the digest of the baseline', () => {
    const folder = new URL('../../../../../plugins/models/baseline/', import.meta.url);
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    const powers = files.filter((name) =>
      /[\w)\]] \*\* /.test(
        readFileSync(new URL(name, folder), 'utf8').replace(/\b(2|1024) \*\* \(?[\w ?':=]+/g, ''),
      ),
    );
    expect(files.length).toBeGreaterThan(10);
    expect(powers).toEqual([]);
  });

  it('takes no value for what is not finite', () => {
    const part = numericPart(Float32Array.from([1, Number.NaN, 2, Number.POSITIVE_INFINITY, 3]));
    expect(part).toEqual({ ...numericPart(Float32Array.from([1, 2, 3])), nulls: 2 });
  });

  it('of two values differs from window to window as the same data do as categories, of one degree of freedom both', () => {
    let state = 1;
    const chance = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const two = Float64Array.from({ length: 6000 }, (_, i) =>
      chance() < 0.5 + 0.15 * Math.sin(i / 300) ? 1 : 0,
    );
    const { phi } = categoryPart(two, ['0', '1']);
    expect(phi).toBeGreaterThan(5);
    expect(numericPart(two).phi / phi).toBeCloseTo(1, 1);
  });

  it('of nearly all one value does not drift by a few on the side where the reference has none', () => {
    // Three of 1000 rows are above; later as many are above or below.
    const part = numericPart(Float64Array.from({ length: 1000 }, (_, i) => (i < 3 ? 0.4 + i : 0)));
    const signal: NumericSignal = {
      ...{ name: 'x', label: 'x', of: 'input', tensor: 'x', column: 0, kind: 'numeric', value: 'element' },
      ...part,
    };
    const judged = (rows: number): boolean | undefined => {
      const tally = createTally([signal]);
      const take = numberTaker(signal, 0, tally);
      for (let i = 0; i < 5000; i++) take(i < rows ? (i % 2 === 0 ? 1 : -1) * (0.1 + (i % 7) / 3) : 0);
      const [[a], [b], [cells]] = [[...tally.a], [...tally.b], tally.cells];
      const sums = [{ n: 5000, nulls: 0, a: a as number, b: b as number, cells: [...(cells ?? [])] }];
      const baseline: Baseline = { schema: 1, source: '', rows: 1000, signals: [signal] };
      return judgeSignals({ signals: sums }, baseline, { q: 0.01, effect: 0.1 })[0]?.drifted;
    };
    expect([judged(16), judged(1000)]).toEqual([false, true]);
  });

  it('of two values has no second score, of one value none at all', () => {
    const two = numericPart(Float64Array.from({ length: 1000 }, (_, i) => (i % 10 === 0 ? 1 : 0)));
    expect(two.sd).toBeGreaterThan(0.1);
    expect(two.spread).toBe(0);
    const one = numericPart(new Float64Array(1000).fill(0.1));
    expect(one).toMatchObject({ sd: 0, skew: 0, spread: 0, phi: 1, counts: [0, 1000, 0] });
    expect(one.edges).toEqual([0.1 - 2 ** -56, 0.1]);
    expect(0.1 - 2 ** -56).toBeLessThan(0.1);
    const none = numericPart(new Float64Array(3).fill(Number.NaN));
    expect(none).toMatchObject({ nulls: 3, sd: 0, phi: 1, edges: [], counts: [0] });
  });

  it.each([7, 0, -0, -3.5, 2 ** -1074, -(2 ** -1074), Number.MAX_VALUE, -Number.MAX_VALUE])(
    'of one value only, %d, drifts with what is above it and with what is below it',
    (value) => {
      const signal: NumericSignal = {
        ...{
          kind: 'numeric',
          name: 'flag',
          label: 'flag',
          of: 'input',
          tensor: 'x',
          column: 0,
          value: 'element',
        },
        // As the registry keeps it.
        ...(JSON.parse(JSON.stringify(numericPart(new Float64Array(1000).fill(value)))) as NumericPart),
      };
      const drifted = (other: number): boolean => {
        const tally = createTally([signal]);
        clear(tally);
        const take = numberTaker(signal, 0, tally);
        for (let i = 0; i < 300; i += 1) take(i % 5 === 0 ? other : value);
        const sums = {
          n: 300,
          nulls: 0,
          a: tally.a[0] ?? 1,
          b: tally.b[0] ?? 1,
          cells: [...(tally.cells[0] ?? [])],
        };
        const baseline: Baseline = { schema: 1, source: 'f'.repeat(64), rows: 1000, signals: [signal] };
        return judgeSignals({ signals: [sums] }, baseline, { q: 0.01, effect: 0.1 })[0]?.drifted === true;
      };
      expect(drifted(value)).toBe(false);
      if (value < Number.MAX_VALUE)
        expect(drifted(value + Math.max(1e-9, Math.abs(value) / 2)), 'above').toBe(true);
      if (value > -Number.MAX_VALUE)
        expect(drifted(value - Math.max(1e-9, Math.abs(value) / 2)), 'below').toBe(true);
    },
  );

  it('tells data whose windows differ', () => {
    const wave = (length: number) => Float64Array.from({ length: 5000 }, (_, i) => Math.sin(i / length));
    expect(numericPart(wave(1000)).phi).toBeGreaterThan(20);
    // Each window has the whole wave.
    expect(numericPart(wave(1)).phi).toBe(1);
  });

  const numbers = fc.array(
    fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ min: -1, max: 1, noNaN: true }),
    ),
    { minLength: 2, maxLength: 400 },
  );
  const close = (actual: number, expected: number, by = 1e-9): void =>
    expect(Math.abs(actual - expected)).toBeLessThan(by);

  it('scores its own reference with mean 0 and variance 1, or less where few rows have a score', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const part = numericPart(Float64Array.from(values));
        const mean = (of: (u: number, h1: number, h2: number) => number): number =>
          values.reduce((sum, x) => {
            const u = rankOf(part.knots, x);
            const location = locationOf(part, u);
            return sum + of(u, location, spreadOf(part, u, location));
          }, 0) / values.length;
        close(
          mean((u) => u),
          part.mean,
        );
        close(
          mean((_, h1) => h1),
          0,
        );
        if (part.sd > 0)
          close(
            mean((_, h1) => h1 * h1),
            1,
          );
        if (part.spread > 1e-3) {
          close(
            mean((_, _1, h2) => h2),
            0,
            1e-7,
          );
          const variance = mean((_, _1, h2) => h2 * h2);
          if (greatestScores(part).b < 0.999 * Math.sqrt(values.length / 10)) close(variance, 1, 1e-7);
          else expect(variance).toBeLessThan(1 + 1e-7);
        }
      }),
    );
  });

  it('has ascending knots from the least to the greatest, and every row in a cell', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const part = numericPart(Float64Array.from(values));
        expect(part.knots).toHaveLength(PARTS + 1);
        expect(part.knots.every((knot, i) => i === 0 || knot >= (part.knots[i - 1] as number))).toBe(true);
        expect(part.knots[0]).toBe(Math.min(...values) + 0);
        expect(part.knots[PARTS]).toBe(Math.max(...values) + 0);
        expect(part.counts).toHaveLength(part.edges.length + 1);
        const counts = part.counts.map(() => 0);
        for (const x of values) {
          const cell = part.edges.findIndex((edge) => x <= edge);
          const at = cell < 0 ? part.edges.length : cell;
          counts[at] = (counts[at] ?? 0) + 1;
        }
        expect(part.counts).toEqual(counts);
        expect(part.phi).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('scores each window by a baseline of all other values', () => {
    fc.assert(
      fc.property(
        numbers.filter(({ length }) => length > 7),
        fc.boolean(),
        (values, sorted) => {
          const all = Float64Array.from(values);
          // In order, windows differ as much as they can.
          if (sorted) all.sort();
          const sizes = windowsOf(all.length).map(({ start, end }) => {
            const others = numericPart(all.filter((_, i) => i < start || i >= end));
            const [n, m] = [end - start, all.length - end + start];
            let [a, b] = [0, 0];
            for (const x of all.slice(start, end)) {
              const u = rankOf(others.knots, x);
              const location = locationOf(others, u);
              a += location / n;
              b += spreadOf(others, u, location) / n;
            }
            return ((n * m) / (n + m)) * (a * a + b * b);
          });
          const mean = sizes.reduce((sum, t) => sum + t, 0) / sizes.length;
          const df = numericPart(all).spread === 0 ? 1 : 2;
          const expected = Math.max(1, mean / df);
          close(numericPart(all).phi / expected, 1, 1e-6);
        },
      ),
    );
  });

  it('has ranks that never fall as values rise', () => {
    fc.assert(
      fc.property(numbers, fc.array(fc.double({ noNaN: true }), { maxLength: 50 }), (values, asked) => {
        const { knots } = numericPart(Float64Array.from(values));
        const ranks = [...values, ...asked].sort((a, b) => a - b).map((x) => rankOf(knots, x));
        expect(ranks.every((rank, i) => i === 0 || rank >= (ranks[i - 1] as number))).toBe(true);
        expect(ranks.every((rank) => rank >= 0 && rank <= 1)).toBe(true);
      }),
    );
  });

  it('looks at windows that lie apart, from the first value to the last', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 100_000 }), (count) => {
        const windows = windowsOf(count);
        expect(windows.length).toBeLessThanOrEqual(25);
        expect(windows[0]?.start).toBe(0);
        expect(windows.at(-1)?.end).toBe(count);
        for (const [i, { start, end }] of windows.entries()) {
          expect(end - start).toBe(Math.min(300, Math.floor(count / 4)));
          expect(start).toBeGreaterThanOrEqual(windows[i - 1]?.end ?? 0);
        }
      }),
    );
  });
});
