import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CatalogModel } from '../../../../core/catalog/contract.ts';
import { openapi } from '../../../../core/catalog/openapi.ts';
import type { EndpointRequest } from '../../../../core/protocol/event.ts';
import { readInvocation } from '../../../../core/protocol/sagemaker.ts';
import type { Signature, TensorSpec } from '../../../../core/tensor/contract.ts';
import { group, manifest, model, tensor } from './models.ts';

/** What `/invocations` is described to take and give, held against what the endpoint takes and gives. */

const RESPONDER = { model: 'm', version: '3' };

type Rules = Pick<CatalogModel, 'columns' | 'missing'>;

function validators(
  signature: Signature,
  rules: Rules = {},
): Record<'Invocation' | 'Answer', (value: unknown) => boolean> {
  const one = group([model('m', signature, rules)]);
  const ajv = new Ajv2020({ strict: false });
  ajv.addFormat('float', true).addFormat('double', true).addFormat('int64', true);
  ajv.addSchema(JSON.parse(JSON.stringify(openapi(manifest(one), one))), 'doc');
  const of = (name: string) => ajv.compile({ $ref: `doc#/components/schemas/m.${name}` });
  return { Invocation: of('Invocation'), Answer: of('Answer') };
}

function readAs(signature: Signature, body: unknown, rules: Rules = {}) {
  const text = JSON.stringify(body);
  const request = {
    headers: { 'content-type': 'application/json' },
    body: text,
  } as unknown as EndpointRequest;
  return readInvocation(request, text, { ...signature, ...rules }, RESPONDER);
}

const isTaken = (signature: Signature, body: unknown, rules?: Rules): boolean => {
  try {
    readAs(signature, body, rules);
    return true;
  } catch {
    return false;
  }
};

const spec = (name: string, ranks: { min: number; max: number }): fc.Arbitrary<TensorSpec> =>
  fc.record({
    name: fc.constant(name),
    datatype: fc.constantFrom('FP32', 'INT8', 'BYTES', 'BOOL'),
    shape: fc
      .array(fc.integer({ min: 1, max: 3 }), { minLength: ranks.min, maxLength: ranks.max })
      .map((shape) => shape.map((dimension, i) => (i === 0 ? -1 : dimension))),
  });
const signatures = fc
  .record({
    inputs: fc.oneof(
      fc.tuple(spec('a', { min: 0, max: 3 })),
      fc.tuple(spec('a', { min: 0, max: 2 }), spec('b b', { min: 0, max: 2 })),
      fc.tuple(spec('b b', { min: 1, max: 2 }), spec('b_b', { min: 1, max: 2 })),
    ),
    outputs: fc.oneof(
      fc.tuple(spec('y', { min: 0, max: 3 })),
      fc.tuple(spec('y', { min: 1, max: 2 }), spec('Y', { min: 1, max: 2 })),
    ),
  })
  .map((found): Signature => ({ ...found, omitted: [] }));

const VALUES = { FP32: 0.5, INT8: 1, BYTES: 'x', BOOL: true } as const;
const sample = ({ datatype }: TensorSpec): unknown => VALUES[datatype as keyof typeof VALUES];
const nest = (value: unknown, [first, ...rest]: readonly number[]): unknown =>
  first === undefined ? value : Array.from({ length: first }, () => nest(value, rest));

/** A body in one of the forms, of so many rows, with a dimension more or less at times. */
const bodies = (signature: Signature): fc.Arbitrary<unknown> =>
  fc
    .record({
      form: fc.constantFrom('instances', 'named', 'inputs', 'columns', 'bare', 'bareNamed', 'alone'),
      rows: fc.integer({ min: 1, max: 3 }),
      less: fc.integer({ min: -1, max: 1 }),
    })
    .map(({ form, rows, less }) => {
      const { inputs } = signature;
      const whole = (one: TensorSpec): unknown => {
        const dimensions = one.shape.map((dimension) => (dimension < 0 ? rows : dimension));
        return nest(
          sample(one),
          less < 0 ? [...dimensions, 1] : dimensions.slice(0, dimensions.length - less),
        );
      };
      const [only] = inputs as [TensorSpec];
      const columns = Object.fromEntries(inputs.map((one) => [one.name, whole(one)]));
      const named = Array.from({ length: rows }, (_, i) =>
        Object.fromEntries(
          inputs.map((one) => {
            const column = columns[one.name];
            return [one.name, Array.isArray(column) ? column[i] : column];
          }),
        ),
      );
      switch (form) {
        case 'instances':
          return { instances: whole(only) };
        case 'named':
          return { instances: named };
        case 'inputs':
          return { inputs: whole(only) };
        case 'columns':
          return { inputs: columns };
        case 'bareNamed':
          return named;
        case 'alone': {
          const one = whole(only);
          return Array.isArray(one) ? one[0] : one;
        }
        default:
          return whole(only);
      }
    });

describe('the description of /invocations', () => {
  it('has every form that the endpoint takes, and of these forms no other nesting', () => {
    let taken = 0;
    fc.assert(
      fc.property(
        signatures.chain((signature) =>
          fc.tuple(fc.constant(signature), fc.array(bodies(signature), { minLength: 10, maxLength: 20 })),
        ),
        ([signature, candidates]) => {
          const { Invocation } = validators(signature);
          for (const body of candidates) {
            const isRead = isTaken(signature, body);
            if (isRead) taken++;
            expect(Invocation(body), JSON.stringify(body)).toBe(isRead);
          }
        },
      ),
      { numRuns: 40 },
    );
    expect(taken).toBeGreaterThan(80);
  });

  it('has every form of the answer', () => {
    fc.assert(
      fc.property(signatures, fc.integer({ min: 1, max: 3 }), (signature, rows) => {
        const filled = (specs: readonly TensorSpec[]) =>
          specs.map((one) => {
            const shape = one.shape.map((dimension) => (dimension < 0 ? rows : dimension));
            const length = shape.reduce((product, dimension) => product * dimension, 1);
            return { name: one.name, datatype: one.datatype, shape, data: Array(length).fill(sample(one)) };
          });
        const tensors = Object.fromEntries(
          filled(signature.outputs).map((one) => [one.name, { ...one, data: one.data as never }]),
        );
        const { Answer } = validators(signature);
        const columns = Object.fromEntries(
          filled(signature.inputs).map(({ name, shape, data }) => [name, nest(data[0], shape)]),
        );
        for (const body of [{ inputs: columns }, { inputs: filled(signature.inputs) }]) {
          const { body: text } = readAs(signature, body).answer(tensors);
          expect(Answer(JSON.parse(String(text))), String(text)).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('has rows by the names of columns where they are known, and null where it is a missing value', () => {
    const names = fc.uniqueArray(fc.constantFrom('age', 'a b', 'a_b', 'x', 'plan'), {
      minLength: 1,
      maxLength: 3,
    });
    const cases = fc.record({
      names,
      datatype: fc.constantFrom('FP32' as const, 'FP16' as const, 'INT8' as const, 'BYTES' as const),
      missing: fc.constantFrom('nan' as const, undefined),
      known: fc.boolean(),
    });
    const counts = { taken: 0, refused: 0, byColumns: 0 };
    fc.assert(
      fc.property(
        cases,
        fc.array(fc.constantFrom('age', 'a b', 'a_b', 'x', 'plan', 'z')),
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        ({ names, datatype, missing, known }, others, nulls) => {
          const signature: Signature = {
            inputs: [tensor('x', datatype, [-1, names.length])],
            outputs: [tensor('y', 'FP32', [-1])],
            omitted: [],
          };
          const rules: Rules = {
            ...(known && { columns: { names, bind: true } }),
            ...(missing && { missing }),
          };
          const value = (i: number): unknown =>
            nulls[i] ? null : { FP32: 0.5, FP16: 2, INT8: 1, BYTES: 'x' }[datatype];
          const row = names.map((_, i) => value(i));
          const byColumns = Object.fromEntries(names.map((name, i) => [name, value(i)]));
          const byOthers = Object.fromEntries(others.map((name, i) => [name, value(i % 3)]));
          const { Invocation } = validators(signature, rules);
          for (const body of [
            { instances: [byColumns] },
            { instances: [byOthers] },
            [byColumns, byColumns],
            { instances: [row] },
            { inputs: { x: [row] } },
            { instances: [{ x: row }] },
            row,
          ]) {
            const isRead = isTaken(signature, body, rules);
            counts[isRead ? 'taken' : 'refused']++;
            if (isRead && Array.isArray(body) && body[0] === byColumns) counts.byColumns++;
            expect(Invocation(body), JSON.stringify([body, rules, datatype])).toBe(isRead);
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(80);
    expect(counts.byColumns).toBeGreaterThan(3);
  });

  it('knows what is none of its forms', () => {
    const signature: Signature = {
      inputs: [tensor('x', 'FP32', [-1, 2])],
      outputs: [tensor('y', 'FP32', [-1])],
      omitted: [],
    };
    const { Invocation, Answer } = validators(signature);
    for (const body of [
      {},
      { instances: [['a', 'b']] },
      { instances: [{ z: [1, 2] }] },
      7,
      { inputs: { z: 1 } },
    ])
      expect(Invocation(body), JSON.stringify(body)).toBe(false);
    expect(Answer({ predictions: [[1]] })).toBe(false);
    expect(Answer({ predictions: [1, 2] })).toBe(true);
  });
});
