import { isObject } from '../../../../core/json/is-object.ts';
import type { Json } from '../../contracts/cloudformation.ts';

/**
 * A value of a deployed template, as CloudFormation resolved it. Pure. What is not known for sure is not
 * guessed: a wrong ARN in a permission would let nobody in, or somebody else.
 */

/** A deployed stack: where it is, and what it made. */
export type DeployedStack = {
  readonly name: string;
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  /** What was made, by logical id. */
  readonly resources: ReadonlyMap<string, Made>;
};

/** A resource that CloudFormation made: its physical id, and what the template says of it. */
export type Made = { readonly type: string; readonly physical: string; readonly properties: Json };

/** `unresolved`: the part that is not known, as the template has it. */
export type Resolved = { readonly value: unknown } | { readonly unresolved: string };

export function resolve(value: unknown, stack: DeployedStack): Resolved {
  if (Array.isArray(value)) return all(value, stack, (values) => values);
  if (!isObject(value)) return { value };
  const [[name, argument] = ['', undefined], ...others] = Object.entries(value);
  const intrinsic = others.length === 0 && Object.hasOwn(INTRINSICS, name) ? INTRINSICS[name] : undefined;
  if (intrinsic !== undefined) return intrinsic(argument, stack) ?? { unresolved: JSON.stringify(value) };
  if (others.length === 0 && name.startsWith('Fn::')) return { unresolved: JSON.stringify(value) };
  const entries = Object.entries(value);
  return all(
    entries.map(([, one]) => one),
    stack,
    (values) =>
      Object.fromEntries(
        entries.map(([key], index) => [key, values[index]]).filter(([, one]) => one !== undefined),
      ),
  );
}

/** @returns undefined where the argument is of a shape, or names something, that is not known */
type Intrinsic = (argument: unknown, stack: DeployedStack) => Resolved | undefined;

/**
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 */
const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: (name, stack) => (typeof name === 'string' ? ref(name, stack) : undefined),
  'Fn::GetAtt': (of, stack) => {
    const [logicalId, ...attribute] = typeof of === 'string' ? of.split('.') : Array.isArray(of) ? of : [];
    return attribute.every((part) => typeof part === 'string')
      ? attributeOf(String(logicalId), attribute.join('.'), stack)
      : undefined;
  },
  'Fn::Join': (argument, stack) =>
    withAll(argument, 2, stack, ([glue, parts]) =>
      typeof glue === 'string' && isTexts(parts) ? parts.join(glue) : undefined,
    ),
  'Fn::Split': (argument, stack) =>
    withAll(argument, 2, stack, ([at, text]) =>
      typeof at === 'string' && at !== '' && typeof text === 'string' ? text.split(at) : undefined,
    ),
  'Fn::Select': (argument, stack) =>
    withAll(argument, 2, stack, ([index, parts]) =>
      /^\d+$/.test(String(index)) && Array.isArray(parts) ? parts[Number(index)] : undefined,
    ),
  'Fn::Sub': (argument, stack) => {
    const [text, named] =
      typeof argument === 'string' ? [argument, {}] : Array.isArray(argument) ? argument : [];
    return typeof text === 'string' && isObject(named) ? sub(text, named, stack) : undefined;
  },
};

/** Resolves the arguments of an intrinsic, then makes its value of them. */
function withAll(
  argument: unknown,
  count: number,
  stack: DeployedStack,
  make: (values: readonly unknown[]) => unknown,
): Resolved | undefined {
  if (!Array.isArray(argument) || argument.length !== count) return undefined;
  return made(all(argument, stack, make));
}

/** What could not be made of known parts is not known either. */
const made = (found: Resolved): Resolved | undefined =>
  'value' in found && found.value === undefined ? undefined : found;

function all(
  values: readonly unknown[],
  stack: DeployedStack,
  make: (values: readonly unknown[]) => unknown,
): Resolved {
  const found: unknown[] = [];
  for (const value of values) {
    const one = resolve(value, stack);
    if ('unresolved' in one) return one;
    found.push(one.value);
  }
  return { value: make(found) };
}

const isTexts = (values: unknown): values is readonly (string | number)[] =>
  Array.isArray(values) && values.every((one) => typeof one === 'string' || typeof one === 'number');

/** `${Name}`, `${Name.Attribute}` and `${!Literal}` in a text. */
function sub(text: string, named: Json, stack: DeployedStack): Resolved | undefined {
  const parts = text.split(/\$\{([^}]*)\}/).map((part, index): unknown => {
    if (index % 2 === 0) return part;
    if (part.startsWith('!')) return `\${${part.slice(1)}}`;
    if (Object.hasOwn(named, part)) return named[part];
    return part.includes('.') ? { 'Fn::GetAtt': part } : { Ref: part };
  });
  return made(all(parts, stack, (found) => (isTexts(found) ? found.join('') : undefined)));
}

/** Only CloudFormation knows the values of parameters: their defaults may have been overridden. */
function ref(name: string, stack: DeployedStack): Resolved | undefined {
  if (name === 'AWS::NoValue') return { value: undefined };
  const pseudo = Object.hasOwn(PSEUDO, name) ? PSEUDO[name] : undefined;
  if (pseudo !== undefined) return made({ value: pseudo(stack) });
  const physical = stack.resources.get(name)?.physical;
  // What is identified by two things together is referred to by one of them, and which one depends on its
  // type.
  return physical === undefined || physical.includes('|') ? undefined : { value: physical };
}

const PSEUDO: Readonly<Record<string, (stack: DeployedStack) => string | undefined>> = {
  'AWS::AccountId': ({ account }) => account,
  'AWS::Partition': ({ partition }) => partition,
  'AWS::Region': ({ region }) => region,
  'AWS::StackName': ({ name }) => name,
  'AWS::URLSuffix': ({ partition }) => SUFFIXES[partition],
};

const SUFFIXES: Readonly<Record<string, string>> = {
  aws: 'amazonaws.com',
  'aws-cn': 'amazonaws.com.cn',
  'aws-us-gov': 'amazonaws.com',
};

function attributeOf(logicalId: string, attribute: string, stack: DeployedStack): Resolved | undefined {
  const found = stack.resources.get(logicalId);
  const value = found && ATTRIBUTES[`${found.type}.${attribute}`]?.(found, stack);
  return value === undefined ? undefined : { value };
}

type Attribute = (found: Made, stack: DeployedStack) => string | undefined;

const arn =
  (service: string, resource: (physical: string, found: Made) => string | undefined): Attribute =>
  (found, { partition, region, account }) => {
    const part = resource(found.physical, found);
    return part === undefined ? undefined : `arn:${partition}:${service}:${region}:${account}:${part}`;
  };

/** A rule of another bus than the default one has that in its ARN, and in its physical id: `bus|rule`. */
function ruleOf(physical: string, { properties }: Made): string | undefined {
  if (physical.includes('|')) return `rule/${physical.replace('|', '/')}`;
  const { EventBusName: bus = 'default' } = properties;
  return bus === 'default' ? `rule/${physical}` : undefined;
}

/**
 * What follows from a physical id. https://docs.aws.amazon.com/service-authorization/latest/reference/ has
 * the ARNs of each service.
 */
const ATTRIBUTES: Readonly<Record<string, Attribute>> = {
  'AWS::Cognito::UserPool.Arn': arn('cognito-idp', (id) => `userpool/${id}`),
  'AWS::Events::EventBus.Arn': arn('events', (name) => `event-bus/${name}`),
  'AWS::Events::Rule.Arn': arn('events', ruleOf),
  'AWS::IoT::TopicRule.Arn': arn('iot', (name) => `rule/${name}`),
  'AWS::Lambda::Function.Arn': arn('lambda', (name) => `function:${name}`),
  'AWS::Logs::LogGroup.Arn': arn('logs', (name) => `log-group:${name}:*`),
  'AWS::S3::Bucket.Arn': ({ physical }, { partition }) => `arn:${partition}:s3:::${physical}`,
  'AWS::SNS::Topic.TopicArn': ({ physical }) => physical,
  // Known by its URL.
  'AWS::SQS::Queue.Arn': arn('sqs', (url) => /^https?:\/\/[^/]+\/\d+\/([\w.-]+)$/.exec(url)?.[1]),
};
