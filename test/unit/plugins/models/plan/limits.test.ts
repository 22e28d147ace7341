import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allow, arn, type Json } from '../../../../../plugins/models/contracts/cloudformation.ts';
import type { Host } from '../../../../../plugins/models/contracts/host.ts';
import type { Model } from '../../../../../plugins/models/declaration/model.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { monitorRole } from '../../../../../plugins/models/plan/drift/monitor.ts';
import { nameProblems } from '../../../../../plugins/models/plan/endpoint/names.ts';
import { wrapperProblems } from '../../../../../plugins/models/plan/endpoint/variables.ts';
import { planProblems } from '../../../../../plugins/models/plan/plan.ts';
import { limitProblems } from '../../../../../plugins/models/plan/shared/limits.ts';
import { HOST as host } from '../../../../fixtures/service.ts';

const models = (declared: Readonly<Record<string, object>>): readonly Model[] =>
  parseModels(
    Object.fromEntries(
      Object.entries(declared).map(([name, more]) => [name, { artifact: 'm.onnx', ...more }]),
    ),
  ).models;
const refusals = (problems: readonly { readonly code: string; readonly key: string }[]) =>
  problems.map(({ code, key }) => `${key} ${code}`);

describe('the environment of a function', () => {
  const variables = (Variables: Json) =>
    limitProblems(
      { ChurnLambdaFunction: { Properties: { Environment: { Variables } } } },
      models({ churn: {} }),
      ['churn'],
      host,
    );

  it('is refused from 4 KB of JSON on, names, quotes and escapes included', () => {
    const text = fc.string({ maxLength: 40, unit: 'binary' }).filter((one) => one !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(text, text, { maxKeys: 20 }), (some) => {
        const room = 4096 - Buffer.byteLength(JSON.stringify({ ...some, fill: '' }));
        expect(variables({ ...some, fill: 'x'.repeat(room) })).toEqual([]);
        expect(refusals(variables({ ...some, fill: 'x'.repeat(room + 1) }))).toEqual([
          'models.churn.function.environment MODELS_LIMIT',
        ]);
      }),
    );
  });

  it('is measured by what is known of it: a reference may become nothing', () => {
    const long = 'x'.repeat(4000);
    const at = (value: unknown) => variables({ long, value }).length;
    expect(at({ 'Fn::ImportValue': 'y'.repeat(200) })).toBe(0);
    expect(at({ Ref: 'Y'.repeat(200) })).toBe(0);
    expect(at({ 'Fn::Sub': `\${${'Y'.repeat(200)}}` })).toBe(0);
    expect(at({ 'Fn::Sub': 'y'.repeat(200) })).toBe(1);
    // What Fn::Sub leaves as it is comes without its mark.
    const room = 4096 - JSON.stringify({ long, value: '' }).length;
    const literal = `\${!a}`.repeat(10);
    expect(at({ 'Fn::Sub': literal.padEnd(room + 10, 'y') })).toBe(0);
    expect(at({ 'Fn::Sub': literal.padEnd(room + 11, 'y') })).toBe(1);
    expect(at({ 'Fn::Join': ['y'.repeat(100), ['a', { Ref: 'B' }, 'c']] })).toBe(1);
    expect(at({ 'Fn::Sub': ['$'.repeat(200), {}] })).toBe(1);
  });

  it('has no variable of Lambda’s own, whoever would set it', () => {
    const told = (own: object, shared: object, declared = { churn: { function: { environment: own } } }) =>
      planProblems(models(declared), { ...host, provider: { environment: shared } });
    const problems = told({ AWS_REGION: 'eu', A_KEY: '1' }, { AWS_ACCESS_KEY_ID: 'AKIA', AWS_PROFILE: 'p' });
    expect(refusals(problems)).toEqual([
      'provider.environment.AWS_ACCESS_KEY_ID MODELS_INVALID_VALUE',
      'models.churn.function.environment.AWS_REGION MODELS_INVALID_VALUE',
    ]);
    expect(JSON.stringify(problems)).not.toContain('AKIA');
    expect(planProblems([], { ...host, provider: { environment: { AWS_REGION: 'eu' } } })).toEqual([]);
  });

  it('has none by a name that Lambda does not take', () => {
    const shared = { _TOKEN: 'secret', B: '1', B2: '1', b_: '1' };
    const problems = planProblems(models({ churn: {} }), { ...host, provider: { environment: shared } });
    expect(refusals(problems)).toEqual([
      'provider.environment._TOKEN MODELS_INVALID_VALUE',
      'provider.environment.B MODELS_INVALID_VALUE',
    ]);
    expect(JSON.stringify(problems)).not.toContain('secret');
  });

  it('names no wrapper of a layer that the function has not: Lambda would start nothing', () => {
    const told = (value: unknown, layers: readonly unknown[] | undefined, own: object = {}) => {
      const Environment = { Variables: { AWS_LAMBDA_EXEC_WRAPPER: value } };
      const ChurnLambdaFunction = { Properties: { Environment, ...(layers && { Layers: layers }) } };
      return refusals(wrapperProblems({ ChurnLambdaFunction }, models({ churn: own })));
    };
    const runtime = { Ref: 'ModelsOnnxruntimeX8664LambdaLayer' };
    const key = 'models.churn.function.environment.AWS_LAMBDA_EXEC_WRAPPER MODELS_INVALID_VALUE';
    expect(told('/opt/otel-handler', [runtime])).toEqual([key]);
    expect(
      told('/opt/otel-handler', [runtime, 'arn:aws:lambda:us-east-1:123456789012:layer:otel:1']),
    ).toEqual([]);
    for (const value of ['', '/var/task/wrapper', { Ref: 'Wrapper' }, undefined])
      expect(told(value, [runtime])).toEqual([]);
    expect(told('/opt/otel-handler', undefined, { package: 'image' })).toEqual([]);
    expect(wrapperProblems({}, models({ churn: {} }))).toEqual([]);
  });

  it('has Node load no file first that no layer of the function has: no instance would start', () => {
    const told = (variables: object, layers: readonly unknown[] = [{}], own: object = {}) => {
      const Properties = { Environment: { Variables: variables }, Layers: layers };
      return refusals(wrapperProblems({ ChurnLambdaFunction: { Properties } }, models({ churn: own })));
    };
    const key = 'models.churn.function.environment.NODE_OPTIONS MODELS_INVALID_VALUE';
    const sentry = '--enable-source-maps -r @sentry/aws-serverless/awslambda-auto';
    const image = { package: 'image' };
    for (const options of [
      sentry,
      '--import=/opt/init.mjs',
      '--import file:///opt/a.mjs',
      '--require "/opt/a b.js"',
    ]) {
      expect(told({ NODE_OPTIONS: options })).toEqual([key]);
      expect(told({ NODE_OPTIONS: options }, [], image)).toEqual([key]);
      expect(told({ NODE_OPTIONS: options }, [{}, 'arn:aws:lambda:us-east-1:1:layer:sentry:1'])).toEqual([]);
    }
    const base = `example.com/node@sha256:${'0'.repeat(64)}`;
    expect(told({ NODE_OPTIONS: sentry }, [], { ...image, image: { base } })).toEqual([]);
    // Somebody's own folders may have a package, but not what is in no layer.
    expect(told({ NODE_OPTIONS: sentry, NODE_PATH: '/mnt/modules' })).toEqual([]);
    expect(told({ NODE_OPTIONS: '-r /opt/a.js', NODE_PATH: '/mnt/modules' })).toEqual([key]);
    for (const options of [
      '--stack-trace-limit=50',
      '-r /mnt/a.js',
      '-r @aws-sdk/client-s3',
      '',
      { Ref: 'A' },
    ])
      expect(told({ NODE_OPTIONS: options })).toEqual([]);
    for (const source of ['data:text/javascript,1', 'node:inspector'])
      expect(told({ NODE_OPTIONS: `--import ${source}` })).toEqual([]);
  });

  it('names the longest, and never its value', () => {
    const [problem] = variables({ SHORT: 'secret', LONG: 'hidden'.repeat(900) });
    expect(problem?.message).toContain('The longest is LONG.');
    expect(JSON.stringify(problem)).not.toMatch(/secret|hidden/);
  });
});

describe('the policies of a role', () => {
  it('are counted as IAM does: without white space, all of a role’s together', () => {
    const document = (length: number, space = '') => ({
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [allow(['s3:GetObject'], [`${space}${'x'.repeat(length)}`])],
      },
    });
    const problems = (...documents: readonly object[]) =>
      refusals(
        limitProblems(
          { ChurnModelsRole: { Properties: { Policies: documents } } },
          models({ churn: {} }),
          ['churn'],
          host,
        ),
      );
    const around = JSON.stringify(document(0).PolicyDocument).length;
    expect(problems(document(10_240 - around))).toEqual([]);
    expect(problems(document(10_240 - around, '   '))).toEqual([]);
    const over = ['models.churn.iam.statements MODELS_LIMIT'];
    expect(problems(document(10_241 - around))).toEqual(over);
    expect(problems(document(5000), document(10_241 - 2 * around - 5000))).toEqual(over);
    expect(problems(document(5000), document(10_240 - 2 * around - 5000))).toEqual([]);
  });

  it('of the monitor name each log group once, so that many models fit; too many are refused', () => {
    const watched = (count: number) => {
      const names = Array.from(
        { length: count },
        (_, i) => `m${String(i).padStart(2, '0')}-${'x'.repeat(41)}`,
      );
      expect(`shop-dev-${names[0]}`).toHaveLength(54);
      return models(Object.fromEntries(names.map((name) => [name, { drift: { baseline: 'r.csv' } }])));
    };
    const problems = (count: number) => {
      const some = watched(count);
      const role = monitorRole(some, host, {});
      return limitProblems({ ModelsDashdriftModelsRole: role }, some, ['models-drift'], host);
    };
    const [{ Resource: groups } = allow([], [])] = [
      allow([], [arn('logs', 'log-group:/aws/lambda/shop-dev-churn:*')]),
    ];
    expect(
      JSON.stringify(monitorRole(models({ churn: { drift: { baseline: 'r.csv' } } }), host, {})),
    ).toContain(`"Action":["logs:FilterLogEvents"],"Resource":${JSON.stringify(groups)}`);
    expect(problems(70)).toEqual([]);
    expect(refusals(problems(90))).toEqual(['models MODELS_LIMIT']);
    expect(problems(90)[0]?.message).toMatch(/^makes a role of models-drift with \d+ characters/);
  });
});

describe('names of functions', () => {
  it('are refused where two would be the same, whoever has the first', () => {
    const name = fc.constantFrom('a', 'b', 'a-batch', 'shop-dev-own', 'shop-dev-models-release');
    const declared = fc.dictionary(
      fc.constantFrom('one', 'two', 'three', 'own-2'),
      fc.record({ name: fc.option(name), batch: fc.boolean() }),
    );
    fc.assert(
      fc.property(declared, fc.option(name), (some, own) => {
        const parsed = models(
          Object.fromEntries(
            Object.entries(some).map(([key, { name: given, batch }]) => [
              key,
              {
                ...(given !== null && { function: { name: given } }),
                ...(batch && { batch: [{ input: `s3://in-${key}/`, output: `s3://out-${key}/` }] }),
              },
            ]),
          ),
        );
        const functions = { own: {}, named: own === null ? {} : { name: own } };
        const made = [
          'shop-dev-own',
          own ?? 'shop-dev-named',
          ...['catalog', 'release', 'drift'].map((room) => `shop-dev-models-${room}`),
          ...parsed.flatMap(({ name: key, function: { name: given }, batch }) => {
            const lambda = typeof given === 'string' ? given : `shop-dev-${key}`;
            return batch === undefined ? [lambda] : [lambda, `${lambda}-batch`];
          }),
        ];
        const ofService = new Set(made.slice(0, 5)).size;
        const twice = made.length - 5 + ofService - new Set(made).size;
        const taken = nameProblems(parsed, { ...host, functions });
        // The service's own one has the name of the worker, which each service with models has.
        const lent = own === 'shop-dev-models-release' && parsed.length > 0 ? 1 : 0;
        expect(taken).toHaveLength(twice + lent);
        for (const { code } of taken) expect(code).toBe('MODELS_NAME_TAKEN');
      }),
    );
  });

  it.each(['Churn model', 'shop.churn', 'shop:churn', 'größe', ''])(
    'are not %j, which Lambda does not take',
    (name) => {
      const told = (given: string) =>
        refusals(nameProblems(models({ churn: { function: { name: given } } }), host));
      expect(told(name)).toEqual(['models.churn.function.name MODELS_INVALID_NAME']);
      expect(told('Shop_churn-2')).toEqual([]);
    },
  );

  it('of the service are not those of the plugin’s own, by key or by name', () => {
    const taken = (functions: Host['functions'], declared: Readonly<Record<string, object>> = { one: {} }) =>
      nameProblems(models(declared), { ...host, functions }).map(
        ({ code, key, message }) => `${key} ${message} ${code}`,
      );
    for (const key of ['models-release', 'Models-release', 'modelsDashrelease'])
      expect(taken({ [key]: {} })).toEqual([
        `functions.${key} cannot be told from the plugin’s own function models-release in the ids of CloudFormation. MODELS_NAME_TAKEN`,
      ]);
    expect(taken({ mine: { name: 'shop-dev-models-release' } })).toEqual([
      'functions.mine makes a function called shop-dev-models-release, and so does the plugin’s own models-release; Lambda takes a name once in an account and region. MODELS_NAME_TAKEN',
    ]);
    // Those that are not made are nobody's.
    const others = { 'models-catalog': {}, 'models-drift': {}, mine: { name: 'shop-dev-models-catalog' } };
    expect(taken(others)).toEqual([]);
    expect(taken(others, {})).toEqual([]);
    expect(taken(others, { one: { http: {} } })).toHaveLength(2);
    expect(taken(others, { one: { drift: { baseline: 'r.csv' } } })).toHaveLength(1);
    expect(taken({ 'models-release': {} }, {})).toEqual([]);
  });
});

describe('the layers of a function', () => {
  const refused = (declared: Readonly<Record<string, object>>, count: number) =>
    refusals(
      planProblems(models(declared), {
        ...host,
        provider: { layers: Array.from({ length: count }, (_, index) => `arn:layer:${index}`) },
      }),
    );

  it('are five with those of the provider, told before a deploy', () => {
    expect(refused({ churn: {} }, 4)).toEqual([]);
    expect(refused({ churn: {}, mood: {} }, 5)).toEqual(['provider.layers MODELS_LIMIT']);
  });

  it('are not the provider’s where the model names its own, or runs from an image', () => {
    expect(refused({ churn: { function: { layers: [] } }, mood: { package: 'image' } }, 5)).toEqual([]);
  });
});
