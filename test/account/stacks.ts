import {
  DeleteStackCommand,
  DescribeStacksCommand,
  paginateDescribeStacks,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { deleteBelow } from '../../aws/s3/empty.ts';
import { isNoStack } from '../../aws/stack.ts';
import type { Clients } from './clients.ts';
import { runIn, stackOf } from './names.ts';
import { until } from './wait.ts';

type OfRun = { readonly run: string; readonly name: string; readonly at?: Date };

/**
 * A run has one stack, of one name; a tag alone says nothing, since whoever copies a service copies its tags.
 *
 * @param runs default: any, which takes the right to list the account's stacks
 */
export async function stacksOfRuns(
  { cloudFormation: client }: Clients,
  runs?: readonly string[],
): Promise<readonly OfRun[]> {
  const found: OfRun[] = [];
  for (const input of runs?.map((run) => ({ StackName: stackOf(run) })) ?? [{}])
    try {
      for await (const page of paginateDescribeStacks({ client }, input))
        for (const { StackName: name = '', StackStatus, CreationTime } of page.Stacks ?? []) {
          const run = runIn(name);
          if (run === undefined || name !== stackOf(run) || StackStatus === 'DELETE_COMPLETE') continue;
          found.push({ run, name, ...(CreationTime && { at: CreationTime }) });
        }
    } catch (error) {
      if (!isNoStack(error)) throw error;
    }
  return found;
}

/** Minutes that a stack may be at work: four answers of a custom resource, which has ten minutes each. */
export const STACK_MINUTES = 40;
/** A bucket may get an object, and a function may hold a network interface, meanwhile. */
const TRIES = 4;

/** CloudFormation’s word; undefined where there is none. */
async function stateOf({ cloudFormation }: Clients, StackName: string): Promise<string | undefined> {
  try {
    const { Stacks: [stack] = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
    return stack?.StackStatus === 'DELETE_COMPLETE' ? undefined : stack?.StackStatus;
  } catch (error) {
    if (isNoStack(error)) return undefined;
    throw error;
  }
}

type Resource = {
  readonly id: string;
  readonly type: string;
  readonly physical: string;
  readonly status: string;
};
export async function resourcesOf(clients: Clients, StackName: string): Promise<readonly Resource[]> {
  const found: Resource[] = [];
  for await (const page of paginateListStackResources({ client: clients.cloudFormation }, { StackName }))
    for (const {
      LogicalResourceId: id = '',
      ResourceType: type = '',
      PhysicalResourceId: physical = '',
      ResourceStatus: status = '',
    } of page.StackResourceSummaries ?? [])
      found.push({ id, type, physical, status });
  return found;
}

/** CloudFormation takes no order while it works; a stack whose first change set was not run is at rest. */
const works = (state: string): boolean => state.endsWith('_IN_PROGRESS') && state !== 'REVIEW_IN_PROGRESS';

/** Waits until CloudFormation is done with it. @returns its state; undefined where it is gone */
export const atRest = (clients: Clients, name: string, signal: AbortSignal) =>
  until(`the stack ${name} is at rest`, { patience: STACK_MINUTES * 60, every: 5, signal }, async () => {
    const state = await stateOf(clients, name);
    return state !== undefined && works(state) ? undefined : { state };
  });

/** Empties the buckets of a stack and deletes it. @throws Error where CloudFormation cannot */
export async function deleteStack(clients: Clients, name: string, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { state } = await atRest(clients, name, signal);
    if (state === undefined) return;
    const resources = await resourcesOf(clients, name);
    for (const { type, physical, status } of resources)
      if (type === 'AWS::S3::Bucket' && physical !== '' && status !== 'DELETE_COMPLETE')
        await empty(clients, physical);
    const stuck = resources.filter(({ status }) => status === 'DELETE_FAILED');
    if (attempt > TRIES)
      throw new Error(
        `the stack ${name} is ${state}: ${stuck.map(({ id, type }) => `${id} (${type})`).join(', ')}`,
      );
    await clients.cloudFormation.send(
      new DeleteStackCommand({
        StackName: name,
        // The last time without what cannot be deleted, which is then looked for by its name.
        ...(attempt === TRIES && state === 'DELETE_FAILED' && { RetainResources: stuck.map(({ id }) => id) }),
      }),
    );
  }
}

async function empty({ s3 }: Clients, bucket: string): Promise<void> {
  try {
    await deleteBelow(s3, bucket, '', () => {});
  } catch (error) {
    if (!(error instanceof Error && error.name === 'NoSuchBucket')) throw error;
  }
}
