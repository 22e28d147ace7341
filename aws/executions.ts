import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { ExecutionInput } from '../core/batch/contract.ts';
import type { Running } from '../core/batch/ports.ts';
import { errorName } from '../core/errors/aws-errors.ts';

/** Executions of one job: each failed one is followed by another, if somebody asks. */
const ATTEMPTS = 100;

/**
 * Starts the execution that runs a job's parts, unless one of the job runs already. Names of executions are
 * known for 90 days, which is what tells a second message from a second attempt.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 *
 * @param name up to 70 characters: the job's
 */
export async function spread(
  sfn: SFNClient,
  machine: string,
  name: string,
  input: ExecutionInput,
): Promise<'started' | 'running'> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const execution = `${name}-${attempt}`;
    try {
      await sfn.send(
        new StartExecutionCommand({
          stateMachineArn: machine,
          name: execution,
          input: JSON.stringify(input),
        }),
      );
      return 'started';
    } catch (error) {
      if (errorName(error) !== 'ExecutionAlreadyExists') throw error;
      const status = await statusOf(sfn, `${machine.replace(':stateMachine:', ':execution:')}:${execution}`);
      if (status === 'RUNNING' || status === 'PENDING_REDRIVE') return 'running';
    }
  }
  throw new Error(`${ATTEMPTS} executions of this job have come to nothing`);
}

/**
 * @returns undefined where it is gone: with its state machine, whose name another one has by now. One that
 * has just begun may be unknown
 *   for a moment, too; then two run, and each part is written once all the same.
 */
async function statusOf(sfn: SFNClient, executionArn: string): Promise<string | undefined> {
  try {
    return (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status;
  } catch (error) {
    if (errorName(error) !== 'ExecutionDoesNotExist') throw error;
    return undefined;
  }
}

/**
 * Whose executions run, this job's or others'? Their list is some seconds late, so two may begin together:
 * then both run.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
 */
export async function running(sfn: SFNClient, machine: string, name: string): Promise<Running> {
  const { executions = [] } = await sfn.send(
    new ListExecutionsCommand({ stateMachineArn: machine, statusFilter: 'RUNNING' }),
  );
  const own = executions.filter((execution) => execution.name?.startsWith(`${name}-`)).length;
  return { own: own > 0, others: own < executions.length };
}
