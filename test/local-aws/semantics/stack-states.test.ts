import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  UpdateStackCommand,
  waitUntilChangeSetCreateComplete,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { closedGate } from '../closed-gate.ts';
import { ACCOUNT, makeFunction, withAndWithout } from '../lambda.ts';

type Resources = Readonly<Record<string, object>>;
const quickly = { maxWaitTime: 60, minDelay: 0.2, maxDelay: 0.5 };
const bodyOf = (Resources: Resources): string => JSON.stringify({ Resources });
const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: Error) => `${error.name}: ${error.message}`,
  );

/** Answers a custom resource's request when its gate for that kind of request opens. */
const RESPONDER = `export const handler = async (event) => {
  const { gates = {}, n } = event.ResourceProperties;
  const gate = gates[event.RequestType + (event.RequestType === 'Update' ? n : '')];
  if (gate) await fetch(gate);
  await fetch(event.ResponseURL, { method: 'PUT', body: JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: event.LogicalResourceId,
    StackId: event.StackId, RequestId: event.RequestId, LogicalResourceId: event.LogicalResourceId }) });
};`;
/** There is no such image: it fails. */
const IMPOSSIBLE = {
  Type: 'AWS::Lambda::Function',
  Properties: {
    PackageType: 'Image',
    Code: { ImageUri: 'none' },
    Role: `arn:aws:iam::${ACCOUNT}:role/none`,
  },
};
const TOPIC = { Type: 'AWS::SNS::Topic', Properties: {} };

/** What can be asked for a stack, each by the text of its refusal or `none`. */
function asking(aws: LocalAws, StackName: string) {
  const cloudFormation = new CloudFormationClient(client(aws.endpoint));
  const send = cloudFormation.send.bind(cloudFormation);
  return {
    create: (resources: Resources) =>
      refusal(send(new CreateStackCommand({ StackName, TemplateBody: bodyOf(resources) }))),
    update: (resources: Resources) =>
      refusal(send(new UpdateStackCommand({ StackName, TemplateBody: bodyOf(resources) }))),
    propose: (ChangeSetName: string, resources: Resources, ChangeSetType: 'CREATE' | 'UPDATE' = 'UPDATE') =>
      refusal(
        send(
          new CreateChangeSetCommand({
            StackName,
            ChangeSetName,
            ChangeSetType,
            TemplateBody: bodyOf(resources),
          }),
        ),
      ),
    proposed: (ChangeSetName: string) =>
      waitUntilChangeSetCreateComplete({ client: cloudFormation, ...quickly }, { StackName, ChangeSetName }),
    execute: (ChangeSetName: string) =>
      refusal(send(new ExecuteChangeSetCommand({ StackName, ChangeSetName }))),
    made: () => waitUntilStackCreateComplete({ client: cloudFormation, ...quickly }, { StackName }),
    delete: () => refusal(send(new DeleteStackCommand({ StackName }))),
    remove: async () => {
      await send(new DeleteStackCommand({ StackName }));
      await waitUntilStackDeleteComplete({ client: cloudFormation, ...quickly }, { StackName });
    },
    is: async (status: string): Promise<string> => {
      let id = '';
      const now = async () => {
        const { Stacks = [] } = await send(new DescribeStacksCommand({ StackName }));
        id = Stacks[0]?.StackId ?? '';
        return Stacks[0]?.StackStatus;
      };
      await expect.poll(now, { timeout: 60_000, interval: 50 }).toBe(status);
      return id;
    },
    end: () => cloudFormation.destroy(),
  };
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
describe('a stack takes a change only while it rests', () => {
  let aws: LocalAws;
  let ServiceToken: string;
  beforeAll(async () => {
    aws = await startAws();
    ServiceToken = await makeFunction(aws, { name: 'responder', code: RESPONDER, timeout: 60 });
  });
  afterAll(() => aws?.stop());

  it('not during a rollback, nor during the cleanup after it', async () => {
    const stack = asking(aws, 'busy');
    const [back, clean] = [await closedGate(), await closedGate()];
    const gates = { Update1: back.url };
    const slow = (n: number) => ({ Type: 'Custom::Slow', Properties: { ServiceToken, n, gates } });
    const before = { Slow: slow(1) };
    const failing = {
      Slow: slow(2),
      Extra: { Type: 'Custom::Extra', Properties: { ServiceToken, gates: { Delete: clean.url } } },
      Bad: { ...IMPOSSIBLE, DependsOn: ['Slow', 'Extra'] },
    };
    const after = { ...before, Topic: TOPIC };
    expect(await stack.create(before)).toBe('none');
    await stack.made();
    await stack.propose('early', after);
    await stack.proposed('early');
    expect(await stack.update(failing)).toBe('none');
    const refuses = async (status: string): Promise<void> => {
      const id = await stack.is(status);
      const busy = `ValidationError: Stack:${id} is in ${status} state and can not be updated.`;
      expect(await stack.update(after)).toBe(busy);
      expect(await stack.propose('late', after)).toBe(busy);
      expect(await stack.execute('early')).toMatch(/^InvalidChangeSetStatus/);
      expect(await stack.delete()).toBe(
        `ValidationError: Stack [${id}] cannot be deleted while in status ${status}`,
      );
    };
    await back.asked;
    await refuses('UPDATE_ROLLBACK_IN_PROGRESS');
    back.open();
    await clean.asked;
    await refuses('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    clean.open();
    await stack.is('UPDATE_ROLLBACK_COMPLETE');
    expect(await stack.propose('late', after)).toBe('none');
    await stack.proposed('late');
    expect(await stack.execute('late')).toBe('none');
    await stack.is('UPDATE_COMPLETE');
    stack.end();
  });

  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
  it('and after a creation that was rolled back none: it is deleted, and made again', async () => {
    const stack = asking(aws, 'never');
    expect(await stack.create({ Topic: TOPIC, Bad: IMPOSSIBLE })).toBe('none');
    const id = await stack.is('ROLLBACK_COMPLETE');
    const over = `ValidationError: Stack:${id} is in ROLLBACK_COMPLETE state and can not be updated.`;
    expect(await stack.update({ Topic: TOPIC })).toBe(over);
    expect(await stack.propose('update', { Topic: TOPIC })).toBe(over);
    const there = 'AlreadyExistsException: Stack [never] already exists';
    expect(await stack.create({ Topic: TOPIC })).toBe(there);
    expect(await stack.propose('create', { Topic: TOPIC }, 'CREATE')).toBe(there);
    await stack.remove();
    expect(await stack.propose('create', { Topic: TOPIC }, 'CREATE')).toBe('none');
    await stack.proposed('create');
    expect(await stack.execute('create')).toBe('none');
    await stack.is('CREATE_COMPLETE');
    stack.end();
  });

  it('which MiniStack does not see', async () => {
    const { on, off } = await withAndWithout('stack_states', async (one) => {
      const stack = asking(one, 'over');
      await stack.create({ Bad: IMPOSSIBLE });
      await stack.is('ROLLBACK_COMPLETE');
      const answer = await stack.propose('update', { Topic: TOPIC });
      stack.end();
      return answer;
    });
    expect(on).toContain('is in ROLLBACK_COMPLETE state and can not be updated');
    expect(off).toBe('none');
  });
});
