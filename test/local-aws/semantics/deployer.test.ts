import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, REGION, startAws } from '../../../local-aws/start.ts';
import { makeUser, type Statement, type User } from '../../journeys/user.ts';
import { ACCOUNT, makeRole, withAndWithout } from '../lambda.ts';

const quickly = { maxWaitTime: 30, minDelay: 0.1, maxDelay: 0.3 };
const allow = (Action: string | string[], Resource = '*'): Statement => ({
  Sid: `S${[Action].flat().join('').replace(/\W/g, '')}`,
  Effect: 'Allow',
  Action,
  Resource,
});
const STACK = allow('cloudformation:*');
const ROLE = {
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: 'made',
    AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] },
    Policies: [
      {
        PolicyName: 'p',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }],
        },
      },
    ],
  },
};
const MAKES = ['iam:CreateRole', 'iam:GetRole', 'iam:PutRolePolicy'];

/** Makes a stack in somebody’s name: its status, and why something failed. */
async function make(
  aws: LocalAws,
  user: User,
  more: object = {},
  Resources: object = { Role: ROLE },
): Promise<readonly string[]> {
  const cloudFormation = new CloudFormationClient({ ...client(aws.endpoint), credentials: user.credentials });
  const StackName = 'own';
  const TemplateBody = JSON.stringify({ Resources });
  const Capabilities = ['CAPABILITY_NAMED_IAM' as const];
  try {
    await cloudFormation.send(new CreateStackCommand({ StackName, TemplateBody, Capabilities, ...more }));
    await waitUntilStackCreateComplete({ client: cloudFormation, ...quickly }, { StackName }).catch(() => {});
    const { StackEvents = [] } = await cloudFormation.send(new DescribeStackEventsCommand({ StackName }));
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
    const failed = StackEvents.filter(({ ResourceStatus = '' }) => ResourceStatus.endsWith('_FAILED'));
    return [
      Stacks[0]?.StackStatus ?? '',
      ...failed.map(({ ResourceStatusReason = '' }) => ResourceStatusReason),
    ];
  } catch (error) {
    return [error instanceof Error ? `${error.name}: ${error.message}` : String(error)];
  } finally {
    cloudFormation.destroy();
  }
}
async function remove(aws: LocalAws): Promise<void> {
  const cloudFormation = new CloudFormationClient(client(aws.endpoint));
  await cloudFormation.send(new DeleteStackCommand({ StackName: 'own' }));
  await waitUntilStackDeleteComplete({ client: cloudFormation, ...quickly }, { StackName: 'own' });
  cloudFormation.destroy();
}
const denied = (action: string, resource: string): string =>
  `User: arn:aws:iam::${ACCOUNT}:user/ci is not authorized to perform: ${action} on resource: ${resource}`;
const MADE = `arn:aws:iam::${ACCOUNT}:role/made`;

// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html: “If you don't
// specify a service role, CloudFormation uses a temporary session that is generated from your user
// credentials.”
describe('what CloudFormation does is done with what its caller may', () => {
  it('a role is not made for somebody who may not make roles', async () => {
    const { on, off } = await withAndWithout('deployer', async (aws) => {
      const ci = await makeUser(aws, 'ci');
      await ci.may([STACK]);
      return make(aws, ci);
    });
    expect(on).toEqual(['ROLLBACK_COMPLETE', denied('iam:CreateRole', MADE)]);
    expect(off).toEqual(['CREATE_COMPLETE']);
  });

  describe('each call', () => {
    let aws: LocalAws;
    let ci: User;
    beforeAll(async () => {
      aws = await startAws();
      ci = await makeUser(aws, 'ci');
    });
    afterAll(() => aws?.stop());

    it.each(MAKES)('is asked for: %s', async (missing) => {
      await ci.may([STACK, allow(MAKES.filter((one) => one !== missing)), allow('iam:Delete*')]);
      expect((await make(aws, ci)).join()).toContain(denied(missing, MADE));
      await remove(aws);
    });

    it('counts on its resource, and for tags of the stack', async () => {
      await ci.may([STACK, allow(MAKES, `arn:aws:iam::${ACCOUNT}:role/other-*`)]);
      expect((await make(aws, ci)).join()).toContain(denied('iam:CreateRole', MADE));
      await remove(aws);
      await ci.may([STACK, allow(MAKES, MADE)]);
      expect(await make(aws, ci)).toEqual(['CREATE_COMPLETE']);
      await remove(aws);
      expect((await make(aws, ci, { Tags: [{ Key: 'STAGE', Value: 'dev' }] })).join()).toContain(
        denied('iam:TagRole', MADE),
      );
      await remove(aws);
    });

    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html: to make a
    // mapping takes no resource, and its function is the key of a condition.
    it('of an event source mapping is for its function, then for any mapping', async () => {
      const functionArn = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:own-f`;
      const Properties = {
        FunctionName: functionArn,
        EventSourceArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:own-q`,
      };
      const mapping = { Mapping: { Type: 'AWS::Lambda::EventSourceMapping', Properties } };
      const makes = (of: string) => ({
        ...allow('lambda:CreateEventSourceMapping'),
        Condition: {
          ArnLike: { 'lambda:FunctionArn': `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${of}` },
        },
      });
      await ci.may([STACK, makes('other-*')]);
      expect((await make(aws, ci, {}, mapping)).join()).toContain(
        denied('lambda:CreateEventSourceMapping', '*'),
      );
      await remove(aws);
      await ci.may([STACK, makes('own-*')]);
      expect((await make(aws, ci, {}, mapping)).join()).toContain(
        denied('lambda:GetEventSourceMapping', `arn:aws:lambda:${REGION}:${ACCOUNT}:event-source-mapping:*`),
      );
      await remove(aws);
      // Its function is a key of these, too, though they take the mapping.
      const reads = (of: string) => ({
        ...allow('lambda:*EventSourceMapping'),
        Condition: {
          ArnLikeIfExists: { 'lambda:FunctionArn': `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${of}` },
        },
      });
      await ci.may([STACK, makes('own-*'), reads('other-*')]);
      expect((await make(aws, ci, {}, mapping)).join()).toContain(denied('lambda:GetEventSourceMapping', ''));
      await remove(aws);
      await ci.may([STACK, makes('own-*'), reads('own-*')]);
      expect((await make(aws, ci, {}, mapping)).join()).not.toContain('not authorized');
      await remove(aws);
    });

    it('is the role’s, where the stack was given one, which the caller may pass', async () => {
      const RoleARN = await makeRole(
        aws,
        'deployment',
        [{ Effect: 'Allow', Action: 'iam:*', Resource: '*' }],
        'cloudformation',
      );
      await ci.may([STACK]);
      expect((await make(aws, ci, { RoleARN })).join()).toBe(
        `AccessDenied: ${denied('iam:PassRole', RoleARN)}`,
      );
      await ci.may([STACK, allow('iam:PassRole', RoleARN)]);
      expect(await make(aws, ci, { RoleARN })).toEqual(['CREATE_COMPLETE']);
      await remove(aws);
      const Weak = await makeRole(aws, 'weak', [], 'cloudformation');
      await ci.may([STACK, allow('iam:PassRole'), allow(MAKES)]);
      const answer = (await make(aws, ci, { RoleARN: Weak })).join();
      expect(answer).toContain(
        `User: arn:aws:iam::${ACCOUNT}:role/weak is not authorized to perform: iam:CreateRole`,
      );
    });
  });
});
