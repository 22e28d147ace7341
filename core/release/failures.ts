import { isDenied, isThrottled, RIGHT_SPREADS } from '../errors/aws-errors.ts';

/** What an error is called and says, for logs and reasons. */
export const nameAndMessage = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

/** Milliseconds between tries of a call that fails, beside those that the SDK makes by itself. */
const PASSES: readonly number[] = [200, 400, 800];

/**
 * What was denied has more time than what fails otherwise: CloudFormation’s request comes right after the
 * rights that it needs. So has what was throttled: Lambda takes 15 such calls a second of an account, and a
 * deploy of many models asks for all of them at once.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests
 *
 * @param failures how many there were, this one included
 * @returns milliseconds until it is worth another try; undefined: it is none
 */
export const untilAgain = (error: unknown, failures: number): number | undefined =>
  (isDenied(error) || isThrottled(error) ? RIGHT_SPREADS : PASSES)[failures - 1];
