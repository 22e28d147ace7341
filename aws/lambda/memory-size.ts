import {
  GetFunctionConfigurationCommand,
  type LambdaClient,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { errorName, messageOf } from '../../core/errors/aws-errors.ts';

/** Milliseconds between two looks at an update, which takes some seconds. */
const LOOK_EVERY = 500;
/** Times that it is asked for while another update is under way. */
const TRIES = 5;

/**
 * Gives a function another memory size, and new instances also where the size is the same: the description is
 * of a version, too. https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
 *
 * @returns once it is in force; `refused`: Lambda does not give so much to this function or account, and why
 */
export async function setMemorySize(
  lambda: LambdaClient,
  functionName: string,
  memory: number,
  description: string,
  { pause, ended }: { readonly pause: (ms: number) => Promise<void>; readonly ended: AbortSignal },
): Promise<'ok' | { readonly refused: string }> {
  const FunctionName = functionName;
  const update = { FunctionName, MemorySize: memory, Description: description };
  for (let tries = 1; ; tries += 1) {
    try {
      await lambda.send(new UpdateFunctionConfigurationCommand(update));
      return settled();
    } catch (error) {
      if (REFUSALS.has(errorName(error))) return { refused: messageOf(error) };
      // Who did not hear that it is in force asks again, while it is under way.
      if (errorName(error) !== 'ResourceConflictException' || tries === TRIES || ended.aborted) throw error;
      await settled();
    }
  }

  async function settled(): Promise<'ok' | { readonly refused: string }> {
    while (!ended.aborted) {
      const found = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      if (found.LastUpdateStatus === 'Successful') return 'ok';
      if (found.LastUpdateStatus === 'Failed')
        return { refused: found.LastUpdateStatusReason ?? 'the update failed' };
      await pause(LOOK_EVERY);
    }
    return 'ok';
  }
}

const REFUSALS: ReadonlySet<string | undefined> = new Set([
  'InvalidParameterValueException',
  'ValidationException',
]);
