import { erlangB } from '../capacity/erlang.ts';

/**
 * Share of its processors that a container or instance is used for, so that it has room for what comes at
 * once.
 */
const USE = 0.6;
/** Share of the requests that a latency is promised to. */
export const PERCENTILE = 0.95;
const MOST = 100_000;

/** Share of requests that wait at so many servers of one queue (Erlang C); 1 where they cannot keep up. */
export function waitShare(load: number, servers: number): number {
  if (load >= servers) return 1;
  const lost = erlangB(load, servers);
  return lost / (1 - (load / servers) * (1 - lost));
}

/**
 * Requests at once that must be possible: no more than 60 % of the time of each in use, and, where there is a
 * latency, the 95th percentile of the wait within what the request itself leaves of it. Waits are those of
 * exponential service times, which are longer than those of even ones.
 *
 * @param latency seconds; absent, or no longer than the request: use alone decides
 */
export function slotsFor(load: number, service: number, latency?: number): number {
  const byUse = Math.max(1, Math.ceil(load / USE - 1e-9));
  const room = latency === undefined ? 0 : latency - service;
  if (room <= 0) return byUse;
  const keeps = (slots: number): boolean =>
    waitShare(load, slots) * Math.exp((-(slots - load) * room) / service) <= 1 - PERCENTILE;
  let slots = byUse;
  while (slots < MOST && !keeps(slots)) slots += 1;
  return slots;
}
