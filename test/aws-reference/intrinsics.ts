/** The text that CloudFormation makes of its functions: of those that are met here. Others are refused. */

export type Resource = { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> };
export type Template = { readonly Resources?: Readonly<Record<string, Resource>> };

const ACCOUNT = '123456789012';
const REGION = 'us-east-1';
const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::AccountId': ACCOUNT,
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::StackId': `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/stack/id`,
  'AWS::URLSuffix': 'amazonaws.com',
};

const arn = (service: string, rest: string): string => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;

/** ARNs by type, of a resource of this name. */
const ARNS: Readonly<Record<string, (name: string) => string>> = {
  'AWS::CodeBuild::Project': (name) => arn('codebuild', `project/${name}`),
  'AWS::Events::Rule': (name) => arn('events', `rule/${name}`),
  'AWS::IAM::Role': (name) => `arn:aws:iam::${ACCOUNT}:role/${name}`,
  'AWS::Kinesis::StreamConsumer': (name) => arn('kinesis', `stream/of-${name}/consumer/${name}:1`),
  'AWS::Lambda::Function': (name) => arn('lambda', `function:${name}`),
  'AWS::S3::Bucket': (name) => `arn:aws:s3:::${name.toLowerCase()}`,
  'AWS::Scheduler::ScheduleGroup': (name) => arn('scheduler', `schedule-group/${name}`),
  'AWS::SecretsManager::Secret': (name) => arn('secretsmanager', `secret:${name}-AbCdEf`),
  'AWS::SNS::Topic': (name) => arn('sns', name),
  'AWS::SQS::Queue': (name) => arn('sqs', name),
};

/** Types whose `Ref` is the ARN; that of others is the name, a queue's its URL. */
const REF_IS_ARN: readonly string[] = [
  'AWS::Kinesis::StreamConsumer',
  'AWS::SecretsManager::Secret',
  'AWS::SNS::Topic',
];

/** @param value a text, or a function of CloudFormation that gives one */
export function textOf(value: unknown, template: Template): string {
  if (typeof value === 'string') return value;
  const [name, argument] = only(value);
  switch (name) {
    case 'Ref':
      return reference(String(argument), template);
    case 'Fn::GetAtt': {
      const [id = '', attribute] = Array.isArray(argument) ? argument : String(argument).split('.');
      if (attribute === 'Arn') return arnOf(id, template);
      break;
    }
    case 'Fn::Join': {
      const [between, parts] = argument as readonly [string, readonly unknown[]];
      return parts.map((part) => textOf(part, template)).join(between);
    }
    case 'Fn::Sub': {
      // What begins with ! is left to whoever reads the text.
      const [text, own]: readonly [string, Readonly<Record<string, string>>] = Array.isArray(argument)
        ? (argument as [string, Record<string, string>])
        : [String(argument), {}];
      return text.replace(/\$\{([^}]+)\}/g, (_, id: string) =>
        id.startsWith('!') ? `\${${id.slice(1)}}` : (own[id] ?? reference(id, template)),
      );
    }
  }
  throw new Error(`${JSON.stringify(value)} is not known here: say in intrinsics.ts what it becomes.`);
}

const only = (value: unknown): readonly [name: string, argument: unknown] =>
  Object.entries(value ?? {})[0] ?? ['', undefined];

function reference(id: string, template: Template): string {
  const pseudo = PSEUDO[id];
  if (pseudo !== undefined) return pseudo;
  const type = template.Resources?.[id]?.Type ?? '';
  const made = arnOf(id, template);
  if (REF_IS_ARN.includes(type)) return made;
  const name = made.replace(/^.*[:/]/, '');
  return type === 'AWS::SQS::Queue' ? `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${name}` : name;
}

function arnOf(id: string, { Resources = {} }: Template): string {
  const type = Resources[id]?.Type ?? '';
  const make = ARNS[type];
  if (make === undefined)
    throw new Error(`The ARN of ${id} (${type}) is not known: say it in intrinsics.ts.`);
  return make(id);
}
