import { atOnce, type CrowdServed } from '../../../core/capacity/environments/at-once.ts';
import { coldShare } from '../../../core/capacity/environments/cold-share.ts';
import { dispersion } from '../../../core/capacity/environments/minutes.ts';
import { type Replayed, replay } from '../../../core/capacity/environments/replay.ts';
import type { WeekWindow } from '../../../core/capacity/environments/week.ts';
import type { Facts, Model } from '../declaration/model.ts';
import type { TrafficLoad } from './load.ts';
import type { CapacityOptions } from './options.ts';
import { type CapacityPart, DEFAULT_TARGET, keptThrough, partedBy, partsOf, ratesOf } from './parts.ts';
import { type Proposal, proposalOf } from './proposal.ts';
import type { Quota } from './quota.ts';
import type { RequestTimes } from './times.ts';

/** What a model must keep warm for a promised share of cold starts, and what it meets. Pure. */

export type CapacityReport = {
  readonly model: string;
  /** Share of the requests that may start cold. */
  readonly promised: number;
  readonly duration: RequestTimes['duration'];
  readonly init: RequestTimes['init'];
  readonly idle: CapacityOptions['idle'];
  readonly traffic: Pick<TrafficLoad, 'from' | 'words' | 'timezone'> & {
    /** Requests a second on average, and in the busiest hour. */
    readonly rate: number;
    readonly busiest: number;
  };
  /** Share of requests that start cold where nothing is provisioned. */
  readonly onDemand: number;
  readonly parts: readonly CapacityPart[];
  /** Arrivals in the event simulation. */
  readonly replayed?: {
    readonly words: string;
    readonly requests: number;
    /** Share that finds none free of what Erlang B keeps: as Erlang B says, and by the replay. */
    readonly erlang: number;
    readonly simulated: number;
    /** How much more the number of arrivals in `within` seconds varies than of independent ones. */
    readonly dispersion?: number;
    readonly within: number;
    /** With what must be kept by the replay: how each request ended. */
    readonly proposed: Replayed;
    /** Arrivals that such a share needs to be seen, where there are fewer. */
    readonly needs?: number;
  };
  /** The declared range, or `target` as it is by default. */
  readonly today: {
    readonly from: 'declared' | 'default';
    readonly target: number;
    readonly scales: boolean;
    readonly share: number;
    readonly keeps: boolean;
  };
  readonly proposal?: Proposal;
  readonly crowd: CrowdServed & { readonly requests: number; readonly kept: number };
  readonly quota: Quota;
};

export type CapacityGiven = {
  readonly model: Model;
  readonly facts: Facts;
  readonly options: Pick<CapacityOptions, 'crowd' | 'idle' | 'promised'>;
  readonly load: TrafficLoad;
  readonly times: RequestTimes;
  readonly quota: Quota;
};

/** Requests that show a share at least, for it to be more than chance. */
const SEEN = 3;

export function capacityReport(given: CapacityGiven): CapacityReport {
  const { load, model, options, quota, times } = given;
  const { crowd, idle, promised } = options;
  const { duration, init } = times;
  const service = duration.ms / 1000;
  const windows = partedBy({ ...given, service, promised });
  const parts = partsOf({ ...given, service, promised }, windows);
  const proposal = proposalOf({ ...given, promised }, parts);
  const kept = Math.min(quota.limit, ...parts.map((part) => part.kept));
  const { from, timezone, words } = load;
  return {
    model: model.name,
    ...{ promised, duration, init, idle },
    traffic: {
      ...{ from, words, timezone },
      rate: meanOf(parts, ({ rate }) => rate),
      busiest: Math.max(0, ...parts.map(({ peak }) => peak)) / service,
    },
    onDemand: onDemandShare(given, windows),
    parts,
    ...(load.replayed && { replayed: replayedOf(given, load.replayed, windows, parts) }),
    today: todayOf(model, parts, promised),
    ...(proposal && { proposal }),
    crowd: {
      ...atOnce({ requests: crowd, service, init: init.ms / 1000, kept, limit: quota.limit }),
      requests: crowd,
      kept,
    },
    quota,
  };
}

/** By time. */
const meanOf = (parts: readonly CapacityPart[], of: (part: CapacityPart) => number): number =>
  parts.reduce((sum, part) => sum + part.time * of(part), 0);

/** By requests. */
function shareOf(parts: readonly CapacityPart[], of: (part: CapacityPart) => number): number {
  const requests = meanOf(parts, ({ rate }) => rate);
  return requests > 0 ? meanOf(parts, (part) => part.rate * of(part)) / requests : 0;
}

/** By requests that are replayed. */
function replayedShare(
  parts: readonly CapacityPart[],
  of: (replayed: NonNullable<CapacityPart['replayed']>) => number,
): number {
  const all = parts.flatMap(({ replayed }) => (replayed === undefined ? [] : [replayed]));
  const requests = all.reduce((sum, one) => sum + one.requests, 0);
  return requests > 0 ? all.reduce((sum, one) => sum + one.requests * of(one), 0) / requests : 0;
}

function todayOf(
  { concurrency }: Model,
  parts: readonly CapacityPart[],
  promised: number,
): CapacityReport['today'] {
  const { provisioned, schedule = [] } = concurrency ?? {};
  const ranges = provisioned === undefined ? [] : [provisioned, ...schedule];
  return {
    from: provisioned === undefined ? 'default' : 'declared',
    target: provisioned?.target ?? DEFAULT_TARGET,
    scales: provisioned === undefined || ranges.some(({ min, max }) => min < max),
    share: shareOf(parts, ({ today }) => today.share),
    // Bursts, and ten requests a second an instance, need more than the formula sees.
    keeps: parts.every(
      ({ erlang, isByRate, kept, today }) =>
        today.share <= promised && (today.kept >= kept || (kept === erlang.kept && !isByRate)),
    ),
  };
}

function onDemandShare(
  { load, options, quota, times }: CapacityGiven,
  windows: readonly WeekWindow[],
): number {
  const { seconds } = options.idle;
  const { duration, init } = times;
  if (load.replayed !== undefined) {
    const none = { service: duration.ms, init: init.ms, idle: 1000 * seconds, kept: [] };
    const { cold, requests } = replay(load.replayed.arrivals, { ...none, limit: quota.limit });
    return requests > 0 ? cold / requests : 0;
  }
  let [cold, all] = [0, 0];
  for (const { rate, weight } of ratesOf(load, windows).flat()) {
    all += rate * weight;
    cold += rate * weight * coldShare({ rate, service: duration.ms / 1000, idle: seconds, kept: 0 });
  }
  return all > 0 ? cold / all : 0;
}

function replayedOf(
  { load, options, quota, times }: CapacityGiven,
  { arrivals, isPart = false, words }: NonNullable<TrafficLoad['replayed']>,
  windows: readonly WeekWindow[],
  parts: readonly CapacityPart[],
): NonNullable<CapacityReport['replayed']> {
  const beyond = replayedShare(parts, ({ share }) => share);
  // CloudWatch's minutes say nothing of what is within them.
  const within = load.from === 'file' ? 1 : 60;
  const varies = dispersion(arrivals, 1000 * within);
  const needs = Math.ceil(SEEN / options.promised);
  return {
    words,
    requests: arrivals.length,
    // More should find none free at the busiest time than at all times.
    erlang: isPart
      ? replayedShare(parts, ({ erlang = 0 }) => erlang)
      : shareOf(parts, ({ erlang }) => erlang.share),
    simulated: beyond,
    ...(varies !== undefined && { dispersion: varies }),
    within,
    proposed: replay(arrivals, {
      service: times.duration.ms,
      init: times.init.ms,
      idle: 1000 * options.idle.seconds,
      kept: keptThrough(load, arrivals, windows, parts),
      limit: quota.limit,
    }),
    ...(arrivals.length < needs && { needs }),
  };
}
