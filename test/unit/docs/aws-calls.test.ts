/** docs/aws-calls.md, which a whole `npm test` keeps, against the policies: what they allow is asked for. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CallReport } from '../../../local-aws/calls.ts';
import { differences, lacking, MARK, PAGE, pageOf, rowsOf, SELDOM } from '../../aws-calls/page.ts';
import { actionsOf } from '../../aws-calls/policies.ts';
import { blocks, pages, root } from './pages.ts';

const rows = rowsOf(pages.get(PAGE) ?? '');
/** What a run may do without counts as asked for. */
const seldom = Object.entries(SELDOM).map(([name, by]) => {
  const [service = '', operation = ''] = name.split(' ');
  return { service, operation, members: [], by: [by] };
});
const askedBy = (...who: readonly string[]): ReadonlySet<string> =>
  new Set([...rows, ...seldom].filter(({ by }) => by.some((one) => who.includes(one))).flatMap(actionsOf));

type Statement = { readonly Sid?: string; readonly Action: string | readonly string[] };
const actionsIn = (statements: readonly Statement[]): readonly string[] => [
  ...new Set(statements.flatMap(({ Action }) => [Action].flat())),
];
type Template = {
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Properties?: {
          readonly Policies?: readonly {
            readonly PolicyDocument: { readonly Statement: readonly Statement[] };
          }[];
        };
      }
    >
  >;
};

/** Actions that a role has for what is done in its name, or for what no run does, by why. */
const IN_ITS_NAME: Readonly<Record<string, readonly string[]>> = {
  'Lambda writes the log': ['logs:CreateLogStream', 'logs:PutLogEvents'],
  'the log groups of the service’s own functions are the framework’s': [
    'logs:CreateLogGroup',
    'logs:TagResource',
  ],
  'Lambda sends traces': ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
  'Lambda joins a VPC': [
    ...['ec2:AssignPrivateIpAddresses', 'ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface'],
    ...['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSecurityGroups', 'ec2:DescribeSubnets'],
    ...['ec2:DescribeVpcs', 'ec2:UnassignPrivateIpAddresses'],
  ],
  'event source mappings poll streams, brokers and queues': [
    ...[
      'dynamodb:DescribeStream',
      'dynamodb:GetRecords',
      'dynamodb:GetShardIterator',
      'dynamodb:ListStreams',
    ],
    ...['kinesis:DescribeStreamSummary', 'kinesis:GetRecords', 'kinesis:GetShardIterator'],
    ...['kinesis:ListShards', 'kinesis:SubscribeToShard'],
    ...['kafka:DescribeCluster', 'kafka:GetBootstrapBrokers', 'mq:DescribeBroker'],
    ...['secretsmanager:GetSecretValue', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
  ],
  'a service’s own functions have it': ['dynamodb:GetItem', 'execute-api:ManageConnections'],
  'the framework’s function for events of an existing bucket asks': [
    'lambda:AddPermission',
    'lambda:RemovePermission',
  ],
  'S3 asks KMS': ['kms:Decrypt', 'kms:GenerateDataKey'],
  'Scheduler and CloudFormation look whether a role may be passed': ['iam:PassRole'],
  'Application Auto Scaling makes its role and the alarms of a policy': [
    ...['iam:CreateServiceLinkedRole', 'cloudwatch:PutMetricAlarm', 'cloudwatch:DeleteAlarms'],
  ],
  'a Map Run of Step Functions writes its result, and ends executions': [
    ...['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts', 'states:StopExecution'],
  ],
};

test('what a role allows is asked for by a function, or done in its name', () => {
  const statements = globSync('test/golden/**/template.json', { cwd: root })
    .map((file) => JSON.parse(readFileSync(join(root, file), 'utf8')) as Template)
    .flatMap(({ Resources }) => Object.values(Resources))
    .filter(({ Type }) => Type === 'AWS::IAM::Role')
    .flatMap(({ Properties }) => Properties?.Policies ?? [])
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  const asked = askedBy('functions');
  const unasked = actionsIn(statements).filter((action) => !asked.has(action));
  expect(unasked.sort()).toEqual(Object.values(IN_ITS_NAME).flat().sort());
});

/**
 * Of the policy of a deploy, what the deployer itself asks for: the rest is what CloudFormation does in the
 * deployer’s name (test/aws-reference/handlers.test.ts says for which type of resource).
 */
const DEPLOYERS = ['Deployment', 'Validation', 'Bucket', 'ReadTraffic'];
/** Actions among them that no run asks for. */
const NOT_ASKED: Readonly<Record<string, readonly string[]>> = {
  'the framework, of a service with a REST API and its keys': ['cloudformation:DescribeStackResources'],
  'CloudFormation makes and removes the bucket': [
    ...[
      's3:CreateBucket',
      's3:DeleteBucket',
      's3:PutEncryptionConfiguration',
      's3:GetEncryptionConfiguration',
    ],
    ...['s3:PutBucketPolicy', 's3:GetBucketPolicy', 's3:DeleteBucketPolicy', 's3:PutBucketTagging'],
    ...['s3:PutBucketPublicAccessBlock', 's3:GetBucketVersioning'],
    ...['s3:GetBucketTagging', 's3:ListTagsForResource', 's3:TagResource', 's3:UntagResource'],
  ],
};

test('what a deployer is allowed for itself is asked for by the command line or the framework', () => {
  const found = blocks('json').find(
    ({ page, text }) => page === 'docs/deploy-policy.md' && text.includes('"Deployment"'),
  );
  const { Statement } = JSON.parse(found?.text ?? '{}') as { readonly Statement: readonly Statement[] };
  const asked = askedBy('command line', 'framework');
  const unasked = actionsIn(Statement.filter(({ Sid = '' }) => DEPLOYERS.includes(Sid))).filter(
    (action) => !asked.has(action),
  );
  expect(unasked.sort()).toEqual(Object.values(NOT_ASKED).flat().sort());
});

test('other pages of policies: all that they allow is asked for', () => {
  const sids = ['Reference', 'Worker', 'Steer', 'Ask', 'Failed', 'DeletedAlias', 'Traffic'];
  const statements = blocks('json')
    .filter(({ page, text }) => page === 'docs/deploy-policy.md' && text.includes('"Statement"'))
    .flatMap(({ text }) => (JSON.parse(text) as { readonly Statement: readonly Statement[] }).Statement)
    .filter(({ Sid = '' }) => sids.includes(Sid));
  expect(new Set(statements.map(({ Sid }) => Sid)).size).toBe(sids.length);
  const asked = askedBy('command line', 'framework');
  expect(actionsIn(statements).filter((action) => !asked.has(action))).toEqual([]);
});

const report = (
  members: CallReport['operations'][number]['members'],
  by = ['command'] as const,
): CallReport => ({
  botocore: '1',
  calls: 1,
  operations: [{ service: 'Lambda', operation: 'GetAlias', by, members }],
  answers: [],
  violations: [],
  crashes: [],
});
const pageWith = (text: string): string => `# Title\n\n| service | no row |\n\n${MARK}\n\n${text}\n`;

test('the page holds what it was written from, and is told what it lacks', () => {
  const first = report({ FunctionName: ['command'], Name: ['command'] });
  const page = pageWith(pageOf(first));
  expect(rowsOf(page)).toEqual([
    { service: 'Lambda', operation: 'GetAlias', by: ['command line'], members: ['FunctionName', 'Name'] },
  ]);
  expect(differences(page, first)).toEqual([]);
  // A member that is sent now and then may be absent.
  expect(differences(page, report({ Name: ['command'] }))).toEqual([]);
  expect(differences(page, report({ Other: ['command'] }))).toEqual(['+ Lambda GetAlias: Other']);
  expect(differences(pageWith(''), first)).toEqual(['+ Lambda GetAlias']);
  expect(differences(page, { ...first, operations: [] })).toEqual(['- Lambda GetAlias: nobody asked for it']);
  // A part of the tests asks for less, and for nothing that the page lacks.
  expect(lacking(page, { ...first, operations: [] })).toEqual([]);
  expect(lacking(page, report({ Other: ['command'] }))).toEqual(['+ Lambda GetAlias: Other']);
  const both = { ...first.operations[0], by: ['command', 'function'] as const };
  expect(differences(page, { ...first, operations: [both as CallReport['operations'][number]] })).toEqual([
    '+ Lambda GetAlias, asked by functions',
  ]);
});
