import type { OfferedLoad } from '../capacity/erlang.ts';
import type { AdviceNeeds } from './contract.ts';

/** A month, 30 days as on AWS's price pages, in seconds and hours. */
export const MONTH_SECONDS = 30 * 86_400;
export const MONTH_HOURS = MONTH_SECONDS / 3600;

/** A part of every day: requests a second, and its share of the time. */
export type DayPart = { readonly rate: number; readonly share: number };

/** What the cost of a form follows from: a need of which nothing is missing. */
export type FormLoad = {
  readonly parts: readonly DayPart[];
  /** Seconds of a request at `memory`. */
  readonly service: number;
  readonly start: number;
  readonly memory: number;
  readonly payload: number;
  readonly architecture: AdviceNeeds['architecture'];
  readonly http: boolean;
  /** 95 % are to be answered within so many seconds, queueing included. */
  readonly latency?: number;
};

/**
 * A day of two parts: half of the requests come at `burst` times the mean rate, in 1 ÷ 2 burst of the time;
 * the other half is spread over the rest. 1: an even day.
 */
export function dayOf(mean: number, burst: number): readonly DayPart[] {
  if (burst <= 1) return [{ rate: mean, share: 1 }];
  const share = 1 / (2 * burst);
  return [
    { rate: burst * mean, share },
    { rate: mean / 2 / (1 - share), share: 1 - share },
  ];
}

export const formLoad = (needs: AdviceNeeds, rate: number): FormLoad => ({
  parts: dayOf(rate, needs.burst.value),
  service: needs.service.value,
  start: needs.start.value,
  memory: needs.memory.value,
  payload: needs.payload.value,
  architecture: needs.architecture,
  http: needs.http,
  ...(needs.latency && {
    latency: Math.max(0, needs.latency.value - (needs.network?.value ?? 0)),
  }),
});

/** Requests of a month. */
export const requestsOf = ({ parts }: FormLoad): number =>
  parts.reduce((sum, { rate, share }) => sum + rate * share, 0) * MONTH_SECONDS;

/**
 * MB of memory that come with one vCPU:
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
 */
const VCPU_MB = 1769;

/**
 * The same request on a whole vCPU: below 1,769 MB Lambda gives a part of one. One thread gains nothing of
 * two.
 */
export const wholeCpu = ({ service, memory }: FormLoad): number => service * Math.min(1, memory / VCPU_MB);

/** Requests at once on average, by parts of the day. */
export const offered = ({ parts }: FormLoad, seconds: number): readonly OfferedLoad[] =>
  parts.map(({ rate, share }) => ({ load: rate * seconds, weight: share }));
