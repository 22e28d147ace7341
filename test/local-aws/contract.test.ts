import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import {
  CreateFunctionCommand,
  LambdaClient,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateScheduleGroupCommand, ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lambdaAliases } from '../../functions/shared/aws/aliases.ts';
import { provisionedCapacity } from '../../functions/shared/aws/capacity.ts';
import { bucketObjects } from '../../functions/shared/aws/objects.ts';
import { scheduler } from '../../functions/shared/aws/schedules.ts';
import { cloudFormationStacks } from '../../functions/shared/aws/stacks.ts';
import { portContract } from '../fakes/contract.ts';
import { client } from './deployed.ts';
import { LOGS, makeFunction, makeRole, withAndWithout } from './lambda.ts';
import { zipped } from './release-stack.ts';
import { type LocalAws, startAws } from './start.ts';

let aws: LocalAws;
let clients: ReturnType<typeof connect>;

function connect(endpoint: string) {
  const settings = client(endpoint);
  return {
    lambda: new LambdaClient(settings),
    s3: new S3Client(settings),
    scheduler: new SchedulerClient(settings),
    cloudFormation: new CloudFormationClient(settings),
    scaling: new ApplicationAutoScalingClient(settings),
  };
}

beforeAll(async () => {
  aws = await startAws();
  clients = connect(aws.endpoint);
  const { lambda, s3, cloudFormation } = clients;
  const FunctionName = 'churn';
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: await makeRole(aws, 'worker', [LOGS]),
      Runtime: 'nodejs24.x',
      Handler: 'handler.handler',
      Code: { ZipFile: await zipped('handler.mjs', 'export const handler = async () => 1;') },
    }),
  );
  await lambda.send(new PublishVersionCommand({ FunctionName }));
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 256 }));
  await lambda.send(new PublishVersionCommand({ FunctionName }));
  await lambda.send(
    new PutProvisionedConcurrencyConfigCommand({
      FunctionName,
      Qualifier: '1',
      ProvisionedConcurrentExecutions: 1,
    }),
  );
  await s3.send(new CreateBucketCommand({ Bucket: 'contract' }));
  await clients.scheduler.send(new CreateScheduleGroupCommand({ Name: 'contract' }));
  const TemplateBody = JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } } });
  await cloudFormation.send(new CreateStackCommand({ StackName: 'here', TemplateBody }));
  for (let status: string | undefined = ''; status !== 'CREATE_COMPLETE'; ) {
    status = (await cloudFormation.send(new DescribeStacksCommand({ StackName: 'here' }))).Stacks?.[0]
      ?.StackStatus;
  }
});
afterAll(async () => {
  for (const one of Object.values(clients ?? {})) one.destroy();
  await aws?.stop();
});

describe('the adapters keep the contract of the ports', () => {
  portContract(() => ({
    aliases: lambdaAliases(clients.lambda),
    capacity: provisionedCapacity(clients.lambda, clients.scaling),
    objects: bucketObjects(clients.s3, 'contract'),
    schedules: scheduler(clients.scheduler),
    stacks: cloudFormationStacks(clients.cloudFormation),
    functionName: 'churn',
    group: 'contract',
    target: 'arn:aws:lambda:us-east-1:000000000000:function:churn',
    role: 'arn:aws:iam::000000000000:role/worker',
    schedulesIn: async () => {
      const { Schedules } = await clients.scheduler.send(new ListSchedulesCommand({ GroupName: 'contract' }));
      return (Schedules ?? []).map(({ Name }) => Name ?? '');
    },
    stack: 'here',
    noStack: 'gone',
  }));
});

describe('what cannot be told', () => {
  it('a stack’s state is then unknown, and a missing bucket is no missing object', async () => {
    const down = new CloudFormationClient({ ...client('http://127.0.0.1:9'), maxAttempts: 1 });
    expect(await cloudFormationStacks(down).state('here')).toBe('unknown');
    down.destroy();
    await expect(bucketObjects(clients.s3, 'no-such-bucket').get('x')).rejects.toThrow();
  });
});

/** Two functions of the local AWS that the contract needs, each seen to matter. */
describe('local AWS, for the contract', () => {
  const churn = { name: 'probe', code: 'export const handler = async () => 1;' };

  it('lists provisioned concurrency', async () => {
    const { on, off } = await withAndWithout('provisioned', async (local) => {
      await makeFunction(local, churn);
      const { lambda, scaling } = connect(local.endpoint);
      return provisionedCapacity(lambda, scaling)
        .list('probe')
        .catch((error: unknown) => String(error));
    });
    expect(on).toEqual([]);
    expect(off).toContain('ProvisionedConcurrencyConfigNotFoundException');
  });

  // https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
  it('publishes what differs from the last version, in its description too, and nothing else', async () => {
    const { on, off } = await withAndWithout('publish', async (local) => {
      await makeFunction(local, churn);
      const { lambda } = connect(local.endpoint);
      const FunctionName = churn.name;
      const publish = async (change: object, own: object = {}): Promise<string | undefined> => {
        await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, ...change }));
        return (await lambda.send(new PublishVersionCommand({ FunctionName, ...own }))).Version;
      };
      return [
        await publish({}),
        await publish({ Description: 'new' }),
        await publish({}, { Description: 'of the version alone' }),
        await publish({ MemorySize: 512 }, { Description: 'of the version alone' }),
        await publish({ MemorySize: 512 }),
      ];
    });
    expect(on).toEqual(['1', '2', '2', '3', '3']);
    expect(off).toEqual(['1', '2', '3', '4', '5']);
  });

  it('refuses an alias to a version that is not there', async () => {
    const { on, off } = await withAndWithout('aliases', async (local) => {
      await makeFunction(local, churn);
      return lambdaAliases(connect(local.endpoint).lambda).create('probe', 'a', {
        version: '9',
        weights: {},
        description: '',
      });
    });
    expect(on).toEqual({ refused: expect.stringContaining('Function not found') });
    expect(off).toBe('ok');
  });
});
