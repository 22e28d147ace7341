import { isObject } from '../../../../core/json/is-object.ts';
import { allow, arn, type Json, type Resource, type Statement } from '../../contracts/cloudformation.ts';
import { type FunctionDefinition, type Host, nameOf, roleSettings } from '../../contracts/host.ts';
import type { Model } from '../../declaration/model.ts';
import { ALIAS, lambdaName } from '../../declaration/naming.ts';
import { frameworkStatements, isScheduled, logStatements } from './permissions.ts';

/**
 * Everything that a function's own role must allow, for the role or, where the service names one, for a
 * person to add.
 *
 * @param models of the service: `destinations` may name one
 */
export function statementsOf(
  definition: FunctionDefinition,
  name: string,
  host: Host,
  own: readonly Statement[] = [],
  models: readonly Model[] = [],
): readonly Statement[] {
  // As the framework sends there: through the alias of what has one.
  const destination = (key: string): unknown => {
    const model = models.find((one) => one.name === key);
    if (model !== undefined) return arn('lambda', `function:${nameOf(model, host)}:${ALIAS}`);
    const own = Object.hasOwn(host.functions, key) ? host.functions[key] : undefined;
    const alias = isObject(own?.targetAlias) ? `:${own.targetAlias.name}` : '';
    return arn('lambda', `function:${own?.name ?? lambdaName(host.service, host.stage, key)}${alias}`);
  };
  return [
    ...logStatements(definition, host.provider, name),
    ...frameworkStatements(definition, host.provider, destination),
    ...(isScheduled(definition)
      ? [allow(['lambda:InvokeFunction'], [arn('lambda', `function:${name}:${ALIAS}`)])]
      : []),
    ...own,
  ];
}

/**
 * A role for one function, with the boundary, path and tags that the framework would give its own.
 * CloudFormation makes the name: a fixed one would collide with itself when a change replaces the role.
 */
export function roleOf(
  definition: FunctionDefinition,
  host: Host,
  statements: readonly (Statement | Json)[],
  managedPolicies: readonly unknown[] = [],
): Resource {
  const settings = roleSettings(host.provider);
  const boundary =
    settings.permissionsBoundary ?? settings.permissionBoundary ?? host.provider.rolePermissionsBoundary;
  const principals = [
    'lambda.amazonaws.com',
    ...(isScheduled(definition) ? ['scheduler.amazonaws.com'] : []),
  ];
  return {
    Type: 'AWS::IAM::Role',
    ...(typeof definition.condition === 'string' && { Condition: definition.condition }),
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: principals }, Action: ['sts:AssumeRole'] }],
      },
      ...(typeof settings.path === 'string' && { Path: settings.path }),
      ...(boundary !== undefined && { PermissionsBoundary: boundary }),
      ...(isObject(settings.tags) && {
        Tags: Object.entries(settings.tags).map(([Key, Value]) => ({ Key, Value })),
      }),
      ...(managedPolicies.length > 0 && { ManagedPolicyArns: managedPolicies }),
      // Inline, so that the role is never without them while it exists.
      Policies: [
        {
          PolicyName: 'models',
          PolicyDocument: { Version: '2012-10-17', Statement: statements },
        },
      ],
    },
  };
}
