/**
 * The recipe for when the registry changes (examples/registry-changes): a webhook that MLflow signed starts
 * one build, however often it comes; what is not signed starts none. A version that SageMaker's registry
 * tells of starts one where it is approved.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodeBuildClient, ListBuildsForProjectCommand } from '@aws-sdk/client-codebuild';
import {
  DeleteRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { patternFaults } from '../aws-reference/event-patterns.ts';
import { findings } from '../aws-reference/permissions.ts';
import { loadReference } from '../aws-reference/reference.ts';
import { statementsOf } from '../aws-reference/statements.ts';
import { makeRole } from '../local-aws/lambda.ts';
import { type Deployment, everythingLeft, prepareService, type Service } from './service.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const EXAMPLE = join(ROOT, 'examples', 'registry-changes');

let aws: LocalAws;
let service: Service;
let deployment: Deployment;
let before: string[];
let builds: CodeBuildClient;
let events: EventBridgeClient;
let secret: string;
let project: string;
beforeAll(async () => {
  aws = await startAws();
  builds = new CodeBuildClient(client(aws.endpoint));
  events = new EventBridgeClient(client(aws.endpoint));
  const deployRole = await makeRole(aws, 'deploys-models', [], 'codebuild');
  before = await everythingLeft(aws);
  service = await prepareService(EXAMPLE, aws);
  const params = {
    deployRole,
    repository: 'https://github.com/example/shop.git',
    mlflow: 'https://mlflow.example',
    aliases: 'churn@champion offers@champion',
  };
  deployment = await service.deploy(
    undefined,
    ...Object.entries(params).flatMap(([name, value]) => ['--param', `${name}=${value}`]),
  );
  project =
    deployment.resources.find(({ type }) => type === 'AWS::CodeBuild::Project')?.physical ?? 'no project';
  const secrets = new SecretsManagerClient(client(aws.endpoint));
  const SecretId = deployment.resources.find(({ type }) => type === 'AWS::SecretsManager::Secret')?.physical;
  ({ SecretString: secret = '' } = await secrets.send(new GetSecretValueCommand({ SecretId })));
  secrets.destroy();
});
afterAll(async () => {
  for (const one of [builds, events]) one?.destroy();
  await aws?.stop();
});

async function started(): Promise<number> {
  const { ids = [] } = await builds.send(new ListBuildsForProjectCommand({ projectName: project }));
  return ids.length;
}
const now = (): number => Math.floor(Date.now() / 1000);

/** As MLflow writes it: `mlflow/webhooks/delivery.py`, `json.dumps` with its blanks. */
const bodyOf = (name = 'churn', alias = 'champion', action = 'created'): string =>
  `{"entity": "model_version_alias", "action": "${action}", "timestamp": "2026-11-27T20:00:00+00:00", "data": {"name": "${name}", "alias": "${alias}", "version": "3"}}`;

type Delivery = { readonly headers: Record<string, string>; readonly body: string | Buffer };
function delivery(
  body: string = bodyOf(),
  { at = now(), key = secret, id = randomUUID() as string } = {},
): Delivery {
  const signature = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64');
  return {
    body,
    headers: {
      'Content-Type': 'application/json',
      'X-MLflow-Delivery-Id': id,
      'X-MLflow-Timestamp': String(at),
      'X-MLflow-Signature': `v1,${signature}`,
    },
  };
}
async function send({ headers, body }: Delivery): Promise<[number, unknown]> {
  const answer = await fetch(`${deployment.http()}/mlflow`, { method: 'POST', headers, body });
  return [answer.status, await answer.json()];
}
const without = ({ headers, body }: Delivery, name: string): Delivery => ({
  body,
  headers: Object.fromEntries(Object.entries(headers).filter(([one]) => one !== name)),
});
const having = ({ headers, body }: Delivery, more: Record<string, string>): Delivery => ({
  body,
  headers: { ...headers, ...more },
});

describe('a webhook', () => {
  it('that MLflow signed starts one build, and the same one when it comes again', async () => {
    const first = delivery();
    const [status, answer] = await send(first);
    expect([status, answer]).toEqual([202, { build: expect.stringContaining(`${project}:`) }]);
    expect(await started()).toBe(1);
    // MLflow repeats what it got no answer to; whoever listens may, too.
    const again = await Promise.all([send(first), send(first), send(first)]);
    expect(again).toEqual([
      [202, answer],
      [202, answer],
      [202, answer],
    ]);
    expect(await started()).toBe(1);
    expect((await send(delivery(bodyOf('offers'))))[0]).toBe(202);
    expect(await started()).toBe(2);
    expect((await deployment.logs('webhook')).join('')).toContain(
      '"name":"churn","alias":"champion","version":"3"',
    );
  });

  it('that is of something else starts none', async () => {
    const there = await started();
    for (const body of [
      bodyOf('churn', 'production'),
      bodyOf('other'),
      bodyOf('churn', 'champion', 'deleted'),
      bodyOf('churn@champion offers', 'champion'),
      '{"entity": "registered_model", "action": "created", "data": {"name": "churn@champion"}}',
      'null',
      '[]',
    ])
      expect([body, await send(delivery(body))]).toEqual([body, [200, { build: null }]]);
    expect(await send(delivery('{"entity": '))).toEqual([400, { error: 'The body is no JSON.' }]);
    expect(await started()).toBe(there);
  });

  it.each<[string, () => Delivery]>([
    ['is signed with another secret', () => delivery(bodyOf(), { key: 'another' })],
    ['is signed with no secret', () => delivery(bodyOf(), { key: '' })],
    ['has another body', () => ({ ...delivery(), body: bodyOf('offers') })],
    ['has a blank more', () => ({ ...delivery(), body: `${bodyOf()} ` })],
    ['has another id', () => having(delivery(), { 'X-MLflow-Delivery-Id': randomUUID() })],
    ['has another time', () => having(delivery(), { 'X-MLflow-Timestamp': String(now() + 1) })],
    ['is five minutes old', () => delivery(bodyOf(), { at: now() - 300 })],
    ['is of the next minute', () => delivery(bodyOf(), { at: now() + 60 })],
    ['has a time that is none', () => having(delivery(), { 'X-MLflow-Timestamp': 'NaN' })],
    ['has an id that is a sentence', () => delivery(bodyOf(), { id: 'an id with blanks' })],
    ['has a signature of another version', () => having(delivery(), { 'X-MLflow-Signature': 'v2,AAAA' })],
    ['has a short signature', () => having(delivery(), { 'X-MLflow-Signature': 'v1,AAAA' })],
    ['has no signature', () => without(delivery(), 'X-MLflow-Signature')],
    ['has no id', () => without(delivery(), 'X-MLflow-Delivery-Id')],
    ['has no time', () => without(delivery(), 'X-MLflow-Timestamp')],
    ['has no body', () => ({ ...delivery(), body: '' })],
  ])('that %s is refused', async (_, made) => {
    const there = await started();
    expect(await send(made())).toEqual([401, { error: 'The delivery is not signed, or too old.' }]);
    expect(await started()).toBe(there);
  });

  it('that is large is refused before it is looked at; bytes that are no text are taken as they came', async () => {
    expect((await send(delivery('x'.repeat(65 * 1024))))[0]).toBe(413);
    const bytes = Buffer.from([0x22, 0xff, 0xfe, 0x22]);
    const { headers } = delivery();
    const of = `${headers['X-MLflow-Delivery-Id']}.${headers['X-MLflow-Timestamp']}.`;
    const signature = createHmac('sha256', secret).update(of).update(bytes).digest('base64');
    const sent = {
      body: bytes,
      headers: {
        ...headers,
        'Content-Type': 'application/octet-stream',
        'X-MLflow-Signature': `v1,${signature}`,
      },
    };
    expect(await send(sent)).toEqual([200, { build: null }]);
  });

  it('is verified as MLflow’s own server signed and sent it', async () => {
    const recorded = JSON.parse(
      await readFile(join(ROOT, 'test', 'fixtures', 'mlflow', 'delivery.json'), 'utf8'),
    ) as Delivery & { readonly secret: string; readonly body: string };
    const { signedDelivery } = await import(join(EXAMPLE, 'webhook.mjs'));
    const at = Number(recorded.headers['x-mlflow-timestamp']);
    const check = (body: string, when: number, key = recorded.secret) =>
      signedDelivery(recorded.headers, Buffer.from(body), key, when);
    expect(check(recorded.body, at)).toBe(recorded.headers['x-mlflow-delivery-id']);
    expect(check(recorded.body, at + 240)).toBe(recorded.headers['x-mlflow-delivery-id']);
    expect(check(recorded.body, at + 241)).toBeUndefined();
    expect(check(recorded.body, at - 31)).toBeUndefined();
    expect(check(`${recorded.body} `, at)).toBeUndefined();
    expect(check(recorded.body, at, 'another')).toBeUndefined();
    expect(JSON.parse(recorded.body)).toMatchObject({
      entity: 'model_version_alias',
      action: 'created',
      data: { name: 'churn', alias: 'champion', version: expect.stringMatching(/^\d+$/) },
    });
  });
});

describe('SageMaker’s registry', () => {
  /** https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html */
  const told = (detail: Readonly<Record<string, unknown>>): string =>
    JSON.stringify({
      version: '0',
      id: '844e2571-85d4-695f-b930-0153b71dcb42',
      'detail-type': 'SageMaker Model Package State Change',
      source: 'aws.sagemaker',
      account: '123456789012',
      time: '2021-02-24T17:00:14Z',
      region: 'us-east-2',
      resources: ['arn:aws:sagemaker:us-east-2:123456789012:model-package/offers/2'],
      detail: {
        ModelPackageGroupName: 'offers',
        ModelPackageVersion: 2,
        ModelPackageArn: 'arn:aws:sagemaker:us-east-2:123456789012:model-package/offers/2',
        CreationTime: '2021-02-24T17:00:14Z',
        ModelPackageStatus: 'Completed',
        ModelPackageStatusDetails: { ValidationStatuses: [], ImageScanStatuses: [] },
        CertifyForMarketplace: false,
        ...detail,
      },
    });
  const ruleOf = async () => {
    const { Rules = [] } = await events.send(new ListRulesCommand({}));
    const rule = Rules.find(({ EventPattern = '' }) => EventPattern.includes('aws.sagemaker'));
    return { name: rule?.Name ?? '', pattern: rule?.EventPattern ?? '' };
  };

  it.each([
    [
      'an approved version',
      { ModelApprovalStatus: 'Approved', UpdatedModelPackageFields: ['ModelApprovalStatus'] },
      true,
    ],
    ['a version that is approved as it is registered', { ModelApprovalStatus: 'Approved' }, true],
    ['a new version that nobody has approved', { ModelApprovalStatus: 'PendingManualApproval' }, false],
    [
      'a version that was rejected',
      { ModelApprovalStatus: 'Rejected', UpdatedModelPackageFields: ['ModelApprovalStatus'] },
      false,
    ],
    ['a version without a status', {}, false],
    [
      'a version of another model',
      { ModelApprovalStatus: 'Approved', ModelPackageGroupName: 'other' },
      false,
    ],
  ])('%s: a build is started or not (%#)', async (_, detail, isBuilt) => {
    const { pattern } = await ruleOf();
    expect(patternFaults(JSON.parse(pattern), 'rule')).toEqual([]);
    const { Result } = await events.send(
      new TestEventPatternCommand({ EventPattern: pattern, Event: told(detail) }),
    );
    expect(Result).toBe(isBuilt);
  });

  it('has its rule start the build: nobody but AWS sends events of SageMaker, so one of ours goes to its target', async () => {
    const there = await started();
    const { name } = await ruleOf();
    const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: name }));
    const rule = { Name: 'ours', EventPattern: JSON.stringify({ source: ['ours'] }) };
    await events.send(new PutRuleCommand(rule));
    await events.send(new PutTargetsCommand({ Rule: rule.Name, Targets }));
    await events.send(
      new PutEventsCommand({ Entries: [{ Source: 'ours', DetailType: 'approved', Detail: '{}' }] }),
    );
    await expect.poll(started, { timeout: 90_000 }).toBe(there + 1);
    await events.send(new RemoveTargetsCommand({ Rule: rule.Name, Ids: ['build'] }));
    await events.send(new DeleteRuleCommand({ Name: rule.Name }));
  });
});

it('its roles may what they need, and that is what AWS knows by name', async () => {
  const file = join(service.dir, '.serverless', 'cloudformation-template-update-stack.json');
  const template = JSON.parse(await readFile(file, 'utf8'));
  const statements = statementsOf(template, 'registry-changes');
  const reference = await loadReference();
  // Those of logs are the framework’s own.
  const found = statements.flatMap((statement) => findings(statement, reference));
  expect(found.filter(({ action }) => !action.startsWith('logs:'))).toEqual([]);
  const actions = statements.flatMap((statement) => statement.actions);
  expect([...new Set(actions)].filter((action) => !action.startsWith('logs:')).sort()).toEqual([
    'codebuild:StartBuild',
    'lambda:InvokeFunction',
    's3:*',
    'secretsmanager:GetSecretValue',
    'sts:AssumeRole',
  ]);
});

it('nothing is left of it', async () => {
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
