import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { REGION } from '../../../local-aws/start.ts';
import { closedGate } from '../closed-gate.ts';
import { ACCOUNT, errorName, invoke, LOGS, makeFunction, makeRole, withAndWithout } from '../lambda.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const stateMachineArn = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:machine`;
const task = (more: object) => ({ Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', ...more });

/** A map over two items, one after the other, of two steps each. */
const definition = (name: string) => {
  const step = (more: object) =>
    task({ Parameters: { FunctionName: name, Payload: { step: 1 } }, ResultPath: null, ...more });
  return JSON.stringify({
    StartAt: 'Parts',
    States: {
      Parts: {
        Type: 'Map',
        MaxConcurrency: 1,
        ToleratedFailurePercentage: 100,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'First',
          States: { First: step({ Next: 'Second' }), Second: step({ End: true }) },
        },
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'Last' }],
        ResultPath: null,
        Next: 'Last',
      },
      Last: step({ End: true }),
    },
  });
};

// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html
// https://repost.aws/knowledge-center/step-functions-stuck-deleting-status
it('a stack whose state machine runs is gone once its executions have ended, at their next transition', async () => {
  const { on, off } = await withAndWithout('machine_deletion', async (aws, isOn) => {
    const sfn = new SFNClient({ ...client(aws.endpoint), maxAttempts: 1 });
    const cloudFormation = new CloudFormationClient(client(aws.endpoint));
    const gate = await closedGate();
    // The first step takes as long as the test needs.
    const code = `let steps = 0;
export const handler = async ({ step }) => {
  if (step) {
    steps += 1;
    if (steps === 1) await fetch(${JSON.stringify(gate.url)}).catch(() => {});
  }
  return steps;
};`;
    const arn = await makeFunction(aws, { name: 'f', code, may: [LOGS], timeout: 120 });
    const may = [
      { Effect: 'Allow' as const, Action: 'lambda:InvokeFunction', Resource: arn },
      { Effect: 'Allow' as const, Action: 'states:StartExecution', Resource: stateMachineArn },
    ];
    const RoleArn = await makeRole(aws, 'machine', may, 'states');
    const DefinitionString = definition(arn);
    const Machine = {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { StateMachineName: 'machine', RoleArn, DefinitionString },
    };
    const StackName = 'stack';
    await cloudFormation.send(
      new CreateStackCommand({ StackName, TemplateBody: JSON.stringify({ Resources: { Machine } }) }),
    );
    await waitUntilStackCreateComplete(
      { client: cloudFormation, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 },
      { StackName },
    );
    const start = (name: string) =>
      sfn.send(new StartExecutionCommand({ stateMachineArn, name, input: '[1, 2]' }));
    const { executionArn } = await start('job');
    await gate.asked;
    await cloudFormation.send(new DeleteStackCommand({ StackName }));
    const status = () =>
      cloudFormation.send(new DescribeStacksCommand({ StackName })).then(
        ({ Stacks = [] }) => Stacks[0]?.StackStatus ?? '',
        ({ name }: Error) => name,
      );
    const state = () =>
      sfn.send(new DescribeStateMachineCommand({ stateMachineArn })).then(
        (found) => found.status,
        ({ name }: Error) => name,
      );
    // Deleted it is a moment after the stack is asked to be.
    await expect.poll(state).not.toBe('ACTIVE');
    if (!isOn) await expect.poll(status).toBe('ValidationError');
    const machine = await state();
    const create = { name: 'machine', roleArn: RoleArn, definition: DefinitionString };
    const refused = [
      await errorName(start('other')),
      // Made by who did not know: without the addition it stays.
      await errorName(sfn.send(new CreateStateMachineCommand({ ...create, type: 'STANDARD' }))),
    ];
    const stack = await status();
    gate.open();
    const steps = async () => (await invoke(aws, 'f', {})).body;
    if (isOn) {
      await expect.poll(status).toBe('ValidationError');
      // What must not come would come now.
      await pause(2000);
    } else {
      const runs = () =>
        sfn.send(new DescribeExecutionCommand({ executionArn })).then(
          (found) => found.status === 'RUNNING',
          () => false,
        );
      await expect.poll(runs).toBe(false);
      // Not more often: where it is asked while a step comes, another process has that step.
      await expect.poll(steps, { interval: 1000 }).toBe(5);
    }
    const left = [
      await errorName(sfn.send(new DescribeExecutionCommand({ executionArn }))),
      await errorName(cloudFormation.send(new DescribeStacksCommand({ StackName }))),
    ];
    const body = await steps();
    for (const one of [sfn, cloudFormation]) one.destroy();
    return { machine, refused, stack, left, steps: body };
  });
  expect(on).toEqual({
    machine: 'DELETING',
    refused: ['StateMachineDeleting', 'StateMachineDeleting'],
    stack: 'DELETE_IN_PROGRESS',
    left: ['ExecutionDoesNotExist', 'ValidationError'],
    // Neither the second step of the first item, nor another item, nor the end.
    steps: 1,
  });
  expect(off).toMatchObject({ machine: 'StateMachineDoesNotExist', stack: 'ValidationError', steps: 5 });
});
