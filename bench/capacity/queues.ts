/** Queues of one server, simulated by Lindley's recursion: what serves latencies whose truth is known. */
import { ascending, quantile } from '../../core/capacity/order-statistics.ts';
import { seeded } from '../../core/capacity/random.ts';

export type Queue = {
  /** Share of the time that the server is busy. */
  readonly load: number;
  /** Service takes one unit of time, or an exponential time with that mean. */
  readonly service: 'fixed' | 'exponential';
};

/** Latencies of so many requests in a row that find an empty queue at first. */
export function queueLatencies({ load, service }: Queue, count: number, chance: () => number): number[] {
  const exponential = (): number => -Math.log1p(-chance());
  let wait = 0;
  return Array.from({ length: count }, () => {
    const taken = service === 'fixed' ? 1 : exponential();
    const latency = wait + taken;
    wait = Math.max(0, latency - exponential() / load);
    return latency;
  });
}

const LONG = 4_000_000;
/** Parts of that length which are simulated: 24 million requests. */
const PARTS = 6;

/**
 * The percentile of all requests. Exponential service has it in one line: latency is exponential with rate
 * 1 − load. Fixed service is simulated.
 */
export function trueQuantile(queue: Queue, p: number, parts = PARTS): number {
  if (queue.service === 'exponential') return -Math.log(1 - p) / (1 - queue.load);
  const found = Array.from({ length: parts }, (_, i) =>
    quantile(ascending(queueLatencies(queue, LONG, seeded(90 + i)).slice(LONG / 100)), p),
  );
  return found.reduce((sum, part) => sum + part, 0) / parts;
}
