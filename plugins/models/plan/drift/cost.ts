import type { Dollars, Use } from '../../contracts/feature.ts';
import type { Facts, Model } from '../../declaration/model.ts';
import { logCost, metricCost, PRICES } from '../shared/prices.ts';
import { classSignals, nativeSignals } from './functions.ts';

/** Metrics that the monitor publishes of each window, scored or not: what drifted, and rows. */
const OF_EACH_WINDOW = 2;

/** Share of the hours in which a window ends. */
const hoursOf = (model: Model): number =>
  model.drift === undefined ? 0 : Math.min(1, 3600 / model.drift.window);

/** What it costs without a single request, beside its alarms. */
export const driftStanding = (model: Model): Dollars =>
  model.drift === undefined ? {} : { drift: OF_EACH_WINDOW * hoursOf(model) * PRICES.metric };

/** What drift adds to a model's requests. */
export const driftCost = (model: Model, { drift }: Facts, { requests }: Use): Dollars => ({
  logs: logCost(requests, (model.drift?.sample ?? 1) * driftBytes(drift)),
  metrics:
    metricCost(scoredMetrics(drift), requests) + hoursOf(model) * metricCost(foundMetrics(drift), requests),
});

/** Two sums a natively watched signal, of inputs two counts and of outputs one. */
function scoredMetrics(drift: Facts['drift']): number {
  const native = drift === undefined ? [] : nativeSignals(drift);
  const counts = { input: 2, output: 1 };
  const sides = [...new Set(native.map(({ of }) => of))];
  return 2 * native.length + sides.reduce((sum, side) => sum + counts[side], 0);
}

/** The monitor's of windows in which something was scored: the largest change, and drifted classes. */
const foundMetrics = (drift: Facts['drift']): number =>
  drift === undefined ? 0 : classSignals(drift).length > 0 ? 2 : 1;

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
