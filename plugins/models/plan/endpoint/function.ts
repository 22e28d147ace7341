import type { Resource, Statement } from '../../contracts/cloudformation.ts';
import { type FunctionDefinition, type Host, hasNamedRole, nameOf } from '../../contracts/host.ts';
import type { Built, PlanInput } from '../../contracts/input.ts';
import type { Facts, Model, ServiceOptions } from '../../declaration/model.ts';
import { roleLogicalId } from '../../declaration/naming.ts';
import { targetOf } from '../../targets/targets.ts';
import { roleOf, statementsOf } from '../iam/role.ts';
import { httpEvent, routesOf } from './routes.ts';

/** The model's function, as the framework reads functions. */
export function endpointFunction(
  model: Model,
  models: readonly Model[],
  host: Host,
  options: ServiceOptions,
  built?: Built,
): FunctionDefinition {
  const { events, layers: _layers, ...given } = model.function;
  const routes = routesOf(models).filter((route) => route.function === model.name);
  return {
    ...given,
    name: nameOf(model, host),
    memorySize: model.memory,
    timeout: model.timeout,
    architecture: model.architecture,
    ...(model.concurrency?.reserved !== undefined && { reservedConcurrency: model.concurrency.reserved }),
    versionFunction: true,
    events: [...(Array.isArray(events) ? events : []), ...routes.map(httpEvent)],
    ...(!hasNamedRole(model, host) && { role: roleLogicalId(model.name) }),
    ...targetOf(model).properties(model, host, options, built, 'infer'),
  };
}

/**
 * What the model's role must allow: for its own role, or for a person to add to the one that the service
 * names.
 */
export function endpointStatements(
  model: Model,
  { models, host, options }: PlanInput,
  facts?: Facts,
): readonly Statement[] {
  const own = targetOf(model).statements(facts, host, options);
  return statementsOf(model.function, nameOf(model, host), host, own, models);
}

/** The model's own role. */
export function endpointRole(model: Model, input: PlanInput, facts: Facts): Resource {
  const statements = [
    ...endpointStatements(model, input, facts),
    ...(model.iam.statements as readonly Statement[]),
  ];
  return roleOf(model.function, input.host, statements, model.iam.managedPolicies);
}
