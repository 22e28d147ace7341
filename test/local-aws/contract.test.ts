import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  DescribeScheduledActionsCommand,
} from '@aws-sdk/client-application-auto-scaling';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import {
  CloudWatchClient,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  LambdaClient,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { CreateBucketCommand, GetBucketNotificationConfigurationCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateScheduleGroupCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  SchedulerClient,
} from '@aws-sdk/client-scheduler';
import {
  CreateStateMachineCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloudWatchAlarms } from '../../aws/alarms.ts';
import { ecrImages } from '../../aws/ecr/images.ts';
import { lambdaAliases } from '../../aws/lambda/aliases.ts';
import { provisionedCapacity } from '../../aws/lambda/capacity.ts';
import { lambdaVersions } from '../../aws/lambda/versions.ts';
import { cloudWatchMetrics } from '../../aws/metrics.ts';
import { snsNotices } from '../../aws/notices.ts';
import { bucketEvents } from '../../aws/s3/bucket-events.ts';
import { bucketObjects } from '../../aws/s3/objects.ts';
import { scheduler } from '../../aws/schedules.ts';
import { cloudFormationStacks } from '../../aws/stacks.ts';
import { stateMachines } from '../../aws/state-machines.ts';
import type { Side } from '../../core/judge/contract.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { portContract } from '../fakes/contract.ts';
import { image, makeRepository, push } from './images/image.ts';
import { invoke, LOGS, makeFunction, makeRole, withAndWithout } from './lambda.ts';
import { zipped } from './release-stack.ts';

let aws: LocalAws;
let clients: ReturnType<typeof connect>;
let topic: string;
let machine: string;

function connect(endpoint: string) {
  const settings = client(endpoint);
  return {
    lambda: new LambdaClient(settings),
    s3: new S3Client(settings),
    scheduler: new SchedulerClient(settings),
    cloudFormation: new CloudFormationClient(settings),
    scaling: new ApplicationAutoScalingClient(settings),
    cloudWatch: new CloudWatchClient(settings),
    logs: new CloudWatchLogsClient(settings),
    sns: new SNSClient(settings),
    ecr: new ECRClient(settings),
    sfn: new SFNClient(settings),
  };
}

const HANDLER = `export const handler = async ({ crash }) => { if (crash) throw new Error('asked to'); };`;
const HEARER = `export const handler = async ({ Records }) => {
  for (const { Sns } of Records) console.log('heard ' + JSON.stringify({ subject: Sns.Subject, text: Sns.Message }));
};`;

beforeAll(async () => {
  aws = await startAws();
  clients = connect(aws.endpoint);
  const { lambda, s3, cloudFormation } = clients;
  const FunctionName = 'churn';
  await makeRole(aws, 'ticks', [], 'scheduler');
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: await makeRole(aws, 'worker', [LOGS]),
      Runtime: 'nodejs24.x',
      Handler: 'handler.handler',
      Code: { ZipFile: await zipped('handler.mjs', HANDLER) },
    }),
  );
  await lambda.send(new PublishVersionCommand({ FunctionName }));
  for (const MemorySize of [256, 512]) {
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize }));
    await lambda.send(new PublishVersionCommand({ FunctionName }));
  }
  await lambda.send(
    new PutProvisionedConcurrencyConfigCommand({
      FunctionName,
      Qualifier: '1',
      ProvisionedConcurrentExecutions: 1,
    }),
  );
  await keepImage();
  machine = await makeMachine();
  topic = await heardTopic(await makeFunction(aws, { name: 'hearer', code: HEARER }));
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

/** A topic that a function hears of, by the ARN of the function. */
async function heardTopic(hearer: string): Promise<string> {
  const { TopicArn } = await clients.sns.send(new CreateTopicCommand({ Name: 'alerts' }));
  await clients.lambda.send(
    new AddPermissionCommand({
      FunctionName: hearer,
      StatementId: 'topic',
      Action: 'lambda:InvokeFunction',
      Principal: 'sns.amazonaws.com',
      SourceArn: TopicArn,
    }),
  );
  await clients.sns.send(new SubscribeCommand({ TopicArn, Protocol: 'lambda', Endpoint: hearer }));
  return TopicArn ?? '';
}

async function notificationsOf(bucket: string) {
  const { $metadata: _, ...found } = await clients.s3.send(
    new GetBucketNotificationConfigurationCommand({ Bucket: bucket }),
  );
  return found;
}

async function published() {
  const { events } = await clients.logs
    .send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/hearer' }))
    .catch(() => ({ events: [] }));
  return (events ?? []).flatMap(({ message = '' }) => {
    const [, heard] = /heard (\{.*\})/.exec(message) ?? [];
    return heard === undefined ? [] : [JSON.parse(heard) as { subject: string; text: string }];
  });
}

/** Executions of it wait for longer than a test. */
async function makeMachine(): Promise<string> {
  const definition = { StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 600, End: true } } };
  const { stateMachineArn } = await clients.sfn.send(
    new CreateStateMachineCommand({
      name: 'churn-batch',
      roleArn: await makeRole(aws, 'machine', [LOGS], 'states'),
      definition: JSON.stringify(definition),
    }),
  );
  return stateMachineArn ?? '';
}

async function execute(): Promise<() => Promise<void>> {
  const { executionArn } = await clients.sfn.send(new StartExecutionCommand({ stateMachineArn: machine }));
  return async () => {
    await clients.sfn.send(new StopExecutionCommand({ executionArn }));
  };
}

/** An image of two tags. */
async function keepImage(): Promise<void> {
  const made = image({ layers: [{ 'a.txt': { data: 'a' } }] });
  await makeRepository(aws, 'models');
  for (const tag of ['v-one', 'v-two']) await push(aws, 'models', tag, made);
}

async function tagsIn(): Promise<readonly string[]> {
  const { imageDetails = [] } = await clients.ecr.send(
    new DescribeImagesCommand({ repositoryName: 'models' }),
  );
  return imageDetails.flatMap(({ imageTags = [] }) => imageTags);
}

async function scalingOf(version: string) {
  const of = { ServiceNamespace: 'lambda', ResourceIds: [`function:churn:${version}`] } as const;
  const at = { ServiceNamespace: 'lambda', ResourceId: of.ResourceIds[0] } as const;
  const [target] =
    (
      await clients.scaling.send(
        new DescribeScalableTargetsCommand({ ...of, ResourceIds: [...of.ResourceIds] }),
      )
    ).ScalableTargets ?? [];
  if (!target) return undefined;
  const { ScalingPolicies } = await clients.scaling.send(new DescribeScalingPoliciesCommand(at));
  const { ScheduledActions } = await clients.scaling.send(new DescribeScheduledActionsCommand(at));
  expect(ScalingPolicies).toHaveLength(1);
  return {
    min: target.MinCapacity ?? 0,
    max: target.MaxCapacity ?? 0,
    target: ScalingPolicies?.[0]?.TargetTrackingScalingPolicyConfiguration?.TargetValue ?? 0,
    schedules: (ScheduledActions ?? [])
      .map(({ ScheduledActionName, Schedule, Timezone, ScalableTargetAction }) => ({
        name: ScheduledActionName ?? '',
        at: Schedule ?? '',
        timezone: Timezone ?? '',
        min: ScalableTargetAction?.MinCapacity ?? 0,
        max: ScalableTargetAction?.MaxCapacity ?? 0,
      }))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
  };
}

async function serve(alias: string, version: string, did: Side): Promise<void> {
  for (let request = 0; request < (did.invocations ?? 0); request += 1)
    await invoke(aws, 'churn', { crash: request < (did.crashes ?? 0) }, alias);
  const counts: Record<string, number> = {
    Requests: did.requests ?? 0,
    Errors: did.errors ?? 0,
    Rejected: did.rejected ?? 0,
    ColdStart: did.coldStarts ?? 0,
  };
  did.slow?.forEach((slow, edge) => {
    counts[`Slow${edge}`] = slow;
  });
  for (const [signal, scores] of Object.entries(did.outputs ?? {}))
    for (const [score, value] of Object.entries(scores)) counts[`Out_${signal}_${score}`] = value;
  // As the endpoint counts: of the model, and of its version.
  const model = { Name: 'Model', Value: 'churn' };
  const dimensions = [[model], [model, { Name: 'Version', Value: version }]];
  await clients.cloudWatch.send(
    new PutMetricDataCommand({
      Namespace: 'ServerlessModels',
      MetricData: Object.entries(counts).flatMap(([MetricName, Value]) =>
        dimensions.map((Dimensions) => ({ MetricName, Dimensions, Value })),
      ),
    }),
  );
}

async function setAlarm(AlarmName: string, StateValue: 'OK' | 'ALARM'): Promise<void> {
  // Put again it keeps its state, and without data, too.
  await clients.cloudWatch.send(
    new PutMetricAlarmCommand({
      AlarmName,
      Namespace: 'ServerlessModels',
      MetricName: 'Nothing',
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'ignore',
    }),
  );
  await clients.cloudWatch.send(
    new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: 'for the test' }),
  );
}

describe('the adapters keep the contract of the ports', () => {
  portContract(() => ({
    aliases: lambdaAliases(clients.lambda),
    capacity: provisionedCapacity(clients.lambda, clients.scaling),
    objects: bucketObjects(clients.s3, 'contract'),
    bucketEvents: bucketEvents(clients.s3),
    bucket: 'contract',
    account: '000000000000',
    tellsEventBridge: async (bucket) =>
      (await notificationsOf(bucket)).EventBridgeConfiguration !== undefined,
    schedules: scheduler(clients.scheduler),
    stacks: cloudFormationStacks(clients.cloudFormation),
    versions: lambdaVersions(clients.lambda),
    machines: stateMachines(clients.sfn, 'arn:aws:lambda:us-east-1:000000000000:function:worker'),
    machine: 'churn-batch',
    execute,
    images: ecrImages(clients.ecr),
    repository: 'models',
    tags: ['v-one', 'v-two'],
    tagsIn,
    metrics: cloudWatchMetrics(clients.cloudWatch),
    alarms: cloudWatchAlarms(clients.cloudWatch),
    notices: snsNotices(clients.sns, topic),
    now: Date.now,
    pause: () => new Promise((resolve) => setTimeout(resolve, 500)),
    functionName: 'churn',
    group: 'contract',
    target: 'arn:aws:lambda:us-east-1:000000000000:function:churn',
    role: 'arn:aws:iam::000000000000:role/ticks',
    schedulesIn: async () => {
      const { Schedules } = await clients.scheduler.send(new ListSchedulesCommand({ GroupName: 'contract' }));
      return (Schedules ?? []).map(({ Name }) => Name ?? '');
    },
    inputOf: async (Name) => {
      const { Target } = await clients.scheduler.send(
        new GetScheduleCommand({ GroupName: 'contract', Name }),
      );
      return Target?.Input;
    },
    stack: 'here',
    noStack: 'gone',
    scalingOf,
    serve,
    setAlarm,
    published,
  }));
});

describe('what cannot be told', () => {
  it('a stack’s state is then unknown, for a reason, and a missing bucket is no missing object', async () => {
    const down = new CloudFormationClient({ ...client('http://127.0.0.1:9'), maxAttempts: 1 });
    const reasons: string[] = [];
    expect(await cloudFormationStacks(down, (reason) => reasons.push(reason)).state('here')).toBe('unknown');
    expect(reasons).toEqual([expect.stringContaining('ECONNREFUSED')]);
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
