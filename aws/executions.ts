import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { type ExecutionInput, KEYS } from '../core/batch/contract.ts';
import { executionName, sharedName } from '../core/batch/execution-name.ts';
import type { Folder } from '../core/batch/job.ts';
import type { BatchWorld } from '../core/batch/ports.ts';
import { errorName } from '../core/errors/aws-errors.ts';

/** Executions of one job: each failed one is followed by another, if somebody asks. */
const ATTEMPTS = 100;

type Plan = ExecutionInput['plan'];

/**
 * Executions of a state machine that run the parts of jobs.
 *
 * @param version of the batch function: those that are started run by it
 */
export function executions(
  sfn: SFNClient,
  machine: string,
  version: string,
): Pick<BatchWorld, 'running' | 'spread'> {
  return {
    // Their list is some seconds late, so two may begin together: then both run.
    // https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
    running: async (folder) => {
      const listed = await sfn.send(
        new ListExecutionsCommand({ stateMachineArn: machine, statusFilter: 'RUNNING' }),
      );
      let [own, others] = [false, false];
      for (const { name, executionArn = '' } of listed.executions ?? []) {
        // One that a version before has started tells by its input only whose it is.
        const isAlike = name?.startsWith(sharedName(folder)) === true;
        const found = isAlike ? await executionAt(sfn, executionArn) : undefined;
        if (found === undefined || !isSame(found.plan, planOf(folder))) others = true;
        else if (isAtWork(found)) own = true;
      }
      return { own, others };
    },
    // Names are known for 90 days, which is what tells a second message from a second attempt.
    // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    spread: async (job, folder) => {
      const plan = planOf(folder);
      const input: ExecutionInput = { version, job, plan, results: `${folder.prefix}${KEYS.map}` };
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const name = `${executionName(folder)}-${attempt}`;
        try {
          const text = JSON.stringify(input);
          await sfn.send(new StartExecutionCommand({ stateMachineArn: machine, name, input: text }));
          return 'started';
        } catch (error) {
          if (errorName(error) !== 'ExecutionAlreadyExists') throw error;
          const arn = `${machine.replace(':stateMachine:', ':execution:')}:${name}`;
          if (isAtWork(await executionAt(sfn, arn))) return 'running';
        }
      }
      throw new Error(`${ATTEMPTS} executions of this job have come to nothing`);
    },
  };
}

const planOf = ({ bucket, prefix }: Folder): Plan => ({ bucket, key: `${prefix}${KEYS.plan}` });

const isSame = (one: Plan | undefined, other: Plan): boolean =>
  one?.bucket === other.bucket && one.key === other.key;

type Execution = { readonly status: string | undefined; readonly plan: Plan | undefined };

const isAtWork = (execution: Execution | undefined): boolean =>
  execution?.status === 'RUNNING' || execution?.status === 'PENDING_REDRIVE';

/**
 * @returns undefined where it is gone: with its state machine, whose name another one has by now. One that
 * has just begun may be unknown for a moment, too; then two run, and each part is written once all the same.
 */
async function executionAt(sfn: SFNClient, executionArn: string): Promise<Execution | undefined> {
  try {
    const { status, input = '{}' } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return { status, plan: (JSON.parse(input) as Partial<ExecutionInput>).plan };
  } catch (error) {
    if (errorName(error) !== 'ExecutionDoesNotExist') throw error;
    return undefined;
  }
}
