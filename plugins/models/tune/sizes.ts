import type { MeasuredSize } from '../../../core/capacity/memory-sizes.ts';
import { errorStatus, messageOf } from '../../../core/errors/aws-errors.ts';
import { eventOf } from '../../../core/gate/event.ts';
import { isObject } from '../../../core/json/is-object.ts';
import type { InvokePort } from '../../../core/ports/aws.ts';
import type { Signature } from '../../../core/tensor/contract.ts';
import type { Model } from '../declaration/model.ts';
import { checker } from '../measure/check.ts';
import type { BenchRequests } from '../measure/requests.ts';
import { tuneProblem } from './problems.ts';

/** Times that each size has its turn: machines differ, and a turn is on another one. */
export const ROUNDS = 3;
/** Crashes after which a size is taken not to run. */
const CRASHES = 2;
/** Milliseconds beyond the timeout for which an answer is waited for: a start, tried twice. */
const STARTING = 30_000;
/** Milliseconds between two tries of a throttled call, and how many there are: a minute of them. */
const AGAIN = 2000;
const TRIES = 30;
/** Where the gate says nothing else. */
const TOLERANCE = 1e-4;

export type SizesGiven = {
  readonly model: Model;
  readonly functionName: string;
  readonly signature: Signature;
  readonly requests: BenchRequests;
  readonly sizes: readonly number[];
  /** Warm ones of each size. */
  readonly invocations: number;
  readonly invoke: InvokePort['invoke'];
  /** Gives the function this size, and new instances. */
  readonly resize: (memory: number, round: number) => Promise<'ok' | { readonly refused: string }>;
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly ended: AbortSignal;
  readonly progress: (text: string) => void;
};

/** Warm invocations that a size has after a round, of all rounds so far. */
const enoughAfter = (round: number, invocations: number): number => Math.ceil((invocations * round) / ROUNDS);

/** Requests of a turn at most: instances that end after each would never be warm. */
const mostOf = (enough: number): number => 2 * enough + CRASHES;

/** Requests of a size at most. */
export const mostSent = (invocations: number): number =>
  Array.from({ length: ROUNDS }, (_, i) => mostOf(enoughAfter(i + 1, invocations))).reduce(
    (sum, most) => sum + most,
  );

type Growing = { -readonly [K in keyof MeasuredSize]: MeasuredSize[K] } & {
  readonly warm: { duration: number; billed: number }[];
  readonly cold: number[];
  crashes: number;
};

/**
 * Each size in turn, several times over; one request after the other, so that one instance answers.
 *
 * @returns what was measured, also where it was interrupted
 * @throws ProblemError where an answer is wrong: that is no question of memory
 */
export async function measureSizes(given: SizesGiven): Promise<readonly MeasuredSize[]> {
  const { ended, invocations, progress, resize } = given;
  const found = given.sizes.map((memory): Growing => ({ memory, warm: [], cold: [], crashes: 0 }));
  const ask = asking(given);
  for (let round = 1; round <= ROUNDS; round += 1) {
    // There and back, so that no size is always the last one.
    for (const size of round % 2 === 1 ? found : found.toReversed()) {
      if (ended.aborted) break;
      if (size.failed !== undefined) continue;
      progress(`Tuning ${given.model.name}: ${size.memory} MB, round ${round} of ${ROUNDS}`);
      const answer = await allowed(given, () => resize(size.memory, round));
      if (answer === 'cut') break;
      if (answer !== 'ok') size.failed = answer.refused;
      else await turn(size, enoughAfter(round, invocations), ask, ended);
    }
  }
  return found
    .filter(({ warm, cold, failed }) => warm.length + cold.length > 0 || failed !== undefined)
    .map(({ crashes: _, ...size }) => size);
}

/** @param enough warm invocations, of all turns so far */
async function turn(
  size: Growing,
  enough: number,
  ask: ReturnType<typeof asking>,
  ended: AbortSignal,
): Promise<void> {
  const most = mostOf(enough);
  for (let sent = 0; sent < most && size.warm.length < enough && !ended.aborted; sent += 1) {
    const answer = await ask(size.memory);
    if (answer === undefined) return;
    if ('crashed' in answer) {
      size.crashes += 1;
      if (size.crashes < CRASHES) continue;
      size.failed = answer.crashed;
      return;
    }
    const { init, duration, billed, memory } = answer;
    if (memory !== undefined) size.used = Math.max(size.used ?? 0, memory);
    if (init !== undefined) size.cold.push(init);
    else size.warm.push({ duration, billed });
  }
}

type Asked =
  | { readonly crashed: string }
  | { readonly duration: number; readonly billed: number; readonly init?: number; readonly memory?: number };

/**
 * A call that Lambda throttles is made again: what was measured in an hour is not given up for a second in
 * which others take all that the account may have.
 */
async function allowed<T>(
  { ended, model, pause }: Pick<SizesGiven, 'ended' | 'model' | 'pause'>,
  call: () => Promise<T>,
): Promise<T | 'cut'> {
  for (let tries = 1; !ended.aborted; tries += 1)
    try {
      return await call();
    } catch (error) {
      if (errorStatus(error) !== 429) throw error;
      if (tries === TRIES)
        throw tuneProblem(
          model.name,
          `cannot be tuned: Lambda throttled it for a minute: ${messageOf(error).replace(/\.$/, '')}.`,
          'Try again when other functions and deploys of the account are less busy.',
          error,
        );
      await pause(AGAIN);
    }
  return 'cut';
}

/** @returns undefined of a request that an interruption cut */
function asking(given: SizesGiven): (memory: number) => Promise<Asked | undefined> {
  const { ended, functionName, invoke, model, requests, signature } = given;
  const check = checker(requests.all, signature, model.gate?.tolerance ?? TOLERANCE);
  const bodies = requests.all.map(({ body }) => eventOf(body));
  const patience = model.timeout * 1000 + STARTING;
  const cut = new Promise<'cut'>((done) => {
    ended.addEventListener('abort', () => done('cut'), { once: true });
  });
  let count = 0;
  return async (memory) => {
    const index = count;
    count += 1;
    const body = bodies[index % bodies.length] ?? '{}';
    const invoked = await Promise.race([
      allowed(given, () => invoke(functionName, '$LATEST', body, patience)),
      cut,
    ]);
    if (invoked === 'cut') return undefined;
    if (invoked === undefined) return { crashed: `no answer came within ${patience / 1000} s` };
    const { outcome, words = '' } = check(index, invoked);
    if (outcome === 'failed') return { crashed: crashWords(invoked.payload) };
    if (outcome !== 'ok') {
      const which = requests.all.length > 1 ? ` to case ${(index % requests.all.length) + 1}` : '';
      throw tuneProblem(
        model.name,
        `answers wrongly${which}, requests ${requests.from}, at ${memory} MB: ${words.replace(/\.$/, '')}.`,
        'Fix the model or the case, deploy it, or name other requests with --path.',
      );
    }
    const { duration, billed, init } = invoked;
    if (duration === undefined || billed === undefined)
      throw tuneProblem(
        model.name,
        'cannot be tuned: Lambda did not report how long an invocation took.',
        'Try again; if it stays so, say which region it is.',
      );
    return {
      ...{ duration, billed },
      ...(init !== undefined && { init }),
      ...(invoked.memory !== undefined && { memory: invoked.memory }),
    };
  };
}

/**
 * `Task timed out after 10.00 seconds`, `Runtime exited with error: signal: killed`:
 * https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
 */
export function crashWords(payload: string): string {
  let said: unknown;
  try {
    said = JSON.parse(payload);
  } catch {
    return payload.slice(0, 200);
  }
  const message = isObject(said) ? String(said.errorMessage ?? said.errorType ?? '') : '';
  return (
    message.replace(/^(\S+Z )?([0-9a-f-]{36} )?(RequestId: \S+ )?(Error: )?/, '').slice(0, 200) ||
    'it crashed'
  );
}
