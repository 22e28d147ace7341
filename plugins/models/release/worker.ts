import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type {
  CommandAnswer,
  CommandEvent,
  TickAnswer,
  TickEvent,
} from '../../../functions/release/contract.ts';
import type { AwsConfig } from '../ship/context.ts';

/** The release worker, called from this side. */
export type Worker = {
  /** @throws Error where it cannot be invoked, or failed three times in a row */
  readonly tick: (tick: TickEvent['tick']) => Promise<TickAnswer>;
  /** Asked once: what it did before it failed, a repetition would do again. @throws Error where it fails */
  readonly command: (command: CommandEvent['command']) => Promise<CommandAnswer>;
  readonly close: () => void;
};

/** @param name of the worker's function */
export function releaseWorker(aws: AwsConfig, name: string): Worker {
  const lambda = new LambdaClient(aws);
  const ask = async (event: TickEvent | CommandEvent, tries: number): Promise<unknown> => {
    for (let attempt = 1; ; attempt += 1) {
      const { Payload, FunctionError } = await lambda.send(
        new InvokeCommand({ FunctionName: name, Payload: new TextEncoder().encode(JSON.stringify(event)) }),
      );
      const text = new TextDecoder().decode(Payload);
      if (FunctionError === undefined) return JSON.parse(text);
      if (attempt === tries) throw new Error(`the release worker ${name} failed: ${reasonOf(text)}`);
      await sleep(500 * attempt);
    }
  };
  return {
    // A tick may be repeated at any time; what it could not do, the next one does.
    tick: async (tick) => (await ask({ tick }, 3)) as TickAnswer,
    command: async (command) => (await ask({ command }, 1)) as CommandAnswer,
    close: () => lambda.destroy(),
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
