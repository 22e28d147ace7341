import {
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  DeleteScheduleCommand,
  type SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { errorName } from '../core/errors/aws-errors.ts';
import type { Schedule, SchedulePort } from '../core/ports/aws.ts';

/** EventBridge Scheduler. */
export function scheduler(client: SchedulerClient): SchedulePort {
  const make: SchedulePort['make'] = async (schedule) => {
    try {
      await client.send(new CreateScheduleCommand(shape(schedule)));
      return 'made';
    } catch (error) {
      if (errorName(error) !== 'ConflictException') throw error;
      return 'there';
    }
  };
  return {
    make,
    put: async (schedule) => {
      if ((await make(schedule)) === 'there') await client.send(new UpdateScheduleCommand(shape(schedule)));
    },
    remove: async ({ group, name }) => {
      try {
        await client.send(new DeleteScheduleCommand({ GroupName: group, Name: name }));
      } catch (error) {
        if (errorName(error) !== 'ResourceNotFoundException') throw error;
      }
    },
  };
}

function shape({ group, name, every, target, role, input }: Schedule): CreateScheduleCommandInput {
  return {
    GroupName: group,
    Name: name,
    ScheduleExpression: every,
    FlexibleTimeWindow: { Mode: 'OFF' },
    // A tick that fails is made good by the next one; a late one has nothing to add.
    Target: {
      Arn: target,
      RoleArn: role,
      Input: input,
      RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
    },
  };
}
