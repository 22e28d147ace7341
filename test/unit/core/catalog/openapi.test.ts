import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exampleRequest } from '../../../../core/catalog/example.ts';
import { openapi } from '../../../../core/catalog/openapi.ts';
import { DATATYPES } from '../../../../core/tensor/contract.ts';
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

/**
 * A schema of the document with everything that it refers to, as a function that says whether a value fits.
 */
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

  it('names what an answer with binary outputs is called, which SageMaker’s shape does by another name', () => {
    const answered = (path: string): string[] => {
      const { responses } = made.paths[path]?.post ?? {};
      const good = Object.entries(responses ?? {}).find(([status]) => status === '200')?.[1];
      return Object.keys(good?.content ?? {});
    };
    expect(answered('/v2/models/churn/infer')).toEqual(['application/json', 'application/octet-stream']);
    expect(answered('/models/churn/invocations')).toEqual([
      'application/json',
      'text/csv',
      'application/vnd.sagemaker-triton.binary+json',
    ]);
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

  const operationsOf = (names: readonly string[]) =>
    Object.values(document(names.map((name) => model(name))).paths).flatMap((path) => Object.values(path));
  /** What is left of a name in the case of any language. */
  const bare = (name = ''): string => name.replaceAll(/[^a-z0-9]/gi, '').toLowerCase();

  it.each([
    [['foo', 'foo-version']],
    [['version-foo', 'foo']],
    [['infer', 'version', 'version-infer', 'metadata', 'ready', 'ping', 'invocations', 'server']],
    [['a1', 'a-1', 'a1-2', 'aB', 'a-b', 'ab']],
  ])('names every operation, each once: %j', (names) => {
    const ids = operationsOf(names).map(({ operationId }) => operationId);
    expect(ids).not.toContain(undefined);
    expect(new Set(ids.map(bare)).size).toBe(ids.length);
  });

  it('names every operation and schema once to any generator, whatever the models are called', () => {
    const part = fc.constantFrom('a', 'A', 'b', '1', '2', '-', 'version', 'infer', 'server', 'input1', 'row');
    const name = fc
      .array(part, { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join(''))
      .filter((text) => /^[a-zA-Z][a-zA-Z0-9-]{0,39}$/.test(text) && !text.startsWith('models-'));
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 8 }), (names) => {
        const made = document(names.map((one) => model(one)));
        const ids = Object.values(made.paths).flatMap((path) =>
          Object.values(path).map(({ operationId }) => operationId),
        );
        expect(new Set(ids.map(bare)).size).toBe(ids.length);
        const schemas = Object.keys(made.components.schemas).filter((one) => !one.startsWith('Data.'));
        expect(new Set(schemas.map(bare)).size).toBe(schemas.length);
        const tags = (made as unknown as { readonly tags: { readonly name: string }[] }).tags;
        expect(new Set(tags.map((tag) => tag.name)).size).toBe(names.length + 1);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps the names that clients were generated from', () => {
    const ids = operationsOf(['churn']).map(({ operationId }) => operationId);
    expect(ids).toEqual(expect.arrayContaining(['infer-churn', 'invocations-churn', 'invocations']));
    expect(Object.keys(made.components.schemas)).toEqual(
      expect.arrayContaining(['churn.Request', 'churn.Response']),
    );
  });

  it('has every error that an operation may answer, with its codes', () => {
    const errors = (path: string, method: string) =>
      Object.fromEntries(
        Object.entries(
          (made.paths[path]?.[method]?.responses ?? {}) as Record<string, { description: string }>,
        ).map(([status, { description }]) => [status, description]),
      );
    const infer = errors('/v2/models/churn/infer', 'post');
    expect(Object.keys(infer)).toEqual([
      '200',
      '400',
      '403',
      '404',
      '405',
      '413',
      '415',
      '422',
      '429',
      '500',
      '503',
    ]);
    expect(infer[422]).toMatch(/`MODEL_FAILED`.*`NON_FINITE_OUTPUT`/);
    expect(infer[500]).toMatch(/`TRANSFORM_FAILED`.*`INTERNAL`.*The function ended/);
    // The catalog alone says these, in place of the version that it asks.
    const version = errors('/v2/models/churn/versions/{version}/infer', 'post');
    expect(version[502]).toContain('`ENDPOINT_FAILED`');
    expect(version[503]).toContain('`NOT_READY`');
    expect(infer[503]).not.toContain('`NOT_READY`');
    expect(version[429]).toMatch(/`THROTTLED`.*The gateway throttles/);
    expect(errors('/v2/models/churn/ready', 'get')[503]).toContain('`NOT_READY`');
    expect(Object.keys(errors('/v2', 'get'))).not.toContain('422');
    const anyone = document([model('m', {}, { auth: { authorizer: 'login' } })]);
    expect(anyone.paths['/v2/models/m/infer']?.post?.responses).toHaveProperty(['401']);

    const fitsError = validator(made, 'Error');
    expect(fitsError({ error: 'x', code: 'WRONG_SHAPE' })).toBe(true);
    expect(fitsError({ error: 'x' })).toBe(false);
  });

  it('has rows by columns beside those by inputs, each column once, and none where no names are known', () => {
    const columns = { names: ['age', 'plan'], bind: true };
    const inputs = [tensor('t', 'FP32', [-1, 2])];
    const table = document([model('table', { inputs }, { columns, missing: 'nan' })]).components.schemas;
    expect(table['table.RowByColumns']).toMatchObject({
      required: ['age', 'plan'],
      properties: { age: { type: ['number', 'null'] } },
    });
    // Null is SageMaker's shape alone.
    expect(JSON.stringify(table['Data.FP32.2'])).not.toContain('null');
    expect(document([model('table', { inputs })]).components.schemas).not.toHaveProperty([
      'table.RowByColumns',
    ]);
  });

  it('takes of a host whatever version that tells, as an image’s, which is no number', () => {
    const one = group([churn]);
    const versionAt = (server: 'gateway' | 'host' | 'local'): Record<string, Record<string, string>> => {
      const { paths } = openapi(manifest(one), one, { server }) as Document;
      const operation = paths['/v2/models/churn/versions/{version}/infer']?.post;
      return (
        (operation as unknown as { parameters: Record<string, Record<string, string>>[] }).parameters[0] ?? {}
      );
    };
    const takes = (server: 'gateway' | 'host' | 'local', version: string): boolean =>
      new RegExp(versionAt(server).schema?.pattern ?? '').test(version);
    for (const server of ['host', 'local'] as const) expect(takes(server, 'a1b2c3d4e5f6'), server).toBe(true);
    expect(['a1b2c3d4e5f6', '7', 'live'].map((version) => takes('gateway', version))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('has the errors of a host where a host answers, and none of a gateway', () => {
    const one = group([churn]);
    type Answers = Record<string, { description: string; headers?: object }>;
    const errors = (server: 'host' | 'local', path: string, method: string): Answers => {
      const { paths } = openapi(manifest(one), one, { server }) as Document;
      return paths[path]?.[method]?.responses as Answers;
    };
    for (const path of [
      '/v2/models/churn/infer',
      '/v2/models/churn/versions/{version}/infer',
      '/invocations',
    ]) {
      const found = errors('host', path, 'post');
      expect(Object.keys(found), path).toEqual(
        '200 400 404 405 408 413 415 422 431 500 502 503 504'.split(' '),
      );
      expect(found[408]?.description).toContain('`SLOW_REQUEST`');
      expect(found[431]?.description).toContain('`HEADERS_TOO_LARGE`');
      expect(found[503]?.description).toMatch(/`NOT_READY`.*`OVERLOADED`/);
      expect(found[503]?.headers).toHaveProperty('Retry-After');
      expect(found[504]?.description).toContain('`TIMED_OUT`');
      expect(JSON.stringify(found)).not.toMatch(/gateway|GatewayError/i);
    }
    expect(Object.keys(errors('host', '/v2', 'get'))).toEqual('200 404 405 408 431 500'.split(' '));
    expect(Object.keys(errors('host', '/v2/health/ready', 'get'))).toContain('503');
    expect(errors('local', '/v2', 'get')[403]?.description).toContain('this server’s own pages');
  });

  it('describes a model without inputs', () => {
    const takes = validator(document([model('m', { inputs: [] })]), 'm.Request');
    expect(takes({ inputs: [] })).toBe(true);
    expect(takes({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] })).toBe(false);
  });
});
