import { functionCaller, type LambdaCaller } from '../../../../aws/lambda/call.ts';
import { errorStatus } from '../../../../core/errors/aws-errors.ts';
import { type AwsConfig, waitingFor } from '../../../../core/ports/config.ts';
import { staged } from '../../../../core/release/command/text.ts';
import {
  type CommandAnswer,
  type CommandEvent,
  type TickAnswer,
  type TickEvent,
  WORKER_TIMEOUT,
} from '../../../../core/release/document/worker-contract.ts';
import { problemError } from '../../problems/errors.ts';

/** The release worker, called from this side. */
export type Worker = {
  /** @throws Error where it cannot be invoked, does not answer, or failed three times in a row */
  readonly tick: (tick: TickEvent['tick']) => Promise<TickAnswer>;
  /**
   * Asked once: what it did before it failed, a repetition would do again.
   *
   * @throws Error where it fails or does not answer
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
  /** @throws ProblemError `late` where there is no answer in time */
  const invoke = async (caller: LambdaCaller, event: TickEvent | CommandEvent, late: () => Error) => {
    const signal = AbortSignal.timeout(patience);
    try {
      return await caller.call(JSON.stringify(event), signal);
    } catch (error) {
      throw signal.aborted ? late() : error;
    }
  };
  const failed = (text: string): Error => new Error(`the release worker ${name} failed: ${reasonOf(text)}`);
  /** @param verb of a command, which may have been done; a tick is repeated by the next one */
  const unheard = (model: string, verb?: string): Error => {
    const done = verb === undefined ? '' : ` ${verb} may have been done, or may still be done.`;
    const fix = `See \`sls models status --model ${model}\` for what is so now, and \`sls logs -f models-release\` for why.`;
    return problemError([
      {
        code: 'MODELS_AWS',
        key: `models.${model}`,
        message: `the release worker ${name} did not answer within ${Math.ceil(patience / 1000)} s.${done}`,
        fix: staged(fix, stage),
      },
    ]);
  };
  return {
    // A tick may be repeated at any time; what it could not do, the next one does.
    tick: async (tick) => {
      for (let attempt = 1; ; attempt += 1) {
        const { text, failed: reason } = await invoke(often, { tick }, () => unheard(tick.model));
        if (reason === undefined) return JSON.parse(text) as TickAnswer;
        if (attempt === TRIES) throw failed(text);
        await sleep(500 * attempt);
      }
    },
    command: async (command) => {
      const late = (): Error => unheard(command.model, command.verb);
      for (let attempt = 1; ; attempt += 1) {
        try {
          const { text, failed: reason } = await invoke(once, { command }, late);
          if (reason !== undefined) throw failed(text);
          return JSON.parse(text) as CommandAnswer;
        } catch (error) {
          // Lambda did not let it in: nothing was done.
          if (errorStatus(error) !== 429 || attempt === TRIES) throw error;
          await sleep(500 * attempt);
        }
      }
    },
    close: () => {
      often.close();
      once.close();
    },
  };
}

/** Lambda's own words for a failed function. */
function reasonOf(payload: string): string {
  try {
    const { errorMessage } = JSON.parse(payload) as { readonly errorMessage?: unknown };
    return typeof errorMessage === 'string' ? errorMessage : payload;
  } catch {
    return payload;
  }
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
