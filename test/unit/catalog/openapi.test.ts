import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exampleRequest } from '../../../functions/catalog/example.ts';
import { openapi } from '../../../functions/catalog/openapi.ts';
import { DATATYPES } from '../../../functions/infer/contract.ts';
import { group, manifest, model, tensor } from './models.ts';

type Document = {
  readonly openapi: string;
  readonly paths: Record<
    string,
    Record<string, { readonly responses: object; readonly security: object[]; readonly operationId?: string }>
  >;
  readonly components: { readonly schemas: Record<string, object>; readonly securitySchemes: object };
  readonly servers: object[];
};

function document(...args: Parameters<typeof group>): Document {
  const one = group(...args);
  return openapi(manifest(one), one) as Document;
}

/** A schema of the document with everything that it refers to, as a function that says whether a value fits. */
function validator(made: Document, name: string): (value: unknown) => boolean {
  const ajv = new Ajv2020({ strict: false });
  ajv.addFormat('float', true).addFormat('double', true).addFormat('int64', true);
  ajv.addSchema(JSON.parse(JSON.stringify(made)), 'doc');
  return ajv.compile({ $ref: `doc#/components/schemas/${name}` });
}

const churn = model('churn', {
  inputs: [tensor('age', 'INT8', [-1, 1]), tensor('plan: "x"/é', 'BYTES', [-1, 2])],
  outputs: [tensor('label', 'INT64', [-1]), tensor('p', 'FP32', [-1, 2])],
});

describe('the OpenAPI description', () => {
  const made = document([churn]);
  const fits = validator(made, 'churn.Request');
  const request = (change: (inputs: Record<string, unknown>[]) => unknown = () => {}): unknown => {
    const inputs = [
      {
        name: 'plan: "x"/é',
        datatype: 'BYTES',
        shape: [2, 2],
        data: [
          ['a', 'b'],
          ['c', 'd'],
        ],
      },
      { name: 'age', datatype: 'INT8', shape: [2, 1], data: [1, -128] },
    ];
    change(inputs);
    return { id: '7', inputs };
  };

  it('is OpenAPI 3.1 with every reference in it', () => {
    expect(made.openapi).toBe('3.1.0');
    const references = JSON.stringify(made).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
    const names = [...references].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !(name in made.components.schemas))).toEqual([]);
    expect(Object.keys(made.components.schemas).filter((name) => !/^[a-zA-Z0-9._-]+$/.test(name))).toEqual(
      [],
    );
  });

  it('takes a valid request, in any order, flat or nested', () => expect(fits(request())).toBe(true));

  it.each([
    [
      'an unknown input',
      (inputs: Record<string, unknown>[]) => Object.assign(inputs[0] ?? {}, { name: 'nobody' }),
    ],
    ['a missing input', (inputs: Record<string, unknown>[]) => inputs.pop()],
    ['an input given twice', (inputs: Record<string, unknown>[]) => inputs.splice(0, 1, inputs[1] ?? {})],
    [
      'another datatype',
      (inputs: Record<string, unknown>[]) => Object.assign(inputs[1] ?? {}, { datatype: 'INT16' }),
    ],
    [
      'another dimension',
      (inputs: Record<string, unknown>[]) => Object.assign(inputs[0] ?? {}, { shape: [2, 3] }),
    ],
    ['another rank', (inputs: Record<string, unknown>[]) => Object.assign(inputs[1] ?? {}, { shape: [2] })],
    [
      'a number out of range',
      (inputs: Record<string, unknown>[]) => Object.assign(inputs[1] ?? {}, { data: [1, 128] }),
    ],
    [
      'a string for a number',
      (inputs: Record<string, unknown>[]) => Object.assign(inputs[1] ?? {}, { data: ['1', '2'] }),
    ],
    [
      'a number for a string',
      (inputs: Record<string, unknown>[]) =>
        Object.assign(inputs[0] ?? {}, {
          data: [
            [1, 2],
            [3, 4],
          ],
        }),
    ],
  ])('refuses %s', (_, change) => expect(fits(request(change))).toBe(false));

  it('refuses a request without inputs where there is one', () => {
    expect(validator(document([model('m')]), 'm.Request')({ inputs: [] })).toBe(false);
  });

  it('takes the example of any signature', () => {
    const spec = fc.record({
      name: fc.string(),
      datatype: fc.constantFrom(...DATATYPES),
      shape: fc.array(fc.integer({ min: -1, max: 3 }), { maxLength: 3 }),
    });
    const specs = fc.uniqueArray(spec, { selector: ({ name }) => name, minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(specs, (inputs) => {
        const example = exampleRequest(inputs);
        const check = validator(document([model('m', { inputs })]), 'm.Request');
        expect(example === undefined || check(example)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('describes a valid answer', () => {
    const answers = validator(made, 'churn.Response');
    const outputs = [{ name: 'p', datatype: 'FP32', shape: [1, 2], data: [0.25, 0.75] }];
    expect(answers({ model_name: 'churn', model_version: '3', outputs })).toBe(true);
    expect(answers({ model_name: 'churn', outputs: [{ ...outputs[0], name: 'q' }] })).toBe(false);
  });

  it('has the bare paths only where one model owns them', () => {
    expect(made.paths).toHaveProperty(['/invocations']);
    const two = document([churn, model('fraud')]);
    expect(two.paths).not.toHaveProperty(['/invocations']);
    expect(two.paths).toHaveProperty(['/v2/models/fraud/infer']);
  });

  it('says who may call', () => {
    const closed = document(
      [model('a', {}, { auth: 'iam' }), model('b', {}, { auth: { authorizer: 'login' } })],
      { auth: 'iam', path: '/x' },
    );
    expect(closed.paths['/v2/models/a/infer']?.post?.security).toEqual([{ iam: [] }]);
    expect(closed.paths['/v2/models/b/infer']?.post?.security).toEqual([{ authorizer: [] }]);
    expect(closed.components.securitySchemes).toHaveProperty('iam');
    expect(closed.servers).toEqual([{ url: '/x' }]);
    expect(made.components.securitySchemes).toEqual({});
  });

  it('names every operation once', () => {
    const ids = Object.values(document([churn, model('fraud')]).paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    const named = ids.filter((id) => id !== undefined);
    expect(new Set(named).size).toBe(named.length);
  });
});
