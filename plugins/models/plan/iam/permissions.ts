import { isObject } from '../../../../core/json/is-object.ts';
import { allow, arn, type Json, type Statement } from '../../contracts/cloudformation.ts';
import type { FunctionDefinition, Provider } from '../../contracts/host.ts';

/**
 * What the framework adds to its own role for this function, one statement a cause: the same actions, on this
 * function's own resources. Left out: the managed policy for VPCs, because it holds `logs:CreateLogGroup` on
 * `*`.
 *
 * @param destination Lambda's ARN of another function of the service, for `destinations: {onFailure:
 * <function>}`
 */
export function frameworkStatements(
  definition: FunctionDefinition,
  provider: Provider,
  destination: (key: string) => unknown,
): readonly Statement[] {
  const statements = [
    ...(inVpc(definition, provider) ? [allow(ENI_ACTIONS, ['*'])] : []),
    ...tracing(definition, provider),
    ...kms(definition, provider),
    ...fileSystem(definition),
    ...deadLetter(definition),
    ...destinations(definition, destination),
    ...(definition.events ?? []).filter(isObject).flatMap(eventStatements),
  ];
  const seen = new Set<string>();
  return statements.filter((statement) => {
    const text = JSON.stringify(statement);
    return !seen.has(text) && seen.add(text);
  });
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions */
export const ENI_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** What Lambda's pollers of brokers need, word for word as in the framework. */
const BROKER_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeVpcs',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeSubnets',
  'ec2:DescribeSecurityGroups',
];

/** Is the function put into a VPC? `vpc: false` leaves the provider's. */
function inVpc(definition: FunctionDefinition, provider: Provider): boolean {
  if (definition.vpc === null || definition.vpc === false) return false;
  const own = isObject(definition.vpc) ? definition.vpc : {};
  const shared = isObject(provider.vpc) ? provider.vpc : {};
  return Boolean((own.securityGroupIds ?? shared.securityGroupIds) && (own.subnetIds ?? shared.subnetIds));
}

function tracing(definition: FunctionDefinition, provider: Provider): readonly Statement[] {
  const mode = definition.tracing || (isObject(provider.tracing) && provider.tracing.lambda);
  return mode ? [allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*'])] : [];
}

function kms(definition: FunctionDefinition, provider: Provider): readonly Statement[] {
  const key = definition.kmsKeyArn ?? provider.kmsKeyArn;
  return key ? [allow(['kms:Decrypt'], [key])] : [];
}

function fileSystem({ fileSystemConfig }: FunctionDefinition): readonly Statement[] {
  if (!isObject(fileSystemConfig)) return [];
  return [allow(['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'], [fileSystemConfig.arn])];
}

function deadLetter({ onError }: FunctionDefinition): readonly Statement[] {
  if (!onError) return [];
  // Nobody can tell whether a reference is a topic or a queue; Lambda refuses a role that lacks the right
  // one.
  if (typeof onError !== 'string') return [allow(['sns:Publish', 'sqs:SendMessage'], [onError])];
  return [allow([onError.includes(':sqs:') ? 'sqs:SendMessage' : 'sns:Publish'], [onError])];
}

const DESTINATION_ACTIONS: Readonly<Record<string, string>> = {
  function: 'lambda:InvokeFunction',
  sqs: 'sqs:SendMessage',
  sns: 'sns:Publish',
  eventBus: 'events:PutEvents',
};

function destinations(
  definition: FunctionDefinition,
  destination: (key: string) => unknown,
): readonly Statement[] {
  if (!isObject(definition.destinations)) return [];
  const { onSuccess, onFailure } = definition.destinations;
  return [onSuccess, onFailure].flatMap((target): Statement[] => {
    if (isObject(target)) {
      const action = DESTINATION_ACTIONS[String(target.type)];
      return action === undefined ? [] : [allow([action], [target.arn])];
    }
    if (typeof target !== 'string') return [];
    if (!target.startsWith('arn:')) return [allow(['lambda:InvokeFunction'], [destination(target)])];
    const kind = target.includes(':event-bus/') ? 'eventBus' : target.split(':')[2];
    return [allow([DESTINATION_ACTIONS[kind ?? ''] ?? 'lambda:InvokeFunction'], [target])];
  });
}

/** What one event of a function needs in the function's role; most need nothing. */
function eventStatements(event: Json): readonly Statement[] {
  if (event.sqs !== undefined) {
    return [allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], [arnOf(event.sqs)])];
  }
  if (event.stream !== undefined) return streamStatements(event.stream);
  if (isObject(event.msk)) {
    return [
      allow(['kafka:DescribeCluster', 'kafka:GetBootstrapBrokers'], [event.msk.arn]),
      allow(BROKER_ACTIONS, ['*']),
    ];
  }
  if (isObject(event.kafka)) return kafkaStatements(event.kafka);
  const broker = event.activemq ?? event.rabbitmq;
  if (isObject(broker)) {
    return [
      allow(['secretsmanager:GetSecretValue'], [broker.basicAuthArn]),
      allow(['mq:DescribeBroker'], [broker.arn]),
      allow(BROKER_ACTIONS, ['*']),
    ];
  }
  if (event.websocket !== undefined) {
    return [
      allow(
        ['execute-api:ManageConnections'],
        [{ 'Fn::Sub': `arn:\${AWS::Partition}:execute-api:*:*:*/@connections/*` }],
      ),
    ];
  }
  return [];
}

function streamStatements(stream: unknown): readonly Statement[] {
  const source = arnOf(stream);
  const options = isObject(stream) ? stream : {};
  const type = options.type ?? (typeof source === 'string' ? source.split(':')[2] : undefined);
  const statements: Statement[] = [];
  if (type === 'dynamodb') {
    statements.push(
      allow(
        [
          'dynamodb:GetRecords',
          'dynamodb:GetShardIterator',
          'dynamodb:DescribeStream',
          'dynamodb:ListStreams',
        ],
        [source],
      ),
    );
  } else if (options.consumer) {
    statements.push(
      allow(
        [
          'kinesis:GetRecords',
          'kinesis:GetShardIterator',
          'kinesis:DescribeStreamSummary',
          'kinesis:ListShards',
        ],
        [source],
      ),
    );
    // A consumer made by the framework has no name of its own before the deploy; it lives below its stream.
    const consumer = options.consumer === true ? below(source, '/consumer/*') : options.consumer;
    statements.push(allow(['kinesis:SubscribeToShard'], [consumer]));
  } else {
    statements.push(
      allow(
        ['kinesis:GetRecords', 'kinesis:GetShardIterator', 'kinesis:DescribeStream', 'kinesis:ListStreams'],
        [source],
      ),
    );
  }
  const failure = isObject(options.destinations) ? options.destinations.onFailure : undefined;
  if (failure !== undefined) {
    const target = arnOf(failure);
    const kind = isObject(failure) && failure.type ? failure.type : String(target).split(':')[2];
    statements.push(
      allow(kind === 'sns' ? ['sns:Publish'] : ['sqs:ListQueues', 'sqs:SendMessage'], [target]),
    );
  }
  return statements;
}

function kafkaStatements(kafka: Json): readonly Statement[] {
  const access = isObject(kafka.accessConfigurations) ? kafka.accessConfigurations : {};
  const secrets = Object.entries(access)
    .filter(([kind]) => kind !== 'vpcSubnet' && kind !== 'vpcSecurityGroup')
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]));
  return [
    ...(secrets.length > 0 ? [allow(['secretsmanager:GetSecretValue'], secrets)] : []),
    ...(access.vpcSubnet ? [allow(BROKER_ACTIONS, ['*'])] : []),
  ];
}

/** `arn` of an event given as a text or a map. */
function arnOf(value: unknown): unknown {
  return isObject(value) && value.arn !== undefined ? value.arn : value;
}

const below = (source: unknown, suffix: string): unknown =>
  typeof source === 'string' ? `${source}${suffix}` : { 'Fn::Join': ['', [source, suffix]] };

const schedulesOf = ({ events = [] }: FunctionDefinition): readonly Json[] =>
  events.flatMap((event) =>
    isObject(event) && isObject(event.schedule) && event.schedule.method === 'scheduler'
      ? [event.schedule]
      : [],
  );

/** Does EventBridge Scheduler start this function, in whatever role? */
export const hasScheduler = (definition: FunctionDefinition): boolean => schedulesOf(definition).length > 0;

/** And in the function's own role? */
export const isScheduled = (definition: FunctionDefinition): boolean =>
  schedulesOf(definition).some(({ roleArn }) => !roleArn);

/** Writing to its log group, and no more: a role that may create groups brings removed ones back. */
export function logStatements(
  definition: FunctionDefinition,
  provider: Provider,
  name: string,
): readonly Statement[] {
  if (definition.disableLogs) return [];
  const group = logGroupOf(definition, provider, name);
  return [allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [arn('logs', `log-group:${group}:*`)])];
}

/** Where a function's log goes: as Lambda makes it, or as function or provider name it. */
export function logGroupOf(definition: FunctionDefinition, provider: Provider, name: string): string {
  const shared = isObject(provider.logs) ? provider.logs.lambda : undefined;
  const logs = definition.logs ?? shared;
  return isObject(logs) && typeof logs.logGroup === 'string' ? logs.logGroup : `/aws/lambda/${name}`;
}
