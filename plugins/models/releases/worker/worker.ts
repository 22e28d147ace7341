import { functionCaller, type LambdaCaller } from '../../../../aws/lambda/call.ts';
import {
  errorName,
  errorStatus,
  messageOf,
  THROTTLED,
  UNREACHED,
} from '../../../../core/errors/aws-errors.ts';
import { type AwsConfig, waitingFor } from '../../../../core/ports/config.ts';
import { staged } from '../../../../core/release/command/text.ts';
import {
  type CommandAnswer,
  type CommandEvent,
  type TickAnswer,
  type TickEvent,
  WORKER_TIMEOUT,
} from '../../../../core/release/document/worker-contract.ts';
import { isProblemError, problemError } from '../../problems/errors.ts';
import { withoutWeights } from '../words/aws-cli.ts';

/** The release worker, called from this side. */
export type Worker = {
  /** @throws Error where it cannot be invoked, does not answer, or failed three times in a row */
  readonly tick: (tick: TickEvent['tick']) => Promise<TickAnswer>;
  /**
   * Asked once: what it did before it failed, a repetition would do again.
   *
   * @throws ProblemError where it fails, does not answer, is not there or is not let in
   * @throws Error where nobody could be asked, or AWS refuses the caller
   */
  readonly command: (command: CommandEvent['command']) => Promise<CommandAnswer>;
  readonly close: () => void;
};

/** Milliseconds that an answer may take: all of an invocation, its start, and the way there and back. */
const PATIENCE = (WORKER_TIMEOUT + 30) * 1000;

const TRIES = 3;

/** @param name of the worker's function, and the stage that it is of */
export function releaseWorker(
  aws: AwsConfig,
  { name, stage }: { readonly name: string; readonly stage: string },
  patience = PATIENCE,
): Worker {
  // Not before the signal, which ends all attempts of the SDK together.
  const config = waitingFor(aws, 2 * patience);
  const often = functionCaller(config, name);
  // The SDK would repeat a call whose answer was lost.
  const once = functionCaller({ ...config, maxAttempts: 1 }, name);
  const closed = new AbortController();
  /** @throws ProblemError `late` where there is no answer in time */
  const invoke = async (caller: LambdaCaller, event: TickEvent | CommandEvent, late: () => Error) => {
    const signal = AbortSignal.timeout(patience);
    try {
      return await caller.call(JSON.stringify(event), AbortSignal.any([signal, closed.signal]));
    } catch (error) {
      throw signal.aborted ? late() : error;
    }
  };
  const failed = (text: string): Error => {
    const { errorType, errorMessage = text } = failureIn(text);
    const error = new Error(`the release worker ${name} failed: ${errorMessage}`);
    return THROTTLED.test(errorType ?? '') ? Object.assign(error, { name: WAS_THROTTLED }) : error;
  };
  /** What a person may do where the worker cannot. */
  const alone = (command: CommandEvent['command'] | undefined): string =>
    command?.verb === 'rollback'
      ? ` \`aws ${withoutWeights(command.functionName)} --region ${aws.region}\` takes a candidate’s weight away without the worker.`
      : '';
  const silent = `did not answer within ${Math.ceil(patience / 1000)} s`;
  /**
   * @param how what became of the answer
   * @param command which may have been done; a tick is repeated by the next one
   */
  const unheard = (how: string, model: string, command?: CommandEvent['command'], cause?: unknown): Error => {
    const done = command === undefined ? '' : ` ${command.verb} may have been done, or may still be done.`;
    const fix = `See \`sls models status --model ${model}\` for what is so now, and \`sls logs -f models-release\` for why.${alone(command)}`;
    return problemError(
      [
        {
          code: 'MODELS_AWS',
          key: `models.${model}`,
          message: `the release worker ${name} ${how}.${done}`,
          fix: staged(fix, stage),
        },
      ],
      cause,
    );
  };
  const absent = (model: string, cause: unknown): Error =>
    problemError(
      [
        {
          code: 'MODELS_NOT_DEPLOYED',
          key: `models.${model}`,
          message: `there is no release worker ${name} in ${aws.region}.`,
          fix: `Run \`sls deploy --stage ${stage}\`, which also tells what helps where somebody deleted it; or name another --stage, --region or --aws-profile.`,
        },
      ],
      cause,
    );
  const throttled = (command: CommandEvent['command'], cause: unknown): Error => {
    const { model, verb } = command;
    return problemError(
      [
        {
          code: 'MODELS_AWS',
          key: `models.${model}`,
          message: `${verb} was not done: Lambda did not let it in ${TRIES} times (${unstopped(messageOf(cause))}).`,
          fix: `Try again: the concurrency of the account is used up, for example by a model under load.${alone(command)}`,
        },
      ],
      cause,
    );
  };
  return {
    // A tick may be repeated at any time; what it could not do, the next one does.
    tick: async (tick) => {
      for (let attempt = 1; ; attempt += 1) {
        const { text, failed: reason } = await invoke(often, { tick }, () => unheard(silent, tick.model));
        if (reason === undefined) return JSON.parse(text) as TickAnswer;
        if (attempt === TRIES) throw failed(text);
        await sleep(500 * attempt);
      }
    },
    command: async (command) => {
      const { model } = command;
      const late = (): Error => unheard(silent, model, command);
      for (let attempt = 1; ; attempt += 1) {
        let answer: Awaited<ReturnType<LambdaCaller['call']>>;
        try {
          answer = await invoke(once, { command }, late);
        } catch (error) {
          if (isProblemError(error)) throw error;
          if (errorName(error) === 'ResourceNotFoundException') throw absent(model, error);
          if (!wasKeptOut(error))
            throw unheard(
              `was asked, and its answer was lost: ${unstopped(messageOf(error))}`,
              model,
              command,
              error,
            );
          // Lambda did not let it in: nothing was done.
          if (errorStatus(error) !== 429) throw error;
          if (attempt === TRIES) throw throttled(command, error);
          await sleep(500 * attempt);
          continue;
        }
        const { text, failed: reason } = answer;
        if (reason !== undefined)
          throw unheard(`failed: ${unstopped(failureIn(text).errorMessage ?? text)}`, model, command);
        return JSON.parse(text) as CommandAnswer;
      }
    },
    close: () => {
      // Else the SDK asks again for the answer whose connection goes.
      closed.abort();
      often.close();
      once.close();
    },
  };
}

/**
 * Is it certain that the worker did not get the event? After a lost connection, half an answer or an error of
 * Lambda's own it is not.
 */
function wasKeptOut(error: unknown): boolean {
  const status = errorStatus(error);
  if (status !== undefined) return status >= 400 && status < 500;
  const { code } = error as { readonly code?: unknown };
  return UNREACHED.has(code) || /Credentials|TokenProvider/.test(errorName(error) ?? '');
}

/** The worker's own calls of AWS were throttled. */
const WAS_THROTTLED = 'WorkerThrottled';

/** Milliseconds in which no tick or look may get through: a release goes on by its schedule meanwhile. */
export const SILENT_MS = 5 * 60_000;

/**
 * Will a tick get through later? Lambda let nobody in, failed itself, or could not be reached; or the worker
 * was throttled.
 */
export function isPassing(error: unknown): boolean {
  const status = errorStatus(error);
  if (status !== undefined) return status === 429 || status >= 500;
  if (isProblemError(error)) return false;
  const { code } = error as { readonly code?: unknown };
  return AWAY.test(String(code)) || ['TimeoutError', WAS_THROTTLED].includes(errorName(error) ?? '');
}

/** Errors of a network that may come back; no file and no certificate does. */
const AWAY = /^(ECONN\w+|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ETIMEDOUT|EPIPE)$/;

const unstopped = (words: string): string => words.replace(/[.\s]+$/, '');

/** Lambda's own words for a failed function, and the name of the error that ended it. */
function failureIn(payload: string): { readonly errorType?: string; readonly errorMessage?: string } {
  try {
    const { errorType, errorMessage } = JSON.parse(payload) as Readonly<Record<string, unknown>>;
    return {
      ...(typeof errorType === 'string' && { errorType }),
      ...(typeof errorMessage === 'string' && { errorMessage }),
    };
  } catch {
    return {};
  }
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
