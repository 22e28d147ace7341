import {
  CloudFormationClient,
  CreateStackCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';
import { GetAliasCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { client } from '../../local-aws/deployed.ts';
import type { LocalAws } from '../../local-aws/start.ts';

const INVOCATIONS = 100;
/** Share of the second version, and how far from it the count may be: five standard deviations. */
const [SHARE, AWAY] = [0.3, 23];

/**
 * A user's own `AWS::Lambda::Alias`, beside models: weights in a template, an update in place, and a version
 * that left the template but stays.
 */
export async function aliasInTemplate(aws: LocalAws): Promise<void> {
  const [cloudFormation, lambda] = [
    new CloudFormationClient(client(aws.endpoint)),
    new LambdaClient(client(aws.endpoint)),
  ];
  const apply = async (isNew: boolean, text: string, alias: object): Promise<void> => {
    const input = {
      StackName: 'alias',
      TemplateBody: template(text, alias),
      Capabilities: ['CAPABILITY_IAM' as const],
    };
    const wait = { client: cloudFormation, maxWaitTime: 60, minDelay: 1, maxDelay: 1 };
    await cloudFormation.send(isNew ? new CreateStackCommand(input) : new UpdateStackCommand(input));
    await (isNew ? waitUntilStackCreateComplete : waitUntilStackUpdateComplete)(wait, { StackName: 'alias' });
  };
  const versionOf = async (): Promise<string | undefined> =>
    (await lambda.send(new GetAliasCommand({ FunctionName: 'plain', Name: 'live' }))).FunctionVersion;
  try {
    await apply(true, 'a', { FunctionVersion: '1' });
    const weights = [{ FunctionVersion: '2', FunctionWeight: SHARE }];
    await apply(false, 'b', { FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: weights } });
    const answers: string[] = [];
    for (let index = 0; index < INVOCATIONS; index++) {
      const { ExecutedVersion, Payload } = await lambda.send(
        new InvokeCommand({ FunctionName: 'plain', Qualifier: 'live' }),
      );
      answers.push(`${ExecutedVersion} ${Payload?.transformToString()}`);
    }
    const second = answers.filter((answer) => answer === '2 "b"').length;
    const first = answers.filter((answer) => answer === '1 "a"').length;
    if (first + second !== INVOCATIONS || Math.abs(second - SHARE * INVOCATIONS) > AWAY)
      throw new Error(
        `an alias with ${SHARE} of the traffic on version 2 was answered ${second} times by it, ${first} times by version 1`,
      );
    await apply(false, 'b', { FunctionVersion: '2' });
    if ((await versionOf()) !== '2')
      throw new Error(`the alias of a template is at version ${await versionOf()}, not 2`);
  } finally {
    for (const one of [cloudFormation, lambda]) one.destroy();
  }
}

function template(text: string, alias: object): string {
  const Statement = [
    { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
  ];
  const version = `Version${text}`;
  return JSON.stringify({
    Resources: {
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement } },
      },
      Function: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          FunctionName: 'plain',
          Runtime: 'nodejs24.x',
          Handler: 'index.handler',
          Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
          Environment: { Variables: { TEXT: text } },
          Code: { ZipFile: 'exports.handler = async () => process.env.TEXT;' },
        },
      },
      [version]: {
        Type: 'AWS::Lambda::Version',
        DeletionPolicy: 'RetainExceptOnCreate',
        Properties: { FunctionName: { Ref: 'Function' }, Description: text },
      },
      Alias: {
        Type: 'AWS::Lambda::Alias',
        DependsOn: version,
        Properties: { FunctionName: { Ref: 'Function' }, Name: 'live', ...alias },
      },
    },
  });
}
