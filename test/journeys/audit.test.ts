/**
 * An audit is switched on for a model that is deployed: its lines, its log group, and what is left when the
 * service is gone.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CloudWatchLogsClient,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, everythingLeft, prepareService, type Service } from './service.ts';

const GROUP = '/aws/lambda/shop-dev-churn';
const yaml = (audit: string): string => `service: shop
plugins: [serverless-models]
provider: {name: aws}
models:
  churn:
    artifact: add.onnx
    http: {auth: none}
    gate: {cases: cases.jsonl}
    ${audit}
resources:
  Resources:
    LogKey: {Type: AWS::KMS::Key, Properties: {EnableKeyRotation: true, KeyPolicy: {Version: "2012-10-17", Statement: []}}}
`;
const inputs = [
  { name: 'a', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] },
  { name: 'b', datatype: 'FP32', shape: [1, 1], data: [1] },
];
const outputs = [{ name: 'sum', datatype: 'FP32', shape: [1, 3], data: [2, 3, 4] }];

let aws: LocalAws;
let logs: CloudWatchLogsClient;
let service: Service;
let deployment: Deployment;
let before: string[];
beforeAll(async () => {
  aws = await startAws();
  before = await everythingLeft(aws);
  logs = new CloudWatchLogsClient(client(aws.endpoint));
  const files = {
    'add.onnx': await readFile(join(fixtures, 'add.onnx')),
    'cases.jsonl': `${JSON.stringify({ inputs, outputs })}\n`,
  };
  service = await prepareService({ yaml: yaml(''), files }, aws);
  await service.deploy();
  const audit = 'audit: {predictions: true, retention: 2192, kmsKey: !GetAtt LogKey.Arn}';
  deployment = await service.deploy(yaml(audit));
});
afterAll(async () => {
  logs?.destroy();
  await aws?.stop();
});

const group = async () => {
  const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: GROUP }));
  return logGroups[0];
};

const lines = async () => {
  const filter = { logGroupName: GROUP, filterPattern: '{ $.audit = 1 }' };
  const { events = [] } = await logs.send(new FilterLogEventsCommand(filter));
  return events.map(({ message = '' }) => JSON.parse(message));
};

test('the same model with an audit is live at once, and every decision has its line', async () => {
  const url = `${deployment.http()}/v2/models/churn/infer`;
  const headers = { 'x-request-id': 'order-7' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ inputs }) });
  expect(await answer.json()).toMatchObject({ model_version: '2', outputs });
  await fetch(url, { method: 'POST', body: '{' });
  await deployment.invoke('churn', { inputs });

  const common = { model: 'churn', function: 'shop-dev-churn', version: '2' };
  const found = await lines();
  expect(found.filter(({ uncounted }) => !uncounted)).toEqual([
    expect.objectContaining({ ...common, source: 'http', id: 'order-7', outcome: 'answered', outputs }),
    expect.objectContaining({ ...common, source: 'http', outcome: 'refused', code: 'INVALID_JSON' }),
    expect.objectContaining({ ...common, source: 'direct', outcome: 'answered', rows: 1 }),
  ]);
  // As in Lambda's own lines.
  const own = await deployment.logs('churn');
  for (const { requestId } of found)
    expect(own.some((line) => line.startsWith(`START RequestId: ${requestId}`))).toBe(true);
});

test('the gate’s own requests have theirs', async () => {
  const gate = await service.sls('models', 'gate', '--json');
  expect(gate.code, gate.stdout + gate.stderr).toBe(0);
  expect(await lines()).toContainEqual(
    expect.objectContaining({ audit: 1, uncounted: true, outcome: 'answered', source: 'direct', outputs }),
  );
});

test('the log group has key and retention', async () => {
  const key = deployment.resources.find(({ id }) => id === 'LogKey')?.physical;
  expect(await group()).toMatchObject({
    retentionInDays: 2192,
    kmsKeyId: expect.stringMatching(`key/${key}$`),
  });
});

test('when the service is gone the audit is there, and nothing else', async () => {
  await service.remove();
  expect((await group())?.logGroupName).toBe(GROUP);
  await logs.send(new DeleteLogGroupCommand({ logGroupName: GROUP }));
  const left = (await everythingLeft(aws)).filter((thing) => !before.includes(thing));
  // KMS keeps a key for days after it is given up.
  expect(left.filter((thing) => !/kms/i.test(thing))).toEqual([]);
});
