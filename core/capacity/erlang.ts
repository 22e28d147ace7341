/**
 * Lambda has no queue: a request that finds no warm environment free starts a cold one. With `k` kept warm
 * and arrivals that know nothing of each other, the share that does is Erlang's loss formula (B), whatever
 * the distribution of the service time. https://en.wikipedia.org/wiki/Erlang_(unit)#Erlang_B_formula
 */

/** Requests at once on average (requests a second × seconds of each) in a part of the time. */
export type OfferedLoad = {
  /** Erlangs. */
  readonly load: number;
  /** How much of the time it lasts, in any unit that the others have, too. */
  readonly weight: number;
};

/**
 * Share of requests that find all servers taken, 0 to 1.
 *
 * @param load erlangs, 0 or more
 * @param servers whole number, 0 or more
 */
export function erlangB(load: number, servers: number): number {
  if (load <= 0) return 0;
  let share = 1;
  for (let k = 1; k <= servers; k += 1) share = (load * share) / (k + load * share);
  return share;
}

/**
 * The same over a day that is not even: each part counts by the requests that arrive in it. At the mean rate
 * alone the formula is too low, up to twelve times in a simulated day of ±50 %.
 */
export function mixedErlangB(parts: readonly OfferedLoad[], servers: number): number {
  let [turnedAway, all] = [0, 0];
  // Many hours of a week are alike.
  const known = new Map<number, number>();
  for (const { load, weight } of parts) {
    const share = known.get(load) ?? erlangB(load, servers);
    known.set(load, share);
    all += load * weight;
    turnedAway += load * weight * share;
  }
  return all > 0 ? turnedAway / all : 0;
}

/**
 * The fewest servers that turn at most this share away.
 *
 * @param share above 0: no number of servers turns nothing away
 * @throws RangeError where the share is not above 0, or a load is not finite
 */
export function leastServers(parts: readonly OfferedLoad[], share: number): number {
  if (!(share > 0)) throw new RangeError(`A share of ${share} is kept by no number of servers.`);
  if (parts.some(({ load, weight }) => !Number.isFinite(load) || !(weight >= 0)))
    throw new RangeError('A load or a weight is not a finite number.');
  if (mixedErlangB(parts, 0) <= share) return 0;
  let high = 1;
  while (mixedErlangB(parts, high) > share) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (mixedErlangB(parts, middle) > share) low = middle;
    else high = middle;
  }
  return high;
}
