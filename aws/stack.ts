import {
  type CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  paginateListImports,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { isDenied } from '../core/errors/aws-errors.ts';
import { turns } from '../core/node/turns.ts';
import type { AwsConfig } from '../core/ports/config.ts';
import { cloudFormationClient } from './clients/cloudformation.ts';

/** A deployed stack, as whoever deploys or looks at it reads it. */

async function asked<T>(aws: AwsConfig, work: (client: CloudFormationClient) => Promise<T>): Promise<T> {
  const client = cloudFormationClient(aws);
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

export const isNoStack = (error: unknown): boolean =>
  error instanceof Error && error.message.includes('does not exist');

/** @param id `arn:aws:cloudformation:<region>:<account>:stack/<name>/<uuid>` */
export const stackNameIn = (id: string): string => id.split('/')[1] ?? id;

/** @throws what CloudFormation says, `isNoStack` where there is none */
export const stackOutputs = (aws: AwsConfig, stack: string): Promise<ReadonlyMap<string, string>> =>
  asked(aws, async (client) => {
    const { Stacks: [found] = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    return new Map(
      (found?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    );
  });

/**
 * Was its creation rolled back? CloudFormation takes nothing but its deletion from then on:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
 *
 * @throws what CloudFormation says, `isNoStack` where there is none
 */
export const wasNeverMade = (aws: AwsConfig, stack: string): Promise<boolean> =>
  hasStatus(aws, stack, /^ROLLBACK_(COMPLETE|FAILED)$/);

/**
 * Was its last update rolled back, or is it being so? An update without a change leaves the status.
 *
 * @throws what CloudFormation says, `isNoStack` where there is none
 */
export const wasRolledBack = (aws: AwsConfig, stack: string): Promise<boolean> =>
  hasStatus(aws, stack, /^UPDATE_ROLLBACK_/);

const hasStatus = (aws: AwsConfig, stack: string, pattern: RegExp): Promise<boolean> =>
  asked(aws, async (client) => {
    const { Stacks: [found] = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    return pattern.test(found?.StackStatus ?? '');
  });

export type Undeletable =
  | 'absent'
  | 'protection'
  | { readonly status: string }
  | { readonly exported: string; readonly importers: readonly string[] };

/**
 * Why CloudFormation would not delete it now: there is none; it is protected; an update or its cleanup goes
 * on, whose status that is; or other stacks import what it exports, for which it goes back to what it was. A
 * creation is given up for a deletion.
 *
 * @returns undefined where it would. @throws what CloudFormation says
 */
export const undeletable = (aws: AwsConfig, stack: string): Promise<Undeletable | undefined> =>
  asked(aws, async (client) => {
    try {
      const { Stacks: [found] = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
      const { EnableTerminationProtection: isProtected, StackStatus: status = '' } = found ?? {};
      if (isProtected) return 'protection';
      if (/^(UPDATE|IMPORT)_\w*IN_PROGRESS$/.test(status)) return { status };
      // A service has an export of each of its own functions: a few at a time.
      const turn = turns(AT_ONCE);
      const uses = (found?.Outputs ?? []).flatMap(({ ExportName: exported }) =>
        exported === undefined ? [] : [turn(() => importersOf(client, exported))],
      );
      return (await Promise.all(uses)).find((used) => used !== undefined);
    } catch (error) {
      if (isNoStack(error)) return 'absent';
      throw error;
    }
  });

/** Exports whose importers are asked for at once. */
const AT_ONCE = 4;

/**
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListImports.html
 * @returns undefined where there are none, or the caller may not ask: a policy of before allowed removing
 * without it
 */
async function importersOf(client: CloudFormationClient, exported: string): Promise<Undeletable | undefined> {
  const importers: string[] = [];
  try {
    for await (const { Imports } of paginateListImports({ client }, { ExportName: exported }))
      importers.push(...(Imports ?? []));
    return importers.length === 0 ? undefined : { exported, importers };
  } catch (error) {
    // No importer is told as an error.
    const isUnused = error instanceof Error && error.message.includes('is not imported by any stack');
    if (isUnused || isDenied(error)) return undefined;
    throw error;
  }
}

/**
 * After all transforms, as JSON:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html
 */
export const stackTemplate = (aws: AwsConfig, stack: string): Promise<string> =>
  asked(aws, async (client) => {
    const { TemplateBody = '{}' } = await client.send(
      new GetTemplateCommand({ StackName: stack, TemplateStage: 'Processed' }),
    );
    return TemplateBody;
  });

export type StackResource = {
  readonly id: string;
  readonly type: string;
  /** CloudFormation’s word, for example `DELETE_COMPLETE`. */
  readonly status: string;
  /** Absent before it is made. */
  readonly physical?: string;
};

export const stackResources = (aws: AwsConfig, stack: string): Promise<readonly StackResource[]> =>
  asked(aws, async (client) => {
    const found: StackResource[] = [];
    for await (const page of paginateListStackResources({ client }, { StackName: stack }))
      for (const one of page.StackResourceSummaries ?? []) {
        const { LogicalResourceId: id = '', ResourceType: type = '', ResourceStatus: status = '' } = one;
        const physical = one.PhysicalResourceId;
        found.push({ id, type, status, ...(physical !== undefined && { physical }) });
      }
    return found;
  });
