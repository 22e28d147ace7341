import { isObject } from '../../../../core/json/is-object.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import type { Model } from '../../declaration/model.ts';
import { batchKey, functionLogicalId, roleLogicalId } from '../../declaration/naming.ts';
import type { Problem } from '../../problems/errors.ts';

/**
 * Limits that AWS tells only in the middle of a deploy, held against the compiled template. What only
 * CloudFormation knows (references, other stacks' exports) counts as nothing: who is refused here would be
 * refused there.
 */

export const LIMITS = {
  /**
   * Bytes of a function's environment, as JSON:
   * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
   */
  environment: 4096,
  /**
   * Characters but white space of all inline policies of a role:
   * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
   */
  policies: 10_240,
} as const;

/** @param resources the stack's, by logical id @param functions keys of the functions that we add */
export function limitProblems(
  resources: Readonly<Record<string, Json>>,
  models: readonly Model[],
  functions: readonly string[],
  host: Host,
): readonly Problem[] {
  const modelOf = (key: string): Model | undefined =>
    models.find(({ name }) => key === name || key === batchKey(name));
  return functions.flatMap((key) => {
    const model = modelOf(key);
    const at = model === undefined ? 'models' : `models.${model.name}`;
    return [
      ...environmentProblems(propertiesOf(resources[functionLogicalId(key)]), key, at, host),
      ...policyProblems(propertiesOf(resources[roleLogicalId(key)]), key, at, host),
    ];
  });
}

const propertiesOf = (resource: Json | undefined): Json =>
  isObject(resource?.Properties) ? resource.Properties : {};

function environmentProblems(properties: Json, key: string, at: string, host: Host): readonly Problem[] {
  const variables = isObject(properties.Environment) ? properties.Environment.Variables : undefined;
  if (!isObject(variables)) return [];
  const bytes = Buffer.byteLength(JSON.stringify(least(variables, host)));
  if (bytes <= LIMITS.environment) return [];
  const [longest = ''] = Object.entries(variables)
    .map(([name, value]) => ({ name, size: JSON.stringify(least(value, host)).length }))
    .sort((one, other) => other.size - one.size)
    .map(({ name }) => name);
  return [
    {
      code: 'MODELS_LIMIT',
      key: at === 'models' ? 'provider.environment' : `${at}.function.environment`,
      message: `gives the function ${key} ${bytes} bytes of environment, with that of the provider; Lambda takes ${LIMITS.environment}. The longest is ${longest}.`,
      fix: 'Remove variables that it does not read, or keep long values in Parameter Store or Secrets Manager.',
    },
  ];
}

function policyProblems(properties: Json, key: string, at: string, host: Host): readonly Problem[] {
  const characters = policyCharacters(properties, host);
  if (characters <= LIMITS.policies) return [];
  const message = `makes a role of ${key} with ${characters} characters of policies; IAM takes ${LIMITS.policies} in one role.`;
  return [
    at === 'models'
      ? { code: 'MODELS_LIMIT', key: at, message, fix: 'Split the models over several services.' }
      : {
          code: 'MODELS_LIMIT',
          key: `${at}.iam.statements`,
          message,
          fix: 'Put some of them into a policy of your own, and name that in `iam.managedPolicies`.',
        },
  ];
}

/** Characters of all inline policies of a role, as IAM counts them. @param properties of the role */
export function policyCharacters({ Policies: policies }: Json, host: Host): number {
  if (!Array.isArray(policies)) return 0;
  return policies
    .map((policy: unknown) => (isObject(policy) ? policy.PolicyDocument : undefined))
    .map((document) => (JSON.stringify(least(document, host)) ?? '').replace(/\s/g, '').length)
    .reduce((sum, length) => sum + length, 0);
}

/** A part of the template with every text as short as it can become. */
function least(value: unknown, host: Host): unknown {
  if (Array.isArray(value)) return value.map((one) => least(one, host));
  if (!isObject(value)) return value;
  const [[name, argument] = ['', undefined], ...others] = Object.entries(value);
  if (others.length > 0 || !/^(Ref|Condition|Fn::\w+)$/.test(name))
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, least(one, host)]));
  if (name === 'Ref') return pseudo(String(argument), host);
  if (name === 'Fn::Sub') {
    const text = Array.isArray(argument) ? argument[0] : argument;
    return String(text)
      .replace(/\$\{([^!}][^}]*)\}/g, (_, of: string) => pseudo(of, host))
      .replace(/\$\{!/g, `\${`);
  }
  if (name !== 'Fn::Join' || !Array.isArray(argument)) return '';
  const [separator, parts] = argument;
  return Array.isArray(parts) ? parts.map((part) => least(part, host)).join(String(separator)) : '';
}

/** An account has twelve digits; a partition's name at least those of `aws`. */
const pseudo = (name: string, { region }: Host): string =>
  ({ 'AWS::AccountId': '000000000000', 'AWS::Region': region, 'AWS::Partition': 'aws' })[name] ?? '';
