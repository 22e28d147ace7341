import {
  GetFunctionConfigurationCommand,
  GetFunctionEventInvokeConfigCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  ListEventSourceMappingsCommand,
  ListProvisionedConcurrencyConfigsCommand,
} from '@aws-sdk/client-lambda';
import { errorName } from '../../core/errors/aws-errors.ts';
import type { AwsConfig } from '../../core/ports/config.ts';
import { lambdaClient, patientLambda } from '../clients/lambda.ts';

/** What is there of a function, as whoever deploys or looks at it reads it. */

/** @returns undefined where there is no such thing */
const there = <T>(asked: Promise<T>): Promise<T | undefined> =>
  asked.catch((error: unknown) => {
    if (errorName(error) === 'ResourceNotFoundException') return undefined;
    throw error;
  });

/** Any call on the function tells; this one is in the policy of who looks already. */
export async function functionExists(aws: AwsConfig, FunctionName: string): Promise<boolean> {
  const lambda = patientLambda(aws);
  try {
    const asked = lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName, MaxItems: 1 }));
    return (await there(asked)) !== undefined;
  } finally {
    lambda.destroy();
  }
}

export async function versionExists(
  aws: AwsConfig,
  FunctionName: string,
  Qualifier: string,
): Promise<boolean> {
  const lambda = patientLambda(aws);
  try {
    const asked = lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }));
    return (await there(asked)) !== undefined;
  } finally {
    lambda.destroy();
  }
}

/** @returns ids of what brings an alias its messages, where somebody has switched that off */
export async function triggersOff(
  aws: AwsConfig,
  { functionName, alias }: { readonly functionName: string; readonly alias: string },
): Promise<readonly string[]> {
  const lambda = lambdaClient(aws);
  const FunctionName = `${functionName}:${alias}`;
  try {
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName }),
    );
    return EventSourceMappings.flatMap(({ UUID, State }) =>
      UUID !== undefined && (State === 'Disabled' || State === 'Disabling') ? [UUID] : [],
    );
  } finally {
    lambda.destroy();
  }
}

/** What hangs on an alias beside its version. */
export type Hanging = {
  /** Ids of the statements of its policy. */
  readonly statements: ReadonlySet<string>;
  readonly url: boolean;
  readonly invoke: boolean;
};

/** @param wanted what is asked for: each needs a permission of its own */
export async function hangingOn(
  aws: AwsConfig,
  { functionName, alias }: { readonly functionName: string; readonly alias: string },
  wanted: ReadonlySet<'permission' | 'url' | 'invoke'>,
): Promise<Hanging> {
  const lambda = lambdaClient(aws);
  const input = { FunctionName: functionName, Qualifier: alias };
  try {
    const [policy, url, invoke] = await Promise.all([
      wanted.has('permission') ? there(lambda.send(new GetPolicyCommand(input))) : undefined,
      wanted.has('url') ? there(lambda.send(new GetFunctionUrlConfigCommand(input))) : undefined,
      wanted.has('invoke') ? there(lambda.send(new GetFunctionEventInvokeConfigCommand(input))) : undefined,
    ]);
    const { Statement = [] } = JSON.parse(policy?.Policy ?? '{}') as {
      readonly Statement?: readonly { readonly Sid?: string }[];
    };
    return {
      statements: new Set(Statement.flatMap(({ Sid }) => (Sid === undefined ? [] : [Sid]))),
      url: url !== undefined,
      invoke: invoke !== undefined,
    };
  } finally {
    lambda.destroy();
  }
}
