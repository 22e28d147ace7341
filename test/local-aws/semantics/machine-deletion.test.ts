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
  const { on, off } = await withAndWithout('machine_deletion', async (aws) => {
    const sfn = new SFNClient({ ...client(aws.endpoint), maxAttempts: 1 });
    const cloudFormation = new CloudFormationClient(client(aws.endpoint));
    const code = `let steps = 0;
export const handler = async ({ step }) => {
  if (step) {
    steps += 1;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  return steps;
};`;
    const arn = await makeFunction(aws, { name: 'f', code, may: [LOGS] });
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
    await pause(500);
    await cloudFormation.send(new DeleteStackCommand({ StackName }));
    await pause(300);
    const machine = await sfn
      .send(new DescribeStateMachineCommand({ stateMachineArn }))
      .catch(({ name }: Error) => ({ status: name }));
    const create = { name: 'machine', roleArn: RoleArn, definition: DefinitionString };
    const refused = [
      await errorName(start('other')),
      // Made by who did not know: without the addition it stays.
      await errorName(sfn.send(new CreateStateMachineCommand({ ...create, type: 'STANDARD' }))),
    ];
    const stack = await cloudFormation.send(new DescribeStacksCommand({ StackName })).then(
      ({ Stacks = [] }) => Stacks[0]?.StackStatus ?? '',
      ({ name }: Error) => name,
    );
    await pause(6000);
    const left = [
      await errorName(sfn.send(new DescribeExecutionCommand({ executionArn }))),
      await errorName(cloudFormation.send(new DescribeStacksCommand({ StackName }))),
    ];
    const { body } = await invoke(aws, 'f', {});
    for (const one of [sfn, cloudFormation]) one.destroy();
    return { machine: machine.status, refused, stack, left, steps: body };
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
}, 120_000);
