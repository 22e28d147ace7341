import type { Arrivals } from '../../../core/capacity/arrivals.ts';
import { keptFor, type RateFor, restingAt } from '../../../core/capacity/environments/keep.ts';
import { clockRates } from '../../../core/capacity/environments/minutes.ts';
import { type KeptFrom, leastKept, shareBeyond } from '../../../core/capacity/environments/replay.ts';
import {
  minuteOfWeek,
  ratesWithin,
  type WeekWindow,
  windowAt,
  windowsFor,
} from '../../../core/capacity/environments/week.ts';
import { erlangB, mixedErlangB } from '../../../core/capacity/erlang.ts';
import { HOUR_MS, MINUTE_MS } from '../../../core/units/time.ts';
import { DAYS } from '../declaration/keys/units.ts';
import type { Model } from '../declaration/model.ts';
import type { TrafficLoad } from './load.ts';

/** A part of the week: a window of the schedule, or all time outside of them. */
export type CapacityPart = {
  readonly window?: WeekWindow;
  /** Share of the week, or of the file. */
  readonly time: number;
  /** Requests a second on average. */
  readonly rate: number;
  /** Requests in progress on average, and in the busiest hour. */
  readonly load: number;
  readonly peak: number;
  /** Instances that keep the promise by Erlang B, and the share that finds none of them free. */
  readonly erlang: { readonly kept: number; readonly share: number };
  /**
   * Where arrivals are replayed: as many as they need, and what share finds none of Erlang's free; `erlang`:
   * what should by Erlang B, where they are the busiest ones and not all.
   */
  readonly replayed?: {
    readonly kept: number;
    readonly share: number;
    readonly requests: number;
    readonly erlang?: number;
  };
  /** What must be kept, by both, and the share of it that is busy then. */
  readonly kept: number;
  readonly use: number;
  /** Ten requests a second an instance ask for more than the load does. */
  readonly isByRate: boolean;
  /** What the declared range, or the default target alone, comes to rest at, and the share beyond that. */
  readonly today: { readonly kept: number; readonly share: number };
};

/** What `target` is where nobody declares it. */
export const DEFAULT_TARGET = 0.7;

export type PartsGiven = {
  readonly model: Model;
  readonly load: TrafficLoad;
  /** Seconds of a request. */
  readonly service: number;
  readonly promised: number;
};

/** Those of the schedule, else those that spare something; none where no clock is known. */
export function partedBy({ load, model, promised, service }: PartsGiven): readonly WeekWindow[] {
  if (load.week === undefined) return [];
  const declared = model.concurrency?.schedule ?? [];
  if (declared.length > 0)
    return declared.map(({ days, from, to }) => ({ days: days.map((day) => DAYS.indexOf(day)), from, to }));
  // One at least is written in any case.
  return windowsFor(load.week, (rate) => Math.max(1, keptFor([{ rate, weight: 1 }], service, promised).kept));
}

/** First of all the time outside of the windows, if there is any. */
export function partsOf(given: PartsGiven, windows: readonly WeekWindow[]): readonly CapacityPart[] {
  const { load, model, promised, service } = given;
  const rates = ratesOf(load, windows);
  const arrivals = load.replayed && arrivalsWithin(load, load.replayed.arrivals, windows);
  const busy = load.replayed?.isPart === true ? clockRates(load.replayed.arrivals) : undefined;
  const length = (some: readonly RateFor[]): number => some.reduce((sum, { weight }) => sum + weight, 0);
  const all = length(rates.flat());
  return rates.flatMap((part, index): CapacityPart[] => {
    if (part.length === 0) return [];
    const found = keptFor(part, service, promised);
    const loads = part.map(({ rate, weight }) => ({ load: rate * service, weight }));
    const erlang = { kept: found.kept, share: found.share };
    const replayed = arrivals && replayedIn(arrivals[index] ?? [], { service, promised }, found.kept, busy);
    const kept = Math.max(found.kept, replayed?.kept ?? 0);
    const { load: mean, peak, rate, isByRate } = found;
    const window = windows[index - 1];
    return [
      {
        ...(window && { window }),
        ...{ time: length(part) / all, rate, load: mean, peak, erlang },
        ...(replayed && { replayed }),
        kept,
        use: kept > 0 ? (mean * (1 - mixedErlangB(loads, kept))) / kept : 0,
        isByRate: isByRate && kept === found.kept,
        today: todayIn(model, index - 1, mean, loads),
      },
    ];
  });
}

/**
 * @param busy rates of the hours, where these are the busiest ones: more of them may find none free then than
 * is promised of all
 */
function replayedIn(
  arrivals: Arrivals,
  { promised, service }: Pick<PartsGiven, 'promised' | 'service'>,
  kept: number,
  busy: ReadonlyMap<number, number> | undefined,
): NonNullable<CapacityPart['replayed']> {
  const erlang = busy && erlangAt(arrivals, service, kept, busy);
  return {
    kept: leastKept(arrivals, 1000 * service, Math.max(promised, erlang ?? 0)),
    share: shareBeyond(arrivals, 1000 * service, kept),
    requests: arrivals.length,
    ...(erlang !== undefined && { erlang }),
  };
}

/** Share of these arrivals that should find none free by Erlang B, each at the rate of its hour. */
function erlangAt(
  arrivals: Arrivals,
  service: number,
  kept: number,
  rates: ReadonlyMap<number, number>,
): number {
  const shares = new Map([...rates].map(([hour, rate]) => [hour, erlangB(rate * service, kept)]));
  const sum = arrivals.reduce((all, at) => all + (shares.get(Math.floor(at / HOUR_MS)) ?? 0), 0);
  return arrivals.length > 0 ? sum / arrivals.length : 0;
}

/** Rates outside of the windows, then within each. */
export const ratesOf = (
  { rates = [], week }: TrafficLoad,
  windows: readonly WeekWindow[],
): readonly (readonly RateFor[])[] => (week === undefined ? [rates] : ratesWithin(week, windows));

/** Arrivals outside of the windows, then within each. */
function arrivalsWithin(
  { timezone, week }: TrafficLoad,
  arrivals: Arrivals,
  windows: readonly WeekWindow[],
): readonly Arrivals[] {
  if (week === undefined || windows.length === 0) return [arrivals];
  const within: number[][] = [-1, ...windows.keys()].map(() => []);
  let [minute, part] = [Number.NaN, 0];
  for (const at of arrivals) {
    const now = Math.floor(at / MINUTE_MS);
    if (now !== minute) {
      minute = now;
      part = windowAt(minuteOfWeek(at, timezone), windows) + 1;
    }
    within[part]?.push(at);
  }
  return within;
}

/** How many are kept from when on, through all the time of the arrivals. */
export function keptThrough(
  { timezone }: TrafficLoad,
  arrivals: Arrivals,
  windows: readonly WeekWindow[],
  parts: readonly CapacityPart[],
): readonly KeptFrom[] {
  const keptIn = (window: WeekWindow | undefined): number =>
    parts.find((part) => part.window === window)?.kept ?? 0;
  if (windows.length === 0) return [{ at: Number.NEGATIVE_INFINITY, count: keptIn(undefined) }];
  const steps: KeptFrom[] = [];
  const first = Math.floor((arrivals[0] ?? 0) / MINUTE_MS) * MINUTE_MS;
  for (let at = first; at <= (arrivals.at(-1) ?? 0); at += MINUTE_MS) {
    const count = keptIn(windows[windowAt(minuteOfWeek(at, timezone), windows)]);
    if (steps.at(-1)?.count !== count) steps.push({ at, count });
  }
  return steps;
}

/** The range that is declared for a part of the week; scaling at the default target where there is none. */
function todayIn(
  { concurrency }: Model,
  index: number,
  mean: number,
  loads: readonly { readonly load: number; readonly weight: number }[],
): CapacityPart['today'] {
  const { provisioned, schedule = [] } = concurrency ?? {};
  const window = schedule[index];
  const range = {
    ...(provisioned ?? { min: 1, max: Number.POSITIVE_INFINITY, target: DEFAULT_TARGET }),
    ...(provisioned && window && { min: window.min, max: window.max }),
  };
  // Scaling follows the load, hour by hour.
  let [beyond, all] = [0, 0];
  for (const { load, weight } of loads) {
    all += load * weight;
    beyond += load * weight * erlangB(load, restingAt(load, range));
  }
  return { kept: restingAt(mean, range), share: all > 0 ? beyond / all : 0 };
}
