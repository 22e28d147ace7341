import { timeOf } from '../../declaration/keys/units.ts';
import { type Model, peakOf } from '../../declaration/model.ts';

/** A model's instances, as far as it says anything of them. */
export type Capacity = {
  readonly name: string;
  readonly provisioned?: { readonly min: number; readonly max: number; readonly target: number };
  readonly windows: readonly string[];
  /** Both versions hold the most that one may, while a release is under way. */
  readonly duringRelease: number;
  /**
   * And so does a third one, where another release comes while blue-green's last good version keeps its
   * instances.
   */
  readonly whileWatched?: number;
  readonly reserved?: number;
  /** Objects of batch at once, and parts of each large one. */
  readonly batch?: number;
};

export function capacityOf({
  name,
  concurrency,
  batch,
  release,
  function: given,
}: Model): Capacity | undefined {
  const reserved = concurrency?.reserved ?? given.reservedConcurrency;
  const { provisioned, schedule = [] } = concurrency ?? {};
  if (provisioned === undefined && reserved === undefined && batch === undefined) return undefined;
  const peak = concurrency === undefined ? 0 : peakOf(concurrency);
  const keeps = provisioned !== undefined && release.strategy === 'blueGreen' && release.rollbackWindow > 0;
  return {
    name,
    ...(provisioned && { provisioned }),
    windows: schedule.map(
      ({ days, from, to, timezone, min, max }) =>
        `${range(min, max)} on ${days.length === 7 ? 'all days' : days.join(', ')}, ${timeOf(from)} to ${timeOf(to)} ${timezone}`,
    ),
    duringRelease: 2 * peak,
    ...(keeps && { whileWatched: 3 * peak }),
    ...(typeof reserved === 'number' && { reserved }),
    ...(batch && { batch: batch.concurrency }),
  };
}

/** One line, for people. */
export function capacityLine({
  provisioned,
  windows,
  duringRelease,
  whileWatched,
  reserved,
  batch,
}: Capacity): string {
  return [
    ...(provisioned === undefined
      ? []
      : [
          `${range(provisioned.min, provisioned.max)} provisioned instance${provisioned.max === 1 ? '' : 's'}`,
          ...windows,
          `up to ${duringRelease} during a release`,
          ...(whileWatched === undefined
            ? []
            : [`up to ${whileWatched} during one that begins within the rollbackWindow of the one before`]),
        ]),
    ...(reserved === undefined ? [] : [`${reserved} reserved`]),
    ...(batch === undefined ? [] : [`batch: ${batch} objects at once, and ${batch} parts of a large one`]),
  ].join('; ');
}

const range = (min: number, max: number): string => (min === max ? String(min) : `${min} to ${max}`);
