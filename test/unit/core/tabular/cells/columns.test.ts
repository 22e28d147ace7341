import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstOf, isOfFractions, mayBeNames, placesOf } from '../../../../../core/tabular/cells/columns.ts';
import { layoutOf } from '../../../../../core/tabular/cells/layout.ts';
import type { Columns } from '../../../../../core/tensor/contract.ts';
import { input, signature } from '../setup.ts';

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 });
/** Names, and the same in another order, among others. */
const shuffled = names.chain((all) =>
  fc
    .tuple(
      fc.uniqueArray(
        fc.string({ minLength: 7, maxLength: 9 }).filter((other) => !all.includes(other)),
        { maxLength: 4 },
      ),
      fc.infiniteStream(fc.nat()),
    )
    .map(([others, chance]) => {
      const header = [...all, ...others]
        .map((name) => ({ name, at: chance.next().value as number }))
        .sort((one, other) => one.at - other.at)
        .map(({ name }) => name);
      return { all, header };
    }),
);
const fault = (message: string, fix: string): Error => new Error(`${message} ${fix}`);

describe('the first line of a file', () => {
  it.each([
    ['0,1,2', 3, 'numbered'],
    ['1,2,3', 3, 'numbered'],
    ['1,2,3,4', 3, 'numbered'],
    ['0,1', 2, 'row'],
    ['1,2', 2, 'row'],
    ['1', 1, 'row'],
    ['2,3,4', 3, 'row'],
    ['2,1,0', 3, 'row'],
    ['0,1,2.0', 3, 'row'],
    ['2020,2021,2022', 3, 'row'],
    ['2020,2021,2022', 2, 'wrong'],
    ['2020,2021,2022', -1, 'wrong'],
    ['nan,,inf', 3, 'row'],
    ['a,1,2', 3, 'names'],
  ] as const)('%s of a model that takes %i is %s', (line, width, expected) => {
    expect(firstOf(line.split(','), width)).toBe(expected);
  });

  it('is a header where it has the model’s own names, numbers or not', () => {
    const columns = { names: ['2020', '2021'], bind: false };
    expect(firstOf(['2021', '2020'], 2, columns)).toBe('names');
    expect(firstOf(['2021', '2022'], 2, columns)).toBe('row');
    const numbers = { names: ['2', '0', '1'], bind: true };
    expect(firstOf(['0', '1', '2'], 3, numbers)).toBe('names');
    // A row of two flags is no header, whatever pandas calls their columns.
    for (const flags of [
      ['0', '1'],
      ['1', '2'],
    ])
      expect(firstOf(flags.toReversed(), 2, { names: flags, bind: true })).toBe('row');
  });

  it('of n numbers in a row, from 0 or 1, numbers the columns; no other one does', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2, max: 3 }), fc.integer({ min: 1, max: 40 }), (start, count) => {
        const cells = Array.from({ length: count }, (_, i) => String(start + i));
        const isHeader = count >= 3 && (start === 0 || start === 1);
        expect(firstOf(cells, count)).toBe(isHeader ? 'numbered' : 'row');
      }),
    );
  });

  it.each([
    ['2020,2021', '0.5,1', true],
    ['2020,2021', '5,1', false],
    ['2020,2020', '0.5,1', false],
    ['1.5,2021', '0.5,1', false],
    ['-1,3', '0.5,1', false],
    ['7', '1.5e3', true],
  ])('%s before %s may be names: %s', (first, second, expected) => {
    expect(mayBeNames(first.split(',')) && isOfFractions(second.split(','))).toBe(expected);
  });
});

describe('columns by name', () => {
  it('are found in any order, among others, or it is told which are not there', () => {
    fc.assert(
      fc.property(shuffled, fc.nat(), ({ all, header }, seed) => {
        const found = placesOf(all, header);
        expect('places' in found && found.places.map((place) => header[place])).toEqual(all);
        const gone = all[seed % all.length] as string;
        const rest = header.filter((name) => name !== gone);
        expect(placesOf(all, rest)).toEqual({ lacks: [gone] });
      }),
    );
  });

  it('go to the input in the model’s order, whatever the file’s is', () => {
    fc.assert(
      fc.property(names, fc.boolean(), fc.boolean(), (all, bind, isOpen) => {
        const header = all.toReversed();
        const model = signature([input('the input', 'FP32', isOpen ? -1 : all.length)]);
        const known: Columns = { names: all, bind };
        const layout = layoutOf(model, { names: header, widths: header.map(() => 1) }, fault, known);
        expect(layout.fields.map(({ label }) => label)).toEqual(all);
        expect(layout.targets).toEqual(all.map((_, i) => all.length - 1 - i));
        expect(layout.taken).toEqual({ by: 'name', notices: [] });
      }),
    );
  });

  const three = signature([input('x', 'FP32', 3)], { outputs: [input('label', 'INT64')] });
  const layout = (header: readonly string[], known?: Columns, model = three) =>
    layoutOf(model, { names: header, widths: header.map(() => 1) }, fault, known);
  const order = ({ targets, taken }: ReturnType<typeof layout>) => ({ targets, taken });

  it('that bind and lack are refused by their names', () => {
    const bind = { names: ['a', 'b', 'c'], bind: true };
    expect(() => layout(['a', 'd', 'c'], bind)).toThrow(
      'It has no column b; the columns of the model are a, b, c. Name the columns of the file as the model does, and add what is missing.',
    );
    expect(() => layout(['p', 'q', 'r'], bind)).toThrow('It has no columns a, b, c;');
    expect(() => layout(['c', 'b', 'a', 'z'], bind)).toThrow('Its column z is no input of the model');
    expect(order(layout(['c', 'label', 'b', 'a'], bind))).toEqual({
      targets: [2, -1, 1, 0],
      taken: { by: 'name', notices: [] },
    });
    const many = Array.from({ length: 30 }, (_, i) => `c${i}`);
    const wide = signature([input('x', 'FP32', 30)]);
    expect(() => layout(['c0'], { names: many, bind: true }, wide)).toThrow(
      /It has no columns c1, .*, c20 and 9 more; the columns of the model are c0, .*, c19 and 10 more\./,
    );
  });

  it('of the reference data leave the order as it is where they are not all there, and it is told', () => {
    const known = { names: ['a', 'b', 'c'], bind: false };
    const trusted = { by: 'order', notices: ['NAMES_DIFFER'] };
    expect(order(layout(['c', 'b', 'd'], known))).toEqual({ targets: [0, 1, 2], taken: trusted });
    expect(order(layout(['c', 'b', 'a'], known)).targets).toEqual([2, 1, 0]);
    expect(order(layout(['c', 'b', 'a']))).toEqual({
      targets: [0, 1, 2],
      taken: { by: 'order', notices: [] },
    });
  });

  it('that are not there at all are in order, as many as there are names', () => {
    const known = { names: ['a', 'b', 'c'], bind: true };
    const of = (count: number, model = three) =>
      layoutOf(model, { widths: Array.from({ length: count }, () => 1) }, fault, known);
    expect(of(3).taken).toEqual({ by: 'order', notices: [] });
    const open = signature([input('x', 'FP32', -1)]);
    expect(of(3, open).targets).toEqual([0, 1, 2]);
    expect(() => of(4, open)).toThrow('It has 4 columns for the input x; the model takes 3.');
  });

  it('of one value each: an array in a column is refused', () => {
    const header = { names: ['b', 'a'], widths: [1, 2] };
    const known = { names: ['a', 'b'], bind: true };
    expect(() => layoutOf(signature([input('x', 'FP32', 3)]), header, fault, known)).toThrow(
      'Its column a has 2 values a row, and a column of the model has one.',
    );
  });
});

it('a header of any width is looked through a few times, and not for each of its columns', () => {
  const wide = Array.from({ length: 2000 }, (_, i) => [`a_${i}`, `b_${i}`]).flat();
  let reads = 0;
  const names = new Proxy(wide, {
    get: (target, key) => {
      reads++;
      return Reflect.get(target, key);
    },
  });
  const header = { names, widths: wide.map(() => 1) };
  const two = signature([input('a', 'FP32', 2000), input('b', 'FP32', 2000)]);
  expect(layoutOf(two, header, fault).fields).toHaveLength(4000);
  expect(reads).toBeLessThan(40 * wide.length);
});

it('a name of many thousand characters is refused: each faulty row would quote it', () => {
  const header = (size: number) => ({ names: ['a', 'n'.repeat(size)], widths: [1, 1] });
  const any = signature([input('x', 'FP32', 2)]);
  expect(layoutOf(any, header(10_000), fault).fields).toHaveLength(2);
  expect(() => layoutOf(any, header(10_001), fault)).toThrow(
    'The name of its column 2 has 10001 characters; at most 10000 are taken. Write the names of the columns in the first line, and end it with a line end.',
  );
});
