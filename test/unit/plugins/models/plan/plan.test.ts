import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arn, kept } from '../../../../../plugins/models/contracts/cloudformation.ts';
import type { Built, PlanInput } from '../../../../../plugins/models/contracts/input.ts';
import type { Facts } from '../../../../../plugins/models/declaration/model.ts';
import { routeLogicalId } from '../../../../../plugins/models/declaration/naming.ts';
import { catalogManifest, catalogStatements } from '../../../../../plugins/models/plan/catalog/catalog.ts';
import {
  assumedInit,
  idleCost,
  monitorCost,
  monthlyCost,
  standingCost,
  sweepCost,
  total,
} from '../../../../../plugins/models/plan/cost.ts';
import { leastInstances } from '../../../../../plugins/models/plan/endpoint/cost.ts';
import {
  commonAuth,
  groupsOf,
  routeKey,
  routeProblems,
  routesOf,
} from '../../../../../plugins/models/plan/endpoint/routes.ts';
import { throttledStage } from '../../../../../plugins/models/plan/endpoint/stage.ts';
import { restoredRole, withoutOurs } from '../../../../../plugins/models/plan/iam/shared-role.ts';
import { inventory, resourceProblems } from '../../../../../plugins/models/plan/inventory.ts';
import {
  neededPolicy,
  planChanges,
  planFunctions,
  planProblems,
  versionedProperties,
} from '../../../../../plugins/models/plan/plan.ts';
import { capacityLine, capacityOf } from '../../../../../plugins/models/plan/release/capacity.ts';
import { serviceTimeout, settingsOf } from '../../../../../plugins/models/plan/release/settings.ts';
import { packagingNotices } from '../../../../../plugins/models/plan/report.ts';
import { declaredModels, FACTS, HOST as host, LAYER as layer } from '../../../../fixtures/service.ts';

const facts: Facts = {
  ...FACTS,
  signature: { inputs: [], outputs: [], omitted: [] },
  zipBytes: 1024 ** 3,
  unzippedBytes: 2000,
};

function input(declarations: Record<string, object>, rest: Partial<PlanInput> = {}): PlanInput {
  return {
    models: declaredModels(declarations),
    options: {},
    host,
    built: new Map(),
    zips: new Map(),
    ...rest,
  };
}
const built = (names: readonly string[], more: Partial<Facts> = {}): ReadonlyMap<string, Built> =>
  new Map(names.map((name) => [name, { facts: { ...facts, ...more }, layer, zip: `/out/${name}.zip` }]));

describe('routes', () => {
  const keys = (declarations: Record<string, object>): readonly string[] =>
    routesOf(declaredModels(declarations)).map(routeKey);

  it('of one model include the bare ones, of two they do not', () => {
    expect(keys({ churn: { http: {} } })).toEqual([
      'POST /v2/models/churn/infer',
      'POST /models/churn/invocations',
      'POST /invocations',
      'GET /v2/models/churn',
      'GET /v2/models/churn/{proxy+}',
      'POST /v2/models/churn/versions/{version}/infer',
      'GET /models/churn/ping',
      'GET /ping',
      'GET /v2',
      'GET /v2/health/live',
      'GET /v2/health/ready',
      'GET /openapi.json',
      'GET /docs',
    ]);
    const two = keys({ churn: { http: {} }, fraud: { http: {} } });
    expect(two).not.toContain('POST /invocations');
    expect(two).not.toContain('GET /ping');
  });

  it('begin with the prefix; models with the same prefix, slash or not, are one server', () => {
    const groups = groupsOf(
      declaredModels({ a: { http: { path: '/x' } }, b: { http: { path: '/x/' } }, c: { http: {} }, d: {} }),
    );
    expect(groups.map(({ path, models }) => [path, models.map(({ name }) => name)])).toEqual([
      ['/x', ['a', 'b']],
      ['/', ['c']],
    ]);
    expect(
      keys({ churn: { http: { path: '/v1' } } }).every((key) => key.split(' ')[1]?.startsWith('/v1/')),
    ).toBe(true);
  });

  it('of the whole prefix have the models’ common auth, iam where they differ', () => {
    const auth = (...auths: unknown[]) => {
      const [group] = groupsOf(
        declaredModels(Object.fromEntries(auths.map((auth, index) => [`m${index}`, { http: { auth } }]))),
      );
      return group && commonAuth(group);
    };
    expect(auth('none')).toBe('none');
    expect(auth('none', 'none')).toBe('none');
    expect(auth('none', 'iam')).toBe('iam');
    expect(auth({ authorizer: 'a' }, { authorizer: 'a' })).toEqual({ authorizer: 'a' });
    expect(auth({ authorizer: 'a' }, { authorizer: 'b' })).toBe('iam');
  });

  it('never open a model that is not open: every route of a guarded model is guarded', () => {
    const auth = fc.constantFrom('iam', 'none');
    fc.assert(
      fc.property(fc.array(auth, { minLength: 1, maxLength: 5 }), (auths) => {
        const declared = declaredModels(
          Object.fromEntries(auths.map((auth, index) => [`m${index}`, { http: { auth } }])),
        );
        for (const [index, auth] of auths.entries()) {
          const own = routesOf(declared).filter(
            ({ path }) => path.includes(`/m${index}/`) || path.endsWith(`/m${index}`),
          );
          expect(own.length).toBeGreaterThan(4);
          expect(own.every((route) => route.auth === auth)).toBe(true);
        }
        const open = routesOf(declared).filter((route) => route.auth === 'none');
        if (auths.every((auth) => auth === 'iam')) expect(open).toEqual([]);
      }),
    );
  });

  it('that CloudFormation could not tell apart are refused, also those of the service', () => {
    expect(
      routeProblems(
        declaredModels({ a: { http: { path: '/x.y' } }, b: { http: { path: '/xy' } } }),
        host,
      ).map(({ code }) => code),
    ).toContain('MODELS_ROUTE_TAKEN');
    const functions = { own: { events: [{ httpApi: 'get /docs' }] } };
    expect(routeProblems(declaredModels({ a: { http: {} } }), { ...host, functions })).toHaveLength(1);
    const other = {
      own: {
        events: [
          { httpApi: { method: 'get', path: '/other' } },
          { httpApi: '*' },
          // ANY to the framework, so not our GET /docs.
          { httpApi: '* /get/docs' },
          // Its own business, which was there before models were.
          { httpApi: 'GET /x' },
          { httpApi: 'GET /X' },
        ],
      },
    };
    expect(routeProblems(declaredModels({ a: { http: {} } }), { ...host, functions: other })).toEqual([]);
  });

  it('of a model’s own events are told from those of all models, and counted', () => {
    const events = [{ httpApi: 'GET /Docs' }, { httpApi: { method: 'post', path: '/score' } }];
    const declared = declaredModels({ a: { http: {} }, b: { function: { events } } });
    expect(routeProblems(declared, host)).toEqual([
      {
        code: 'MODELS_ROUTE_TAKEN',
        key: 'models',
        message: 'The route GET /docs of models-catalog cannot be told from GET /Docs of b.',
        fix: 'Give one of them another path.',
      },
    ]);
    // Where the framework only warns of what is no list.
    const functions = { own: { events: 'x' } } as unknown as typeof host.functions;
    expect(routeProblems(declaredModels({ a: { http: {} } }), { ...host, functions })).toEqual([]);
    const two = declaredModels({
      a: { function: { events: [{ httpApi: 'GET /score' }] } },
      b: { function: { events: [{ httpApi: 'GET /sco-re' }, { httpApi: 'GET /Score' }] } },
    });
    expect(routeProblems(two, host)).toMatchObject([
      {
        key: 'models.b.function.events',
        message: 'The route GET /Score of b cannot be told from GET /score of a.',
      },
    ]);
  });

  it.each([
    ['/v2', 'POST /v2/models/a/infer'],
    ['/models', 'POST /models/a/invocations'],
    ['/v2/models', 'POST /v2/models/a/infer'],
    ['/v2/models/a/versions/3', 'GET /v2/models/a/{proxy+}'],
    ['/docs', 'GET /docs'],
  ])('are not taken by the prefix %s of another model, which is refused', (path, route) => {
    expect(
      routeProblems(declaredModels({ a: { http: {} }, b: { http: { path } } }), host).filter(
        ({ value }) => value !== undefined,
      ),
    ).toEqual([
      {
        code: 'MODELS_ROUTE_TAKEN',
        key: 'models.b.http.path',
        value: path,
        message: `The prefix ${path} takes the route ${route} away from other models.`,
        fix: 'Use a prefix that no route of theirs begins with, for example /b.',
      },
    ]);
  });

  it.each([
    ['/', '/lab/v1'],
    ['/', '/v2x'],
    ['/', '/docs/a'],
    ['/', '/v2/health/live/b'],
    ['/lab', '/v2'],
    ['/v2/x', '/v2'],
  ])('of the prefix %s are not taken by the prefix %s', (path, other) => {
    const declared = declaredModels({ a: { http: { path } }, b: { http: { path: other } } });
    expect(routeProblems(declared, host)).toEqual([]);
  });

  it('whose ids CloudFormation would not take are refused, a problem a model', () => {
    const paths = (path: string) => routeProblems(declaredModels({ 'a-b': { http: { path } } }), host);
    // HttpApiRoutePost…V2ModelsADashbVersionsVersionVarInfer has 255.
    expect(paths(`/${'x'.repeat(202)}`)).toEqual([]);
    expect(paths(`/${'x'.repeat(203)}`)).toEqual([
      {
        code: 'MODELS_LIMIT',
        key: 'models.a-b.http.path',
        value: `/${'x'.repeat(203)}`,
        message:
          'makes an id of 256 characters for a route; CloudFormation takes 255, and a dash counts as four.',
        fix: 'Write a prefix that is shorter by 1.',
      },
    ]);
    expect(paths(`/${'x-'.repeat(60)}`)).toMatchObject([
      { message: expect.stringContaining('an id of 353') },
    ]);
  });

  it('beyond 300 are refused', () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`m${index}x`, { http: {} }]));
    expect(routeProblems(declaredModels(many), host).map(({ code }) => code)).toEqual(['MODELS_LIMIT']);
  });

  it('name authorizers that exist', () => {
    const declared = declaredModels({ a: { http: { auth: { authorizer: 'staff' } } } });
    expect(routeProblems(declared, host)).toMatchObject([{ code: 'MODELS_AUTHORIZER_UNKNOWN' }]);
    // The framework refuses authorizers beside an API of another stack: nobody is sent there.
    const external = { ...host, provider: { ...host.provider, httpApi: { id: 'abcdefghij' } } };
    const [problem] = routeProblems(declared, external);
    expect(problem?.message).toContain('belongs to another stack (provider.httpApi.id)');
    expect(problem?.fix).toMatch(/^Write iam or none; or leave `http` out, .* `httpApi` event of `function`/);
    expect(
      routeProblems(declared, { ...host, provider: { httpApi: { authorizers: { staff: {} } } } }),
    ).toEqual([]);
  });

  it('have the framework’s logical ids', () => {
    expect(routeLogicalId('GET /v2/models/churn-x/{proxy+}')).toBe(
      'HttpApiRouteGetV2ModelsChurnDashxProxyVar',
    );
  });
});

describe('the framework’s stage', () => {
  const stage = {
    Type: 'AWS::ApiGatewayV2::Stage',
    DependsOn: 'HttpApiLogGroup',
    Properties: { DefaultRouteSettings: { DetailedMetricsEnabled: true } },
  };
  const routes = routesOf(declaredModels({ churn: { http: { throttle: { rate: 5, burst: 7 } } } }));

  it('has the limits of each route, keeps its own settings, and waits for the routes', () => {
    const { Properties, DependsOn } = throttledStage(stage, routes) as {
      Properties: { RouteSettings: Record<string, unknown> };
      DependsOn: string[];
    };
    expect(Object.keys(Properties.RouteSettings)).toEqual(routes.map(routeKey));
    expect(Properties.RouteSettings['POST /invocations']).toEqual({
      DetailedMetricsEnabled: true,
      ThrottlingRateLimit: 5,
      ThrottlingBurstLimit: 7,
    });
    expect(DependsOn).toEqual(['HttpApiLogGroup', ...routes.map((route) => routeLogicalId(routeKey(route)))]);
  });

  it('is the stack’s own where a variable leaves `provider.httpApi.id` empty, as the framework reads it', () => {
    const open = (id: unknown): PlanInput =>
      input({ churn: { http: {} } }, { host: { ...host, provider: { httpApi: { id } } } });
    const limited = (id: unknown) => planChanges(open(id), { HttpApiStage: stage }, []).HttpApiStage;
    for (const id of [null, '', undefined]) {
      expect(limited(id)).toMatchObject({ Properties: { RouteSettings: { 'POST /invocations': {} } } });
      expect(packagingNotices(open(id))).toEqual([]);
      expect(inventory(open(id))).toContainEqual({ what: 'HTTP API', name: 'dev-shop', resources: 2 });
    }
    const logged = { ...host, provider: { logs: { httpApi: true } } };
    expect(inventory(input({ churn: { http: {} } }, { host: logged }))).toContainEqual({
      what: 'HTTP API',
      name: 'dev-shop',
      resources: 3,
    });
    const named = (httpApi: Record<string, unknown>): unknown =>
      inventory(input({ churn: { http: {} } }, { host: { ...host, provider: { httpApi } } })).find(
        ({ what }) => what === 'HTTP API',
      )?.name;
    expect(named({ name: 'shop' })).toBe('shop');
    expect(named({ shouldStartNameWithService: true })).toBe('shop-dev');
    expect(limited('abc')).toBeUndefined();
    expect(inventory(open('abc')).map(({ what }) => what)).not.toContain('HTTP API');
  });
});

describe('functions', () => {
  it('are none without models, so that such a service is left alone', () => {
    expect(planFunctions(input({}))).toEqual({});
    expect(inventory(input({}))).toEqual([]);
  });

  it('have a catalog only where something is open', () => {
    expect(Object.keys(planFunctions(input({ churn: {} })))).toEqual(['churn', 'models-release']);
    expect(Object.keys(planFunctions(input({ churn: { http: {} } })))).toEqual([
      'churn',
      'models-catalog',
      'models-release',
    ]);
  });

  it('keep what the user wrote, and add what makes the endpoint', () => {
    const { churn } = planFunctions(
      input(
        {
          churn: {
            function: { environment: { A: '1' }, layers: ['mine'], events: [{ sqs: 'q' }], tags: { a: 'b' } },
            http: {},
          },
        },
        { built: built(['churn']) },
      ),
    );
    expect(churn).toMatchObject({
      environment: { A: '1', MODELS_LAYER: layer.sha256 },
      layers: [{ Ref: 'ModelsOnnxruntimeX8664LambdaLayer' }, 'mine'],
      tags: { a: 'b' },
      versionFunction: true,
      role: 'ChurnModelsRole',
      package: { artifact: '/out/churn.zip', individually: true },
    });
    expect(churn?.events?.[0]).toEqual({ sqs: 'q' });
  });

  it('use the role that the service or the model names, and say what it needs', () => {
    const provider = { iam: { role: 'arn:aws:iam::123456789012:role/shop' } };
    const named = input({ churn: { http: {} } }, { host: { ...host, provider } });
    expect(Object.values(planFunctions(named)).every((definition) => !('role' in definition))).toBe(true);
    expect(JSON.stringify(neededPolicy(named))).toContain('lambda:UpdateAlias');
    // Schedules take the role to invoke the worker, which has no version.
    expect(neededPolicy(named)?.Statement).toContainEqual({
      Effect: 'Allow',
      Action: ['lambda:InvokeFunction'],
      Resource: [arn('lambda', 'function:shop-dev-models-release')],
    });
    const own = input({ churn: { function: { role: 'MyRole' } } });
    expect(planFunctions(own).churn?.role).toBe('MyRole');
    expect(JSON.stringify(neededPolicy(own))).toContain('logs:PutLogEvents');
    expect(JSON.stringify(neededPolicy(own))).not.toContain('lambda:UpdateAlias');
    expect(neededPolicy(input({ churn: {} }))).toBeUndefined();
  });

  it('get a role of their own where a variable leaves nothing in that place, as the framework reads it', () => {
    const batch = [{ input: 's3://incoming/', output: 's3://scored/' }];
    for (const role of [null, '']) {
      const planned = [
        input({ churn: { batch, function: { role } } }),
        input({ churn: { batch } }, { host: { ...host, provider: { role } } }),
      ];
      for (const one of planned) {
        const { churn, 'churn-batch': second, 'models-release': worker } = planFunctions(one);
        expect([churn?.role, second?.role, worker?.role]).toEqual([
          'ChurnModelsRole',
          'ChurnDashbatchModelsRole',
          'ModelsDashreleaseModelsRole',
        ]);
        expect(neededPolicy(one)).toBeUndefined();
      }
    }
  });

  it('may invoke a destination as the framework sends there: through the alias of what has one', () => {
    const allowed = (onSuccess: string): unknown => {
      const functions = {
        own: { name: 'shop-dev-own' },
        kept: { name: 'shop-dev-kept', targetAlias: { name: 'provisioned', logicalId: 'K' } },
      };
      const declared = {
        churn: { function: { role: 'MyRole', destinations: { onSuccess } } },
        fraud: {},
        named: { function: { name: 'another' } },
      };
      const { Statement } = neededPolicy(input(declared, { host: { ...host, functions } })) as {
        Statement: readonly { Action: readonly string[]; Resource: unknown }[];
      };
      return Statement.find(({ Action }) => Action.includes('lambda:InvokeFunction'))?.Resource;
    };
    expect(allowed('fraud')).toEqual([arn('lambda', 'function:shop-dev-fraud:live')]);
    expect(allowed('named')).toEqual([arn('lambda', 'function:another:live')]);
    expect(allowed('own')).toEqual([arn('lambda', 'function:shop-dev-own')]);
    expect(allowed('kept')).toEqual([arn('lambda', 'function:shop-dev-kept:provisioned')]);
  });

  it('get room and permission for files that are fetched at start', () => {
    const remote = [{ path: 'model/model.onnx', sha256: 'f'.repeat(64), bytes: 700 * 1024 ** 2 }];
    const { churn } = planFunctions(
      input(
        { churn: {} },
        { built: built(['churn'], { remote }), options: { registry: { bucket: 'files' } } },
      ),
    );
    expect(churn?.ephemeralStorageSize).toBeGreaterThan(700);
    expect(churn?.environment).toMatchObject({
      MODELS_FILES_BUCKET: 'files',
      MODELS_FILES_PREFIX: 'models/files/',
    });
  });

  it('have names that Lambda takes', () => {
    expect(
      planProblems(declaredModels({ ['a'.repeat(40)]: {} }), { ...host, service: 's'.repeat(30) }),
    ).toMatchObject([{ code: 'MODELS_INVALID_NAME' }]);
  });
});

describe('the catalog', () => {
  const declared = declaredModels({ churn: { http: {} }, fraud: {} });

  it('may invoke the models that it serves, and nothing else', () => {
    const own = catalogStatements(declared, host).filter(({ Action }) => String(Action).includes('lambda:'));
    // Not the function itself, which may have code that nobody published.
    expect(own).toEqual([
      {
        Effect: 'Allow',
        Action: ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
        Resource: [arn('lambda', 'function:shop-dev-churn:*')],
      },
      {
        Effect: 'Allow',
        Action: ['lambda:ListVersionsByFunction'],
        Resource: [arn('lambda', 'function:shop-dev-churn')],
      },
    ]);
  });

  it('knows what was inspected', () => {
    const known = new Map([['churn', facts]]);
    const versions = { plugin: '1.0.0', runtime: '1.30.0' };
    expect(catalogManifest(declared, host, known, versions)).toMatchObject({
      service: 'shop-dev',
      groups: [
        {
          path: '/',
          auth: 'iam',
          bare: 'churn',
          models: [{ name: 'churn', function: 'shop-dev-churn', auth: 'iam' }],
        },
      ],
    });
    expect(catalogManifest(declaredModels({ fraud: {} }), host, known, versions)).toBeUndefined();
  });
});

describe('versions', () => {
  it('outlive the template that made them, unless its deploy fails', () => {
    expect(kept({ Type: 'AWS::Lambda::Version', DeletionPolicy: 'Retain' })).toEqual({
      Type: 'AWS::Lambda::Version',
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
  });
});

describe('the shared role', () => {
  const statement = (action: string, resources: readonly string[]) => ({
    Effect: 'Allow' as const,
    Action: [action],
    Resource: resources,
  });
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const list = fc.array(fc.record({ action: fc.constantFrom('sqs:X', 'sns:Y'), resource: name }), {
    maxLength: 6,
  });

  it('is what it would be without ours, whatever each side needs', () => {
    fc.assert(
      fc.property(list, list, (users, ours) => {
        const needs = (side: typeof users) =>
          side.map(({ action, resource }) => statement(action, [resource]));
        // As the framework does for queues: one statement an action, a resource once for each function.
        const merged = (side: typeof users) =>
          ['sqs:X', 'sns:Y'].flatMap((action) => {
            const resources = side.filter((need) => need.action === action).map(({ resource }) => resource);
            return resources.length === 0 ? [] : [statement(action, resources)];
          });
        const restored = withoutOurs(merged([...users, ...ours]), new Set(), needs(ours), needs(users));
        const sorted = (statements: readonly { Action?: unknown; Resource?: unknown }[]) =>
          statements.map(({ Action, Resource }) => [Action, [Resource].flat().map(String).sort()]);
        expect(sorted(restored)).toEqual(sorted(merged(users)));
      }),
    );
  });

  it('keeps what a model needs that names it', () => {
    const group = (name: string, more = ''): object => arn('logs', `log-group:/aws/lambda/${name}:*${more}`);
    const both = ['mine', 'theirs'];
    const made = {
      Properties: {
        AssumeRolePolicyDocument: {},
        ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole'],
        Policies: [
          {
            PolicyDocument: {
              Statement: [
                {
                  Effect: 'Allow',
                  Action: ['logs:CreateLogStream', 'logs:CreateLogGroup', 'logs:TagResource'],
                  Resource: both.map((one) => group(one)),
                },
                {
                  Effect: 'Allow',
                  Action: ['logs:PutLogEvents'],
                  Resource: both.map((one) => group(one, ':*')),
                },
              ],
            },
          },
        ],
      },
    };
    const vpc = { subnetIds: ['subnet-1'] };
    const left = (role: unknown) =>
      restoredRole(
        made,
        {},
        { a: { name: 'mine', role: 'AModelsRole', vpc }, b: { name: 'theirs', role, vpc } },
        host,
      );
    const text = (role: unknown): string => JSON.stringify(left(role));
    for (const role of ['IamRoleLambdaExecution', { 'Fn::GetAtt': ['IamRoleLambdaExecution', 'Arn'] }]) {
      expect(text(role)).toContain('/theirs:*:*');
      expect(text(role)).toContain('AWSLambdaVPCAccessExecutionRole');
      expect(text(role)).not.toContain('/mine:');
    }
    for (const role of ['BModelsRole', 'arn:aws:iam::123456789012:role/x', undefined])
      expect(text(role)).not.toMatch(/theirs|VPCAccess/);
  });

  it('keeps the very statements that the user wrote', () => {
    const written = statement('sqs:X', ['a']);
    expect(withoutOurs([written], new Set([written]), [statement('sqs:X', ['a'])], [])).toEqual([written]);
  });

  it('keeps a policy for VPCs that the user named', () => {
    const policy = 'arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole';
    const role = {
      Properties: {
        ManagedPolicyArns: [policy],
        AssumeRolePolicyDocument: {},
        Policies: [{ PolicyDocument: { Statement: [] } }],
      },
    };
    const provider = { iam: { role: { managedPolicies: [policy] } } };
    expect(JSON.stringify(restoredRole(role, {}, {}, { ...host, provider }))).toContain(policy);
    expect(JSON.stringify(restoredRole(role, {}, {}, host))).not.toContain(policy);
  });
});

describe('cost', () => {
  const [model] = declaredModels({ churn: { memory: 1024, http: {}, traffic: '1/s' } });

  it('is AWS’s arithmetic: requests, GB-seconds, gateway, logs', () => {
    if (model === undefined) throw new Error('no model');
    const cost = monthlyCost(model, facts, 1, 0.1);
    expect(cost.requests).toBeCloseTo(2.592 * 0.2, 9);
    expect(cost.compute).toBeCloseTo(2_592_000 * 0.1005 * 0.0000166667, 9);
    expect(cost.http).toBeCloseTo(2.592, 9);
    // Requests, errors, latency, cold starts and rejections, by model and by version.
    expect(cost.metrics).toBeCloseTo(10 * 0.3, 9);
    const { requests, compute, coldStarts, http, logs, metrics } = cost;
    expect(total(cost)).toBeCloseTo(requests + compute + coldStarts + http + logs + metrics, 9);
    expect(monthlyCost({ ...model, architecture: 'arm64' }, facts, 1, 0.1).compute).toBeLessThan(
      cost.compute,
    );
  });

  it('is of whole milliseconds, as Lambda bills: half a one more on average, and never less than one', () => {
    if (model === undefined) throw new Error('no model');
    const compute = (duration: number): number => monthlyCost(model, facts, 1, duration).compute;
    // Times that are spread evenly over a millisecond, each rounded up, and what they are on average.
    const times = Array.from({ length: 1000 }, (_, i) => 0.003 + (i + 0.5) / 1e6);
    const billed = times.reduce((sum, time) => sum + Math.ceil(time * 1000) / 1000, 0) / times.length;
    expect(compute(0.0035)).toBeCloseTo(2_592_000 * billed * 0.0000166667, 9);
    expect(compute(0.0002)).toBeCloseTo(2_592_000 * 0.001 * 0.0000166667, 9);
  });

  it('grows with traffic and time, and is nothing without requests', () => {
    if (model === undefined) throw new Error('no model');
    const positive = fc.double({ min: 0, max: 1e4, noNaN: true });
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a];
        // Less traffic may meet more cold starts, and cost more of those.
        const warm = (traffic: number, duration: number): number =>
          total({ ...monthlyCost(model, facts, traffic, duration), coldStarts: 0 });
        expect(warm(less, 0.1)).toBeLessThanOrEqual(warm(more, 0.1));
        expect(warm(1, less)).toBeLessThanOrEqual(warm(1, more));
      }),
    );
    expect(total(monthlyCost(model, facts, 0, 0.1))).toBe(0);
  });

  it('of /tmp is what it has beyond 512 MB: asked, or for files that are read at start', () => {
    const computeOf = (given: object, remote: Facts['remote'] = []): number => {
      const [one] = declaredModels({ churn: { memory: 1024, ...given } });
      if (one === undefined) throw new Error('no model');
      return monthlyCost(one, { ...facts, remote }, 1, 0.1).compute;
    };
    const seconds = 2_592_000 * 0.1005;
    const asked = computeOf({ function: { ephemeralStorageSize: 2560 } });
    expect(asked - computeOf({})).toBeCloseTo(seconds * 2 * 0.0000000309, 9);
    const file = (bytes: number) => [{ path: 'm.onnx', sha256: '', bytes }];
    expect(computeOf({}, file(300 * 1024 ** 2))).toBe(computeOf({}));
    expect(computeOf({}, file(960 * 1024 ** 2)) - computeOf({})).toBeCloseTo(
      (seconds * 512 * 0.0000000309) / 1024,
      9,
    );
  });

  it('of a model without a log has neither lines nor metrics, which are lines', () => {
    const costOf = (given: object) => {
      const [one] = declaredModels({ churn: { latency: { p95: 100 }, function: given } });
      if (one === undefined) throw new Error('no model');
      const { logs, metrics } = monthlyCost(one, facts, 1, 0.1);
      return { logs, metrics };
    };
    expect(costOf({ disableLogs: true })).toEqual({ logs: 0, metrics: 0 });
    // A role of the user's may write a log all the same.
    expect(costOf({ disableLogs: true, role: 'Mine' })).toEqual(costOf({}));
    expect(costOf({}).metrics).toBeGreaterThan(0);
  });

  it('of what stands is alarms by their metrics, and instances by the hour, at the least', () => {
    const standing = (rest: object) => {
      const [one] = declaredModels({ churn: { memory: 1024, ...rest } });
      if (one === undefined) throw new Error('no model');
      return { least: leastInstances(one), ...standingCost(one, host) };
    };
    expect(standing({}).alarms).toBeCloseTo(1.1, 9);
    expect(standing({}).sweep).toBeCloseTo(0.3, 9);
    expect(standing({}).provisioned).toBe(0);
    expect(standing({ latency: { p95: 100 } }).alarms).toBeCloseTo(1.3, 9);
    const provisioned = { min: 2, max: 20 };
    const one = standing({ concurrency: { provisioned: 1 } });
    expect(one.provisioned).toBeCloseTo(2_592_000 * 0.0000041667, 9);
    expect(standing({ concurrency: { provisioned } }).least).toBe(2);
    const schedule = { days: 'mon-fri', from: '08:00', to: '20:00', timezone: 'UTC', min: 10, max: 50 };
    // 60 of 168 hours.
    expect(standing({ concurrency: { provisioned, schedule } }).least).toBeCloseTo(2 + (8 * 60) / 168, 9);
  });

  it('of cold starts is INIT of those that find nothing warm: most of a month of few requests', () => {
    if (model === undefined) throw new Error('no model');
    // 100 a day: of gaps of 14 minutes on average, 71 % are longer than an instance is taken to stay.
    const rare = monthlyCost(model, facts, 100 / 86_400, 0.05);
    const cold = Math.exp((-300 * 100) / 86_400);
    expect(rare.coldStarts).toBeCloseTo(3000 * cold * 0.5 * 0.0000166667, 5);
    expect(rare.coldStarts / rare.compute).toBeCloseTo(7, 1);
    expect(monthlyCost(model, facts, 100 / 86_400, 0.05, 2).coldStarts).toBeCloseTo(4 * rare.coldStarts, 9);
    const often = monthlyCost(model, facts, 50, 0.05);
    expect(often.coldStarts / often.compute).toBeLessThan(0.001);
    // What is read from S3 at start takes its time.
    const remote = [{ path: 'm.onnx', sha256: '', bytes: 300e6 }];
    expect(assumedInit({ ...facts, remote })).toBeCloseTo(4.8, 6);
    // With one that is kept only what comes at the same time starts another.
    const [kept] = declaredModels({ churn: { memory: 1024, concurrency: { provisioned: 1 } } });
    if (kept === undefined) throw new Error('no model');
    expect(monthlyCost(kept, facts, 100 / 86_400, 0.05).coldStarts).toBeLessThan(0.001 * rare.coldStarts);
  });

  it('of requests that provisioned instances answer is their own, and on demand of those beyond', () => {
    const [one] = declaredModels({ churn: { memory: 1024, concurrency: { provisioned: 1 } } });
    if (one === undefined) throw new Error('no model');
    const beyond = 0.1 / 1.1;
    const price = beyond * 0.0000166667 + (1 - beyond) * 0.0000097222;
    expect(monthlyCost(one, facts, 1, 0.1).compute).toBeCloseTo(2_592_000 * 0.1005 * price, 9);
    const schedule = { days: 'daily', from: '00:00', to: '12:00', timezone: 'UTC', min: 9, max: 9 };
    const [half] = declaredModels({ churn: { memory: 1024, concurrency: { provisioned: 1, schedule } } });
    if (half === undefined) throw new Error('no model');
    const less = (beyond / 2) * 0.0000166667 + (1 - beyond / 2) * 0.0000097222;
    expect(monthlyCost(half, facts, 1, 0.1).compute).toBeCloseTo(2_592_000 * 0.1005 * less, 6);
  });

  // As docs/drift.md has them.
  it.each([
    ['the monitor alone', false, 20, 0, 0, 1.2],
    ['four inputs and an answer, by CloudWatch', true, 4, 1, 0, 6.4],
    ['classes beside them', true, 4, 1, 1, 6.8],
    ['the most', true, 4, 4, 0, 8.8],
  ])('of drift is metrics and alarms: %s', (_, native, inputs, answers, classes, dollars) => {
    const signals = (count: number, of: 'input' | 'output', kind: 'numeric' | 'category') =>
      Array.from({ length: count }, (_, i) => {
        const name = `${of}_${kind}_${i}`;
        return { name, label: name, of, kind, phi: 1, m: 9000 };
      });
    const watched = [
      ...signals(inputs, 'input', 'numeric'),
      ...signals(answers, 'output', 'numeric'),
      ...signals(classes, 'output', 'category'),
    ];
    const drift = { sha256: '', bytes: 1, rows: 9000, native, signals: watched };
    const own = { ...facts, drift };
    const cost = (given: object, rate: number) => {
      const [one, without] = ['drift', 'none'].map((key) =>
        declaredModels({ churn: { ...(key === 'drift' && { drift: { baseline: 'a.csv', ...given } }) } }),
      );
      if (one?.[0] === undefined || without?.[0] === undefined) throw new Error('no model');
      const known = new Map([['churn', own]]);
      const stands = standingCost(one[0], host, known);
      const metrics =
        monthlyCost(one[0], own, rate, 0.1).metrics - monthlyCost(without[0], facts, rate, 0.1).metrics;
      return { drift: stands.drift, all: total(stands) - total(standingCost(without[0], host)) + metrics };
    };
    expect(cost({}, 5).all).toBeCloseTo(dollars, 9);
    expect(cost({}, 0).drift).toBeCloseTo(0.6, 9);
    expect(cost({ window: '1d' }, 0).drift).toBeCloseTo(0.6 / 24, 9);
    expect(cost({ window: '5m' }, 0).drift).toBeCloseTo(0.6, 9);
  });

  it('of the sweeps is 2,880 runs in a month of 30 days', () => {
    expect(sweepCost()).toBeCloseTo(2880 * (0.000001 + 0.0000002 + 0.5 * 0.0000166667), 9);
  });

  it('of the monitor of drift is 8,640 runs in a month of 30 days, and nothing without drift', () => {
    const watched = declaredModels({ churn: { drift: { baseline: 'a.csv' } }, fraud: {} });
    expect(monitorCost(watched)).toBeCloseTo(8640 * (0.0000002 + 0.0000166667), 9);
    expect(monitorCost(declaredModels({ fraud: {} }))).toBe(0);
  });

  it('idle is the storage of packages: five of each', () => {
    expect(idleCost([facts], 0)).toBeCloseTo(5 * 0.023, 9);
  });
});

describe('capacity', () => {
  const line = (rest: object): string | undefined => {
    const [one] = declaredModels({ churn: rest });
    const capacity = one && capacityOf(one);
    return capacity && capacityLine(capacity);
  };

  it('is told where there is any, with twice the peak during a release', () => {
    expect(line({})).toBeUndefined();
    expect(line({ concurrency: {} })).toBeUndefined();
    expect(line({ concurrency: { reserved: 5 } })).toBe('5 reserved');
    expect(line({ function: { reservedConcurrency: 5 } })).toBe('5 reserved');
    expect(line({ concurrency: { provisioned: 3 } })).toBe(
      '3 provisioned instances; up to 6 during a release',
    );
    expect(line({ concurrency: { provisioned: 1 } })).toBe(
      '1 provisioned instance; up to 2 during a release',
    );
    const schedule = { days: 'sat,sun', from: '08:00', to: '20:30', timezone: 'UTC', min: 10, max: 50 };
    expect(line({ concurrency: { provisioned: { min: 2, max: 20 }, reserved: 100, schedule } })).toBe(
      '2 to 20 provisioned instances; 10 to 50 on SAT, SUN, 08:00 to 20:30 UTC; up to 100 during a release; 100 reserved',
    );
    const blueGreen = { provisioned: 3 };
    expect(line({ concurrency: blueGreen, release: { strategy: 'blueGreen' } })).toBe(
      '3 provisioned instances; up to 6 during a release; up to 9 during one that begins within the rollbackWindow of the one before',
    );
    expect(line({ concurrency: blueGreen, release: { strategy: 'blueGreen', rollbackWindow: 0 } })).toBe(
      '3 provisioned instances; up to 6 during a release',
    );
  });
});

describe('what makes a version behave as it does', () => {
  it('leaves out what changes without a release: code by its identity, tags, reserved instances', () => {
    const compiled = (more: object) =>
      versionedProperties({ Properties: { MemorySize: 1769, Code: { S3Key: 'a' }, ...more } });
    expect(compiled({ ReservedConcurrentExecutions: 5, Tags: [] })).toEqual(compiled({}));
    expect(compiled({ MemorySize: 512 })).not.toEqual(compiled({}));
  });

  it('is the same function whatever is declared of releases, alarms and warm instances', () => {
    const definition = (rest: object) =>
      planFunctions(input({ churn: rest }, { built: built(['churn']) })).churn;
    const release = { strategy: 'linear', rollbackWindow: '1h' };
    const rest = { release, latency: { p95: 50 }, concurrency: { provisioned: 3 }, traffic: '1/s' };
    expect(definition(rest)).toEqual(definition({}));
    expect(definition({ concurrency: { reserved: 6 } })).toEqual({
      ...definition({}),
      reservedConcurrency: 6,
    });
  });
});

describe('settings', () => {
  const settings = (rest: object, more: Partial<Facts> = {}) => {
    const [one] = declaredModels({ churn: rest });
    if (one === undefined) throw new Error('no model');
    return settingsOf(one, { ...facts, ...more });
  };

  it('are the same text for the same declaration, however it is written', () => {
    const one = { release: { maxWait: '2h', steps: [{ weight: '5%', bake: '10m' }] }, latency: { p95: 100 } };
    const other = {
      latency: { p95: '100' },
      release: { steps: [{ bake: 600, weight: 5 }], maxWait: '120m' },
    };
    expect(JSON.stringify(settings(one))).toBe(JSON.stringify(settings(other)));
  });

  it('hold cases by content, and schedules as AWS writes them', () => {
    const cases = { sha256: 'c'.repeat(64), bytes: 10, count: 2 };
    const schedule = [
      { days: 'mon-fri', from: '08:30', to: '20:00', timezone: 'Europe/Berlin', min: 10, max: 50 },
      { days: 'daily', from: '22:00', to: '23:05', timezone: 'Europe/Berlin', min: 1, max: 5 },
    ];
    const rest = { gate: { cases: 'c.jsonl' }, concurrency: { provisioned: 2, schedule } };
    expect(settings(rest, { cases })).toMatchObject({
      gate: { cases, tolerance: 1e-4 },
      capacity: {
        provisioned: { min: 2, max: 2, target: 0.7 },
        schedules: [
          { start: 'cron(30 8 ? * MON,TUE,WED,THU,FRI *)', end: 'cron(0 20 ? * MON,TUE,WED,THU,FRI *)' },
          { start: 'cron(0 22 ? * * *)', end: 'cron(5 23 ? * * *)' },
        ],
      },
    });
  });

  it('hold labelled rows by content, and of a metric what was written', () => {
    const labelled = { sha256: 'd'.repeat(64), bytes: 10, rows: 500, requests: 8, output: 'probabilities' };
    const metric = { cases: 'l.csv', name: 'auc', min: 0.8, worseThanLive: '1%', onNoData: 'pass' };
    const { output, ...cases } = labelled;
    expect(settings({ gate: { metric } }, { labelled }).gate).toEqual({
      tolerance: 1e-4,
      metric: { cases, name: 'auc', output, min: 0.8, worseThanLive: 0.01, onNoData: 'pass' },
    });
    const strict = { cases: 'l.csv', name: 'mae', max: 3, onNoData: 'refuse' };
    expect(settings({ gate: { metric: strict } }, { labelled }).gate?.metric).toEqual({
      cases,
      name: 'mae',
      output,
      max: 3,
    });
  });

  it('wait for gate and warming, an hour at most', () => {
    const asking = (more: object) => {
      const metric = { cases: 'l.csv', name: 'auc', min: 0.8, ...more };
      const [one] = declaredModels({ churn: { gate: { metric } } });
      if (one === undefined) throw new Error('no model');
      const labelled = { sha256: '', bytes: 0, rows: 500, requests: 8, output: 'y' };
      return serviceTimeout(one, { labelled }, 600);
    };
    expect(asking({})).toBe(600 + 2 * 10);
    expect(asking({ worseThanLive: '1%' })).toBe(600 + 4 * 10);
    const wait = (rest: object, count = 0) => {
      const [one] = declaredModels({ churn: rest });
      if (one === undefined) throw new Error('no model');
      return serviceTimeout(one, { cases: { sha256: '', bytes: 0, count } }, 600);
    };
    expect(wait({})).toBe(600);
    expect(wait({ gate: { cases: 'c', load: { rate: 5, duration: 60 } } })).toBe(600 + 60 + 10);
    expect(wait({ concurrency: { provisioned: 5 } })).toBe(1200);
    expect(wait({ gate: { cases: 'c' } }, 9)).toBe(600 + 3 * 10);
    expect(wait({ gate: { cases: 'c' } }, 10_000)).toBe(3600);
  });
});

describe('the inventory', () => {
  it('refuses more than a stack holds', () => {
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`m${index}x`, {}]));
    expect(resourceProblems(input(many))).toMatchObject([{ code: 'MODELS_LIMIT' }]);
    expect(resourceProblems(input({ churn: {} }))).toEqual([]);
  });
});
