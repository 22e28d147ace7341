import { MINUTE_MS } from '../../core/units/time.ts';

/**
 * The time by AWS's clock, in milliseconds, which that of this machine may be far from. The SDK keeps the
 * difference by each answer's date, since AWS takes no request that is signed at another time; a date has
 * whole seconds, so a small difference is none.
 */
export const awsClock =
  ({ config }: { readonly config: { readonly systemClockOffset: number } }): (() => number) =>
  () => {
    const { systemClockOffset: away } = config;
    return Date.now() + (Math.abs(away) < MINUTE_MS ? 0 : away);
  };
