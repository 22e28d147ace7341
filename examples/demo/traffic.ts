import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Client } from './client.ts';
import { isNative, type Person, requestAbout } from './people.ts';

/** What became of one request. */
export type Outcome = {
  /** When it was sent and when it was over; milliseconds since 1970, of the real clock. */
  readonly sent: number;
  readonly done: number;
  /** Who answered, or failed to. Lambda tells it with every answer: `X-Amz-Executed-Version`. */
  readonly version?: string;
  /** Why there is no inference in the answer: the endpoint's code, or the answer of AWS or of the network. */
  readonly failure?: string;
};

export type Traffic = {
  readonly outcomes: readonly Outcome[];
  /** Also people born elsewhere from now on; only those born in the country before. */
  everybody(): void;
  /** These people from now on. */
  about(people: readonly Person[]): void;
  /** Sends no more and waits for what is under way. */
  stop(): Promise<void>;
};

/**
 * Asks the model about one person after another, as a back end would: by direct invoke of the alias. Open loop: a
 * request leaves at its time, however long the ones before it take, so that nothing slow or broken hides behind a client
 * that politely waits.
 *
 * @param perSecond by the real clock
 */
export function startTraffic(
  client: Client,
  alias: { readonly functionName: string; readonly name: string },
  people: readonly Person[],
  perSecond: number,
): Traffic {
  const lambda = new LambdaClient({
    ...client,
    // A request that is tried again would count as one that did not fail.
    maxAttempts: 1,
    // Nor may one wait for another’s connection.
    requestHandler: { httpAgent: { keepAlive: true, maxSockets: 1000 } },
  });
  const outcomes: Outcome[] = [];
  const underWay = new Set<Promise<void>>();
  const groups = { native: people.filter(isNative), all: people };
  let group: readonly Person[] = groups.native;

  const ask = async (person: Person): Promise<void> => {
    const sent = Date.now();
    const outcome = await lambda
      .send(
        new InvokeCommand({
          FunctionName: alias.functionName,
          Qualifier: alias.name,
          Payload: JSON.stringify(requestAbout(person)),
        }),
      )
      .then(
        ({ ExecutedVersion, FunctionError, Payload }) => ({
          ...(ExecutedVersion !== undefined && { version: ExecutedVersion }),
          ...failureOf(FunctionError, Payload?.transformToString() ?? ''),
        }),
        (error: unknown) => ({
          failure: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
        }),
      );
    outcomes.push({ sent, done: Date.now(), ...outcome });
  };

  const began = performance.now();
  let due = 0;
  const timer = setInterval(() => {
    while (began + (due * 1000) / perSecond <= performance.now()) {
      // A prime stride visits everyone, in an order that has nothing to do with the file's.
      const person = group[(due * 1009) % group.length];
      due += 1;
      if (person === undefined) continue;
      const asked: Promise<void> = ask(person).finally(() => underWay.delete(asked));
      underWay.add(asked);
    }
  }, 10);
  return {
    outcomes,
    everybody: () => {
      group = groups.all;
    },
    about: (chosen) => {
      group = chosen;
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      lambda.destroy();
    },
  };
}

/** An inference is an answer; `{error, code}` or a failed function is none. */
function failureOf(functionError: string | undefined, text: string): { readonly failure?: string } {
  if (functionError !== undefined) return { failure: `${functionError}: ${text}` };
  const answer: { readonly outputs?: unknown; readonly code?: string } = JSON.parse(text);
  return answer.outputs === undefined ? { failure: answer.code ?? text } : {};
}
