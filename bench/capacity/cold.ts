/** What is promised of cold starts, against arrivals in the event simulation. */
import { type Arrivals, poissonArrivals } from '../../core/capacity/arrivals.ts';
import { keptFor, type RateFor } from '../../core/capacity/environments/keep.ts';
import { replay } from '../../core/capacity/environments/replay.ts';
import { seeded } from '../../core/capacity/random.ts';
import { type Claim, type Effort, type Sample, SHORT } from '../claims.ts';

/** Seconds of a request, fixed or on average. */
const SERVICE = 0.1;
const LOADS = [1, 5, 20, 50] as const;
const PROMISES = [0.01, 0.001] as const;
/** Seconds of a day, a thousand requests one after the other an hour: long against a request. */
const DAY = 24 * 1000 * SERVICE;

type Traffic = { readonly rates: readonly RateFor[]; readonly arrivals: Arrivals };

const poisson = (rate: number, requests: number, seed: number): Traffic => ({
  rates: [{ rate, weight: 1 }],
  arrivals: poissonArrivals(rate, requests / rate, seed),
});

/** A rate that goes up and down by half within a day; the formula knows the mean of each hour. */
function daily(rate: number, requests: number, seed: number): Traffic {
  const at = (day: number): number => 1 + 0.5 * Math.sin(2 * Math.PI * day);
  const days = Math.max(1, Math.round(requests / rate / DAY));
  const chance = seeded(seed + 1);
  return {
    rates: Array.from({ length: 24 }, (_, hour) => ({ rate: rate * at((hour + 0.5) / 24), weight: 1 })),
    arrivals: poissonArrivals(1.5 * rate, days * DAY, seed).filter(
      (time) => chance() * 1.5 < at(time / 1000 / DAY),
    ),
  };
}

/** Share of cold starts ÷ what is promised, where who finds no provisioned instance free starts one. */
function ratioOf({ arrivals, rates }: Traffic, promised: number, service: 'fixed' | 'exponential'): number {
  const chance = seeded(7);
  const { kept } = keptFor(rates, SERVICE, promised);
  const { cold, requests } = replay(arrivals, {
    service: service === 'fixed' ? 1000 * SERVICE : () => -1000 * SERVICE * Math.log1p(-chance()),
    init: 0,
    idle: -1,
    kept: [{ at: 0, count: kept }],
  });
  return cold / requests / promised;
}

function largest(traffic: typeof poisson, effort: Effort): Sample {
  const requests = effort === SHORT ? 20_000 : 150_000 * effort.repeats;
  const found = LOADS.flatMap((load) => {
    const made = traffic(load / SERVICE, requests, 40 + load);
    return PROMISES.flatMap((promised) =>
      (['fixed', 'exponential'] as const).map((service) => ratioOf(made, promised, service)),
    );
  });
  const mean = found.reduce((sum, ratio) => sum + ratio, 0) / found.length;
  return {
    ours: [Math.max(...found)],
    other: [],
    beside: `${mean.toFixed(2)} on average of ${LOADS.join(', ')} requests in progress, 1 % and 0.1 %, fixed and exponential service`,
  };
}

const claim = (name: string, about: string, traffic: typeof poisson): Claim => ({
  name,
  group: 'capacity',
  about: `cold starts with what \`plan --capacity\` keeps, simulated ÷ promised: ${about}`,
  ours: 'largest of all',
  unit: '',
  compare: 'value',
  limit: 1.1,
  measure: async (effort): Promise<Sample> => largest(traffic, effort),
});

export const COLD_SHARES: readonly Claim[] = [
  claim('capacity-poisson', 'Poisson', poisson),
  claim('capacity-daily', 'a day of ±50 %', daily),
];
