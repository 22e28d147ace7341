/**
 * The contract of the seam `Feature`: what each one in the list holds to, so that the plan may fold over them
 * without knowing one.
 */
import { describe, expect, it } from 'vitest';
import type { Feature } from '../../../../../plugins/models/contracts/feature.ts';
import type { Host, Provider } from '../../../../../plugins/models/contracts/host.ts';
import type { Built, Endpoint, PlanInput } from '../../../../../plugins/models/contracts/input.ts';
import type { Facts, ServiceOptions } from '../../../../../plugins/models/declaration/model.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { FEATURES } from '../../../../../plugins/models/plan/features.ts';
import { foldOf } from '../../../../../plugins/models/plan/fold.ts';
import { footprint, madeApi } from '../../../../../plugins/models/plan/footprint.ts';
import { inventory } from '../../../../../plugins/models/plan/inventory.ts';
import {
  endpointOf,
  neededPolicy,
  planFunctions,
  planResources,
} from '../../../../../plugins/models/plan/plan.ts';
import { FACTS, HOST, LAYER } from '../../../../fixtures/service.ts';

const facts: Facts = {
  ...FACTS,
  signature: { inputs: [], outputs: [], omitted: [] },
  drift: { sha256: 'd', bytes: 1, rows: 1000, native: true, signals: [] },
};
const built: Built = {
  facts,
  layer: { architecture: 'x86_64', version: '1', sha256: 'l', bytes: 1, unzippedBytes: 2 },
  zip: '/out/a.zip',
};

const MODELS: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  'one that is asked directly': { churn: {} },
  'two with everything': {
    churn: {
      http: { auth: 'none' },
      batch: [{ input: 's3://rows/', output: 's3://scored/', create: true }],
      drift: { baseline: 'r.csv' },
      audit: { retention: 30 },
      latency: { p95: 100 },
      concurrency: { provisioned: 2 },
      function: { events: [{ schedule: 'rate(1 day)' }, { sns: 'news' }], url: true, maximumEventAge: 60 },
    },
    fraud: { http: { auth: 'iam' }, architecture: 'arm64' },
  },
};
const OPTIONS: Readonly<Record<string, object>> = {
  'nothing else': {},
  'a dashboard, and mails': { dashboard: true, alerts: 'ops@example.com' },
};
const ROLES: Readonly<Record<string, Provider>> = {
  'roles of their own': {},
  'the role of the provider': { iam: { role: 'arn:aws:iam::123456789012:role/all' } },
};

function inputOf(declared: object, custom: object, provider: Provider): PlanInput {
  const { models, options, problems } = parseModels(
    Object.fromEntries(
      Object.entries(declared).map(([name, rest]) => [name, { artifact: 'a.onnx', ...rest }]),
    ),
    { options: custom },
  );
  expect(problems).toEqual([]);
  const host: Host = { ...HOST, provider };
  return { models, options, host, built: new Map(models.map(({ name }) => [name, built])), zips: new Map() };
}
const endpointsOf = ({ models, host }: PlanInput): readonly Endpoint[] =>
  models.map((model) => {
    const layer = { ...LAYER, architecture: model.architecture };
    return endpointOf(model, host, { ...built, layer }, { endpoint: 'V1', batch: 'V2' }, 'f');
  });

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}

const cases = Object.entries(MODELS).flatMap(([models, declared]) =>
  Object.entries(OPTIONS).flatMap(([options, custom]) =>
    Object.entries(ROLES).map(([role, provider]) => ({
      name: `${models}, ${options}, ${role}`,
      input: frozen(inputOf(declared, custom, provider)),
    })),
  ),
);
const known = new Map([
  ['churn', facts],
  ['fraud', facts],
]);

/** All that a feature says of an input. */
function madeBy(feature: Feature, input: PlanInput) {
  const { models, host, options } = input;
  const fold = foldOf(FEATURES, host, known);
  const endpoints = endpointsOf(input);
  return {
    functions: feature.functions?.(input) ?? {},
    resources: feature.resources?.(input, endpoints, fold) ?? {},
    changes:
      feature.changes?.(input, frozen({ HttpApiStage: { Type: 'AWS::ApiGatewayV2::Stage' } }), endpoints) ??
      {},
    statements: feature.statements?.(input) ?? [],
    problems: feature.problems?.(models, host, options as ServiceOptions) ?? [],
    claims: feature.claims?.(input, fold) ?? [],
    alarms: models.flatMap((model) => feature.alarms?.(model, host, known, []) ?? []),
    graphs: models.flatMap((model) => feature.graphs?.(model, host, known) ?? []),
    standing: models.map((model) => feature.standing?.(model, host, fold) ?? {}),
    monthly: models.map(
      (model) => feature.monthly?.(model, facts, { requests: 1e6, duration: 0.1, init: 0.5 }) ?? {},
    ),
  };
}

describe.each(FEATURES.map((feature) => [feature.name, feature] as const))('the feature %s', (_, feature) => {
  it.each(cases)('says the same of the same, and changes nothing that it is given: $name', ({ input }) => {
    const made = madeBy(feature, input);
    expect(madeBy(feature, input)).toEqual(made);
    // Plain data: what CloudFormation gets is what the plan says.
    expect(JSON.parse(JSON.stringify(made.resources))).toEqual(made.resources);
  });

  it.each(cases)('asks for a policy where the service names the role, and makes none: $name', ({ input }) => {
    const { resources, statements } = madeBy(feature, input);
    const made = Object.values(resources).filter(({ Type }) => Type === 'AWS::IAM::Role');
    if (input.host.provider.iam === undefined) expect(statements).toEqual([]);
    else expect(made).toEqual([]);
    for (const statement of statements) expect(statement).toHaveProperty('Action');
  });

  it.each(cases)('costs no less than nothing: $name', ({ input }) => {
    const { standing, monthly } = madeBy(feature, input);
    for (const dollars of [...standing, ...monthly].flatMap((one) => Object.values(one)))
      expect(dollars).toBeGreaterThanOrEqual(0);
  });

  it.each(cases)('names what it adds, so that nothing is told by its type: $name', ({ input }) => {
    const { functions, resources, claims } = madeBy(feature, input);
    const claimed = new Set(claims.flatMap((claim) => claim.resources ?? []));
    const alarms = new Set(
      input.models
        .flatMap((model) => foldOf(FEATURES, input.host, known).alarms(model))
        .map((one) => one.logicalId),
    );
    for (const id of Object.keys(resources)) expect(claimed.has(id) || alarms.has(id), id).toBe(true);
    expect(claims.flatMap((claim) => claim.functions ?? [])).toEqual(
      expect.arrayContaining(Object.keys(functions)),
    );
  });
});

describe('together', () => {
  it('have one name each', () => {
    expect(new Set(FEATURES.map(({ name }) => name)).size).toBe(FEATURES.length);
  });

  it.each(cases)('add no id twice, and never one of the framework’s: $name', ({ input }) => {
    const all = FEATURES.map((feature) => madeBy(feature, input));
    const ids = all.flatMap(({ resources }) => Object.keys(resources));
    expect(new Set(ids).size).toBe(ids.length);
    const keys = all.flatMap(({ functions }) => Object.keys(functions));
    expect(new Set(keys).size).toBe(keys.length);
    const functions = planFunctions(input);
    const made = [...footprint(functions).values()].flat();
    expect(ids.filter((id) => made.includes(id))).toEqual([]);
    expect(Object.keys(planResources(input, endpointsOf(input))).sort()).toEqual(ids.sort());
  });

  it.each(cases)('are counted in full: $name', ({ input }) => {
    const functions = planFunctions(input);
    const count =
      Object.keys(planResources(input, endpointsOf(input))).length +
      new Set([...footprint(functions).values()].flat()).size +
      madeApi(functions, input.host).length;
    const items = inventory(input, known);
    expect(items.reduce((sum, { resources }) => sum + resources, 0)).toBe(count);
    // What nobody claims would be told by CloudFormation's type.
    expect(items.filter(({ what }) => what.includes('::') || what === 'resource')).toEqual([]);
  });

  it.each(cases)('say once what a role needs: $name', ({ input }) => {
    const policy = neededPolicy(input);
    expect(policy === undefined).toBe(input.host.provider.iam === undefined);
  });
});
