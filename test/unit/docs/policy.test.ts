import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blocks, pages, root } from './pages.ts';

/**
 * docs/deploy-policy.md against what is deployed: the actions by which CloudFormation makes and unmakes each
 * type of resource.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
const OURS: Readonly<Record<string, readonly string[]>> = {
  'AWS::ApiGatewayV2::Api': ['apigateway:POST', 'apigateway:DELETE', 'apigateway:PATCH', 'apigateway:GET'],
  'AWS::ApiGatewayV2::Integration': ['apigateway:POST', 'apigateway:DELETE', 'apigateway:PATCH'],
  'AWS::ApiGatewayV2::Route': ['apigateway:POST', 'apigateway:DELETE', 'apigateway:PATCH'],
  'AWS::ApiGatewayV2::Stage': ['apigateway:POST', 'apigateway:DELETE', 'apigateway:PATCH'],
  'AWS::ApiGatewayV2::Authorizer': ['apigateway:POST', 'apigateway:DELETE', 'apigateway:PATCH'],
  'AWS::CloudWatch::Alarm': [
    'cloudwatch:PutMetricAlarm',
    'cloudwatch:DeleteAlarms',
    'cloudwatch:DescribeAlarms',
  ],
  'AWS::CloudWatch::Dashboard': ['cloudwatch:PutDashboard', 'cloudwatch:DeleteDashboards'],
  'AWS::IAM::Role': ['iam:CreateRole', 'iam:DeleteRole', 'iam:PutRolePolicy', 'iam:PassRole', 'iam:GetRole'],
  'AWS::Lambda::Function': [
    'lambda:CreateFunction',
    'lambda:UpdateFunctionCode',
    'lambda:UpdateFunctionConfiguration',
    'lambda:DeleteFunction',
    'lambda:GetFunction',
  ],
  'AWS::Lambda::LayerVersion': ['lambda:PublishLayerVersion', 'lambda:DeleteLayerVersion'],
  'AWS::Lambda::Permission': ['lambda:AddPermission', 'lambda:RemovePermission'],
  'AWS::Lambda::Version': ['lambda:PublishVersion', 'lambda:ListVersionsByFunction', 'lambda:DeleteFunction'],
  'AWS::Logs::LogGroup': [
    ...['logs:CreateLogGroup', 'logs:DeleteLogGroup', 'logs:DescribeLogGroups', 'logs:PutRetentionPolicy'],
    ...['logs:AssociateKmsKey', 'logs:DisassociateKmsKey'],
  ],
  'AWS::S3::Bucket': ['s3:CreateBucket', 's3:DeleteBucket', 's3:PutEncryptionConfiguration'],
  'AWS::S3::BucketPolicy': ['s3:PutBucketPolicy', 's3:DeleteBucketPolicy', 's3:GetBucketPolicy'],
  'AWS::Events::Rule': ['events:PutRule', 'events:DeleteRule', 'events:PutTargets', 'events:RemoveTargets'],
  'AWS::Lambda::EventSourceMapping': [
    'lambda:CreateEventSourceMapping',
    'lambda:UpdateEventSourceMapping',
    'lambda:DeleteEventSourceMapping',
  ],
  'AWS::SQS::Queue': [
    'sqs:CreateQueue',
    'sqs:DeleteQueue',
    'sqs:GetQueueAttributes',
    'sqs:SetQueueAttributes',
  ],
  'AWS::SQS::QueuePolicy': ['sqs:SetQueueAttributes'],
  'AWS::StepFunctions::StateMachine': [
    'states:CreateStateMachine',
    'states:UpdateStateMachine',
    'states:DeleteStateMachine',
    'states:DescribeStateMachine',
  ],
  'AWS::SNS::Subscription': [
    'sns:Subscribe',
    'sns:Unsubscribe',
    'sns:GetSubscriptionAttributes',
    'sns:SetSubscriptionAttributes',
  ],
  'AWS::SNS::Topic': [
    'sns:CreateTopic',
    'sns:DeleteTopic',
    'sns:GetTopicAttributes',
    'sns:SetTopicAttributes',
  ],
  'AWS::SNS::TopicPolicy': ['sns:SetTopicAttributes'],
  'AWS::Scheduler::Schedule': [
    ...['scheduler:CreateSchedule', 'scheduler:UpdateSchedule', 'scheduler:DeleteSchedule'],
    ...['scheduler:GetSchedule', 'iam:PassRole'],
  ],
  'AWS::Scheduler::ScheduleGroup': ['scheduler:CreateScheduleGroup', 'scheduler:DeleteScheduleGroup'],
  'Custom::ModelAlias': ['lambda:InvokeFunction'],
  'Custom::ModelBucketEvents': ['lambda:InvokeFunction'],
};

/** What only a model's `function:` or the service itself brings: the page lists it in a table. */
const OF_FUNCTION: Readonly<Record<string, readonly string[]>> = {
  'AWS::ApiGateway::Deployment': ['apigateway:*'],
  'AWS::ApiGateway::Method': ['apigateway:*'],
  'AWS::ApiGateway::Resource': ['apigateway:*'],
  'AWS::ApiGateway::RestApi': ['apigateway:*'],
  'AWS::ApiGatewayV2::Deployment': ['apigateway:*'],
  'AWS::Cognito::UserPool': ['cognito-idp:CreateUserPool'],
  'AWS::ElasticLoadBalancingV2::ListenerRule': ['elasticloadbalancing:CreateRule'],
  'AWS::ElasticLoadBalancingV2::TargetGroup': ['elasticloadbalancing:CreateTargetGroup'],
  'AWS::Events::Rule': ['events:PutRule', 'events:DeleteRule', 'events:PutTargets', 'events:RemoveTargets'],
  'AWS::IoT::TopicRule': ['iot:CreateTopicRule', 'iot:DeleteTopicRule'],
  'AWS::Kinesis::StreamConsumer': ['kinesis:RegisterStreamConsumer', 'kinesis:DeregisterStreamConsumer'],
  'AWS::Lambda::EventInvokeConfig': [
    'lambda:PutFunctionEventInvokeConfig',
    'lambda:DeleteFunctionEventInvokeConfig',
  ],
  'AWS::Lambda::EventSourceMapping': ['lambda:CreateEventSourceMapping', 'lambda:DeleteEventSourceMapping'],
  'AWS::Lambda::Url': ['lambda:CreateFunctionUrlConfig', 'lambda:DeleteFunctionUrlConfig'],
  'AWS::Logs::SubscriptionFilter': ['logs:PutSubscriptionFilter', 'logs:DeleteSubscriptionFilter'],
  'AWS::Scheduler::Schedule': ['scheduler:CreateSchedule', 'scheduler:DeleteSchedule'],
  'Custom::S3': ['existing: true'],
};

type Statement = {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
};

const PAGE = 'docs/deploy-policy.md';
const [policy] = blocks('json').filter(({ page }) => page === PAGE);
const { Statement: statements } = JSON.parse(policy?.text ?? '{}') as {
  readonly Statement: readonly Statement[];
};
const allowed = statements.flatMap(({ Action }) => [Action].flat());

const types = new Set(
  globSync('test/golden/**/template.json', { cwd: root }).flatMap((file) => {
    const template = JSON.parse(readFileSync(join(root, file), 'utf8')) as {
      readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
    };
    return Object.values(template.Resources).map(({ Type }) => Type);
  }),
);

test('every type of resource that is deployed is accounted for', () => {
  expect(types.size).toBeGreaterThan(10);
  for (const type of types) expect({ ...OURS, ...OF_FUNCTION }).toHaveProperty([type]);
});

test.each(Object.entries(OURS))('the policy covers %s', (_, actions) => {
  for (const action of actions) expect(allowed).toContain(action);
});

test.each(Object.entries(OF_FUNCTION))('the page says what %s needs', (_, actions) => {
  for (const action of actions) expect(pages.get(PAGE)).toContain(`\`${action}\``);
});

test('no action is allowed on everything, where it could be narrower', () => {
  const open = statements.filter(({ Resource }) => [Resource].flat().includes('*'));
  // These have no resource in AWS's reference, or list only.
  expect(open.flatMap(({ Action }) => [Action].flat()).sort()).toEqual([
    'cloudformation:ValidateTemplate',
    'cloudwatch:GetMetricData',
    // Bound to the service's functions by a condition: it takes no resource.
    'lambda:CreateEventSourceMapping',
    'logs:DescribeLogGroups',
    'sts:GetCallerIdentity',
  ]);
  expect(allowed.filter((action) => action.includes('*'))).toEqual([]);
});

test('who looks at releases may see the environment of the release worker, and of no other function', () => {
  const looking = blocks('json').find(({ page, text }) => page === PAGE && text.includes('"Steer"'));
  const { Statement } = JSON.parse(looking?.text ?? '{}') as { readonly Statement: readonly Statement[] };
  const telling = Statement.filter(({ Action }) =>
    [Action].flat().includes('lambda:GetFunctionConfiguration'),
  );
  expect(telling.map(({ Resource }) => Resource)).toEqual([
    'arn:aws:lambda:REGION:ACCOUNT:function:SERVICE-STAGE-models-release',
  ]);
  // A deploy asks the same before it uploads.
  expect(allowed).toContain('lambda:GetFunctionConfiguration');
});
