import { GetAliasCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { REGION } from '../../local-aws/start.ts';

/** How the demo's own clients reach AWS. */
export type Client = {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
};

export const clientFor = (endpoint: string): Client => ({
  endpoint,
  region: REGION,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

/** Where an alias points: `version 1`, or `version 1, version 2 with 25 %`. */
export async function liveOf(client: Client, functionName: string, alias: string): Promise<string> {
  const lambda = new LambdaClient(client);
  try {
    const { FunctionVersion, RoutingConfig } = await lambda.send(
      new GetAliasCommand({ FunctionName: functionName, Name: alias }),
    );
    const others = Object.entries(RoutingConfig?.AdditionalVersionWeights ?? {});
    return [
      `version ${FunctionVersion}`,
      ...others.map(([version, weight]) => `version ${version} with ${weight * 100} %`),
    ].join(', ');
  } finally {
    lambda.destroy();
  }
}
