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
 * time within an environment's idle life: each number in progress, which are Poisson's, is passed upwards at
 * some rate, and that starts one where it was not passed for so long. Times at which it is passed are taken
 * for independent. Held against `replay`, for requests of up to ten seconds: never less than nine tenths of
 * what starts there, and at most a third more.
 */
export function coldShare({ rate, service, idle, kept }: OnDemand): number {
  if (!(rate > 0)) return kept > 0 ? 0 : 1;
  const load = rate * service;
  const last = Math.max(kept, load) + 20 * Math.sqrt(load) + 100;
  // Logarithms between which a number adds anything: below, exp gives 0; above, it is passed all the time.
  const [rarest, always] = [-746, Math.log(750 / (rate * idle))];
  let [logarithm, cold] = [-load, 0];
  for (let busy = 0; busy <= last; busy += 1) {
    if (busy > 0) logarithm += Math.log(load / busy);
    if (busy < kept || logarithm > always || (logarithm < rarest && busy < load)) continue;
    const passed = Math.exp(logarithm);
    // Beyond the load each is rarer than the one before: none that comes changes a digit, either.
    if (busy > load && cold + passed === cold) break;
    cold += passed * Math.exp(-rate * passed * idle);
  }
  return Math.min(1, cold);
}
