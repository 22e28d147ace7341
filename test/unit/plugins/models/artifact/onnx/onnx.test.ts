import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ONNX_BYTES, readOnnx } from '../../../../../../plugins/models/artifact/onnx/onnx.ts';
import { unsafeLocation } from '../../../../../../plugins/models/disk/location.ts';
import {
  type Bytes,
  externalTensor,
  FLOAT,
  field,
  graphAttribute,
  graphOf,
  INT64,
  message,
  modelOf,
  node,
  tensorInfo,
  varint,
} from './onnx-writer.ts';

const over = (bytes: Bytes) => ({
  bytes: bytes.length,
  read: (at: number, length: number) => bytes.subarray(at, at + length),
});

describe('the reader of ONNX', () => {
  it('counts weights by type, wherever they are, whether their lengths are packed or not', () => {
    const tensor = (type: number, ...lengths: Bytes[]): Bytes =>
      message(
        ...lengths,
        field(2, type),
        field(8, `t${type}${lengths.length}`),
        field(9, new Uint8Array(40)),
      );
    const packed = field(1, message(varint(300), varint(2)));
    const constant = message(field(1, 'value'), field(20, 4), field(5, tensor(FLOAT, field(1, 7))));
    const bytes = modelOf({
      nodes: [node('Constant', [], ['c'], [constant])],
      inputs: [tensorInfo('x', FLOAT, ['n', 3])],
      outputs: [tensorInfo('y', FLOAT, [])],
      initializers: [
        tensor(FLOAT, packed),
        tensor(3, field(1, 5), field(1, 4)),
        tensor(INT64, field(1, 2)),
        externalTensor('far', [1000, 1000], 'w.bin'),
      ],
    });
    const { rowBytes, size } = readOnnx(over(bytes));
    expect(size.weights).toEqual([
      { elements: 600 + 7 + 1_000_000, bits: 32, canShrink: true },
      { elements: 20, bits: 8, canShrink: true },
      { elements: 2, bits: 64, canShrink: false },
    ]);
    expect(size.rest).toBeGreaterThan(0);
    expect(size.rest).toBeLessThan(bytes.length - 4 * 40);
    expect(rowBytes).toBe(12);
  });

  it('reads names, types and shapes as they were written', () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
    const dim = fc.oneof(fc.nat(1_000_000), fc.constantFrom('n', 'time'));
    const value = fc.record({
      name,
      elem: fc.constantFrom(FLOAT, INT64),
      shape: fc.array(dim, { maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), fc.array(value, { maxLength: 4 }), (inputs, outputs) => {
        const write = (values: typeof inputs): Bytes[] =>
          values.map((one) => tensorInfo(one.name, one.elem, one.shape));
        const info = readOnnx(over(modelOf({ nodes: [], inputs: write(inputs), outputs: write(outputs) })));
        const expected = (values: typeof inputs) =>
          values.map((one) => ({
            name: one.name,
            type: {
              kind: 'tensor',
              elem: one.elem,
              shape: one.shape.map((length) => (typeof length === 'number' ? length : -1)),
              symbols: one.shape.map((length) => (typeof length === 'number' ? undefined : length)),
            },
          }));
        expect(info.inputs).toEqual(expected(inputs));
        expect(info.outputs).toEqual(expected(outputs));
        expect(info.opsets).toEqual({ '': 20 });
      }),
    );
  });

  it('finds weights and operators in subgraphs, and takes initializers out of the inputs', () => {
    const inner = graphOf({
      nodes: [node('Mul', ['w', 'w'], ['z'])],
      inputs: [],
      outputs: [tensorInfo('z', FLOAT, [])],
      initializers: [externalTensor('w', [1], 'deep/w.bin')],
    });
    const info = readOnnx(
      over(
        modelOf({
          nodes: [
            node('If', ['c'], ['y'], [graphAttribute('then_branch', inner)]),
            node('Gelu', ['x'], ['g'], [], 'com.microsoft'),
          ],
          inputs: [tensorInfo('x', FLOAT, ['n']), tensorInfo('v', FLOAT, [2])],
          outputs: [tensorInfo('y', FLOAT)],
          initializers: [externalTensor('v', [2], 'v.bin')],
        }),
      ),
    );
    expect(info.external).toEqual(['deep/w.bin', 'v.bin']);
    expect([...info.operators].sort()).toEqual(['If', 'Mul', 'com.microsoft:Gelu']);
    expect(info.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(info.outputs).toEqual([
      { name: 'y', type: { kind: 'tensor', elem: FLOAT, shape: undefined, symbols: [] } },
    ]);
  });

  it('takes −1 as a free dimension, as some exporters write it', () => {
    const minusOne = message(Uint8Array.of(0x08), new Uint8Array(9).fill(0xff), Uint8Array.of(1));
    const info = message(
      field(1, 'x'),
      field(2, field(1, message(field(1, FLOAT), field(2, field(1, minusOne))))),
    );
    const [x] = readOnnx(over(modelOf({ nodes: [], inputs: [info], outputs: [] }))).inputs;
    expect(x?.type).toEqual({ kind: 'tensor', elem: FLOAT, shape: [-1], symbols: [undefined] });
  });

  it('answers any bytes with a model or a plain Error, and reads nothing outside the file', () => {
    const good = modelOf({
      nodes: [node('Neg', ['x'], ['y'])],
      inputs: [tensorInfo('x', FLOAT, ['n', 3])],
      outputs: [tensorInfo('y', FLOAT, ['n', 3])],
    });
    const mutated = fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
      .map((changes) => {
        const bytes = Uint8Array.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    const cut = fc.nat(good.length - 1).map((length) => good.subarray(0, length));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated, cut), (bytes) => {
        let most = 0;
        try {
          readOnnx({
            bytes: bytes.length,
            read: (at, length) => {
              most = Math.max(most, length);
              expect(at).toBeLessThanOrEqual(bytes.length);
              return bytes.subarray(at, at + length);
            },
          });
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
        }
        expect(most).toBeLessThanOrEqual(4096);
      }),
      { numRuns: 2000 },
    );
  });

  // Repeated numbers of an attribute are not packed: a forest of trees has tens of millions of them.
  it('steps over the numbers of a forest many at a time, and reads what comes behind them', () => {
    const values = new Uint8Array(5 * 200_000).map((_, at) => (at % 5 === 0 ? 0x3d : at % 251));
    const model = modelOf({
      nodes: [
        node('TreeEnsembleRegressor', ['x'], ['y'], [message(field(1, 'nodes_values'), values)]),
        node('Cast', ['y'], ['z']),
      ],
      inputs: [tensorInfo('x', FLOAT, ['n', 3])],
      outputs: [tensorInfo('z', FLOAT, ['n', 1])],
    });
    let reads = 0;
    const { operators, outputs } = readOnnx({
      bytes: model.length,
      read: (at, length) => {
        reads += 1;
        return model.subarray(at, at + length);
      },
    });
    expect([...operators]).toEqual(['TreeEnsembleRegressor', 'Cast']);
    expect(outputs.map(({ name }) => name)).toEqual(['z']);
    expect(reads).toBeLessThan(200);
  });

  it('reads so many fields, and no more: each takes time, in which nobody is heard', () => {
    const nodes = Array.from({ length: 1000 }, () => message());
    const model = modelOf({
      nodes,
      inputs: [tensorInfo('x', FLOAT, [1])],
      outputs: [tensorInfo('y', FLOAT, [1])],
    });
    expect(() => readOnnx(over(model), 1000)).toThrow('The graph has more than 1000 fields.');
    expect(readOnnx(over(model), 2000).irVersion).toBeGreaterThan(0);
  });

  it('steps over weights unread, however long they say they are', () => {
    const header = message(field(1, 9), Uint8Array.of(0x7a, 0xff, 0xff, 0xff, 0xff, 0x7f));
    expect(() => readOnnx(over(header))).toThrow(/cut off/);
    expect(() => readOnnx({ bytes: ONNX_BYTES + 1, read: () => expect.unreachable() })).toThrow(/2 GiB/);
  });

  it.each([
    ['inputs', 100_000, () => field(11, '')],
    ['outputs', 100_000, () => field(12, '')],
    // Initializers, each of a type of its own.
    ['types of weights', 100_000, (n: number) => field(5, field(2, n))],
    // Inputs with a thousand each.
    ['dimensions', 1_000_000, (_: number, shape: Bytes) => field(11, field(2, field(1, field(2, shape))))],
  ] as const)('keeps no more %s than a model has: %i', (what, most, part) => {
    const shape = message(...Array.from({ length: 1000 }, () => field(1, '')));
    const read = (count: number) => {
      const graph = Array.from({ length: count }, (_, n) => part(n, shape));
      return readOnnx(over(message(field(1, 9), field(7, message(...graph)))));
    };
    const parts = what === 'dimensions' ? most / 1000 : most;
    expect(() => read(parts)).not.toThrow();
    expect(() => read(parts + 1)).toThrow(`The graph has more than ${most} ${what}.`);
  });

  it('keeps no more domains of operators than a model has', () => {
    const domains = Array.from({ length: 100_001 }, (_, n) => field(8, field(1, `d${n}`)));
    expect(() => readOnnx(over(message(field(1, 9), ...domains)))).toThrow(
      'The graph has more than 100000 domains of operators.',
    );
  });

  it('refuses a graph nested deeper than protobuf allows, instead of overflowing the stack', () => {
    let graph = graphOf({ nodes: [], inputs: [], outputs: [] });
    for (let depth = 0; depth < 5000; depth += 1) {
      graph = field(1, node('If', [], [], [message(field(1, 'g'), field(6, graph))]));
    }
    expect(() => readOnnx(over(message(field(1, 9), field(7, graph))))).toThrow(/nested/);
  });
});

describe('where weights may lie', () => {
  it.each(['w.bin', 'weights/w.bin', 'a b/ü.data', '..w', 'w..bin'])('%s may', (location) => {
    expect(unsafeLocation(location)).toBeUndefined();
  });
  it.each(['', '/etc/passwd', '../w', 'a/../../w', 'a\\..\\w', 'C:w', 'c:/w', './w', 'a//w', 'w\0'])(
    '%j may not',
    (location) => {
      expect(unsafeLocation(location)).toBeDefined();
    },
  );

  it('reads the metadata property `columns`, and steps over all others', () => {
    const model = modelOf({ nodes: [], inputs: [], outputs: [] });
    const property = (key: string, value: string): Bytes =>
      field(14, message(field(1, key), field(2, value)));
    const columnsIn = (...properties: Bytes[]) => readOnnx(over(message(model, ...properties))).columns;
    expect(columnsIn()).toBe(undefined);
    expect(columnsIn(property('Columns', '[]'), property('columnz', '[]'))).toBe(undefined);
    const large = property('pickle', 'x'.repeat(8 * 1024 ** 2));
    expect(columnsIn(large, property('columns', '["größe", "名前"]'), large)).toBe('["größe", "名前"]');
    expect(columnsIn(field(14, field(1, 'columns')))).toBe('');
    expect(columnsIn(field(14, message(field(2, '["a"]'), field(1, 'columns'))))).toBe('["a"]');
    expect(() => columnsIn(property('columns', 'x'.repeat(5 * 1024 ** 2)))).toThrow(
      'The metadata property columns is over 4 MB.',
    );
  });
});
