import { type Context, usage } from './context.ts';

/** @throws ProblemError `MODELS_USAGE` with the limits, and an example */
export function numberWithin(
  key: string,
  flag: Context['flags'][string],
  { lowest, highest }: { readonly lowest: number; readonly highest: number },
  what: string,
  example: string,
): number {
  const value = Number(flag);
  if (typeof flag === 'string' && flag.trim() !== '' && value >= lowest && value <= highest) return value;
  throw usage(
    key,
    `${flag} is not a number of ${what} from ${lowest} to ${highest}.`,
    `Write for example ${example}.`,
  );
}
