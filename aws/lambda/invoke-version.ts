import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  LambdaServiceException,
  paginateListVersionsByFunction,
} from '@aws-sdk/client-lambda';
import type { Endpoints, VersionAnswer } from '../../core/catalog/catalog.ts';
import { LIVE } from '../../core/catalog/contract.ts';

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
    const now = Date.now();
    if (found !== undefined && now < found.until) return found.value;
    for (const [old, { until }] of known) if (until <= now) known.delete(old);
    const value = ask(...parts);
    known.set(key, { until: now + KEEP_MS, value });
    value.catch(() => known.delete(key));
    return value;
  };
}

/** The endpoints as Lambda functions. An error that is nobody's answer (denied, unreachable) is thrown. */
export function lambdaEndpoints(client: LambdaClient): Endpoints {
  const state = remembered((name, version) => stateOf(client, name, version));
  const versions = remembered((name) => versionsOf(client, name));
  const published = (name: string): Promise<readonly string[]> =>
    versions(name).catch((error: unknown) => {
      if (isAbsent(error)) return [];
      throw error;
    });
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
    // Anybody may make up numbers: one that no version has costs no call of its own, and no memory.
    state: async (name, version) =>
      version === LIVE || (await published(name)).includes(version) ? state(name, version) : undefined,
    versions,
  };
}

async function stateOf(client: LambdaClient, name = '', version = ''): Promise<string | undefined> {
  try {
    const { State } = await client.send(
      new GetFunctionConfigurationCommand({ FunctionName: name, Qualifier: version }),
    );
    return State;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

const isAbsent = (error: unknown): boolean =>
  error instanceof LambdaServiceException && error.name === 'ResourceNotFoundException';

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
