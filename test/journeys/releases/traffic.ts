import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { client } from '../../../local-aws/deployed.ts';
import { EASY, HARD, requestOf } from './version.ts';

/**
 * Requests under way at most: more are not traffic but a starved machine. Each has an environment of its own,
 * and so many processes would not start within a function's time.
 */
const MOST = 16;

/** Requests at most that are late since this process had no processor, and leave at once when it has. */
const LATE = 10;

/** What became of one request. */
export type Outcome = {
  /** Milliseconds since 1970, of the real clock. */
  readonly sent: number;
  readonly done: number;
  /** Which version Lambda ran, and which one says that it answered. */
  readonly version?: string;
  readonly named?: string;
  /** The version's own fault: it crashed, or answered with an error. */
  readonly fault?: string;
  /** Nobody was asked: the answer of AWS or of the network. */
  readonly failure?: string;
};

export type Traffic = {
  readonly outcomes: readonly Outcome[];
  /** This share of the requests is hard from now on; 0 before. */
  hard(share: number): void;
  /** Requests a second from now on. */
  rate(perSecond: number): void;
  /** Sends nothing until it has a rate again, and waits for what is under way. */
  pause(): Promise<void>;
  /** Sends no more and waits for what is under way. */
  stop(): Promise<readonly Outcome[]>;
};

/**
 * Asks the alias, open loop: a request leaves at its time, however long those before it take.
 *
 * @param make a request of `EASY` or `HARD`
 * @param most requests under way at a time
 */
export function startTraffic(
  endpoint: string,
  functionName: string,
  perSecond: number,
  make: (asked: number) => unknown = requestOf,
  most = MOST,
): Traffic {
  // A request that is tried again would count as one that did not fail.
  const lambda = new LambdaClient({ ...client(endpoint), maxAttempts: 1 });
  const outcomes: Outcome[] = [];
  const underWay = new Set<Promise<void>>();
  let [share, pace] = [0, perSecond];

  const ask = async (asked: number): Promise<void> => {
    const sent = Date.now();
    const Payload = JSON.stringify(make(asked));
    const outcome = await lambda
      .send(new InvokeCommand({ FunctionName: functionName, Qualifier: 'live', Payload }))
      .then(
        ({ ExecutedVersion: version, FunctionError, Payload: answer }) => ({
          ...(version !== undefined && { version }),
          ...read(FunctionError, answer?.transformToString() ?? ''),
        }),
        (error: unknown) => ({
          failure: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
        }),
      );
    outcomes.push({ sent, done: Date.now(), ...outcome });
  };
  let [count, owed, last] = [0, 0, performance.now()];
  const timer = setInterval(() => {
    const now = performance.now();
    owed = Math.min(owed + ((now - last) * pace) / 1000, LATE);
    last = now;
    for (; owed >= 1; owed -= 1) {
      if (underWay.size >= most) continue;
      count += 1;
      // Spread evenly: the n-th is hard where the share passes another whole number.
      const asked: Promise<void> = ask(
        Math.floor(count * share) > Math.floor((count - 1) * share) ? HARD : EASY,
      );
      const counted = asked.finally(() => underWay.delete(counted));
      underWay.add(counted);
    }
  }, 10);
  return {
    outcomes,
    hard: (to) => {
      share = to;
    },
    rate: (to) => {
      pace = to;
    },
    pause: async () => {
      pace = 0;
      await Promise.all(underWay);
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      lambda.destroy();
      return outcomes;
    },
  };
}

function read(error: string | undefined, text: string): Pick<Outcome, 'named' | 'fault'> {
  if (error !== undefined) return { fault: text.slice(0, 200) };
  const answer: { readonly model_version?: string; readonly code?: string } = JSON.parse(text);
  return {
    ...(answer.model_version !== undefined && { named: answer.model_version }),
    ...(answer.code !== undefined && { fault: answer.code }),
  };
}

/**
 * Requests that failed although no bad version is to blame, or that one answered in another's name: in words;
 * none in a good shift.
 */
export const lost = (outcomes: readonly Outcome[], bad: readonly string[]): readonly string[] =>
  outcomes.flatMap(({ failure, version = '', named, fault }) => {
    if (failure !== undefined) return [failure];
    if (fault !== undefined) return bad.includes(version) ? [] : [`version ${version} failed: ${fault}`];
    return version === named ? [] : [`version ${version} ran, and ${named} answered`];
  });

/**
 * Versions that answered, in the order in which they were asked: a cold start may answer after the next
 * version.
 */
export const servedBy = (outcomes: readonly Outcome[]): readonly string[] => [
  ...new Set(
    outcomes
      .toSorted((one, other) => one.sent - other.sent)
      .flatMap(({ version }) => (version === undefined ? [] : [version])),
  ),
];

export const faultsOf = (outcomes: readonly Outcome[], version?: string): readonly Outcome[] =>
  outcomes.filter((one) => one.fault !== undefined && (version === undefined || one.version === version));
