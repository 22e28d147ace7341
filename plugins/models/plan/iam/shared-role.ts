import { isObject } from '../../../../core/json/is-object.ts';
import { allow, arn, type Json, type Statement } from '../../contracts/cloudformation.ts';
import { type FunctionDefinition, type Host, roleSettings } from '../../contracts/host.ts';
import { functionLogicalId } from '../../declaration/naming.ts';
import { frameworkStatements, hasScheduler } from './permissions.ts';

type Functions = Readonly<Record<string, FunctionDefinition>>;
/** In the framework's role there are denials, too. */
type Need = Omit<Statement, 'Effect'> & { readonly Effect: 'Allow' | 'Deny' };
type Policy = Json & { readonly PolicyDocument: Json & { readonly Statement: readonly Json[] } };

/** The framework's logical id of the role that functions without one of their own share. */
export const SHARED_ROLE = 'IamRoleLambdaExecution';

const VPC_POLICY = 'service-role/AWSLambdaVPCAccessExecutionRole';

/**
 * The framework's shared role as it would be without our functions: it is widened by what every function
 * needs, also by one that has a role of its own. A service's own functions stay untouched beside models. A
 * model that names this very role keeps its part in it.
 *
 * @param resources of the compiled template
 */
export function restoredRole(role: Json, resources: Json, added: Functions, host: Host): Json {
  const properties = isObject(role.Properties) ? role.Properties : {};
  const [policy, ...others] = (properties.Policies ?? []) as readonly Policy[];
  if (policy === undefined) return role;
  const settings = roleSettings(host.provider);
  const kept = new Set<unknown>([settings.statements ?? host.provider.iamRoleStatements ?? []].flat());
  const of = (isShared: boolean): Functions =>
    Object.fromEntries(Object.entries(added).filter(([, one]) => namesShared(one) === isShared));
  const users = { ...host.functions, ...of(true) };
  const statements = withoutOurs(
    policy.PolicyDocument.Statement,
    kept,
    needs(of(false), resources, host),
    needs(users, resources, host),
  );
  const { ManagedPolicyArns: managed, ...rest } = properties;
  const hasVpc =
    host.hasVpc || Object.values(users).some(({ vpc }) => isObject(vpc) && Object.keys(vpc).length > 0);
  const policies = hasVpc ? [managed ?? []].flat() : managedWithoutOurs(managed, host);
  return {
    ...role,
    Properties: {
      ...rest,
      ...(!Object.values(users).some(hasScheduler) && {
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

const namesShared = ({ role }: FunctionDefinition): boolean =>
  [role, isObject(role) ? role['Fn::GetAtt'] : []].flat().includes(SHARED_ROLE);

/** What these functions make the framework add to its role, in its own words. */
function needs(functions: Functions, resources: Json, host: Host): readonly Need[] {
  const all = Object.values(functions);
  return [
    ...all.flatMap((definition) => [
      ...frameworkStatements(definition, host.provider, () => undefined),
      ...(hasScheduler(definition) ? [scheduleStatement(definition)] : []),
    ]),
    ...logNeeds(all, host),
    ...mappedSources(resources, new Set(Object.keys(functions).map(functionLogicalId))).map((source) =>
      allow(['kinesis:SubscribeToShard'], [source]),
    ),
  ];
}

/**
 * Logs: names as the framework makes them have one pattern together, others an entry each. What the pattern
 * allows too much is denied again.
 */
function logNeeds(all: readonly FunctionDefinition[], { service, stage }: Host): readonly Need[] {
  const prefix = `${service}-${stage}`;
  const isCommon = ({ name }: FunctionDefinition): boolean => name?.startsWith(prefix) === true;
  const group = (name: string): string => `log-group:/aws/lambda/${name}:*`;
  const logged = all.filter(({ disableLogs }) => !disableLogs);
  const silent = logged.some(isCommon) ? all.filter((one) => one.disableLogs && isCommon(one)) : [];
  return [
    ...logged.flatMap((one) => {
      const logs = group(isCommon(one) ? `${prefix}*` : `${one.name}`);
      return [
        allow(['logs:CreateLogStream', 'logs:CreateLogGroup', 'logs:TagResource'], [arn('logs', logs)]),
        allow(['logs:PutLogEvents'], [arn('logs', `${logs}:*`)]),
      ];
    }),
    ...silent.map(
      ({ name }): Need => ({
        Effect: 'Deny',
        Action: ['logs:PutLogEvents'],
        Resource: [arn('logs', group(`${name}`))],
      }),
    ),
  ];
}

function scheduleStatement({ name }: FunctionDefinition): Statement {
  const target = arn('lambda', `function:${name}`);
  return allow(['lambda:InvokeFunction'], [target, arn('lambda', `function:${name}:*`)]);
}

function managedWithoutOurs(managed: unknown, { provider }: Host): readonly unknown[] {
  const all = Array.isArray(managed) ? managed : [];
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
  ours: readonly Need[],
  users: readonly Need[],
): readonly AnyStatement[] {
  return statements.flatMap((statement): AnyStatement[] => {
    if (kept.has(statement)) return [statement];
    const what = JSON.stringify([statement.Effect, [statement.Action].flat()]);
    const [mine, theirs] = [counts(ours, what), counts(users, what)];
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

/** How often each resource is asked for. @param what effect and actions, as JSON */
function counts(needs: readonly Need[], what: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { Effect, Action, Resource } of needs) {
    if (JSON.stringify([Effect, Action]) !== what) continue;
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
