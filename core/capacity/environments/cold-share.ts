/**
 * Seconds that an environment on demand is taken to stay without a request. Lambda documents none; what
 * people have measured is mostly more, so that this is at the costly end.
 */
export const IDLE_SECONDS = 300;

export type OnDemand = {
  /** Requests a second, that know nothing of each other. */
  readonly rate: number;
  /** Seconds of a request. */
  readonly service: number;
  /** Seconds that an environment stays without a request. */
  readonly idle: number;
  /** Environments that are provisioned. */
  readonly kept: number;
};

/**
 * Share of requests that start an environment. One starts when more requests are in progress than at any
 * time within an environment's idle life. Each number in progress (Poisson) is passed upwards at some rate,
 * several times in a row, since who is busy stays busy for a while (Riordan's peakedness); and it starts one
 * where it was not passed for so long. Held against `replay`: within a tenth where up to four requests are in
 * progress on average; beyond that up to twice as many as there are, where next to nothing is cold.
 */
export function coldShare({ rate, service, idle, kept }: OnDemand): number {
  if (!(rate > 0)) return kept > 0 ? 0 : 1;
  const load = rate * service;
  const last = Math.max(kept, load) + 20 * Math.sqrt(load) + 100;
  let [logarithm, beyond, cold] = [-load, 1, 0];
  for (let busy = 0; busy <= last; busy += 1) {
    if (busy > 0) {
      logarithm += Math.log(load / busy);
      beyond = (load * beyond) / (busy + load * beyond);
    }
    if (busy < kept) continue;
    const together = 1 - load * beyond + load / (busy + 1 - load + load * beyond);
    const passed = Math.exp(logarithm) / together;
    cold += passed * Math.exp(-rate * passed * idle);
  }
  return Math.min(1, cold);
}
