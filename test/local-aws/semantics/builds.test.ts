import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';
import {
  CodeBuildClient,
  CreateProjectCommand,
  ListBuildsForProjectCommand,
  StartBuildCommand,
} from '@aws-sdk/client-codebuild';
import {
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, REGION } from '../../../local-aws/start.ts';
import { ACCOUNT, errorName, makeRole, withAndWithout } from '../lambda.ts';

const arn = `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/p`;

async function makeProject(aws: LocalAws): Promise<CodeBuildClient> {
  const builds = new CodeBuildClient(client(aws.endpoint));
  await builds.send(
    new CreateProjectCommand({
      name: 'p',
      serviceRole: await makeRole(aws, 'builds', [], 'codebuild'),
      source: { type: 'NO_SOURCE', buildspec: 'version: 0.2' },
      artifacts: { type: 'NO_ARTIFACTS' },
      environment: {
        type: 'LINUX_CONTAINER',
        image: 'aws/codebuild/standard:7.0',
        computeType: 'BUILD_GENERAL1_SMALL',
      },
    }),
  );
  return builds;
}
async function countBuilds(builds: CodeBuildClient): Promise<number> {
  const { ids = [] } = await builds.send(new ListBuildsForProjectCommand({ projectName: 'p' }));
  return ids.length;
}

// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html (idempotencyToken)
it('a build that is asked for twice by one token is one; a token with other parameters is refused', async () => {
  const { on, off } = await withAndWithout('builds', async (aws) => {
    const builds = await makeProject(aws);
    const start = (idempotencyToken: string, sourceVersion?: string) =>
      builds.send(
        new StartBuildCommand({
          projectName: 'p',
          idempotencyToken,
          ...(sourceVersion && { sourceVersion }),
        }),
      );
    const [one, two] = await Promise.all([start('a'), start('a')]);
    await start('b');
    const found = [
      one.build?.id === two.build?.id,
      await countBuilds(builds),
      await errorName(start('a', 'other')),
    ];
    builds.destroy();
    return found;
  });
  expect([on, off]).toEqual([
    [true, 2, 'InvalidInputException'],
    [false, 3, undefined],
  ]);
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
it('a rule starts a build, where the role of its target may', async () => {
  const { on, off } = await withAndWithout('builds', async (aws, isOn) => {
    const builds = await makeProject(aws);
    const events = new EventBridgeClient(client(aws.endpoint));
    const may = [{ Effect: 'Allow', Action: 'codebuild:StartBuild', Resource: arn }];
    for (const [name, statements] of [
      ['may', may],
      ['may-not', []],
    ] as const) {
      const RoleArn = await makeRole(aws, name, statements, 'events');
      await events.send(new PutRuleCommand({ Name: name, EventPattern: JSON.stringify({ source: [name] }) }));
      await events.send(new PutTargetsCommand({ Rule: name, Targets: [{ Id: 'build', Arn: arn, RoleArn }] }));
    }
    const counts: number[] = [];
    for (const Source of ['may', 'may-not']) {
      await events.send(new PutEventsCommand({ Entries: [{ Source, DetailType: 'test', Detail: '{}' }] }));
      if (isOn && Source === 'may') await expect.poll(() => countBuilds(builds)).toBe(1);
      else await new Promise((resolve) => setTimeout(resolve, 500));
      counts.push(await countBuilds(builds));
    }
    for (const one of [builds, events]) one.destroy();
    return counts;
  });
  expect([on, off]).toEqual([
    [1, 1],
    [0, 0],
  ]);
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
it('what a template refers to of a secret is its ARN, and stays it', async () => {
  const { on, off } = await withAndWithout('secrets', async (aws) => {
    const stacks = new CloudFormationClient(client(aws.endpoint));
    const of = (Description: string) => ({
      StackName: 'stack',
      TemplateBody: JSON.stringify({
        Resources: { Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Description } } },
        Outputs: { Secret: { Value: { Ref: 'Secret' } } },
      }),
    });
    const waiting = { client: stacks, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 };
    const output = async (): Promise<string> => {
      const { Stacks } = await stacks.send(new DescribeStacksCommand({ StackName: 'stack' }));
      return Stacks?.[0]?.Outputs?.[0]?.OutputValue ?? '';
    };
    await stacks.send(new CreateStackCommand(of('one')));
    await waitUntilStackCreateComplete(waiting, { StackName: 'stack' });
    const first = await output();
    await stacks.send(new UpdateStackCommand(of('two')));
    await waitUntilStackUpdateComplete(waiting, { StackName: 'stack' });
    const found = [first.startsWith(`arn:aws:secretsmanager:${REGION}:`), (await output()) === first];
    stacks.destroy();
    return found;
  });
  expect([on, off]).toEqual([
    [true, true],
    [false, true],
  ]);
});
