import { isObject } from '../../../../core/json/is-object.ts';
import { allow, arn, type Json, type Statement } from '../../contracts/cloudformation.ts';
import { type FunctionDefinition, type Host, roleSettings } from '../../contracts/host.ts';
import { functionLogicalId } from '../../declaration/naming.ts';
import { frameworkStatements, isScheduled } from './permissions.ts';

type Functions = Readonly<Record<string, FunctionDefinition>>;
type Policy = Json & { readonly PolicyDocument: Json & { readonly Statement: readonly Json[] } };

const VPC_POLICY = 'service-role/AWSLambdaVPCAccessExecutionRole';

/**
 * The framework's shared role as it would be without our functions: it is widened by what every function
 * needs, also by one that has a role of its own. A service's own functions stay untouched beside models.
 *
 * @param resources of the compiled template
 */
export function restoredRole(role: Json, resources: Json, ours: Functions, host: Host): Json {
  const properties = isObject(role.Properties) ? role.Properties : {};
  const [policy, ...others] = (properties.Policies ?? []) as readonly Policy[];
  if (policy === undefined) return role;
  const settings = roleSettings(host.provider);
  const kept = new Set<unknown>([settings.statements ?? host.provider.iamRoleStatements ?? []].flat());
  const statements = withoutOurs(
    policy.PolicyDocument.Statement,
    kept,
    needs(ours, resources, host),
    needs(host.functions, resources, host),
  );
  const { ManagedPolicyArns: managed, ...rest } = properties;
  const policies = managedWithoutOurs(managed, host);
  return {
    ...role,
    Properties: {
      ...rest,
      ...(!Object.values(host.functions).some(isScheduled) && {
        AssumeRolePolicyDocument: withoutScheduler(properties.AssumeRolePolicyDocument),
      }),
      ...(policies.length > 0 && { ManagedPolicyArns: policies }),
      Policies: [
        { ...policy, PolicyDocument: { ...policy.PolicyDocument, Statement: statements } },
        ...others,
      ],
    },
  };
}

/** What these functions make the framework add to its role, in its own words. */
function needs(functions: Functions, resources: Json, host: Host): readonly Statement[] {
  const prefix = `${host.service}-${host.stage}`;
  const logs = `log-group:/aws/lambda/${prefix}*:*`;
  return [
    ...Object.values(functions).flatMap((definition) => [
      ...frameworkStatements(definition, host.provider, () => undefined),
      ...(definition.name?.startsWith(prefix) && !definition.disableLogs
        ? [
            allow(['logs:CreateLogStream', 'logs:CreateLogGroup', 'logs:TagResource'], [arn('logs', logs)]),
            allow(['logs:PutLogEvents'], [arn('logs', `${logs}:*`)]),
          ]
        : []),
      ...(isScheduled(definition) ? [scheduleStatement(definition)] : []),
    ]),
    ...mappedSources(resources, new Set(Object.keys(functions).map(functionLogicalId))).map((source) =>
      allow(['kinesis:SubscribeToShard'], [source]),
    ),
  ];
}

function scheduleStatement({ name }: FunctionDefinition): Statement {
  const target = arn('lambda', `function:${name}`);
  return allow(['lambda:InvokeFunction'], [target, arn('lambda', `function:${name}:*`)]);
}

function managedWithoutOurs(managed: unknown, { provider, hasVpc }: Host): readonly unknown[] {
  const all = Array.isArray(managed) ? managed : [];
  if (hasVpc) return all;
  const named = new Set([roleSettings(provider).managedPolicies ?? provider.iamManagedPolicies ?? []].flat());
  return all.filter((policy) => named.has(policy) || !JSON.stringify(policy).includes(VPC_POLICY));
}

function withoutScheduler(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document), (key, value) =>
    key === 'Service' && Array.isArray(value)
      ? value.filter((name) => name !== 'scheduler.amazonaws.com')
      : value,
  );
}

type AnyStatement = Json & { readonly Action?: unknown; readonly Resource?: unknown };

/**
 * @param statements of the framework's role
 * @param kept statements that the user wrote there: never touched
 * @param ours,users what the models' and the service's own functions need
 */
export function withoutOurs(
  statements: readonly AnyStatement[],
  kept: ReadonlySet<unknown>,
  ours: readonly Statement[],
  users: readonly Statement[],
): readonly AnyStatement[] {
  return statements.flatMap((statement): AnyStatement[] => {
    if (kept.has(statement) || statement.Effect !== 'Allow') return [statement];
    const actions = JSON.stringify([statement.Action].flat());
    const [mine, theirs] = [counts(ours, actions), counts(users, actions)];
    const resources = [statement.Resource].flat();
    const left = resources.filter((entry, index) => {
      const text = JSON.stringify(entry);
      // The framework lists a source once for each function that reads it, and some things once for all.
      const later = resources.slice(index + 1).filter((other) => JSON.stringify(other) === text).length;
      return !mine.has(text) || later < (theirs.get(text) ?? 0);
    });
    if (left.length === resources.length) return [statement];
    return left.length === 0 ? [] : [{ ...statement, Resource: left }];
  });
}

/** How often each resource is asked for with these actions. */
function counts(statements: readonly Statement[], actions: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { Action, Resource } of statements) {
    if (JSON.stringify(Action) !== actions) continue;
    for (const text of Resource.map((entry) => JSON.stringify(entry)))
      found.set(text, (found.get(text) ?? 0) + 1);
  }
  return found;
}

/**
 * Sources of events as the framework refers to them in the template, for the functions with these logical
 * ids.
 */
function mappedSources(resources: Json, functions: ReadonlySet<string>): readonly unknown[] {
  return Object.values(resources).flatMap((resource) => {
    if (
      !isObject(resource) ||
      resource.Type !== 'AWS::Lambda::EventSourceMapping' ||
      !isObject(resource.Properties)
    )
      return [];
    const target = JSON.stringify(resource.Properties.FunctionName);
    return [...functions].some((id) => target.includes(`"${id}"`))
      ? [resource.Properties.EventSourceArn]
      : [];
  });
}
