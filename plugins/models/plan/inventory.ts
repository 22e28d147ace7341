import type { Claim, Known } from '../contracts/feature.ts';
import type { PlanInput } from '../contracts/input.ts';
import type { Facts, LayerFacts, Model } from '../declaration/model.ts';
import type { Problem } from '../problems/errors.ts';
import { FEATURES } from './features.ts';
import { foldOf } from './fold.ts';
import { footprint, madeApi } from './footprint.ts';
import { endpointOf, planFunctions, planResources } from './plan.ts';
import { RESOURCES } from './template.ts';

/** What the models add to the stack: for people, and for counting before anything is compiled. */
export type Item = { readonly what: string; readonly name: string; readonly resources: number };

/**
 * Everything that will be created, with the number of CloudFormation resources behind it: the features'
 * resources are planned and counted, what the framework makes of their functions is added, and each feature
 * says what they are called.
 *
 * @param facts of the models that are packaged; without them the alarms of drift are not counted
 */
export function inventory(input: PlanInput, facts: ReadonlyMap<string, Facts> = new Map()): readonly Item[] {
  if (input.models.length === 0) return [];
  const functions = planFunctions(input);
  const made = footprint(functions);
  const left = new Map<string, string>([
    // Made by the framework, and claimed with their functions.
    ...[...made.values()].flat().map((id) => [id, 'resource'] as const),
    ...madeApi(functions, input.host).map((id) => [id, 'resource'] as const),
    ...Object.entries(planResources(input, endpointsOf(input, facts))).map(
      ([id, { Type }]) => [id, Type] as const,
    ),
  ]);
  const known: Known = facts;
  const fold = foldOf(FEATURES, input.host, known);
  const claims = FEATURES.flatMap(({ claims }) => claims?.(input, fold) ?? []);
  const take = (ids: readonly string[]): number => ids.filter((id) => left.delete(id)).length;
  // What has a name of its own first: a function's routes are of the function, too.
  const named = new Map(claims.map((claim) => [claim, take(claim.resources ?? [])]));
  const whole = (claim: Claim): number =>
    (named.get(claim) ?? 0) + take((claim.functions ?? []).flatMap((key) => made.get(key) ?? []));
  const items = claims.map((claim) => ({ what: claim.what, name: claim.name, resources: whole(claim) }));
  return [
    ...items.filter(({ resources }) => resources > 0),
    ...[...left].map(([name, what]) => ({ what, name, resources: 1 })),
  ];
}

/** What is not packaged yet: which resources there will be does not follow from it. */
const UNPACKAGED: Facts = {
  identity: '',
  source: '',
  sourceBytes: 0,
  signature: { inputs: [], outputs: [], omitted: [] },
  opset: 0,
  optimized: true,
  zipBytes: 0,
  unzippedBytes: 0,
  runtimeBytes: 0,
  remote: [],
  notices: [],
};

function endpointsOf({ models, host }: PlanInput, facts: ReadonlyMap<string, Facts>) {
  return models.map((model: Model) => {
    const layer: LayerFacts = {
      architecture: model.architecture,
      version: '',
      sha256: '',
      bytes: 0,
      unzippedBytes: 0,
    };
    const built = { facts: facts.get(model.name) ?? UNPACKAGED, layer, zip: '' };
    return endpointOf(model, host, built, { endpoint: '', batch: undefined }, '');
  });
}

/**
 * Too many for one stack, as far as that can be told before the framework has compiled the service's own
 * functions.
 */
export function resourceProblems(input: PlanInput): readonly Problem[] {
  const count = inventory(input).reduce((sum, { resources }) => sum + resources, 0);
  if (count <= RESOURCES) return [];
  return [
    {
      code: 'MODELS_LIMIT',
      key: 'models',
      message: `need ${count} resources; a CloudFormation stack takes ${RESOURCES}.`,
      fix: 'Split the models over several services.',
    },
  ];
}
