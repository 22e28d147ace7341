/**
 * How fast Lambda starts environments of one function: 1,000 at once and again every 10 seconds, filled up
 * all the time, and never more than 1,000 in stock.
 * https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html
 */
export const RAMP = { atOnce: 1000, perSecond: 100 } as const;

/**
 * Requests a second that an environment may take: every quota of concurrency is one of ten times as many
 * requests a second, too, so that a request of less than 100 ms does not make room for more.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html#concurrency-vs-requests-per-second
 */
export const REQUESTS_PER_ENVIRONMENT = 10;

export type Crowd = {
  /** Requests that come at the same moment. */
  readonly requests: number;
  /** Seconds of a request, and what a cold start takes beside that. */
  readonly service: number;
  readonly init: number;
  /** Environments that are provisioned; all others start cold. */
  readonly kept: number;
  /** Environments that the function may have at once. */
  readonly limit: number;
};

export type CrowdServed = {
  /** Without anybody who asks again: served, and refused with 429 at once. */
  readonly served: number;
  readonly throttled: number;
  /** What they meet first; undefined where nobody is refused. */
  readonly meets?: 'limit' | 'ramp';
  /** Environments that start cold, if those who are refused ask again until they are served. */
  readonly cold: number;
  /** Environments at once then. */
  readonly most: number;
  /** Seconds until all are served then; Infinity where nothing may be served. */
  readonly seconds: number;
};

/** What becomes of a crowd, if none is there to begin with but what is provisioned. */
export function atOnce(crowd: Crowd): CrowdServed {
  const { requests, limit } = crowd;
  const kept = Math.min(crowd.kept, limit);
  const room = Math.min(limit, kept + RAMP.atOnce);
  const served = Math.min(requests, room);
  if (limit <= 0)
    return {
      served: 0,
      throttled: requests,
      meets: 'limit',
      cold: 0,
      most: 0,
      seconds: Number.POSITIVE_INFINITY,
    };
  const seconds = untilServed({ ...crowd, kept });
  const started = Math.min(limit - kept, startedBy(seconds), Math.max(0, requests - kept));
  return {
    served,
    throttled: requests - served,
    ...(requests > room && { meets: room === limit ? 'limit' : 'ramp' }),
    cold: started,
    most: Math.min(requests, kept + started),
    seconds,
  };
}

/** Environments that may have started by then. */
const startedBy = (seconds: number): number => Math.floor(RAMP.atOnce + RAMP.perSecond * seconds + 1e-9);

/** The least time by which environments can have ended so many requests. */
function untilServed(crowd: Crowd): number {
  const { requests, service, init } = crowd;
  let high = service + init;
  while (servedBy(high, crowd) < requests) high *= 2;
  let low = 0;
  for (let i = 0; i < 60 && high - low > 1e-4; i += 1) {
    const middle = (low + high) / 2;
    if (servedBy(middle, crowd) < requests) low = middle;
    else high = middle;
  }
  return high;
}

/** Requests that have ended by then: each environment takes one after the other from when it is there. */
function servedBy(seconds: number, { requests, service, init, kept, limit }: Crowd): number {
  const each = Math.max(service, 1 / REQUESTS_PER_ENVIRONMENT);
  const ended = (time: number): number =>
    time < service ? 0 : 1 + Math.floor((time - service) / each + 1e-9);
  let served = kept * ended(seconds);
  const cold = Math.min(limit - kept, requests);
  const first = Math.min(cold, RAMP.atOnce);
  served += first * ended(seconds - init);
  for (let i = first; i < cold && served < requests; i += 1) {
    const more = ended(seconds - init - (i - RAMP.atOnce + 1) / RAMP.perSecond);
    if (more === 0) break;
    served += more;
  }
  return served;
}
