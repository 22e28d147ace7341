/** What docs/deploy-policy.md says; what it must allow for each type: test/aws-reference/handlers.test.ts. */
import { expect, test } from 'vitest';
import type { StackRequest } from '../../../core/release/document/request-contract.ts';
import { REGISTRY_PREFIX } from '../../../core/release/document/worker-contract.ts';
import { stuck } from '../../../core/release/state/stuck.ts';
import { FILES_PREFIX, OPTIMISED_PREFIX } from '../../../plugins/models/plan/shared/registry-place.ts';
import { withoutWeights } from '../../../plugins/models/releases/words/aws-cli.ts';
import { blocks, pages } from './pages.ts';

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
  'AWS::Lambda::Function': [
    'lambda:GetLayerVersion',
    'elasticfilesystem:DescribeMountTargets',
    'lambda:PutRuntimeManagementConfig',
    'lambda:PutFunctionRecursionConfig',
  ],
  'AWS::Lambda::Url': ['lambda:CreateFunctionUrlConfig', 'lambda:DeleteFunctionUrlConfig'],
  'AWS::Logs::SubscriptionFilter': ['logs:PutSubscriptionFilter', 'logs:DeleteSubscriptionFilter'],
  'AWS::Scheduler::Schedule': ['scheduler:CreateSchedule', 'scheduler:DeleteSchedule'],
  'Custom::S3': ['existing: true'],
};

type Statement = {
  readonly Sid?: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
};

const PAGE = 'docs/deploy-policy.md';
const [policy] = blocks('json').filter(({ page }) => page === PAGE);
const { Statement: statements } = JSON.parse(policy?.text ?? '{}') as {
  readonly Statement: readonly Statement[];
};
const allowed = statements.flatMap(({ Action }) => [Action].flat());

test.each(Object.entries(OF_FUNCTION))('the page says what %s needs', (_, actions) => {
  for (const action of actions) expect(pages.get(PAGE)).toContain(`\`${action}\``);
});

test('no action is allowed on everything, where it could be narrower', () => {
  const open = statements.filter(({ Resource }) => [Resource].flat().includes('*'));
  // These have no resource in AWS's reference, or list only.
  expect(open.flatMap(({ Action }) => [Action].flat()).sort()).toEqual([
    'cloudformation:ListImports',
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

test('whoever deploys changes and removes no mapping of another service’s function', () => {
  const changing = statements.filter(({ Action }) => /(Up|Del).*EventSourceMapping/.test([Action].join()));
  expect(changing.map(({ Condition }) => Condition)).toEqual([
    {
      ArnLikeIfExists: { 'lambda:FunctionArn': 'arn:aws:lambda:REGION:ACCOUNT:function:SERVICE-STAGE-*' },
    },
  ]);
});

test('the page has what the commands of the AWS CLI need that status prints', () => {
  const waiting = {
    promote: 'afterStack',
    deadline: '',
    stack: 'arn:aws:cloudformation:eu-west-1:1:stack/a/b',
  };
  const { todo = '' } = stuck(waiting as Parameters<typeof stuck>[0], 'failed') ?? {};
  const commands = [`aws ${withoutWeights('f')}`, todo].flatMap((text) => [
    ...text.matchAll(/aws (lambda|cloudformation) ([a-z-]+)/g),
  ]);
  expect(commands).toHaveLength(2);
  for (const [, service, verb = ''] of commands) {
    const action = verb.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
    expect(pages.get(PAGE)).toContain(`"${service}:${action}"`);
  }
});

test('the page says that who makes roles may do anything, and bounds each action by which they could', () => {
  const bound = blocks('json').find(({ page, text }) => page === PAGE && text.includes('"BoundRoles"'));
  const [statement] = JSON.parse(bound?.text ?? '[]') as readonly Statement[];
  expect(statement?.Condition).toEqual({
    StringEquals: { 'iam:PermissionsBoundary': 'arn:aws:iam::ACCOUNT:policy/BOUNDARY' },
  });
  const { Action: roles = [] } = statements.find(({ Sid }) => Sid === 'Roles') ?? {};
  // To delete a role gives nobody a permission, and IAM has no such condition for it.
  const widening = [roles]
    .flat()
    .filter((action) => /:(Create|Put|Delete|Attach|Detach)Role/.test(action) && action !== 'iam:DeleteRole');
  expect([...widening, 'iam:PutRolePermissionsBoundary'].sort()).toEqual(
    [...(statement?.Action ?? [])].sort(),
  );
  expect(pages.get('SECURITY.md')).toContain('docs/deploy-policy.md#what-this-policy-is-worth');
});

/**
 * Names that CloudFormation gave. S3 takes 63 characters, and where it were more, it cuts stack and logical
 * id: https://github.com/serverless/serverless/issues/2791
 */
test.each([
  ['shop-dev', 'shop-dev-serverlessdeploymentbucket-1aljxweu3wjjd'],
  ['notification-service-dev', 'notification-service-dev-serverlessdeploymentbuck-w65o70jxcvl5'],
  ['customer-recommendat*', 'customer-recommendations-serverlessdeploymentbuck-hdst4ohfvdif'],
])('the patterns of the deployment bucket for %s take %s', (named, bucket) => {
  const text = blocks('json')
    .filter(({ page }) => page === PAGE)
    .map((block) => block.text)
    .join();
  const patterns = text.match(/arn:aws:s3:::SERVICE-STAGE[^"]*/g) ?? [];
  expect(patterns).toHaveLength(6);
  for (const pattern of patterns) {
    const [asked, key] = pattern.replace('SERVICE-STAGE', named).split('/models/');
    const parts = asked?.split('*').map((part) => part.replace(/[.]/g, '\\$&')) ?? [];
    expect(`arn:aws:s3:::${bucket}`).toMatch(new RegExp(`^${parts.join('.*')}$`));
    expect([undefined, '*']).toContain(key);
  }
});

/**
 * As IAM counts, without white space:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
 */
const characters = (some: readonly Statement[]): number =>
  Object.entries({
    ACCOUNT: '123456789012',
    REGION: 'ap-southeast-4',
    SERVICE: 'customer-recommendations',
    STAGE: 'production',
  }).reduce(
    (text, [name, value]) => text.replaceAll(name, value),
    JSON.stringify({ Version: '2012-10-17', Statement: some }),
  ).length;

test('the page says what IAM takes the policy as: in one piece of a role alone, in two as managed policies', () => {
  const second = statements.findIndex(({ Sid }) => Sid === 'BatchQueues');
  expect(statements[0]?.Sid).toBe('Deployment');
  expect(statements[second - 1]?.Sid).toBe('Rules');
  expect(pages.get(PAGE)?.replace(/\s+/g, ' ')).toContain(
    'two managed ones: from `Deployment` to `Rules`, and from `BatchQueues` on',
  );
  for (const half of [statements.slice(0, second), statements.slice(second)])
    expect(characters(half)).toBeLessThan(6144);
  // As long as one managed policy does not take it, that has to be told.
  expect(characters(statements)).toBeGreaterThan(6144);
  const added = blocks('json').filter(
    ({ page, text }) => page === PAGE && /ImageLogin|_OWNER|MY-MODELS/.test(text),
  );
  const all = added.flatMap(({ text }) => JSON.parse(text) as readonly Statement[]);
  expect(all).toHaveLength(6);
  expect(characters([...statements, ...all])).toBeLessThan(10_240);
});

test('every ARN of the page is of one partition, and the page says what the others are called', () => {
  const text = blocks('json')
    .filter(({ page }) => page === PAGE)
    .map((block) => block.text)
    .join();
  expect(new Set(text.match(/arn:[a-z-]+:/g))).toEqual(new Set(['arn:aws:']));
  for (const partition of ['aws-us-gov', 'aws-cn'])
    expect(pages.get(PAGE)).toContain(`\`arn:${partition}:\``);
});

test('who deploys to a shared registry writes their own documents, and files by content', () => {
  const shared = blocks('json').find(({ page, text }) => page === PAGE && text.includes('MY-MODELS'));
  const [, objects] = JSON.parse(shared?.text ?? '[]') as readonly Statement[];
  const own = 'ACCOUNT/REGION/SERVICE/STAGE/';
  expect(objects?.Resource).toEqual(
    [FILES_PREFIX, OPTIMISED_PREFIX, `${REGISTRY_PREFIX}${own}`].map(
      (prefix) => `arn:aws:s3:::MY-MODELS/${prefix}*`,
    ),
  );
});

test('who may read the registry is told to have what answers a deploy that waits', () => {
  const request: StackRequest = {
    id: 'r',
    kind: 'forward',
    logicalId: 'A',
    url: 'https://signed',
    answerBy: '',
  };
  // As it stands in the document until then.
  expect(JSON.stringify(request)).toContain('https://signed');
  expect(pages.get('SECURITY.md')).toMatch(/signed address where CloudFormation takes the answer/);
  expect(pages.get(PAGE)).toContain(
    '[the address at which it is answered](../SECURITY.md#what-is-not-protected)',
  );
});
