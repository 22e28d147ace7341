import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  LambdaServiceException,
  paginateListVersionsByFunction,
} from '@aws-sdk/client-lambda';
import type { Endpoints, VersionAnswer } from '../../core/catalog/catalog.ts';

const FAILURES: Readonly<Record<string, Exclude<VersionAnswer, { answer: unknown }>['failure']>> = {
  ResourceNotFoundException: 'absent',
  TooManyRequestsException: 'throttled',
  RequestTooLargeException: 'tooLarge',
};

/**
 * Health checks poll, and Lambda's control plane takes 15 requests a second for a whole account:
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const KEEP_MS = 5000;

/** Remembers what was found for `KEEP_MS`, by key; what was thrown is asked again. */
function remembered<T>(ask: (...key: string[]) => Promise<T>): (...key: string[]) => Promise<T> {
  const known = new Map<string, { readonly until: number; readonly value: Promise<T> }>();
  return (...parts) => {
    const key = parts.join(' ');
    const found = known.get(key);
    if (found !== undefined && Date.now() < found.until) return found.value;
    const value = ask(...parts);
    known.set(key, { until: Date.now() + KEEP_MS, value });
    value.catch(() => known.delete(key));
    return value;
  };
}

/** The endpoints as Lambda functions. An error that is nobody's answer (denied, unreachable) is thrown. */
export function lambdaEndpoints(client: LambdaClient): Endpoints {
  return {
    async invoke(name, version, event) {
      try {
        const { FunctionError, Payload } = await client.send(
          new InvokeCommand({
            FunctionName: name,
            Qualifier: version,
            Payload: new TextEncoder().encode(JSON.stringify(event)),
          }),
        );
        if (FunctionError !== undefined || Payload === undefined) return { failure: 'failed' };
        return { answer: JSON.parse(new TextDecoder().decode(Payload)) };
      } catch (error) {
        const failure = error instanceof LambdaServiceException ? FAILURES[error.name] : undefined;
        if (failure === undefined) throw error;
        return { failure };
      }
    },
    state: remembered((name, version) => stateOf(client, name, version)),
    versions: remembered((name) => versionsOf(client, name)),
  };
}

async function stateOf(client: LambdaClient, name = '', version = ''): Promise<string | undefined> {
  try {
    const { State } = await client.send(
      new GetFunctionConfigurationCommand({ FunctionName: name, Qualifier: version }),
    );
    return State;
  } catch (error) {
    if (error instanceof LambdaServiceException && error.name === 'ResourceNotFoundException')
      return undefined;
    throw error;
  }
}

async function versionsOf(client: LambdaClient, name = ''): Promise<readonly string[]> {
  const found: { readonly version: string; readonly at: number }[] = [];
  for await (const { Versions } of paginateListVersionsByFunction({ client }, { FunctionName: name })) {
    for (const { Version, LastModified = '' } of Versions ?? []) {
      if (Version !== undefined && Version !== '$LATEST')
        found.push({ version: Version, at: Date.parse(LastModified) });
    }
  }
  // Lambda lists them in no order that it documents, and its numbers are names:
  // https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html
  return found.toSorted((one, other) => one.at - other.at).map(({ version }) => version);
}
