import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answersOf, feedsOf } from '../../../../core/protocol/transform-result.ts';
import { DATATYPES, type Datatype, type TensorSpec } from '../../../../core/tensor/contract.ts';
import { KINDS, type Tensor } from '../../../../core/tensor/datatypes.ts';

const INPUTS: readonly TensorSpec[] = [
  { name: 'a', datatype: 'FP32', shape: [-1, 2] },
  { name: 'b', datatype: 'INT64', shape: [] },
  { name: 'c', datatype: 'BYTES', shape: [1] },
];
const GOOD = {
  a: { datatype: 'FP32', shape: [2, 2], data: new Float32Array(4) },
  b: { datatype: 'INT64', shape: [], data: new BigInt64Array(1) },
  c: { datatype: 'BYTES', shape: [1], data: ['x'] },
};

const refusalOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

const SECRET = 'canary-4711';

describe('what pre gives', () => {
  it('is taken as it is where it fits: the very arrays, nothing copied', () => {
    const feeds = feedsOf(GOOD, INPUTS);
    expect(feeds).toEqual(GOOD);
    for (const name of ['a', 'b', 'c'] as const) expect(feeds[name]?.data).toBe(GOOD[name].data);
    expect(feedsOf({}, [])).toEqual({});
  });

  const WRONG: readonly (readonly [string, unknown, string])[] = [
    ['nothing', undefined, 'pre of the transform gave undefined; expected an object of tensors by name.'],
    ['null', null, 'pre of the transform gave null; expected an object of tensors by name.'],
    [
      'a text',
      SECRET,
      'pre of the transform gave a value of the type string; expected an object of tensors by name.',
    ],
    ['no input', {}, 'pre of the transform gave no input "a", which the model needs.'],
    ['an array', [GOOD.a], 'pre of the transform gave no input "a", which the model needs.'],
    [
      'another name',
      { ...GOOD, [SECRET]: GOOD.a },
      'pre of the transform gave 1 of a name that no input of the model has; it has "a", "b", "c".',
    ],
    [
      'no tensor',
      { ...GOOD, b: SECRET },
      'The input "b" that pre of the transform gave is a value of the type string; expected a tensor: datatype, shape and data.',
    ],
    [
      'another datatype',
      { ...GOOD, a: { ...GOOD.a, datatype: 'FP64', data: new Float64Array(4) } },
      'The input "a" that pre of the transform gave has the datatype FP64; expected FP32.',
    ],
    [
      'no datatype',
      { ...GOOD, a: { ...GOOD.a, datatype: SECRET } },
      'The input "a" that pre of the transform gave has no datatype of the protocol; expected FP32.',
    ],
    [
      'another dimension',
      { ...GOOD, a: { ...GOOD.a, shape: [1, 4] } },
      'The input "a" that pre of the transform gave has the shape [1, 4]; expected [-1, 2], where -1 is any size.',
    ],
    [
      'another rank',
      { ...GOOD, b: { ...GOOD.b, shape: [1] } },
      'The input "b" that pre of the transform gave has the shape [1]; expected [].',
    ],
    [
      'no shape',
      { ...GOOD, a: { ...GOOD.a, shape: [2, SECRET] } },
      'The input "a" that pre of the transform gave has no shape; expected an array of whole numbers.',
    ],
    [
      'another container',
      { ...GOOD, a: { ...GOOD.a, data: new Float64Array(4) } },
      'The input "a" that pre of the transform gave has data of the kind Float64Array; expected Float32Array for FP32.',
    ],
    [
      'no data',
      { ...GOOD, a: { datatype: 'FP32', shape: [2, 2] } },
      'The input "a" that pre of the transform gave has data of the kind undefined; expected Float32Array for FP32.',
    ],
    [
      'too few elements',
      { ...GOOD, a: { ...GOOD.a, data: new Float32Array(3) } },
      'The input "a" that pre of the transform gave has 3 elements; the shape [2, 2] says 4.',
    ],
    [
      'a text among numbers',
      { ...GOOD, a: { ...GOOD.a, data: [1, 2, SECRET, 4] } },
      'The input "a" that pre of the transform gave has no FP32 at data[2].',
    ],
    [
      'a number among texts',
      { ...GOOD, c: { ...GOOD.c, data: [4711] } },
      'The input "c" that pre of the transform gave has a value of the type number at data[0]; expected a text.',
    ],
    [
      'one text',
      { ...GOOD, c: { ...GOOD.c, data: SECRET } },
      'The input "c" that pre of the transform gave has data of the kind no array; expected an array.',
    ],
  ];

  it.each(WRONG)('is refused with its place: %s', (_, given, says) => {
    expect(refusalOf(() => feedsOf(given, INPUTS))).toMatchObject({
      code: 'TRANSFORM_FAILED',
      status: 500,
      message: says,
    });
  });

  it('is either what the model takes or refused, whatever it is, and no value is told', () => {
    const anything = fc.oneof(
      fc.constantFrom(...Object.values(GOOD)),
      fc.record({
        datatype: fc.oneof(fc.constantFrom(...DATATYPES), fc.constant(SECRET)),
        shape: fc.oneof(fc.array(fc.integer({ min: -1, max: 3 }), { maxLength: 3 }), fc.constant(SECRET)),
        data: fc.oneof(
          fc.array(fc.oneof(fc.integer(), fc.double(), fc.bigInt(), fc.constant(SECRET)), { maxLength: 5 }),
          fc.constant(new Float32Array(4)),
          fc.constant(SECRET),
        ),
      }),
      fc.constant(SECRET),
      fc.anything(),
    );
    const given = fc.oneof(
      fc.dictionary(fc.constantFrom('a', 'b', 'c', SECRET, '__proto__'), anything),
      fc.record({ a: anything, b: anything, c: anything }, { requiredKeys: [] }),
      fc.anything(),
    );
    fc.assert(
      fc.property(given, (value) => {
        let feeds: ReturnType<typeof feedsOf>;
        try {
          feeds = feedsOf(value, INPUTS);
        } catch (error) {
          expect(error).toMatchObject({ code: 'TRANSFORM_FAILED' });
          expect(String(error)).not.toContain(SECRET);
          return;
        }
        expect(Object.keys(feeds).toSorted()).toEqual(['a', 'b', 'c']);
        for (const { name, datatype, shape } of INPUTS) {
          const tensor = feeds[name] as Tensor;
          expect(tensor.datatype).toBe(datatype);
          expect(tensor.shape).toHaveLength(shape.length);
          expect(tensor.data).toHaveLength(tensor.shape.reduce((product, one) => product * one, 1));
        }
      }),
    );
  });
});

/** Elements of a plain array that a datatype has, and their neighbours that it has not. */
const EDGES: readonly (readonly [Datatype, readonly unknown[], readonly unknown[]])[] = [
  ['BOOL', [true, false, 0, 1], [2, -1, 'true', 1n]],
  ['UINT8', [0, 255], [-1, 256, 0.5, true, 1n]],
  ['INT8', [-128, 127], [-129, 128, Number.NaN]],
  ['UINT32', [0, 4_294_967_295], [-1, 4_294_967_296]],
  ['INT64', [-(2n ** 63n), 2n ** 63n - 1n, 5], [2n ** 63n, 2 ** 63, 0.5, '1']],
  ['UINT64', [0n, 2n ** 64n - 1n, 5], [-1n, -1, 2n ** 64n]],
  ['FP32', [0.5, Number.NaN, -0], ['1', null, 1n]],
  ['FP64', [0.1, Number.POSITIVE_INFINITY], [undefined, true]],
];

describe('a plain array', () => {
  it.each(EDGES)('of %s becomes its typed one, or is refused', (datatype, good, bad) => {
    const specs = [{ name: 'x', datatype, shape: [-1] }];
    const give = (data: readonly unknown[]) => () =>
      feedsOf({ x: { datatype, shape: [data.length], data } }, specs);
    const { data } = give(good)().x as Tensor;
    expect(data.constructor).toBe(KINDS[datatype as Exclude<Datatype, 'BYTES'>].allocate(0).constructor);
    expect(Array.from(data as ArrayLike<unknown>, Number)).toEqual(good.map(Number));
    for (const one of bad)
      expect(refusalOf(give([good[0], one]))).toMatchObject({ code: 'TRANSFORM_FAILED' });
  });

  it('of FP16 is refused: nobody could tell numbers from bits', () => {
    const specs: readonly TensorSpec[] = [{ name: 'x', datatype: 'FP16', shape: [1] }];
    const give = (data: unknown) => () => feedsOf({ x: { datatype: 'FP16', shape: [1], data } }, specs);
    expect(refusalOf(give([1]))).toMatchObject({ message: expect.stringContaining('expected Uint16Array') });
    expect(give(new Uint16Array(1))().x?.data).toEqual(new Uint16Array(1));
  });

  it('of a canvas, clamped, is UINT8', () => {
    const specs: readonly TensorSpec[] = [{ name: 'x', datatype: 'UINT8', shape: [2] }];
    const x = { datatype: 'UINT8', shape: [2], data: Uint8ClampedArray.from([300, 7]) };
    expect(feedsOf({ x }, specs).x?.data).toEqual(Uint8Array.from([255, 7]));
  });
});

describe('what post gives', () => {
  it('may lack outputs, have others, and more rows than the exporter declared', () => {
    const label = { datatype: 'INT64', shape: [3], data: new BigInt64Array(3) };
    const specs: readonly TensorSpec[] = [
      { name: 'label', datatype: 'INT64', shape: [1] },
      { name: 'scores', datatype: 'FP32', shape: [-1] },
    ];
    expect(answersOf({ label, other: 7 }, specs)).toEqual({ label });
  });

  it('is refused where a client would get something else than it is told of', () => {
    const specs: readonly TensorSpec[] = [{ name: 'y', datatype: 'FP32', shape: [-1] }];
    const at = 'The output "y" that post of the transform gave';
    for (const [given, says] of [
      [undefined, 'post of the transform gave undefined; expected an object of tensors by name.'],
      [
        { y: { datatype: 'FP64', shape: [1], data: new Float64Array(1) } },
        `${at} has the datatype FP64; expected FP32.`,
      ],
      [{ y: { datatype: 'FP32', shape: [2], data: [1] } }, `${at} has 1 elements; the shape [2] says 2.`],
    ] as const) {
      expect(refusalOf(() => answersOf(given, specs))).toMatchObject({
        code: 'TRANSFORM_FAILED',
        message: says,
      });
    }
  });
});
