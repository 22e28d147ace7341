import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DriftLine, NumericSignal, ScoredBaseline, Signal } from '../../../../core/drift/contract.ts';
import { locationOf, rankOf, spreadOf } from '../../../../core/drift/score.ts';
import type { Datatype, TensorSpec } from '../../../../core/tensor/contract.ts';
import { KINDS, type Tensor } from '../../../../core/tensor/datatypes.ts';
import { toHalf } from '../../../../core/tensor/half.ts';
import { createDrift, type Drifted } from '../../../../functions/runtime/drift.ts';
import { categorySignal, cellOf, numericSignal } from '../../../reference.ts';

const DIGEST = 'ab'.repeat(32);
const spec = (name: string, datatype: Datatype, ...shape: number[]): TensorSpec => ({
  name,
  datatype,
  shape,
});
function tensorOf(datatype: Datatype, shape: number[], values: readonly (number | string)[]): Tensor {
  if (datatype === 'BYTES') return { datatype, shape, data: values.map(String) as never };
  const data = KINDS[datatype].allocate(values.length);
  values.forEach((value, i) => {
    if (datatype === 'FP16') data[i] = toHalf(Number(value));
    else data[i] = datatype.endsWith('INT64') ? (BigInt(value) as never) : Number(value);
  });
  return { datatype, shape, data: data as never };
}

type Tensors = Record<string, Tensor>;
function drifted(
  signals: readonly Signal[],
  graph: { inputs?: TensorSpec[]; outputs?: TensorSpec[] },
  { inputs = {}, outputs = {} }: { inputs?: Tensors; outputs?: Tensors },
  native = false,
): Drifted | undefined {
  const scored: ScoredBaseline = { baseline: DIGEST, native, signals };
  const drift = createDrift(
    scored,
    { inputs: [], outputs: [], ...graph },
    { AWS_LAMBDA_FUNCTION_VERSION: '7' },
  );
  return drift(inputs, outputs);
}
const lineOf = (...args: Parameters<typeof drifted>): DriftLine =>
  JSON.parse(`${drifted(...args)?.line ?? '{"rows":0'}}`);

/** Knots 0 to 120, and constants that make scores round numbers: h₁ = (u − ½)·4, h₂ = h₁² − 1. */
const round = (where: Partial<NumericSignal> & Pick<Signal, 'name' | 'of' | 'tensor'>): NumericSignal => ({
  ...numericSignal(where, [0, 120]),
  sd: 0.25,
  skew: 0,
  spread: 0.0625,
  mean: 0.5,
});

const rounded = (sum: number): number => Math.round(sum * 1e4) / 1e4;

describe('a line', () => {
  const signals = [
    round({ name: 'age', of: 'input', tensor: 'X' }),
    categorySignal({ name: 'job', of: 'input', tensor: 'X', column: 1 }, ['3', '3', '4']),
    round({ name: 'y', of: 'output', tensor: 'y', value: 'prediction' }),
  ];
  const graph = { inputs: [spec('X', 'FP32', -1, 2)], outputs: [spec('y', 'FP64', -1)] };
  const ask = (rows: number[][], answers: number[]) => ({
    inputs: { X: tensorOf('FP32', [rows.length, 2], rows.flat()) },
    outputs: { y: tensorOf('FP64', [answers.length], answers) },
  });

  it('of one row has a character a signal', () => {
    const found = drifted(signals, graph, ask([[90, 4]], [Number.NaN]));
    expect(found?.line).toBe(`{"drift":"${DIGEST}","v":"7","rows":1,"a":[1,0,0],"b":[0,0,0],"cells":"71-"`);
  });

  it('of three rows has counts; of an output the mean of those that are finite', () => {
    const rows = [
      [60, 4],
      [120, 9],
      [Number.NaN, Number.NaN],
    ];
    const found = drifted(signals, graph, ask(rows, [90, 120, Infinity]));
    expect(found?.line).toBe(
      `{"drift":"${DIGEST}","v":"7","rows":3,"a":[2,0,1.5],"b":[2,0,1.5],` +
        '"cells":[[0,0,0,0,1,0,0,0,0,1],[0,1,0,1],[0,0,0,0,0,0,0,1,0,1]]',
    );
  });

  it('has counts where one row gives several of an output', () => {
    const line = lineOf(signals, graph, ask([[90, 4]], [90, 120]));
    expect(line).toMatchObject({ rows: 1, a: [1, 0, 1.5] });
    expect(line.cells).toHaveLength(3);
    expect(line.cells[2]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0, 1]);
  });

  describe('of a request that gives an input once for all of its rows', () => {
    const rate = round({ name: 'rate', of: 'input', tensor: 'r' });
    const inputs = [
      graph.inputs[0] as TensorSpec,
      spec('r', 'FP32', 1),
      spec('h', 'FP32'),
      spec('s', 'BYTES', -1, 1),
    ];
    const asked = (once: readonly Signal[], rows: number[][], given = 90): Parameters<typeof drifted> => [
      [...signals, ...once],
      { ...graph, inputs },
      {
        inputs: {
          ...ask(rows, []).inputs,
          r: tensorOf('FP32', [1], [given]),
          h: tensorOf('FP32', [], [120]),
          s: tensorOf('BYTES', [1, 1], ['a']),
        },
        outputs: ask([], [90, 120, 90]).outputs,
      },
      true,
    ];
    const ROWS = [
      [60, 4],
      [90, 4],
      [120, 9],
    ];

    it('has one row, by chance, and all of the answer: what rows share is one observation', () => {
      const shop = categorySignal({ name: 'shop', of: 'input', tensor: 's' }, ['a', 'b', 'b']);
      const hour = round({ name: 'hour', of: 'input', tensor: 'h' });
      const seen = new Set<number>();
      for (let i = 0; i < 200; i++) {
        const line = lineOf(...asked([rate, hour, shop], ROWS));
        const [age = Number.NaN] = line.a;
        seen.add(age);
        expect(line).toMatchObject({ rows: 1, a: [age, 0, (1 + 2 + 1) / 3, 1, 2, 0].map(rounded) });
        expect(line.cells[1]).toEqual(age === 2 ? [0, 0, 0, 1] : [0, 1, 0, 0]);
        expect(line.cells[5]).toEqual([0, 1, 0, 0]);
      }
      expect([...seen].sort()).toEqual([0, 1, 2]);
      expect(drifted(...asked([rate], ROWS))?.members).toContain('"ScaledRows":1,');
      expect(drifted(...asked([rate], ROWS))?.members).not.toContain('Null_');
    });

    it('has all rows where that is constant in the reference, and it with each of them', () => {
      const constant = { ...rate, sd: 0, spread: 0 };
      const found = asked([constant], ROWS);
      expect(lineOf(...found)).toMatchObject({ rows: 3, a: [3, 0, rounded(4 / 3), 0] });
      expect(lineOf(...found).cells[3]).toEqual([0, 0, 0, 0, 0, 0, 0, 3, 0, 0]);
      expect(drifted(...found)?.members).not.toContain('Null_');
      expect(drifted(...asked([constant], ROWS, Number.NaN))?.members).toContain('"Null_rate":3');
    });

    it('of one row is as any other', () => {
      expect(lineOf(...asked([rate], ROWS.slice(0, 1)))).toMatchObject({
        rows: 1,
        a: [0, 0, rounded(4 / 3), 1],
      });
    });
  });

  it('is none where no row came', () => {
    expect(drifted(signals, graph, ask([], []))).toBeUndefined();
    expect(drifted(signals, graph, {})).toBeUndefined();
    expect(drifted([], graph, ask([[1, 1]], [1]))).toBeUndefined();
  });

  it('counts rows of the outputs where no input is scored', () => {
    expect(lineOf(signals.slice(2), graph, ask([[1, 1]], [90, 90]))).toMatchObject({ rows: 2, a: [1] });
  });
});

describe('a sum', () => {
  it('is written to 10⁻⁴, whatever its size', () => {
    const signal = round({ name: 'x', of: 'input', tensor: 'x' });
    const graph = { inputs: [spec('x', 'FP64', -1)] };
    const sums = fc.oneof(
      fc.double({ min: -20, max: 20, noNaN: true }),
      fc.double({ min: -1e11, max: 1e11, noNaN: true }),
      fc.constantFrom(0.0001, -0.0001, 0.00004, -0.00004, 0.00005, 9.99996, -0.1, 10, 1e11),
    );
    fc.assert(
      fc.property(sums, (sum) => {
        // The score of the middle is what the constants make of it.
        const inputs = { x: tensorOf('FP64', [1], [60]) };
        const { line = '' } = drifted([{ ...signal, mean: 0.5 - sum / 4 }], graph, { inputs }) ?? {};
        const [, text = ''] = /"a":\[(.*?)\]/.exec(line) ?? [];
        expect(text).toBe(String(Number(text)));
        expect(Math.abs(Number(text) - sum)).toBeLessThanOrEqual(0.000051 + Math.abs(sum) * 1e-12);
      }),
      { numRuns: 500 },
    );
  });
});

describe('of a request of many rows', () => {
  it('a thousand, evenly spaced, are scored', () => {
    const rows = 10_500;
    const signal = round({ name: 'x', of: 'input', tensor: 'x' });
    const values = Array.from({ length: rows }, (_, i) => (i * 7919) % 121);
    const line = lineOf(
      [signal],
      { inputs: [spec('x', 'INT32', -1)] },
      { inputs: { x: tensorOf('INT32', [rows], values) } },
    );
    expect(line.rows).toBe(1000);
    const picked = Array.from({ length: 1000 }, (_, i) => values[Math.floor(i * 10.5)] ?? 0);
    expect(line.a[0]).toBeCloseTo(
      picked.reduce((sum, x) => sum + (x / 120 - 0.5) * 4, 0),
      3,
    );
    expect((line.cells as number[][])[0]?.reduce((sum, n) => sum + n)).toBe(1000);
  });

  it('outputs likewise, those of classes too', () => {
    const rows = 5000;
    const signals = [
      categorySignal({ name: 'l', of: 'output', tensor: 'p', value: 'label' }, ['1', '1', '0']),
      round({ name: 'y', of: 'output', tensor: 'y', value: 'prediction' }),
    ];
    const p = Array.from({ length: rows }, (_, i) => [i % 5 === 0 ? 1 : 0, 0.5]).flat();
    const line = lineOf(
      signals,
      { outputs: [spec('p', 'FP32', -1, 2), spec('y', 'FP32', -1)] },
      {
        outputs: {
          p: tensorOf('FP32', [rows, 2], p),
          y: tensorOf(
            'FP32',
            [rows],
            Array.from({ length: rows }, (_, i) => (i % 5 === 0 ? 90 : 0)),
          ),
        },
      },
    );
    // Every fifth row is picked: all of them of the first class, and 90.
    expect(line).toMatchObject({ rows: 1000, a: [0, 1], b: [0, 0] });
    expect(line.cells[0]).toEqual([0, 1000, 0, 0]);
  });
});

/** What the request holds, as plain numbers: shape, rows, and the tensor in some datatype. */
const FLOATS: Datatype[] = ['FP16', 'FP32', 'FP64'];
const INTEGERS: Datatype[] = ['UINT8', 'INT8', 'UINT16', 'INT16', 'UINT32', 'INT32', 'UINT64', 'INT64'];
const arbitrary = fc
  .record({
    datatype: fc.constantFrom<Datatype>(...FLOATS, ...INTEGERS, 'BOOL'),
    rows: fc.integer({ min: 0, max: 5 }),
    width: fc.integer({ min: 1, max: 4 }),
    form: fc.constantFrom('matrix', 'column', 'cube', 'vector', 'scalar'),
  })
  .chain(({ datatype, rows, width, form }) => {
    const isFloat = FLOATS.includes(datatype);
    const [count, across] =
      form === 'vector'
        ? [1, width]
        : form === 'scalar'
          ? [1, 1]
          : form === 'column'
            ? [rows, 1]
            : [rows, width];
    // Quarters are exact in every float.
    const value = isFloat
      ? fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: -200, max: 200 }).map((x) => x / 4) },
          fc.constantFrom(Number.NaN, Infinity, -Infinity),
        )
      : fc.integer({ min: 0, max: datatype === 'BOOL' ? 1 : 9 });
    const declared = {
      matrix: [-1, across],
      column: [-1],
      cube: [-1, 1, across],
      vector: [across],
      scalar: [],
    };
    const actual = {
      matrix: [count, across],
      column: [count],
      cube: [count, 1, across],
      vector: [across],
      scalar: [],
    };
    return fc.record({
      datatype: fc.constant(datatype),
      declared: fc.constant(declared[form]),
      actual: fc.constant(actual[form]),
      width: fc.constant(across),
      rows: fc.array(fc.array(value, { minLength: across, maxLength: across }), {
        minLength: count,
        maxLength: count,
      }),
      reference: fc.array(
        fc.integer({ min: -200, max: 200 }).map((x) => x / 4),
        {
          minLength: 1,
          maxLength: 40,
        },
      ),
    });
  });

/** Straight from the contract: rows in, line out. */
function expectedOf(
  signals: readonly Signal[],
  valuesOf: (signal: Signal) => readonly (number | undefined)[],
): { a: number[]; b: number[]; cells: number[][] } {
  const [a, b, cells]: [number[], number[], number[][]] = [[], [], []];
  for (const signal of signals) {
    const values = valuesOf(signal).filter((x): x is number => Number.isFinite(x));
    const counts = signal.counts.map(() => 0);
    let [first, second] = [0, 0];
    for (const x of values) {
      const known = signal.kind === 'category' ? signal.values.indexOf(String(x)) : -1;
      const cell =
        signal.kind === 'numeric'
          ? cellOf(signal.edges, x)
          : known >= 0
            ? known
            : signal.values.length + (signal.rare.includes(String(x)) ? 0 : 1);
      counts[cell] = (counts[cell] ?? 0) + 1;
      if (signal.kind === 'category') continue;
      const u = rankOf(signal.knots, x);
      const h = locationOf(signal, u);
      first += h;
      second += spreadOf(signal, u, h);
    }
    const share = signal.of === 'output' ? 1 / Math.max(1, values.length) : 1;
    a.push(first * share);
    b.push(second * share);
    cells.push(counts);
  }
  return { a, b, cells };
}
function expectLine(line: DriftLine, expected: ReturnType<typeof expectedOf>, rows: number): void {
  expect(line.rows).toBe(rows);
  for (const score of ['a', 'b'] as const) {
    expect(line[score]).toHaveLength(expected[score].length);
    line[score].forEach((sum, i) => {
      expect(Math.abs(sum - (expected[score][i] ?? 0))).toBeLessThan(1e-4 * rows);
    });
  }
  if (typeof line.cells === 'string')
    expect(line.cells).toBe(
      expected.cells.map((counts) => (counts.includes(1) ? counts.indexOf(1).toString(36) : '-')).join(''),
    );
  else expect(line.cells).toEqual(expected.cells);
}

describe('sums and cells are those of a plain reckoning', () => {
  it('of inputs: any shape, any datatype, any hole', () => {
    fc.assert(
      fc.property(arbitrary, ({ datatype, declared, actual, width, rows, reference }) => {
        const where = { of: 'input', tensor: 'x' } as const;
        const signals: Signal[] = Array.from({ length: width }, (_, column) => [
          numericSignal({ name: `e${column}`, column, ...where }, reference),
          categorySignal({ name: `c${column}`, column, ...where }, reference.map(String)),
        ]).flat();
        for (const value of ['norm', 'mean', 'sd'] as const)
          signals.push(numericSignal({ name: value, value, ...where }, reference));
        const mean = (row: readonly number[]): number => row.reduce((sum, x) => sum + x, 0) / row.length;
        const of = (signal: Signal) => (row: readonly number[]) => {
          if (signal.kind === 'category' || signal.value === 'element') return row[signal.column];
          if (signal.value === 'norm') return Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
          if (signal.value === 'mean') return mean(row);
          return Math.sqrt(mean(row.map((x) => (x - mean(row)) ** 2)));
        };
        const x = tensorOf(datatype, actual, rows.flat());
        const line = lineOf(signals, { inputs: [spec('x', datatype, ...declared)] }, { inputs: { x } });
        if (rows.length === 0) expect(line.rows).toBe(0);
        else
          expectLine(
            line,
            expectedOf(signals, (signal) => rows.map(of(signal))),
            rows.length,
          );
      }),
      { numRuns: 500 },
    );
  });

  it('of outputs: classes and predictions', () => {
    const logit = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: -80, max: 80 }).map((x) => x / 16) },
      fc.constant(Number.NaN),
    );
    const cases = fc.integer({ min: 2, max: 4 }).chain((size) =>
      fc.record({
        rows: fc.array(fc.array(logit, { minLength: size, maxLength: size }), { minLength: 1, maxLength: 5 }),
        datatype: fc.constantFrom<Datatype>(...FLOATS),
        logits: fc.boolean(),
      }),
    );
    const reference = Array.from({ length: 50 }, (_, i) => (i / 49) * 3);
    fc.assert(
      fc.property(cases, ({ rows, datatype, logits }) => {
        const size = rows[0]?.length ?? 0;
        const given = logits ? rows : rows.map((row) => row.map((x) => Math.round(Math.abs(x) * 64) / 1024));
        const signals = [
          categorySignal({ name: 'label', of: 'output', tensor: 'p', value: 'label', logits }, ['1', '0']),
          ...(['confidence', 'entropy', 'prediction'] as const).map((value) =>
            numericSignal(
              { name: value, of: 'output', tensor: value === 'prediction' ? 'y' : 'p', value, logits },
              reference,
            ),
          ),
        ];
        const softmax = (row: readonly number[]): number[] => {
          const weights = row.map(Math.exp);
          return weights.map((weight) => weight / weights.reduce((sum, x) => sum + x, 0));
        };
        const of = (signal: Signal) => (row: readonly number[]) => {
          if (row.some(Number.isNaN)) return undefined;
          const p = logits ? softmax(row) : row;
          if (signal.name === 'label') return row.indexOf(Math.max(...row));
          if (signal.name === 'confidence') return Math.max(...p);
          return p.reduce((sum, x) => sum - (x > 0 ? x * Math.log(x) : 0), 0) / Math.log(size);
        };
        const outputs = {
          p: tensorOf(datatype, [given.length, size], given.flat()),
          y: tensorOf(
            datatype,
            [given.length],
            given.map(([x = 0]) => x),
          ),
        };
        const line = lineOf(
          signals,
          { outputs: [spec('p', datatype, -1, size), spec('y', datatype, -1)] },
          { outputs },
        );
        const expected = expectedOf(signals, (signal) =>
          signal.name === 'prediction' ? given.map(([x]) => x) : given.map(of(signal)),
        );
        expectLine(line, expected, given.length);
      }),
      { numRuns: 300 },
    );
  });
});

it('a row may be as wide as an image, in whatever datatype', () => {
  const where = { of: 'input', tensor: 'x' } as const;
  const signals = (['norm', 'mean', 'sd'] as const).map((value) =>
    numericSignal({ name: value, value, ...where }, [0, 300, 2000, 30_000]),
  );
  const size = 10_001;
  const values = Array.from({ length: 2 * size }, (_, i) => ((i * 7919) % 500) + (i < size ? 0 : 400));
  const lineFor = (datatype: Datatype): DriftLine =>
    lineOf(
      signals,
      { inputs: [spec('x', datatype, -1, size)] },
      { inputs: { x: tensorOf(datatype, [2, size], values) } },
    );
  const rows = [values.slice(0, size), values.slice(size)];
  const mean = (row: readonly number[]): number => row.reduce((sum, x) => sum + x, 0) / row.length;
  const expected = expectedOf(signals, ({ name }) =>
    rows.map((row) => {
      if (name === 'norm') return Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
      return name === 'mean' ? mean(row) : Math.sqrt(mean(row.map((x) => (x - mean(row)) ** 2)));
    }),
  );
  for (const datatype of ['FP32', 'INT32', 'FP16', 'INT64'] as const)
    expectLine(lineFor(datatype), expected, 2);
});

describe('categories', () => {
  const data = ['a', 'a', 'b', ...'cdefghij'];
  const where = { name: 'c', of: 'input', tensor: 'x' } as const;
  const cellsOf = (datatype: Datatype, values: (string | number)[], reference: string[]): unknown =>
    lineOf(
      [categorySignal(where, reference)],
      { inputs: [spec('x', datatype, -1)] },
      { inputs: { x: tensorOf(datatype, [values.length], values) } },
    ).cells;

  it('are texts: own cells, rare ones, unseen ones', () => {
    for (const [text, cell] of [
      ['a', '0'],
      ['b', '1'],
      ['h', '7'],
      ['j', '8'],
      ['k', '9'],
      // As in the reference, whose empty cells are no values.
      ['', '-'],
      ['__proto__', '9'],
    ] as const)
      expect([text, cellsOf('BYTES', [text], data)]).toEqual([text, cell]);
    expect(cellsOf('BYTES', ['1'], ['1'])).toBe('0');
    expect(cellsOf('BYTES', ['1.0'], ['1'])).toBe('2');
  });

  it('of numbers are as JavaScript writes them', () => {
    expect(cellsOf('FP32', [0.1], [String(Math.fround(0.1)), '0.1'])).toBe('0');
    expect(cellsOf('FP16', [-0], ['0'])).toBe('0');
    expect(cellsOf('INT64', [2 ** 53 + 2], ['9007199254740994'])).toBe('0');
    expect(cellsOf('BOOL', [1], ['0', '1'])).toBe('1');
    expect(cellsOf('INT32', [1], ['1.0', '01', ' 1'])).toBe('4');
    expect(cellsOf('FP64', [Number.NaN], ['NaN'])).toBe('-');
  });
});

describe('whatever a request brings', () => {
  const signals = [
    numericSignal({ name: 'e', of: 'input', tensor: 'x', column: 3 }, [1, 2, 3]),
    numericSignal({ name: 's', of: 'input', tensor: 'x', value: 'sd' }, [1, 2, 3]),
    categorySignal({ name: 'c', of: 'input', tensor: 'x', column: 9 }, ['1']),
    numericSignal({ name: 'l', of: 'output', tensor: 'p', value: 'confidence' }, [0, 1]),
    categorySignal({ name: 'k', of: 'output', tensor: 'p', value: 'label' }, ['0', '1']),
    numericSignal({ name: 'y', of: 'output', tensor: 'p', value: 'prediction' }, [0, 1]),
  ];
  const graph = { inputs: [spec('x', 'FP32', -1, 4)], outputs: [spec('p', 'FP32', -1, 2)] };
  it.each<[string, Tensors, Tensors]>([
    ['too few elements', { x: tensorOf('FP32', [4, 4], [1, 2]) }, { p: tensorOf('FP32', [4, 2], [1]) }],
    ['too narrow', { x: tensorOf('INT64', [3, 1], [1, 2, 3]) }, {}],
    [
      'texts for numbers',
      { x: tensorOf('BYTES', [1, 4], ['5', '5', '5', '5']) },
      { p: tensorOf('BYTES', [1, 2], ['1', '2']) },
    ],
    [
      'shapes that are none',
      { x: tensorOf('FP32', [2, -4], [1, 2]) },
      { p: tensorOf('FP32', [Number.NaN, Number.NaN], [1]) },
    ],
    ['halves that are not there', { x: tensorOf('FP16', [2, 4], []) }, { p: tensorOf('FP16', [1, 0], []) }],
    ['no such tensors', { z: tensorOf('FP32', [1], [1]) }, {}],
  ])('%s: no value is no score, and nothing throws', (_name, inputs, outputs) => {
    const line = lineOf(signals, graph, { inputs, outputs });
    if (line.rows === 0) return;
    // The deviation of one number, or of none, is 0, which is a value.
    expect([line.a[0], line.a[2], line.a[3]]).toEqual([0, 0, 0]);
    expect(line.a.every(Number.isFinite) && line.b.every(Number.isFinite)).toBe(true);
  });

  it('no line holds a value of it', () => {
    const text = fc.stringMatching(/^[g-z]{6,12}$/);
    const number = fc.integer({ min: 100_000_000, max: 2_000_000_000 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, number), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (rows, known) => {
          const texts = rows.map(([x]) => x);
          const numbers = rows.map(([, x]) => x);
          const found = drifted(
            [
              numericSignal({ name: 'a', of: 'input', tensor: 'n' }, known ? numbers : [1, 2, 3]),
              categorySignal({ name: 'b', of: 'input', tensor: 't' }, known ? texts : ['other']),
              numericSignal(
                { name: 'c', of: 'output', tensor: 'n', value: 'prediction' },
                known ? numbers : [1],
              ),
            ],
            { inputs: [spec('n', 'FP64', -1), spec('t', 'BYTES', -1)], outputs: [spec('n', 'FP64', -1)] },
            {
              inputs: {
                n: tensorOf('FP64', [rows.length], numbers),
                t: tensorOf('BYTES', [rows.length], texts),
              },
              outputs: { n: tensorOf('FP64', [rows.length], numbers) },
            },
            true,
          );
          const text = Object.values(found ?? {}).join();
          for (const value of texts) expect(text).not.toContain(value);
          // Whole numbers of the line: a sum of 1 is `1000000000000e-12`, which holds the digits of 100000000
          // by chance.
          const told = new Set(text.match(/\d+/g));
          for (const value of numbers) expect(told).not.toContain(String(value));
        },
      ),
      { numRuns: 200, examples: [[[['gggggg', 100_000_000]], false]] },
    );
  });
});
