import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLine } from '../../../../core/drift/lines.ts';
import { createSums, type Sums } from '../../../../core/drift/sums.ts';
import { baselineOf, digestOf, lineOf, numeric, type Row } from './scene.ts';

const baseline = baselineOf();
const digest = digestOf(baseline);

function sumsOf(lines: readonly string[]): Sums {
  const adder = createSums(digest, baseline);
  for (const text of lines) {
    const line = readLine(text);
    expect(line && adder.add(line)).toBe(true);
  }
  return adder.sums();
}

const rows = fc.array(
  fc.record({
    age: fc.oneof(fc.constant(null), fc.double({ min: -0.5, max: 1.5, noNaN: true })),
    plan: fc.constantFrom('a', 'b', 'c', 'd', null),
    score: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { minLength: 1, maxLength: 40 },
);

const rounded = ({ requests: _, signals, ...sums }: Sums) => ({
  ...sums,
  // Each line is rounded to 10⁻⁴.
  signals: signals.map((signal) => ({ ...signal, a: signal.a.toFixed(1), b: signal.b.toFixed(1) })),
});

describe('lines of a sample', () => {
  const sampled = (sample: unknown): string =>
    JSON.stringify({ ...JSON.parse(lineOf(baseline, digest, {}, {})), sample });

  it('stand for as many requests as one over their share, whatever it is of', () => {
    const lines = [...Array(30).fill(sampled(0.1)), ...Array(7).fill(lineOf(baseline, digest, {}))];
    expect(sumsOf(lines)).toMatchObject({ requests: 37, rows: 67, estimated: 307 });
  });

  it.each([0, 0.0001, -1, 1.5, null, '0.1', Number.NaN])('are none with a share of %s', (share) => {
    expect(readLine(sampled(share))).toBeUndefined();
  });
});

describe('lines add up', () => {
  it('to the digit the same in any order', () => {
    fc.assert(
      fc.property(rows, fc.infiniteStream(fc.nat()), (given, chance) => {
        const lines = given.map((row) => lineOf(baseline, digest, row));
        const shuffled = lines
          .map((line) => ({ line, key: chance.next().value ?? 0 }))
          .toSorted((one, other) => one.key - other.key)
          .map(({ line }) => line);
        const [one, other] = [sumsOf(lines), sumsOf(shuffled)];
        for (const [index, signal] of one.signals.entries()) {
          expect(signal.a).toBeCloseTo(other.signals[index]?.a ?? Number.NaN, 12);
          expect(signal.b).toBeCloseTo(other.signals[index]?.b ?? Number.NaN, 12);
        }
        expect(rounded(one)).toEqual(rounded(other));
      }),
    );
  });

  it('over a request’s rows to what requests of one row each do, but for outputs, of which a request is one', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const inputs = (sums: Sums) => sums.signals.slice(0, 2);
        const together = sumsOf([lineOf(baseline, digest, ...given)]);
        const apart = sumsOf(given.map((row) => lineOf(baseline, digest, row)));
        expect(together.rows).toBe(apart.rows);
        for (const [index, one] of inputs(together).entries()) {
          const other = inputs(apart)[index];
          expect({ ...one, a: 0, b: 0 }).toEqual({ ...other, a: 0, b: 0 });
          expect(Math.abs(one.a - (other?.a ?? Number.NaN))).toBeLessThan(1e-4 * (given.length + 1));
          expect(Math.abs(one.b - (other?.b ?? Number.NaN))).toBeLessThan(1e-4 * (given.length + 1));
        }
        expect(together.signals[2]?.n).toBe(1);
      }),
    );
  });

  it('with what is missing counted as such', () => {
    const given: Row[] = [{ age: null, plan: null }, { age: 0.3, plan: 'd' }, { age: 7 }];
    const [age, plan, score] = sumsOf([lineOf(baseline, digest, ...given)]).signals;
    expect(age).toMatchObject({ n: 2, nulls: 1, cells: [0, 0, 1, 0, 0, 0, 0, 0, 0, 1] });
    expect(plan).toMatchObject({ n: 2, nulls: 1, a: 0, b: 0 });
    expect(plan?.cells[4]).toBe(1);
    expect(score).toMatchObject({ n: 1, nulls: 0 });
  });
});

describe('what a log holds that is none of our lines', () => {
  const good = JSON.parse(lineOf(baseline, digest, {}));
  const many = JSON.parse(lineOf(baseline, digest, {}, {}));

  it('is never thrown on', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(readLine(text)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('drift', 'v', 'rows', 'a', 'b', 'cells'),
        fc.jsonValue(),
        fc.boolean(),
        (member, value, one) => {
          const line = readLine(JSON.stringify({ ...(one ? good : many), [member]: value }));
          if (line !== undefined) createSums(digest, baseline).add(line);
        },
      ),
    );
  });

  it.each([
    ['no digest', { drift: 'yes' }],
    ['no rows', { rows: 0 }],
    ['half a row', { rows: 1.5 }],
    ['more rows than a request can have', { rows: 1e12 }],
    ['a text for a sum', { b: ['0', 0, 0] }],
    ['sums of unlike length', { b: [0] }],
    ['a prototype', { cells: { length: 3 } }],
    ['cells of one row for two', { rows: 2 }],
  ])('%s', (_, change) => {
    expect(readLine(JSON.stringify({ ...good, ...change }))).toBeUndefined();
  });

  it('a sum that is infinite', () => {
    expect(readLine(JSON.stringify({ ...good, b: [5, 0, 0] }).replace('[5,', '[1e999,'))).toBeUndefined();
  });

  it.each([
    ['cells that the signal has not', { cells: 'z0-' }],
    ['signals that the baseline has not', { a: [0, 0, 0, 0], b: [0, 0, 0, 0], cells: '0000' }],
    ['a score that no value has', { a: [9, 0, 0] }],
    ['a score without a value', { a: [1, 0, 0], cells: '-00' }],
    ['a spread that no value has', { b: [0, 0, -9] }],
    ['a score of a category', { a: [0, 1, 0] }],
  ])('%s: it is not added', (_, change) => {
    const line = readLine(JSON.stringify({ ...good, ...change }));
    const adder = createSums(digest, baseline);
    expect(line && adder.add(line)).toBe(false);
    expect(adder.sums()).toEqual(createSums(digest, baseline).sums());
  });

  it.each([[[]], [[2]], [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]]])(
    'other cells than the signal’s: %j',
    (cells) => {
      const [, ...others] = many.cells;
      const line = readLine(
        JSON.stringify({ ...many, a: [0, 0, 0], b: [0, 0, 0], cells: [cells, ...others] }),
      );
      expect(line && createSums(digest, baseline).add(line)).toBe(false);
    },
  );

  it('more values than rows', () => {
    const [, ...others] = many.cells;
    const line = readLine(JSON.stringify({ ...many, cells: [[3, 0, 0, 0, 0, 0, 0, 0, 0, 0], ...others] }));
    expect(line && createSums(digest, baseline).add(line)).toBe(false);
  });

  it('the level and time that Lambda asks for are no reason to skip a line', () => {
    expect(readLine(JSON.stringify({ ...good, level: 'WARN', timestamp: 'now' }))).toEqual(good);
  });

  it('an output may have more rows than the request', () => {
    const outputs = baselineOf([numeric('y', { of: 'output', value: 'prediction' })]);
    const own = digestOf(outputs);
    const text = { drift: own, v: '1', rows: 1, a: [0], b: [0], cells: [[2, 0, 0, 0, 0, 0, 0, 0, 0, 1]] };
    const line = readLine(JSON.stringify(text));
    const adder = createSums(own, outputs);
    expect(line && adder.add(line)).toBe(true);
    expect(adder.sums().signals[0]).toMatchObject({ n: 1, nulls: 0 });
  });
});
