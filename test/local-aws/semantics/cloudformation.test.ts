import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  ListStackResourcesCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';
import { LambdaClient, ListVersionsByFunctionCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { invoke, makeFunction, withAndWithout } from '../lambda.ts';

type Resources = Readonly<Record<string, object>>;
const quickly = { maxWaitTime: 60, minDelay: 0.2, maxDelay: 0.5 };

/** Creates or updates a stack and gives how it ended and the reasons of what failed. */
async function apply(
  aws: LocalAws,
  name: string,
  resources: Resources,
  update = false,
): Promise<{ ok: boolean; reasons: string[] }> {
  const cloudFormation = new CloudFormationClient(client(aws.endpoint));
  const input = {
    StackName: name,
    TemplateBody: JSON.stringify({ Resources: resources }),
    Capabilities: ['CAPABILITY_IAM' as const],
  };
  await cloudFormation.send(update ? new UpdateStackCommand(input) : new CreateStackCommand(input));
  const wait = update ? waitUntilStackUpdateComplete : waitUntilStackCreateComplete;
  const ok = await wait({ client: cloudFormation, ...quickly }, { StackName: name }).then(
    () => true,
    () => false,
  );
  const events = await cloudFormation.send(new DescribeStackEventsCommand({ StackName: name }));
  const reasons = (events.StackEvents ?? [])
    .filter(({ ResourceStatus }) => ResourceStatus?.endsWith('_FAILED'))
    .map(({ ResourceStatusReason }) => ResourceStatusReason ?? '');
  cloudFormation.destroy();
  return { ok, reasons };
}

/** Answers a custom resource's request as its properties ask: at once, never, after a crash, or FAILED. */
const RESPONDER = `let calls = 0;
export const handler = async (event) => {
  if (event.count) return calls;
  calls++;
  const { how } = event.ResourceProperties;
  if (how === 'never' && event.RequestType !== 'Delete') return;
  if (how === 'second' && calls === 1) throw new Error('not yet');
  await fetch(event.ResponseURL, { method: 'PUT', body: JSON.stringify({
    Status: how === 'fail' && event.RequestType === 'Create' || how === 'stay' && event.RequestType === 'Delete' ? 'FAILED' : 'SUCCESS', Reason: 'case 7 differs',
    PhysicalResourceId: 'thing:live', StackId: event.StackId, RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId, Data: { seen: JSON.stringify(event.ResourceProperties) } }) });
  if (how === 'slow') await new Promise((resolve) => setTimeout(resolve, 45_000));
};`;

/** Answers the request that creates it with a change that its properties ask for. */
const ODD = `export const handler = async (event) => {
  const { StackId, RequestId, LogicalResourceId, RequestType, ResourceProperties: { change } } = event;
  const answer = { Status: 'SUCCESS', PhysicalResourceId: 'thing', StackId, RequestId, LogicalResourceId };
  const changed = RequestType === 'Create' ? { ...answer, ...JSON.parse(change) } : answer;
  await fetch(event.ResponseURL, { method: 'PUT', body: JSON.stringify(changed) });
};`;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html */
describe('a custom resource', () => {
  let aws: LocalAws;
  let token: string;
  beforeAll(async () => {
    aws = await startAws();
    token = await makeFunction(aws, { name: 'responder', code: RESPONDER, timeout: 60 });
  });
  afterAll(() => aws?.stop());
  const thing = (how: string, timeout = 20): Resources => ({
    Thing: { Type: 'Custom::Thing', Properties: { ServiceToken: token, ServiceTimeout: timeout, how } },
  });

  it('succeeds as soon as it is answered, and fails with its reason', async () => {
    const began = Date.now();
    expect(await apply(aws, 'slow', thing('slow'))).toEqual({ ok: true, reasons: [] });
    // Its function goes on for longer than that.
    expect(Date.now() - began).toBeLessThan(40_000);
    expect((await apply(aws, 'fails', thing('fail'))).reasons.join()).toContain('case 7 differs');
  });

  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-customresource.html
  it('fails after its ServiceTimeout', async () => {
    const began = Date.now();
    const { ok } = await apply(aws, 'never', thing('never', 2));
    expect(ok).toBe(false);
    // Who waits for the stack would wait for a minute.
    expect(Date.now() - began).toBeLessThan(45_000);
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/services-cloudformation.html: invoked asynchronously, so
  // tried again
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
  it('fails where its answer is too large, is nobody’s, or belongs to another request', async () => {
    const { on, off } = await withAndWithout('custom_resources', async (own) => {
      const ServiceToken = await makeFunction(own, { name: 'responder', code: ODD, timeout: 60 });
      const found = [];
      for (const change of [
        { Data: { a: 'ä'.repeat(2048) } },
        { PhysicalResourceId: '' },
        { RequestId: 'other' },
      ]) {
        const Properties = { ServiceToken, ServiceTimeout: 20, change: JSON.stringify(change) };
        found.push(await apply(own, `odd${found.length}`, { Thing: { Type: 'Custom::Thing', Properties } }));
      }
      return found.map(({ ok, reasons }) => (ok ? 'ok' : reasons[0]));
    });
    expect(on).toEqual([
      'Response object is too long.',
      'Invalid PhysicalResourceId',
      'Invalid Response object: RequestId is not that of the request.',
    ]);
    expect(off).toEqual(['ok', 'ok', 'ok']);
  });

  it('is invoked again when its function throws', async () => {
    const { on, off } = await withAndWithout('custom_resources', async (other, isOn) => {
      token = await makeFunction(other, { name: 'responder', code: RESPONDER });
      return (await apply(other, 'second', thing('second', isOn ? 40 : 6))).ok;
    });
    expect(on).toBe(true);
    expect(off).toBe(false);
  });

  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-delete-stack.html:
  // “dependencies of those resources”
  it('that cannot be deleted keeps what it depends on, and nothing else', async () => {
    const { on, off } = await withAndWithout('custom_resources', async (other) => {
      token = await makeFunction(other, { name: 'responder', code: RESPONDER });
      const { Thing } = thing('stay') as { readonly Thing: object };
      const topic = { Type: 'AWS::SNS::Topic' };
      await apply(other, 'stays', { Needed: topic, Other: topic, Thing: { ...Thing, DependsOn: 'Needed' } });
      const cloudFormation = new CloudFormationClient(client(other.endpoint));
      await cloudFormation.send(new DeleteStackCommand({ StackName: 'stays' }));
      const deleted = waitUntilStackDeleteComplete(
        { client: cloudFormation, ...quickly },
        { StackName: 'stays' },
      );
      await expect(deleted).rejects.toThrow();
      const { StackResourceSummaries = [] } = await cloudFormation.send(
        new ListStackResourcesCommand({ StackName: 'stays' }),
      );
      cloudFormation.destroy();
      return StackResourceSummaries.filter(({ ResourceStatus }) => ResourceStatus !== 'DELETE_COMPLETE').map(
        ({ LogicalResourceId }) => LogicalResourceId,
      );
    });
    expect(on.sort()).toEqual(['Needed', 'Thing']);
    expect(off).toEqual(['Thing']);
  });
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
it('what an update takes away is deleted in its cleanup, and the events tell it', async () => {
  const { on, off } = await withAndWithout('custom_resources', async (aws) => {
    const topic = { Type: 'AWS::SNS::Topic' };
    await apply(aws, 'fewer', { Kept: topic, Gone: topic });
    expect(await apply(aws, 'fewer', { Kept: topic }, true)).toEqual({ ok: true, reasons: [] });
    const cloudFormation = new CloudFormationClient(client(aws.endpoint));
    const { StackEvents = [] } = await cloudFormation.send(
      new DescribeStackEventsCommand({ StackName: 'fewer' }),
    );
    cloudFormation.destroy();
    return StackEvents.filter(({ LogicalResourceId }) => LogicalResourceId === 'Gone')
      .map(({ ResourceStatus }) => ResourceStatus)
      .filter((status) => status?.startsWith('DELETE'))
      .reverse();
  });
  expect(on).toEqual(['DELETE_IN_PROGRESS', 'DELETE_COMPLETE']);
  expect(off).toEqual([]);
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html */
describe('DeletionPolicy: RetainExceptOnCreate', () => {
  it('removes a version that a failed update published, and keeps one when it leaves the template', async () => {
    const aws = await startAws();
    try {
      const lambda = new LambdaClient(client(aws.endpoint));
      const versions = async (): Promise<(string | undefined)[]> =>
        ((await lambda.send(new ListVersionsByFunctionCommand({ FunctionName: 'kept' }))).Versions ?? []).map(
          ({ Version }) => Version,
        );
      const responder = await makeFunction(aws, { name: 'responder', code: RESPONDER });
      const stack = (memory: number, version: string | undefined, extra: Resources = {}): Resources => ({
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: {
            AssumeRolePolicyDocument: {
              Statement: [
                { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
              ],
            },
          },
        },
        Kept: {
          Type: 'AWS::Lambda::Function',
          Properties: {
            FunctionName: 'kept',
            Runtime: 'nodejs24.x',
            Handler: 'index.handler',
            MemorySize: memory,
            Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
            Code: { ZipFile: 'exports.handler = async () => 1;' },
          },
        },
        ...(version
          ? {
              [version]: {
                Type: 'AWS::Lambda::Version',
                DeletionPolicy: 'RetainExceptOnCreate',
                Properties: { FunctionName: { Ref: 'Kept' } },
              },
            }
          : {}),
        ...extra,
      });
      const broken = {
        Thing: {
          Type: 'Custom::Thing',
          DependsOn: ['VersionB'],
          Properties: { ServiceToken: responder, ServiceTimeout: 20, how: 'fail' },
        },
      };
      expect((await apply(aws, 'kept', stack(128, 'VersionA'))).ok).toBe(true);
      expect((await apply(aws, 'kept', stack(256, 'VersionB', broken), true)).ok).toBe(false);
      expect(await versions()).toEqual(['$LATEST', '1']);
      // The refused code can be published again.
      expect((await apply(aws, 'kept', stack(256, 'VersionB'), true)).ok).toBe(true);
      expect(await versions()).toEqual(['$LATEST', '1', '3']);
      expect((await invoke(aws, 'kept', {}, '3')).body).toBe(1);
      const cloudFormation = new CloudFormationClient(client(aws.endpoint));
      await cloudFormation.send(new DeleteStackCommand({ StackName: 'kept' }));
      await waitUntilStackDeleteComplete({ client: cloudFormation, ...quickly }, { StackName: 'kept' });
      cloudFormation.destroy();
      lambda.destroy();
    } finally {
      await aws.stop();
    }
  });
});
