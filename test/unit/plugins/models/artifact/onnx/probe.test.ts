import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DATATYPES } from '../../../../../../core/tensor/contract.ts';
import { distance, probeInputs } from '../../../../../../plugins/models/artifact/onnx/probe.ts';

describe('probe inputs', () => {
  it('are the same at every call, with the declared shape', () => {
    const inputs = fc.array(
      fc.record({
        name: fc.string(),
        datatype: fc.constantFrom(...DATATYPES),
        shape: fc.array(fc.integer({ min: -1, max: 5 }), { maxLength: 4 }),
        symbols: fc.constant([]),
      }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(inputs, fc.integer({ min: 1, max: 8 }), fc.boolean(), (specs, length, zeros) => {
        const tensors = probeInputs(specs, { length, zeros });
        expect(tensors).toEqual(probeInputs(specs, { length, zeros }));
        for (const [index, { dims, data }] of (tensors ?? []).entries()) {
          expect(dims).toEqual(specs[index]?.shape.map((dim) => (dim < 0 ? length : dim)));
          expect(data.length).toBe(dims.reduce((product, dim) => product * dim, 1));
        }
      }),
    );
  });

  it('are not made where they would be gigabytes', () => {
    const wide = { name: 'x', datatype: 'FP32', shape: [-1, 2 ** 20], symbols: [] } as const;
    expect(probeInputs([wide], { length: 512, zeros: true })).toBeUndefined();
  });
});

describe('the distance of two outputs', () => {
  const float = (...values: number[]) => ({
    type: 'float32',
    dims: [values.length],
    data: Float32Array.from(values),
  });
  it('is 0 for equal ones, NaN and infinities included', () => {
    const values = float(1, Number.NaN, -Infinity, 0);
    expect(distance(values, values)).toBe(0);
  });
  it('is small for rounding, relative to the largest value', () => {
    expect(distance(float(1000, 1e-3), float(1000, 2e-3))).toBeLessThan(1);
    expect(distance(float(1, 0.5), float(1, 0.501))).toBeGreaterThan(1);
  });
  it('is infinite for other shapes, types, and anything but floats that differs', () => {
    expect(distance(float(1), float(1, 1))).toBe(Infinity);
    expect(distance(float(Number.NaN), float(1))).toBe(Infinity);
    const words = (word: string) => ({ type: 'string', dims: [1], data: [word] });
    expect(distance(words('a'), words('b'))).toBe(Infinity);
    expect(distance(words('a'), words('a'))).toBe(0);
  });
  it('reads half precision from its bits', () => {
    const half = (...bits: number[]) => ({
      type: 'float16',
      dims: [bits.length],
      data: Uint16Array.from(bits),
    });
    expect(distance(half(0x3c00), half(0x3c01))).toBeLessThan(1);
    expect(distance(half(0x3c00), half(0x4000))).toBeGreaterThan(1);
    expect(distance(half(0x7c00), half(0x3c00))).toBe(Infinity);
  });
});
