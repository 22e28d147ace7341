import { Logger } from '@aws-lambda-powertools/logger';
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import middy, { type MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { lambdaAliases } from '../shared/aws/aliases.ts';
import { putAnswer } from '../shared/aws/answers.ts';
import { provisionedCapacity } from '../shared/aws/capacity.ts';
import { bucketObjects } from '../shared/aws/objects.ts';
import { scheduler } from '../shared/aws/schedules.ts';
import { cloudFormationStacks } from '../shared/aws/stacks.ts';
import { registry } from '../shared/registry.ts';
import { ENV } from './contract.ts';
import { receive } from './receive.ts';
import type { World } from './world.ts';

const logger = new Logger({ serviceName: 'models-release' });

/** Only what the engine says is logged: an event holds CloudFormation's answer URL, which is a credential. */
const logging: MiddlewareObj<unknown, unknown, Error, Context> = {
  before: ({ context }) => logger.addContext(context),
  onError: ({ error }) => {
    logger.error('failed', { name: error?.name, reason: error?.message });
  },
};

/** The release worker: requests of `Custom::ModelAlias`, and ticks. */
export const handler = middy<unknown, unknown, Error, Context>()
  .use(logging)
  .handler((event, context) => receive(worldOf(context), required(ENV.scheduleGroup), event));

const lambda = new LambdaClient({});
const s3 = new S3Client({});
const aliases = lambdaAliases(lambda);
const capacity = provisionedCapacity(lambda, new ApplicationAutoScalingClient({}));
const schedules = scheduler(new SchedulerClient({}));
const stacks = cloudFormationStacks(new CloudFormationClient({}));

function worldOf(context: Context): World {
  return {
    registry: registry(bucketObjects(s3, required(ENV.bucket)), required(ENV.scope)),
    aliases,
    capacity,
    schedules,
    stacks,
    answer: putAnswer,
    clock: Date.now,
    pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    worker: { arn: unqualified(context.invokedFunctionArn), scheduleRole: required(ENV.scheduleRole) },
    log: (message, fields) => logger.info(message, { ...fields }),
  };
}

/** `arn:aws:lambda:<region>:<account>:function:<name>`, without a version or alias. */
const unqualified = (arn: string): string => arn.split(':').slice(0, 7).join(':');

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`the environment lacks ${name}`);
  return value;
}
