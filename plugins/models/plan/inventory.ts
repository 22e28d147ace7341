import { SWEEP_EVERY } from '../../../core/release/document/worker-contract.ts';
import type { Problem } from '../declaration/errors.ts';
import { ALIAS, alertsTopic, CATALOG, DRIFT, dashboardName, RELEASE } from '../declaration/naming.ts';
import { placeOf } from '../declaration/units.ts';
import { hasNamedRole, nameOf } from '../targets/lambda-zip/endpoint.ts';
import { type BatchModel, batching, batchName } from './batch/functions.ts';
import { madeBuckets, watchedBuckets } from './batch/resources.ts';
import { isObject } from './cloudformation.ts';
import { drifting } from './drift/monitor.ts';
import { providerRole } from './host.ts';
import type { PlanInput } from './input.ts';
import { isExternalApi, routeKey, routesOf } from './routes.ts';
import { allAlarms, type KnownFacts, mayRollBack } from './watch/alerts.ts';

/** What the models add to the stack: for people, and for counting before anything is compiled. */
export type Item = { readonly what: string; readonly name: string; readonly resources: number };

/** Everything that will be created, with the number of CloudFormation resources behind it. */
export function inventory(input: PlanInput, facts: KnownFacts = new Map()): readonly Item[] {
  const { models, host } = input;
  const { alerts } = input.options;
  if (models.length === 0) return [];
  const routes = routesOf(models);
  const named = providerRole(host.provider) !== undefined;
  const architectures = [...new Set(models.map(({ architecture }) => architecture))];
  return [
    ...models.flatMap((model): Item[] => [
      // The function, its version and its log group.
      { what: 'function', name: nameOf(model, host), resources: model.function.disableLogs ? 2 : 3 },
      { what: 'alias', name: `${nameOf(model, host)}:${ALIAS}`, resources: 1 },
      ...(hasNamedRole(model, host) ? [] : [{ what: 'role', name: `of ${model.name}`, resources: 1 }]),
      ...batching([model]).flatMap((one) => batchItems(one, input)),
      ...allAlarms(model, host, facts).map(({ name }) => ({ what: 'alarm', name, resources: 1 })),
      // Its integration and permission.
      ...(model.http === undefined ? [] : [{ what: 'HTTP integration', name: model.name, resources: 2 }]),
    ]),
    ...watchedBuckets(models).map((name) => ({ what: 'bucket events', name, resources: 1 })),
    // Its policy.
    ...madeBuckets(models).map((name) => ({ what: 'bucket', name, resources: 2 })),
    ...architectures.map((architecture) => ({
      what: 'layer',
      name: `ONNX Runtime, ${architecture}`,
      resources: 1,
    })),
    { what: 'function', name: `${host.service}-${host.stage}-${RELEASE}`, resources: named ? 2 : 3 },
    // Its log group, schedule, permission and role.
    ...(drifting(models).length === 0
      ? []
      : [{ what: 'function', name: `${host.service}-${host.stage}-${DRIFT}`, resources: named ? 4 : 5 }]),
    { what: 'schedule group', name: 'of the releases', resources: named ? 1 : 2 },
    { what: 'schedule', name: `sweep over the releases, every ${SWEEP_EVERY / 60} minutes`, resources: 1 },
    // Its policy, and how the worker hears of alarms.
    { what: 'topic', name: alertsTopic(host.service, host.stage), resources: mayRollBack(models) ? 4 : 2 },
    ...(alerts?.kind === 'email' ? [{ what: 'mail', name: `to ${alerts.to}`, resources: 1 }] : []),
    ...(input.options.dashboard
      ? [{ what: 'dashboard', name: dashboardName(host.service, host.stage), resources: 1 }]
      : []),
    ...(routes.length === 0
      ? []
      : [
          { what: 'function', name: `${host.service}-${host.stage}-${CATALOG}`, resources: named ? 4 : 5 },
          ...(isExternalApi(host) || usersHaveApi(input)
            ? []
            : [{ what: 'HTTP API', name: `${host.stage}-${host.service}`, resources: 2 }]),
          ...routes.map((route) => ({
            what: 'route',
            name: `${routeKey(route)} (${authOf(route.auth)})`,
            resources: 1,
          })),
        ]),
  ];
}

function batchItems(model: BatchModel, { host }: PlanInput): readonly Item[] {
  const name = batchName(model, host);
  const own = hasNamedRole(model, host) ? 0 : 1;
  return [
    // The function, its version, its log group, its role, and what reads the queue.
    { what: 'function', name, resources: (model.function.disableLogs ? 3 : 4) + own },
    // The one of failed objects, and the policy of both.
    { what: 'queue', name, resources: 3 },
    ...model.batch.entries.map(({ input }) => ({
      what: 'rule',
      name: placeOf(input),
      resources: 1,
    })),
    { what: 'state machine', name, resources: providerRole(host.provider) === undefined ? 2 : 1 },
  ];
}

const authOf = (auth: string | { readonly authorizer: string }): string =>
  typeof auth === 'string' ? auth : auth.authorizer;

function usersHaveApi({ host }: PlanInput): boolean {
  return Object.values(host.functions).some(({ events = [] }) =>
    events.some((event) => isObject(event) && 'httpApi' in event),
  );
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const RESOURCES = 500;

/** Too many for one stack, as far as that can be told before the framework has compiled the service's own functions. */
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
