import { expect, it } from 'vitest';
import { frameworks, install, osls4, service, type Template, templateIn, warmSls } from './frameworks.ts';

/** Settings that the framework's own role follows, for a function written manually and for a model. */
const settings = `
      vpc: {securityGroupIds: [sg-0123456789abcdef0], subnetIds: [subnet-0123456789abcdef0]}
      tracing: Active
      kmsKeyArn: arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555
      fileSystemConfig: {arn: 'arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0', localMountPath: /mnt/x}
      onError: arn:aws:sns:us-east-1:123456789012:failed
      destinations: {onSuccess: 'arn:aws:sqs:us-east-1:123456789012:done', onFailure: 'arn:aws:events:us-east-1:123456789012:event-bus/failed'}
      events:
        - sqs: arn:aws:sqs:us-east-1:123456789012:work
        - stream: {arn: 'arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2020-01-01T00:00:00.000', destinations: {onFailure: 'arn:aws:sqs:us-east-1:123456789012:failed'}}
        - stream: {arn: 'arn:aws:kinesis:us-east-1:123456789012:stream/a'}
        - stream: {arn: 'arn:aws:kinesis:us-east-1:123456789012:stream/b', consumer: 'arn:aws:kinesis:us-east-1:123456789012:stream/b/consumer/c:1', destinations: {onFailure: 'arn:aws:sns:us-east-1:123456789012:failed'}}
        - msk: {arn: 'arn:aws:kafka:us-east-1:123456789012:cluster/shop/11111111-2222-3333-4444-555555555555-1', topic: topic}
        - kafka: {bootstrapServers: ['b-1.example.com:9092'], topic: topic, accessConfigurations: {saslScram512Auth: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:kafka-abcdef', vpcSubnet: subnet-0123456789abcdef0, vpcSecurityGroup: sg-0123456789abcdef0}}
        - activemq: {arn: 'arn:aws:mq:us-east-1:123456789012:broker:shop:b-11111111-2222-3333-4444-555555555555', queue: q, basicAuthArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:mq-abcdef'}
        - rabbitmq: {arn: 'arn:aws:mq:us-east-1:123456789012:broker:rabbit:b-11111111-2222-3333-4444-555555555555', queue: q, basicAuthArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:mq-abcdef'}
        - websocket: $default
        - schedule: {rate: ['rate(2 hours)'], method: scheduler}
`;
const head = `
service: shop
provider:
  name: aws
  iam:
    role:
      path: /shop/
      permissionsBoundary: arn:aws:iam::123456789012:policy/boundary
      tags: {owner: models}
plugins: [./plugin.ts]
`;
const byHand = `${head}
functions:
  churn:
      handler: own.handler
      runtime: nodejs24.x
${settings}`;
const model = `${head}
models:
  churn:
    artifact: models/churn.onnx
    function:
${settings}`;

/**
 * What the model's role has otherwise, and why: it creates no log groups, since it would bring removed ones
 * back; and in place of the managed policy for VPCs, which could, it has that policy's other actions.
 */
const LEFT_OUT = ['logs:CreateLogGroup', 'logs:TagResource'];
const VPC_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

type Policy = {
  readonly PolicyDocument: {
    readonly Statement: readonly { readonly Action: string | string[]; readonly Resource: unknown }[];
  };
};

/** Every pair of action and resource that a role allows. */
function allowed(template: Template, id: string): ReadonlySet<string> {
  const policies = template.Resources[id]?.Properties.Policies as readonly Policy[];
  const pairs = policies.flatMap(({ PolicyDocument }) =>
    PolicyDocument.Statement.flatMap(({ Action, Resource }) =>
      [Action]
        .flat()
        .flatMap((action) => [Resource].flat().map((resource) => `${action} ${resourceOf(resource)}`)),
    ),
  );
  return new Set(pairs);
}

/**
 * The framework allows a whole prefix of log groups and every qualifier; the model's role its own group and
 * the alias.
 */
function resourceOf(resource: unknown): string {
  const text = typeof resource === 'string' ? resource : JSON.stringify(resource);
  return text
    .replace(/log-group:\/aws\/lambda\/shop-dev(-churn)?[*:]*/, 'log-group')
    .replace(/(function:shop-dev-churn)(:live|:\*)?/, '$1');
}

it.each(frameworks.map((framework) => [framework.name, framework] as const))(
  'a model’s role allows what the framework allows a function written manually with the same settings: %s',
  async (_, framework) => {
    await install(framework);
    const templates: Template[] = [];
    for (const yaml of [byHand, model]) {
      const folder = await service(framework, 'roles', { yaml });
      const run = await warmSls(framework, folder, ['package']);
      expect(run.code, run.output).toBe(0);
      templates.push(await templateIn(folder));
    }
    const [hand, made] = templates;
    if (hand === undefined || made === undefined) throw new Error('nothing was packaged');
    const frameworks = allowed(hand, 'IamRoleLambdaExecution');
    const ours = allowed(made, 'ChurnModelsRole');
    const missing = [...frameworks].filter(
      (pair) => !ours.has(pair) && !LEFT_OUT.includes(pair.split(' ')[0] ?? ''),
    );
    expect(missing).toEqual([]);
    const more = [...ours].filter(
      (pair) => !frameworks.has(pair) && !VPC_ACTIONS.includes(pair.split(' ')[0] ?? ''),
    );
    expect(more).toEqual([]);
    for (const key of ['Path', 'PermissionsBoundary', 'Tags', 'AssumeRolePolicyDocument']) {
      expect(made.Resources.ChurnModelsRole?.Properties[key], key).toEqual(
        hand.Resources.IamRoleLambdaExecution?.Properties[key],
      );
    }
  },
);

it('no role of ours creates log groups or allows every action or resource beyond what AWS has no resources for', async () => {
  const folder = await service(osls4, 'least', {
    yaml: `${head}\nmodels:\n  churn: {artifact: models/churn.onnx, http: {auth: none}}\n`,
  });
  const run = await warmSls(osls4, folder, ['package']);
  expect(run.code, run.output).toBe(0);
  const template = await templateIn(folder);
  const roles = Object.entries(template.Resources)
    .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
    .map(([id]) => id);
  expect(roles.length).toBeGreaterThanOrEqual(3);
  for (const id of roles) {
    // A metric has no ARN: the worker reads what it judges by.
    const pairs = [...allowed(template, id)].filter((pair) => pair !== 'cloudwatch:GetMetricData *');
    expect(
      pairs.filter((pair) => /CreateLogGroup|^\S*\*|\s\*$/.test(pair)),
      id,
    ).toEqual([]);
  }
});
