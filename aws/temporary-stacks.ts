import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
} from '@aws-sdk/client-cloudformation';
import type { AwsConfig } from '../core/ports/config.ts';
import { cloudFormationClient } from './clients/cloudformation.ts';
import { isNoStack } from './stack.ts';

type StackSeen = {
  /** Its ARN, which also names it once it is deleted. */
  readonly id: string;
  /** CloudFormation’s word, for example `DELETE_COMPLETE`. */
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
};

/** A stack that is made, used and removed within one command. */
export type TemporaryStacks = {
  /**
   * @param stack name or ARN
   * @returns undefined where there is none; of a name, one that is deleted is none
   */
  readonly seen: (stack: string) => Promise<StackSeen | undefined>;
  /** @returns its ARN, before it is made; what cannot be made is removed by CloudFormation */
  readonly create: (stack: {
    readonly name: string;
    readonly template: unknown;
    readonly tags: Readonly<Record<string, string>>;
    /** That CloudFormation works with; absent: the caller's rights. */
    readonly role?: string;
  }) => Promise<string>;
  /** Begins; nothing happens where there is none. */
  readonly remove: (stack: string, role?: string) => Promise<void>;
  /** `resource: AWS’s reason`, the first one first. @param id ARN */
  readonly failures: (id: string) => Promise<readonly string[]>;
  readonly close: () => void;
};

export function temporaryStacks(aws: AwsConfig): TemporaryStacks {
  const client = cloudFormationClient(aws);
  return {
    seen: async (stack) => {
      try {
        const { Stacks: [found] = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
        if (found === undefined) return undefined;
        const { StackId: id = stack, StackStatus: status = '', Tags = [] } = found;
        return {
          id,
          status,
          tags: Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
        };
      } catch (error) {
        if (isNoStack(error)) return undefined;
        throw error;
      }
    },
    create: async ({ name, template, tags, role }) => {
      const { StackId = name } = await client.send(
        new CreateStackCommand({
          StackName: name,
          TemplateBody: JSON.stringify(template),
          // A role without a name of its own:
          // https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
          Capabilities: ['CAPABILITY_IAM'],
          OnFailure: 'DELETE',
          Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
          ...(role !== undefined && { RoleARN: role }),
        }),
      );
      return StackId;
    },
    remove: async (stack, role) => {
      await client.send(
        new DeleteStackCommand({ StackName: stack, ...(role !== undefined && { RoleARN: role }) }),
      );
    },
    failures: async (id) => {
      const found: string[] = [];
      for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client }, { StackName: id }))
        for (const { LogicalResourceId = '', ResourceStatus = '', ResourceStatusReason = '' } of StackEvents)
          if (ResourceStatus.endsWith('_FAILED') && !/cancelled/i.test(ResourceStatusReason))
            found.push(`${LogicalResourceId}: ${ResourceStatusReason}`);
      return found.reverse();
    },
    close: () => client.destroy(),
  };
}
