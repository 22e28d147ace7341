/**
 * What a run makes, found by its name alone: kind by kind, in an order in which it can be removed. The stack
 * is looked for elsewhere.
 */
import {
  DeregisterScalableTargetCommand,
  paginateDescribeScalableTargets,
} from '@aws-sdk/client-application-auto-scaling';
import {
  DeleteAlarmsCommand,
  DeleteDashboardsCommand,
  ListDashboardsCommand,
  paginateDescribeAlarms,
} from '@aws-sdk/client-cloudwatch';
import { DeleteLogGroupCommand, paginateDescribeLogGroups } from '@aws-sdk/client-cloudwatch-logs';
import {
  DeleteRuleCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
  ListRoleTagsCommand,
  paginateListRoles,
} from '@aws-sdk/client-iam';
import {
  DeleteEventSourceMappingCommand,
  DeleteFunctionCommand,
  DeleteLayerVersionCommand,
  paginateListEventSourceMappings,
  paginateListFunctions,
  paginateListLayers,
  paginateListLayerVersions,
} from '@aws-sdk/client-lambda';
import { DeleteBucketCommand, paginateListBuckets } from '@aws-sdk/client-s3';
import { DeleteScheduleGroupCommand, paginateListScheduleGroups } from '@aws-sdk/client-scheduler';
import { DeleteStateMachineCommand, paginateListStateMachines } from '@aws-sdk/client-sfn';
import { DeleteTopicCommand, paginateListTopics } from '@aws-sdk/client-sns';
import { DeleteQueueCommand, paginateListQueues } from '@aws-sdk/client-sqs';
import { deleteBelow } from '../../aws/s3/empty.ts';
import type { Clients } from './clients.ts';
import { ANY, REGION_TAG, runIn } from './names.ts';

/** `name` is what the run is told by; `id` is what AWS removes it by. */
type Thing = { readonly name: string; readonly id: string };

type Kind = {
  readonly what: string;
  readonly list: (clients: Clients) => Promise<readonly Thing[]>;
  readonly remove: (clients: Clients, id: string) => Promise<unknown>;
};

/** Everything of all pages. */
async function all<Page, T>(
  pages: AsyncIterable<Page>,
  items: (page: Page) => readonly T[] | undefined,
): Promise<T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(...(items(page) ?? []));
  return found;
}
const thing = (id = '', name = id): Thing => ({ id, name });
const last = (arn = ''): string => arn.split(/[:/]/).at(-1) ?? '';

export const KINDS: readonly Kind[] = [
  {
    // It outlives the function that it is of, and takes its scheduled actions along when it goes.
    what: 'scalable target',
    list: async ({ scaling: client }) =>
      (
        await all(
          paginateDescribeScalableTargets({ client }, { ServiceNamespace: 'lambda' }),
          (page) => page.ScalableTargets,
        )
      ).map(({ ResourceId }) => thing(ResourceId, ResourceId?.split(':')[1])),
    remove: ({ scaling }, ResourceId) =>
      scaling.send(
        new DeregisterScalableTargetCommand({
          ServiceNamespace: 'lambda',
          ResourceId,
          ScalableDimension: 'lambda:function:ProvisionedConcurrency',
        }),
      ),
  },
  {
    what: 'schedule group',
    list: async ({ scheduler: client }) =>
      (
        await all(paginateListScheduleGroups({ client }, { NamePrefix: ANY }), (page) => page.ScheduleGroups)
      ).map(({ Name }) => thing(Name)),
    remove: ({ scheduler }, Name) => scheduler.send(new DeleteScheduleGroupCommand({ Name })),
  },
  {
    what: 'event source mapping',
    list: async ({ lambda: client }) =>
      (await all(paginateListEventSourceMappings({ client }, {}), (page) => page.EventSourceMappings)).map(
        ({ UUID, FunctionArn }) => thing(UUID, FunctionArn?.split(':')[6]),
      ),
    remove: ({ lambda }, UUID) => lambda.send(new DeleteEventSourceMappingCommand({ UUID })),
  },
  {
    what: 'rule',
    list: async ({ eventBridge }) =>
      ((await eventBridge.send(new ListRulesCommand({ NamePrefix: ANY }))).Rules ?? []).map(({ Name }) =>
        thing(Name),
      ),
    remove: async ({ eventBridge }, Name) => {
      const { Targets = [] } = await eventBridge.send(new ListTargetsByRuleCommand({ Rule: Name }));
      const Ids = Targets.flatMap(({ Id }) => Id ?? []);
      if (Ids.length > 0) await eventBridge.send(new RemoveTargetsCommand({ Rule: Name, Ids }));
      await eventBridge.send(new DeleteRuleCommand({ Name }));
    },
  },
  {
    what: 'state machine',
    list: async ({ stepFunctions: client }) =>
      (await all(paginateListStateMachines({ client }, {}), (page) => page.stateMachines)).map(
        ({ stateMachineArn, name }) => thing(stateMachineArn, name),
      ),
    remove: ({ stepFunctions }, stateMachineArn) =>
      stepFunctions.send(new DeleteStateMachineCommand({ stateMachineArn })),
  },
  {
    what: 'function',
    list: async ({ lambda: client }) =>
      (await all(paginateListFunctions({ client }, {}), (page) => page.Functions)).map(({ FunctionName }) =>
        thing(FunctionName),
      ),
    remove: ({ lambda }, FunctionName) => lambda.send(new DeleteFunctionCommand({ FunctionName })),
  },
  {
    what: 'layer',
    list: async ({ lambda: client }) =>
      (await all(paginateListLayers({ client }, {}), (page) => page.Layers)).map(({ LayerName }) =>
        thing(LayerName),
      ),
    remove: async ({ lambda: client }, LayerName) => {
      const versions = await all(
        paginateListLayerVersions({ client }, { LayerName }),
        (page) => page.LayerVersions,
      );
      for (const { Version } of versions)
        await client.send(new DeleteLayerVersionCommand({ LayerName, VersionNumber: Version }));
    },
  },
  {
    what: 'alarm',
    list: async ({ cloudWatch: client }) =>
      (
        await all(paginateDescribeAlarms({ client }, { AlarmNamePrefix: ANY }), (page) => page.MetricAlarms)
      ).map(({ AlarmName }) => thing(AlarmName)),
    remove: ({ cloudWatch }, name) => cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames: [name] })),
  },
  {
    what: 'dashboard',
    list: async ({ cloudWatch }) =>
      (
        (await cloudWatch.send(new ListDashboardsCommand({ DashboardNamePrefix: ANY }))).DashboardEntries ??
        []
      ).map(({ DashboardName }) => thing(DashboardName)),
    remove: ({ cloudWatch }, name) =>
      cloudWatch.send(new DeleteDashboardsCommand({ DashboardNames: [name] })),
  },
  {
    what: 'topic',
    list: async ({ sns: client }) =>
      (await all(paginateListTopics({ client }, {}), (page) => page.Topics)).map(({ TopicArn }) =>
        thing(TopicArn, last(TopicArn)),
      ),
    remove: ({ sns }, TopicArn) => sns.send(new DeleteTopicCommand({ TopicArn })),
  },
  {
    what: 'queue',
    list: async ({ sqs: client }) =>
      (
        await all(
          paginateListQueues({ client }, { QueueNamePrefix: ANY, MaxResults: 100 }),
          (page) => page.QueueUrls,
        )
      ).map((url) => thing(url, last(url))),
    remove: ({ sqs }, QueueUrl) => sqs.send(new DeleteQueueCommand({ QueueUrl })),
  },
  {
    what: 'bucket',
    // Names are of all regions, and another region's bucket tells nobody here where it is:
    // https://github.com/aws/aws-sdk-net/issues/1835
    list: async ({ s3: client, region }) =>
      (
        await all(
          paginateListBuckets({ client }, { Prefix: ANY, BucketRegion: region }),
          (page) => page.Buckets,
        )
      ).map(({ Name }) => thing(Name)),
    remove: async ({ s3 }, Bucket) => {
      await deleteBelow(s3, Bucket, '', () => {});
      await s3.send(new DeleteBucketCommand({ Bucket }));
    },
  },
  {
    what: 'role',
    // Roles are of all regions, too; one that does not say whose it is counts.
    list: async ({ iam: client, region }) => {
      const roles = await all(paginateListRoles({ client }, {}), (page) => page.Roles);
      const ours = roles
        .map(({ RoleName }) => thing(RoleName))
        .filter(({ name }) => runIn(name) !== undefined);
      const places = await Promise.all(
        ours.map(({ id }) =>
          client.send(new ListRoleTagsCommand({ RoleName: id })).then(
            ({ Tags = [] }) => Tags.find(({ Key }) => Key === REGION_TAG)?.Value ?? region,
            (error: Error) => {
              // The list is behind: it went meanwhile.
              if (error.name === 'NoSuchEntityException') return undefined;
              throw error;
            },
          ),
        ),
      );
      return ours.filter((_, i) => places[i] === region);
    },
    remove: async ({ iam }, RoleName) => {
      const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
      for (const PolicyName of PolicyNames)
        await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
      const { AttachedPolicies = [] } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
      for (const { PolicyArn } of AttachedPolicies)
        await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
      await iam.send(new DeleteRoleCommand({ RoleName }));
    },
  },
  {
    // After the functions: one that still runs would write a line.
    what: 'log group',
    list: async ({ logs: client }) =>
      (
        await all(
          paginateDescribeLogGroups({ client }, { logGroupNamePrefix: `/aws/lambda/${ANY}` }),
          (page) => page.logGroups,
        )
      ).map(({ logGroupName }) => thing(logGroupName, last(logGroupName))),
    remove: ({ logs }, logGroupName) => logs.send(new DeleteLogGroupCommand({ logGroupName })),
  },
];
