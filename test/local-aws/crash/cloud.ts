import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  LambdaClient,
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateScheduleGroupCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { WORKER_ENV } from '../../../core/release/document/worker-contract.ts';
import { local } from '../../../local-aws/aws-python.ts';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, REGION, startAws } from '../../../local-aws/start.ts';
import { ACCOUNT, makeFunction, makeRole } from '../lambda.ts';
import { workerBundle } from '../worker-bundle.ts';
import { type Between, proxy } from './proxy.ts';
import { type Workers, workers } from './workers.ts';

export const BUCKET = 'crash-test';
export const SCOPE = `models/${ACCOUNT}/${REGION}/shop/test/`;
export const GROUP = 'crash-test';
/** Nobody is there: whoever wants a tick of a schedule makes it. */
const WORKER = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:crash-worker`;

/** Provisioned concurrency comes in a seventh of a second; the worker has its own clock. */
const SPEED = 20;

/** The version that does not start, of all functions here. */
export const BROKEN = '3';

/** What a model answers to what is no request; its BROKEN version throws. */
const MODEL = `if (process.env.AWS_LAMBDA_FUNCTION_VERSION === '${BROKEN}') throw new Error('no such file');
export const handler = async () => ({ error: 'inputs: missing', code: 'INVALID_INPUT' });`;

/** An event of CloudFormation, of a resource of any kind. */
export type ResourceEvent = {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
};

/** Local AWS with a release worker of our own processes beside it. */
export type Cloud = {
  readonly aws: {
    readonly cloudFormation: CloudFormationClient;
    readonly cloudWatch: CloudWatchClient;
    readonly lambda: LambdaClient;
    readonly s3: S3Client;
    readonly scaling: ApplicationAutoScalingClient;
    readonly scheduler: SchedulerClient;
  };
  readonly endpoint: string;
  readonly proxy: Between;
  readonly workers: Workers;
  /** ARN of the function that tells us CloudFormation's events. */
  readonly teller: string;
  /** Events told and not yet taken; answers to them pass by the proxy. */
  readonly told: ResourceEvent[];
  /** Makes a function with so many versions. */
  readonly model: (name: string, versions: number) => Promise<string>;
  /** Waits until CloudWatch has evaluated an alarm, and it is on. */
  readonly isOn: (alarm: string) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** The model of a name, with so many published versions. */
export async function makeModel(started: LocalAws, lambda: LambdaClient, name: string, versions: number) {
  await makeFunction(started, { name, code: MODEL });
  for (let version = 1; version <= versions; version += 1) {
    const Description = String(version);
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Description }));
    await lambda.send(new PublishVersionCommand({ FunctionName: name }));
  }
  return name;
}

/** Bucket, schedule group, role and topic of a worker; what its environment says of them. */
export async function surroundings(started: LocalAws): Promise<Readonly<Record<string, string>>> {
  const settings = client(started.endpoint);
  const [s3, scheduler, sns] = [
    new S3Client({ ...settings, forcePathStyle: true }),
    new SchedulerClient(settings),
    new SNSClient(settings),
  ];
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await scheduler.send(new CreateScheduleGroupCommand({ Name: GROUP }));
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'crash-alerts' }));
  for (const one of [s3, scheduler, sns]) one.destroy();
  return {
    [WORKER_ENV.bucket]: BUCKET,
    [WORKER_ENV.scope]: SCOPE,
    [WORKER_ENV.scheduleGroup]: GROUP,
    [WORKER_ENV.scheduleRole]: await makeRole(started, 'crash-schedules', [], 'scheduler'),
    [WORKER_ENV.topic]: TopicArn,
    [WORKER_ENV.files]: 'models/files/',
  };
}

export async function cloud(): Promise<Cloud> {
  const started = await startAws({ speed: SPEED, auth: false });
  const settings = client(started.endpoint);
  const aws = {
    cloudFormation: new CloudFormationClient(settings),
    cloudWatch: new CloudWatchClient(settings),
    lambda: new LambdaClient(settings),
    s3: new S3Client({ ...settings, forcePathStyle: true }),
    scaling: new ApplicationAutoScalingClient(settings),
    scheduler: new SchedulerClient(settings),
  };
  const told: ResourceEvent[] = [];
  const between = await proxy(started.endpoint, (event) => {
    const { ResponseURL, ...rest } = event as ResourceEvent;
    told.push({ ...rest, ResponseURL: ResponseURL.replace(started.endpoint, between.url) });
  });
  const teller = await makeFunction(started, {
    name: 'crash-teller',
    code: `export const handler = async (event) => {
      await fetch('${between.url}/_told', { method: 'POST', body: JSON.stringify(event) }); };`,
  });
  const dir = await mkdtemp(join(local, 'crash-'));
  const file = join(dir, 'handler.mjs');
  await writeFile(file, await workerBundle());
  // The worker has a clock of its own.
  const { MODELS_AWS_SPEED: _, MODELS_AWS_EPOCH: __, ...plain } = started.env;
  const env = {
    ...plain,
    ...(await surroundings(started)),
    AWS_ENDPOINT_URL: between.url,
    AWS_LAMBDA_FUNCTION_NAME: 'crash-worker',
    NODE_COMPILE_CACHE: dir,
  };
  const processes = workers(file, WORKER, env, join(dir, 'log.txt'));
  return {
    aws,
    endpoint: started.endpoint,
    proxy: between,
    workers: processes,
    teller,
    told,
    model: (name, versions) => makeModel(started, aws.lambda, name, versions),
    isOn: async (name) => {
      const asked = new DescribeAlarmsCommand({ AlarmNames: [name] });
      while ((await aws.cloudWatch.send(asked)).MetricAlarms?.[0]?.StateValue !== 'ALARM') await pause(10);
    },
    close: async () => {
      processes.close();
      between.close();
      for (const one of Object.values(aws)) one.destroy();
      await started.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
