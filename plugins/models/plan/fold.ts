import { ALARMS } from '../../../core/release/document/worker-contract.ts';
import type { AlarmKind } from '../contracts/alarm.ts';
import type { Feature, Fold, Known } from '../contracts/feature.ts';
import type { Host } from '../contracts/host.ts';
import { alarmsOfKinds } from './watch/alarms.ts';

const ORDER = Object.keys(ALARMS);

/** One order everywhere, whichever feature they are of: that of `ALARMS`. */
export const kindsOf = (features: readonly Feature[]): readonly AlarmKind[] =>
  features
    .flatMap(({ alarmKinds = [] }) => alarmKinds)
    .toSorted((one, other) => ORDER.indexOf(one.suffix) - ORDER.indexOf(other.suffix));

/** @param known the alarms and graphs of drift follow from reference data, once these have been read */
export function foldOf(features: readonly Feature[], host: Host, known: Known): Fold {
  const alarmKinds = kindsOf(features);
  return {
    alarmKinds,
    alarms: (model, actions = []) => [
      ...alarmsOfKinds(alarmKinds, model, host, actions),
      ...features.flatMap(({ alarms }) => alarms?.(model, host, known, actions) ?? []),
    ],
    graphs: (model) => features.flatMap(({ graphs }) => graphs?.(model, host, known) ?? []),
  };
}
