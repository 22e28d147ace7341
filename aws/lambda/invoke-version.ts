import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  LambdaServiceException,
  paginateListVersionsByFunction,
} from '@aws-sdk/client-lambda';
import type { Endpoints, VersionAnswer } from '../../core/catalog/catalog.ts';
import { LIVE } from '../../core/catalog/contract.ts';
import { isThrottled } from '../../core/errors/aws-errors.ts';
import { turns } from '../../core/node/turns.ts';

/**
 * Lambda puts aside what nobody has asked for weeks, and refuses the first request for it while it brings it
 * back: https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
 */
const FAILURES: Readonly<Record<string, Exclude<VersionAnswer, { answer: unknown }>['failure']>> = {
  ResourceNotFoundException: 'absent',
  TooManyRequestsException: 'throttled',
  RequestTooLargeException: 'tooLarge',
  ResourceConflictException: 'notReady',
  ResourceNotReadyException: 'notReady',
};

/**
 * Health checks poll, and Lambda's control plane takes 15 requests a second for a whole account, whose
 * deploys and releases need some of them:
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const KEEP_MS = 5000;
/** Where there are many functions each is kept longer, so that two a second are asked about at most. */
const KEEP_EACH_MS = 500;
/** Asked about at once. */
const AT_ONCE = 4;
/** When one that was throttled is asked about again, beside the client's own tries. */
const AGAIN_MS = [500, 1000, 2000] as const;

/** Remembers what was found for a while, by key; what was thrown is asked again. */
function remembered<T>(ask: (...key: string[]) => Promise<T>): (...key: string[]) => Promise<T> {
  const known = new Map<string, { readonly until: number; readonly value: Promise<T> }>();
  return (...parts) => {
    const key = parts.join(' ');
    const found = known.get(key);
    const now = Date.now();
    if (found !== undefined && now < found.until) return found.value;
    for (const [old, { until }] of known) if (until <= now) known.delete(old);
    const value = ask(...parts);
    known.set(key, { until: now + Math.max(KEEP_MS, KEEP_EACH_MS * known.size), value });
    value.catch(() => known.delete(key));
    return value;
  };
}

async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const pause of AGAIN_MS)
    try {
      return await ask();
    } catch (error) {
      if (!isThrottled(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  return ask();
}

/** The endpoints as Lambda functions. An error that is nobody's answer (denied, unreachable) is thrown. */
export function lambdaEndpoints(client: LambdaClient): Endpoints {
  const turn = turns(AT_ONCE);
  const state = remembered((name, version) => turn(() => patiently(() => stateOf(client, name, version))));
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
