import type { Facts, Model } from '../declaration/model.ts';
import { PRICES } from '../plan/shared/prices.ts';
import { billedStorage } from '../plan/shared/storage.ts';
import type { TuneOptions } from './options.ts';
import { mostSent, ROUNDS } from './sizes.ts';

/** What Lambda asks, by list price, and how long it takes. Pure. */

/** @returns dollars for a million requests of so many MB that are billed so many milliseconds */
export function priceOf(
  model: Model,
  facts: Pick<Facts, 'remote'>,
): (memory: number, billed: number) => number {
  const { gbSecond } = model.concurrency?.provisioned === undefined ? PRICES : PRICES.provisioned;
  const storage = billedStorage(model, facts);
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

/** Requests of a size: milliseconds of each, how many start cold, and seconds of such a start. */
type Asked = {
  readonly requests: number;
  readonly each: number;
  readonly starts: number;
  readonly init: number;
};

function bill(
  sizes: readonly number[],
  price: ReturnType<typeof priceOf>,
  { requests, each, starts, init }: Asked,
): Bill {
  const seconds = (requests * each) / 1000 + starts * init;
  return sizes.reduce(
    (sum, size) => ({
      dollars: sum.dollars + requests * 1e-6 * price(size, (1000 * seconds) / requests),
      seconds: sum.seconds + seconds + ROUNDS * RESIZING,
    }),
    { dollars: 0, seconds: MAKING },
  );
}

/** Milliseconds of a request, for people who want to know about what it takes. */
export const EXAMPLE = 50;

/** `most`: if every request took its whole timeout and started an instance. */
export const quoteOf = (
  { concurrency: _, ...model }: Model,
  facts: Pick<Facts, 'remote'>,
  { sizes, invocations }: TuneOptions,
): { readonly about: Bill; readonly most: Bill } => {
  // What is made has nothing provisioned, whatever the model has.
  const price = priceOf(model, facts);
  const most = mostSent(invocations);
  return {
    about: bill(sizes, price, {
      ...{ requests: invocations + ROUNDS, each: EXAMPLE, starts: ROUNDS, init: 1 },
    }),
    most: bill(sizes, price, { requests: most, each: model.timeout * 1000, starts: most, init: INIT }),
  };
};
