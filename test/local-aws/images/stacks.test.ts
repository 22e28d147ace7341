import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { makeUser } from '../../journeys/user.ts';
import { ACCOUNT, invoke, LOGS, makeRole } from '../lambda.ts';
import { LAMBDA_ARCHITECTURE, makeRepository, nodeImage, push, uriOf } from './image.ts';

const answering = (value: string): string => `export const handler = () => '${value}';`;
const quickly = { maxWaitTime: 60, minDelay: 0.2, maxDelay: 0.5 };

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
describe('a function of an image in a template', () => {
  let aws: LocalAws;
  let Role: string;
  let uri: string;
  beforeAll(async () => {
    aws = await startAws();
    Role = await makeRole(aws, 'imaged', [LOGS]);
    await makeRepository(aws, 'models');
    uri = await push(aws, 'models', 'v1', await nodeImage(answering('one')));
  });
  afterAll(() => aws?.stop());

  type Properties = Readonly<Record<string, unknown>>;
  const imaged = (ImageUri: string, other: Properties = {}): Properties => ({
    PackageType: 'Image',
    Code: { ImageUri },
    Role,
    Architectures: [LAMBDA_ARCHITECTURE],
    MemorySize: 256,
    ...other,
  });
  /**
   * Creates or updates the stack.
   * @returns the function’s name, and the reasons of what failed
   */
  const apply = async (
    StackName: string,
    Properties: Properties,
    { update = false, credentials = client(aws.endpoint).credentials } = {},
  ): Promise<{ name?: string; reasons: string }> => {
    const cloudFormation = new CloudFormationClient({ ...client(aws.endpoint), credentials });
    const Resources = {
      Model: { Type: 'AWS::Lambda::Function', Properties },
      Version: {
        Type: 'AWS::Lambda::Version',
        DeletionPolicy: 'Retain',
        Properties: { FunctionName: { Ref: 'Model' } },
      },
    };
    const input = { StackName, TemplateBody: JSON.stringify({ Resources }) };
    await cloudFormation.send(update ? new UpdateStackCommand(input) : new CreateStackCommand(input));
    cloudFormation.destroy();
    const root = new CloudFormationClient(client(aws.endpoint));
    const wait = update ? waitUntilStackUpdateComplete : waitUntilStackCreateComplete;
    await wait({ client: root, ...quickly }, { StackName }).catch(() => {});
    const { StackEvents = [] } = await root.send(new DescribeStackEventsCommand({ StackName }));
    root.destroy();
    const reasons = StackEvents.filter(({ ResourceStatus }) => ResourceStatus?.endsWith('_FAILED'))
      .map(({ ResourceStatusReason }) => ResourceStatusReason)
      .join('\n');
    const made = StackEvents.find(
      ({ LogicalResourceId }) => LogicalResourceId === 'Model',
    )?.PhysicalResourceId;
    return { ...(made ? { name: made } : {}), reasons };
  };

  it('is made, updated by its image and its configuration, and published', async () => {
    const { name = '', reasons } = await apply('made', imaged(uri));
    expect(reasons).toBe('');
    expect((await invoke(aws, name, {}, '1')).body).toBe('one');
    const two = await push(aws, 'models', 'v2', await nodeImage(answering('two')));
    const updated = await apply('made', imaged(two), { update: true });
    expect(updated).toEqual({ name, reasons: '' });
    expect((await invoke(aws, name)).body).toBe('two');
    expect((await invoke(aws, name, {}, '1')).body).toBe('one');
    const ImageConfig = { WorkingDirectory: '/var/task' };
    await apply('made', imaged(two, { ImageConfig }), { update: true });
    const lambda = new LambdaClient(client(aws.endpoint));
    const configured = async () =>
      (await lambda.send(new GetFunctionCommand({ FunctionName: name }))).Configuration?.ImageConfigResponse;
    expect(await configured()).toEqual({ ImageConfig });
    await apply('made', imaged(two), { update: true });
    expect(await configured()).toBeUndefined();
    lambda.destroy();
  });

  it('fails where Lambda takes no such image, in Lambda’s words', async () => {
    const absent = uriOf('models', 'v9');
    const { reasons } = await apply('absent', imaged(absent));
    expect(reasons).toContain(`Source image ${absent} does not exist. Provide a valid source image.`);
    await apply('kept', imaged(uri));
    const failed = await apply('kept', imaged(absent), { update: true });
    expect(failed.reasons).toContain(`Source image ${absent} does not exist. Provide a valid source image.`);
    expect((await invoke(aws, failed.name ?? '')).body).toBe('one');
  });

  // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html#cfn-lambda-function-packagetype
  it('is another function where its package type changes, and refused where that one’s name is given', async () => {
    const zipped = {
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Code: { ZipFile: `exports.handler = async () => 'zip';` },
      Role,
      Architectures: [LAMBDA_ARCHITECTURE],
    };
    const before = await apply('turned', zipped);
    expect((await invoke(aws, before.name ?? '')).body).toBe('zip');
    const after = await apply('turned', imaged(uri), { update: true });
    expect(after.name).not.toBe(before.name);
    expect((await invoke(aws, after.name ?? '')).body).toBe('one');
    await apply('named', { ...zipped, FunctionName: 'named' });
    const refused = await apply('named', imaged(uri, { FunctionName: 'named' }), { update: true });
    expect(refused.reasons).toContain(
      'CloudFormation cannot update a stack when a custom-named resource requires replacing',
    );
    expect((await invoke(aws, 'named')).body).toBe('zip');
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#configuration-images-permissions
  it('is made with what its deployer may in the repository', async () => {
    await makeRepository(aws, 'guarded');
    const guarded = await push(aws, 'guarded', 'v1', await nodeImage(answering('guarded')));
    const arn = `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/guarded`;
    const rest = {
      Sid: 'Rest',
      Effect: 'Allow',
      Action: ['cloudformation:*', 'lambda:*', 'iam:PassRole', 's3:*'],
      Resource: '*',
    };
    const user = await makeUser(aws, 'deployer');
    const may = (...actions: string[]) =>
      user.may([
        rest,
        { Sid: 'Ecr', Effect: 'Allow', Action: actions.map((one) => `ecr:${one}`), Resource: arn },
      ]);
    const { credentials } = user;
    const denied = 'Lambda does not have permission to access the ECR image. Check the ECR permissions.';
    const reading = ['BatchGetImage', 'GetDownloadUrlForLayer'];
    await may(...reading);
    expect((await apply('denied', imaged(guarded), { credentials })).reasons).toContain(denied);
    await may(...reading, 'GetRepositoryPolicy', 'SetRepositoryPolicy');
    expect((await apply('let', imaged(guarded), { credentials })).reasons).toBe('');
    // The repository's policy has it now.
    await may(...reading);
    expect((await apply('also', imaged(guarded), { credentials })).reasons).toBe('');
  });
});
