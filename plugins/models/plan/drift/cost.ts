import type { Dollars, Use } from '../../contracts/feature.ts';
import type { Facts, Model } from '../../declaration/model.ts';
import { logCost, metricCost } from '../shared/prices.ts';
import { classSignals, nativeSignals } from './functions.ts';

/** What drift adds to a model's requests. */
export const driftCost = (model: Model, { drift }: Facts, { requests }: Use): Dollars => ({
  logs: logCost(requests, (model.drift?.sample ?? 1) * driftBytes(drift)),
  metrics: metricCost(driftMetrics(drift), requests),
});

/**
 * Two sums a natively watched signal, of inputs two counts and of outputs one, and the monitor's three, or
 * four with classes.
 */
const driftMetrics = (drift: Facts['drift']): number =>
  drift === undefined
    ? 0
    : 2 * nativeSignals(drift).length +
      (nativeSignals(drift).some(({ of }) => of === 'input') ? 2 : 0) +
      (nativeSignals(drift).some(({ of }) => of === 'output') ? 1 : 0) +
      (classSignals(drift).length > 0 ? 4 : 3);

/**
 * Bytes of the line that the monitor counts: digest and names around two sums and a cell a signal; native
 * sums once more as metrics, and what they are over.
 */
export function driftBytes(drift: Facts['drift']): number {
  if (drift === undefined) return 0;
  const native = nativeSignals(drift);
  const sides = new Set(native.map(({ of }) => of)).size;
  return 130 + 15 * drift.signals.length + 125 * native.length + 100 * sides;
}
