import type { Json } from '../../contracts/cloudformation.ts';
import type { Claim, Feature } from '../../contracts/feature.ts';
import { hasNamedRole, nameOf } from '../../contracts/host.ts';
import type { PlanInput } from '../../contracts/input.ts';
import { HTTP_LOG, HTTP_STAGE, roleLogicalId, routeLogicalId } from '../../declaration/naming.ts';
import { TARGETS, targetOf } from '../../targets/targets.ts';
import { isScheduled } from '../iam/permissions.ts';
import { imageFunctions } from '../image/image-functions.ts';
import { ENDPOINT_ALARMS } from './alarms.ts';
import { requestCost, warmCost } from './cost.ts';
import { endpointFunction, endpointRole, endpointStatements } from './function.ts';
import { ENDPOINT_GRAPHS } from './graphs.ts';
import { layerProblems } from './layers.ts';
import { nameProblems } from './names.ts';
import { apiName, type HttpRoute, isExternalApi, routeKey, routeProblems, routesOf } from './routes.ts';
import { throttledStage } from './stage.ts';
import { variableProblems } from './variables.ts';

const authOf = ({ auth }: HttpRoute): string => (typeof auth === 'string' ? auth : auth.authorizer);

const claims = ({ models, host }: PlanInput): readonly Claim[] => [
  ...models.flatMap((model): Claim[] => [
    { what: 'function', name: nameOf(model, host), functions: [model.name] },
    { what: 'role', name: `of ${model.name}`, resources: [roleLogicalId(model.name)] },
  ]),
  ...TARGETS.flatMap((target) => target.claims(models.filter((model) => targetOf(model) === target))),
  { what: 'HTTP API', name: apiName(host), resources: ['HttpApi', HTTP_LOG, HTTP_STAGE] },
  ...routesOf(models).map((route) => ({
    what: 'route',
    name: `${routeKey(route)} (${authOf(route)})`,
    resources: [routeLogicalId(routeKey(route))],
  })),
];

/** A function a model, its role, the layer that it runs in, and its routes. */
export const endpointFeature: Feature = {
  name: 'endpoint',
  functions: ({ models, host, options, built }) =>
    Object.fromEntries(
      models.map((model) => [
        model.name,
        endpointFunction(model, models, host, options, built.get(model.name)),
      ]),
    ),
  resources: (input, endpoints) => ({
    ...Object.assign(
      {},
      ...TARGETS.map((target) =>
        target.resources(
          input.host,
          endpoints.flatMap(({ model, layer }) =>
            targetOf(model) === target && layer !== undefined ? [layer] : [],
          ),
        ),
      ),
    ),
    ...Object.fromEntries(
      endpoints
        .filter(({ model }) => !hasNamedRole(model, input.host))
        .map(({ model, facts }) => [roleLogicalId(model.name), endpointRole(model, input, facts)]),
    ),
  }),
  changes: ({ models, host }, compiled, endpoints) => {
    const [stage, routes] = [compiled[HTTP_STAGE], routesOf(models)];
    const isOurs = stage !== undefined && routes.length > 0 && !isExternalApi(host);
    return {
      ...(isOurs && { [HTTP_STAGE]: throttledStage(stage, routes) }),
      ...imageFunctions(endpoints, host, compiled),
    };
  },
  statements: (input) =>
    input.models
      .filter((model) => hasNamedRole(model, input.host))
      .flatMap((model) => [
        ...endpointStatements(model, input, input.built.get(model.name)?.facts),
        ...(model.iam.statements as readonly Json[]),
      ]),
  trusted: ({ models, host }) =>
    models.some((model) => hasNamedRole(model, host) && isScheduled(model.function))
      ? ['scheduler.amazonaws.com']
      : [],
  problems: (models, host) => [
    ...nameProblems(models, host),
    ...routeProblems(models, host),
    ...layerProblems(models, host),
    ...variableProblems(models, host),
  ],
  claims,
  alarmKinds: ENDPOINT_ALARMS,
  graphs: (model, host) => ENDPOINT_GRAPHS.map((graph) => graph(model, nameOf(model, host), host)),
  standing: warmCost,
  monthly: requestCost,
};
