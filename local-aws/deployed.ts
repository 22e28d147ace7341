import {
  CloudFormationClient,
  paginateDescribeStacks,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { REGION } from './start.ts';

export type DeployedStack = {
  readonly name: string;
  readonly status: string;
  /** Base URLs of its HTTP APIs, REST APIs and function URLs, all on 127.0.0.1. */
  readonly urls: readonly string[];
  readonly functions: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly resources: readonly { readonly id: string; readonly type: string; readonly physical: string }[];
};

/** What an SDK client needs to reach the local AWS at `endpoint`. */
export function client(endpoint: string): {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
} {
  return { endpoint, region: REGION, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
}

/** The base URL of an HTTP API's `$default` stage: its own host name would need `*.localhost` to resolve. */
export function httpApiUrl(endpoint: string, apiId: string): string {
  return `${endpoint}/_aws/execute-api/${apiId}`;
}

/** Every stack that is there, with what it made. */
export async function deployed(endpoint: string): Promise<DeployedStack[]> {
  const cloudFormation = new CloudFormationClient(client(endpoint));
  const stacks: DeployedStack[] = [];
  for await (const page of paginateDescribeStacks({ client: cloudFormation }, {}))
    for (const stack of page.Stacks ?? []) {
      const resources: DeployedStack['resources'][number][] = [];
      for await (const part of paginateListStackResources(
        { client: cloudFormation },
        { StackName: stack.StackName },
      ))
        for (const found of part.StackResourceSummaries ?? [])
          resources.push({
            id: found.LogicalResourceId ?? '',
            type: found.ResourceType ?? '',
            physical: found.PhysicalResourceId ?? '',
          });
      const of = (type: string): string[] =>
        resources.filter((resource) => resource.type === type).map((resource) => resource.physical);
      const outputs = Object.fromEntries(
        (stack.Outputs ?? []).map((output) => [output.OutputKey ?? '', output.OutputValue ?? '']),
      );
      stacks.push({
        name: stack.StackName ?? '',
        status: stack.StackStatus ?? '',
        urls: [
          ...of('AWS::ApiGatewayV2::Api').map((id) => httpApiUrl(endpoint, id)),
          ...of('AWS::ApiGateway::RestApi').map(
            (id) => `${endpoint}/_aws/execute-api/${id}/${stageOf(resources)}`,
          ),
          ...Object.values(outputs).flatMap((value) => functionUrl(endpoint, value)),
        ],
        functions: of('AWS::Lambda::Function'),
        outputs,
        resources,
      });
    }
  cloudFormation.destroy();
  return stacks;
}

function stageOf(resources: DeployedStack['resources']): string {
  return resources.find((resource) => resource.type === 'AWS::ApiGateway::Stage')?.physical ?? 'dev';
}

function functionUrl(endpoint: string, value: string): string[] {
  const [, id] = /^https:\/\/([a-z0-9-]+)\.lambda-url\./.exec(value) ?? [];
  return id ? [`${endpoint}/_aws/lambda-url/${id}`] : [];
}
