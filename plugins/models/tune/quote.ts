import type { Facts, Model } from '../declaration/model.ts';
import { PRICES } from '../plan/shared/prices.ts';
import type { TuneOptions } from './options.ts';
import { ROUNDS } from './sizes.ts';

/** What Lambda asks, by list price, and how long it takes. Pure. */

/** @returns dollars for a million requests of so many MB that are billed so many milliseconds */
export function priceOf(
  model: Model,
  { remote }: Pick<Facts, 'remote'>,
): (memory: number, billed: number) => number {
  const { gbSecond } = model.concurrency?.provisioned === undefined ? PRICES : PRICES.provisioned;
  const storage = remote.reduce((sum, { bytes }) => sum + bytes, 0) / 1024 ** 3;
  return (memory, billed) =>
    1e6 *
    (PRICES.request +
      (billed / 1000) * ((memory / 1024) * gbSecond[model.architecture] + storage * PRICES.storageGbSecond));
}

/** Seconds to make and to remove the stack, and for a function to have another size. */
const MAKING = 120;
const RESIZING = 10;
/**
 * Seconds of an INIT phase at most:
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
const INIT = 10;

type Bill = { readonly dollars: number; readonly seconds: number };

/** @param each milliseconds of a request @param init seconds of a cold start */
function bill(
  { sizes, invocations }: TuneOptions,
  price: ReturnType<typeof priceOf>,
  each: number,
  init: number,
): Bill {
  const seconds = (invocations * each) / 1000 + ROUNDS * (each / 1000 + init);
  return sizes.reduce(
    (sum, size) => ({
      dollars:
        sum.dollars + (invocations + ROUNDS) * 1e-6 * price(size, (1000 * seconds) / (invocations + ROUNDS)),
      seconds: sum.seconds + seconds + ROUNDS * RESIZING,
    }),
    { dollars: 0, seconds: MAKING },
  );
}

/** Milliseconds of a request, for people who want to know about what it takes. */
export const EXAMPLE = 50;

/** `most`: if every request took its whole timeout. */
export const quoteOf = (
  model: Model,
  facts: Pick<Facts, 'remote'>,
  options: TuneOptions,
): { readonly about: Bill; readonly most: Bill } => {
  const price = priceOf(model, facts);
  return {
    about: bill(options, price, EXAMPLE, 1),
    most: bill(options, price, model.timeout * 1000, INIT),
  };
};
