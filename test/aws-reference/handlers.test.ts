/**
 * docs/deploy-policy.md allows what AWS’s schemas of resource types say that CloudFormation calls, of every
 * type that a service with models has.
 */
import { execFileSync } from 'node:child_process';
import { beforeAll, expect, it } from 'vitest';
import { awsPython } from '../../local-aws/aws-python.ts';
import { localAws } from '../../local-aws/start.ts';
import { blocks, pages } from '../unit/docs/pages.ts';
import { goldens, ofType } from './goldens.ts';
import { calledFor } from './handlers.ts';
import { loadReference, type Reference } from './reference.ts';

const PAGE = 'docs/deploy-policy.md';
/** Types that only a model’s `function:` or the service itself brings: the page has a table of them. */
const OF_FUNCTION =
  /^(Custom::|AWS::(ApiGateway|Cognito|ElasticLoadBalancingV2|IoT|Kinesis)::|AWS::ApiGatewayV2::Deployment|AWS::Lambda::(EventInvokeConfig|Url)|AWS::Logs::SubscriptionFilter)/;
const types = [
  ...new Set(goldens.flatMap(([, { Resources = {} }]) => Object.values(Resources).map(({ Type }) => Type))),
]
  .filter((type) => !OF_FUNCTION.test(type))
  .sort();

/**
 * Calls that only a property asks for. Where a template here has the property, the page must name the action
 * elsewhere.
 */
const BY_PROPERTY: Readonly<Record<string, readonly (readonly [property: string, actions: RegExp])[]>> = {
  'AWS::Cognito::UserPool': [
    ['EmailConfiguration', /^iam:CreateServiceLinkedRole$/],
    ['KMSKeyID', /^kms:/],
    ['MfaConfiguration', /:SetUserPoolMfaConfig$/],
    ['Schema', /:AddCustomAttributes$/],
  ],
  'AWS::ElasticLoadBalancingV2::ListenerRule': [['AuthenticateCognitoConfig', /^cognito-idp:/]],
  'AWS::ElasticLoadBalancingV2::TargetGroup': [['VpcId', /^ec2:/]],
  'AWS::IAM::Role': [
    ['PermissionsBoundary', /PermissionsBoundary$/],
    ['Description', /^iam:UpdateRole(Description)?$/],
  ],
  'AWS::Lambda::Function': [
    ['VpcConfig', /^ec2:/],
    ['FileSystemConfigs', /^(elasticfilesystem|s3files):/],
    ['KmsKeyArn', /^kms:/],
    ['CodeSigningConfigArn', /CodeSigning/],
    ['RuntimeManagementConfig', /^lambda:(PutRuntimeManagementConfig|AssociateRuntimeAlias)$/],
    ['RecursiveLoop', /^lambda:PutFunctionRecursionConfig$/],
    ['CapacityProviderConfig', /^lambda:(PutFunctionScalingConfig|PassCapacityProvider)$/],
    ['S3ObjectVersion', /^s3:GetObjectVersion$/],
  ],
  'AWS::Lambda::LayerVersion': [['S3ObjectVersion', /^s3:GetObjectVersion$/]],
  'AWS::Lambda::Version': [
    ['RuntimePolicy', /RuntimeManagementConfig$/],
    ['FunctionScalingConfig', /ScalingConfig$/],
    ['ProvisionedConcurrencyConfig', /ProvisionedConcurrencyConfig$/],
  ],
  'AWS::Lambda::EventSourceMapping': [['KmsKeyArn', /^kms:/]],
  'AWS::Logs::LogGroup': [
    ['DataProtectionPolicy', /DataProtectionPolicy$|LogDelivery$|^firehose:/],
    ['FieldIndexPolicies', /IndexPolic(y|ies)$/],
    ['ResourcePolicyDocument', /ResourcePolic(y|ies)$/],
    ['DeletionProtectionEnabled', /DeletionProtection$/],
    ['BearerTokenAuthenticationEnabled', /BearerToken/],
  ],
  'AWS::S3::Bucket': [
    ['AbacStatus', /Abac$/],
    ['AccelerateConfiguration', /Accelerate/],
    ['AccessControl', /Acl$/],
    ['AnalyticsConfigurations', /Analytics/],
    ['CorsConfiguration', /CORS$/],
    ['IntelligentTieringConfigurations', /IntelligentTiering/],
    ['InventoryConfigurations', /Inventory/],
    ['LifecycleConfiguration', /Lifecycle/],
    // Which property of an empty bucket could ask for an object to be deleted no page says.
    ['LoggingConfiguration', /Logging$|^s3:DeleteObject$/],
    ['MetadataConfiguration', /Metadata|^s3tables:/],
    ['MetricsConfigurations', /Metrics/],
    ['ObjectLockConfiguration', /ObjectLock/],
    ['OwnershipControls', /Ownership/],
    ['NotificationConfiguration', /Notification$/],
    ['ReplicationConfiguration', /Replication|^iam:PassRole$/],
    ['VersioningConfiguration', /Versioning$/],
    ['WebsiteConfiguration', /Website$/],
  ],
  'AWS::SNS::Topic': [['DataProtectionPolicy', /DataProtectionPolicy$/]],
  'AWS::StepFunctions::StateMachine': [
    ['EncryptionConfiguration', /^kms:/],
    ['DefinitionS3Location', /^s3:/],
  ],
};

/** The statements that are for a type; of buckets, those of the deployment and those of batch. */
const STATEMENTS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'AWS::ApiGatewayV2::Api': [['HttpApiOnlyWithHttp', 'Bucket']],
  'AWS::ApiGatewayV2::Authorizer': [['HttpApiOnlyWithHttp', 'Roles']],
  'AWS::ApiGatewayV2::Integration': [['HttpApiOnlyWithHttp', 'Roles']],
  'AWS::ApiGatewayV2::Route': [['HttpApiOnlyWithHttp']],
  'AWS::ApiGatewayV2::Stage': [['HttpApiOnlyWithHttp']],
  'AWS::CloudWatch::Alarm': [['Alarms', 'ReadAlarms']],
  'AWS::CloudWatch::Dashboard': [['Dashboard']],
  'AWS::Events::Rule': [['Rules', 'Roles']],
  'AWS::IAM::Role': [['Roles']],
  'AWS::Lambda::EventSourceMapping': [['BatchReadsQueue', 'BatchReadsQueueOn', 'BatchReadsQueueTags']],
  'AWS::Lambda::Function': [['Functions', 'Roles', 'Bucket', 'Layers']],
  'AWS::Lambda::LayerVersion': [['Layers', 'Bucket']],
  'AWS::Lambda::Permission': [['Functions']],
  'AWS::Lambda::Version': [['Functions']],
  'AWS::Logs::LogGroup': [['LogGroups', 'LogGroupList']],
  'AWS::S3::Bucket': [['Bucket'], ['BatchMakesBuckets']],
  'AWS::S3::BucketPolicy': [['Bucket'], ['BatchMakesBuckets']],
  'AWS::SNS::Subscription': [['Alerts', 'Roles']],
  'AWS::SNS::Topic': [['Alerts', 'Roles']],
  'AWS::SNS::TopicPolicy': [['Alerts']],
  'AWS::SQS::Queue': [['BatchQueues']],
  'AWS::SQS::QueuePolicy': [['BatchQueues']],
  'AWS::Scheduler::Schedule': [['Schedules', 'Roles']],
  'AWS::Scheduler::ScheduleGroup': [['Schedules']],
  'AWS::StepFunctions::StateMachine': [['BatchMachines', 'Roles', 'Bucket']],
};

type Statement = { readonly Sid: string; readonly Action: string | readonly string[] };
const page = pages.get(PAGE) ?? '';
const [policy] = blocks('json').filter((block) => block.page === PAGE);
const { Statement } = JSON.parse(policy?.text ?? '{}') as { readonly Statement: readonly Statement[] };
const allowedBy = (sids: readonly string[]): readonly string[] =>
  Statement.filter(({ Sid }) => sids.includes(Sid)).flatMap(({ Action }) =>
    [Action].flat().map((action) => action.toLowerCase()),
  );

let called: ReadonlyMap<string, readonly string[]>;
let reference: Reference;
beforeAll(async () => {
  called = await calledFor([...types, ...Object.keys(ROWS)]);
  reference = await loadReference();
});

/** Schemas name some operations that IAM has no action for: these cannot be granted. */
const isAction = (name: string): boolean => {
  const [service = '', action = ''] = name.toLowerCase().split(':');
  return service === 'apigateway' || reference.service(service)?.actions[action] !== undefined;
};
const propertyOf = (type: string, action: string): string | undefined =>
  BY_PROPERTY[type]?.find(([, actions]) => actions.test(action))?.[0];

/** What a type needs, and is not among these actions, in small letters: for no reason. */
const lackingIn = (type: string, allowed: readonly string[]): readonly string[] =>
  (called.get(type) ?? [])
    .filter((action) => isAction(action) && !allowed.includes(action.toLowerCase()))
    .filter((action) => {
      const property = propertyOf(type, action);
      if (property === undefined) return true;
      const isSet = ofType(type).some(({ properties }) =>
        JSON.stringify(properties).includes(`"${property}":`),
      );
      return isSet && !page.includes(action);
    });

it.each(types)('the policy allows what CloudFormation calls for %s', (type) => {
  expect(called.get(type)?.length).toBeGreaterThan(0);
  // A type that is new: which statement is for it?
  expect(STATEMENTS).toHaveProperty([type]);
  for (const sids of STATEMENTS[type] ?? [])
    expect(lackingIn(type, allowedBy(sids)), sids.join()).toEqual([]);
});

/** Types that the framework makes of what a model’s `function:` says, and the row of the table for it. */
const ROWS: Readonly<Record<string, string>> = {
  'AWS::Cognito::UserPool': 'cognitoUserPool',
  'AWS::ElasticLoadBalancingV2::ListenerRule': 'alb',
  'AWS::ElasticLoadBalancingV2::TargetGroup': 'alb',
  'AWS::Events::Rule': 'eventBridge',
  'AWS::IoT::TopicRule': 'iot',
  'AWS::Kinesis::StreamConsumer': 'stream',
  'AWS::Lambda::EventInvokeConfig': 'destinations',
  'AWS::Lambda::EventSourceMapping': 'sqs',
  'AWS::Lambda::Url': 'url',
  'AWS::Logs::SubscriptionFilter': 'cloudwatchLog',
  'AWS::S3::Bucket': 's3',
  'AWS::SNS::Subscription': 'sns',
  'AWS::SNS::Topic': 'sns',
  'AWS::Scheduler::Schedule': 'schedule',
};

it.each(Object.entries(ROWS))('the table has what CloudFormation calls for %s, by `%s`', (type, word) => {
  const [, table = ''] = page.split('## What function adds');
  const row = table.split('\n').find((line) => line.startsWith('|') && line.includes(`\`${word}\``)) ?? '';
  const words = [...row.matchAll(/`([^`]+)`/g)].map(([, one = '']) => one);
  // Every role of the service may be passed on. A row may name a statement, whose actions it takes.
  const allowed = [...allowedBy(['Roles', ...words]), ...words.map((one) => one.toLowerCase())];
  expect(lackingIn(type, allowed)).toEqual([]);
});

it('and for a custom resource', () => {
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources-lambda.html
  expect(allowedBy(['Functions'])).toContain('lambda:invokefunction');
});

it('a property stands for calls that the schemas have, and each statement for a type', () => {
  const unknown = Object.entries(BY_PROPERTY).flatMap(([type, all]) =>
    all.filter(([, actions]) => !called.get(type)?.some((one) => actions.test(one))).map(([one]) => one),
  );
  expect(unknown).toEqual([]);
  const sids = Object.values(STATEMENTS).flat(2);
  expect(sids.filter((sid) => !Statement.some(({ Sid }) => Sid === sid))).toEqual([]);
});

it('the local AWS asks for what the schemas name, of every type', async () => {
  const program =
    'import json; from semantics.access import stack_calls; print(json.dumps(stack_calls.named()))';
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  const printed = execFileSync(await awsPython(console.error), ['-c', program], { cwd: localAws, env });
  const asked: Readonly<Record<string, readonly string[]>> = JSON.parse(printed.toString());
  expect(Object.keys(asked).sort()).toEqual(types);
  for (const [type, actions] of Object.entries(asked))
    expect(
      actions.filter((action) => !called.get(type)?.includes(action)),
      type,
    ).toEqual([]);
});
