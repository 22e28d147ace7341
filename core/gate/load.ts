import { LOAD_GRACE, type LoadState } from './contract.ts';

/** How one request of the load ended; `duration` and `cold` as Lambda reports them. */
export type LoadAnswer = { readonly failed: boolean; readonly cold: boolean; readonly duration?: number };

export type LoadPorts = {
  /** Milliseconds. */
  readonly clock: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
};

/**
 * Requests that are out at once. The SDK's HTTP client opens 50 connections; a request beyond them would wait
 * there all the same.
 * https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/node-configuring-maxsockets.html
 */
const OUTSTANDING = 50;

/**
 * Synthetic load, open loop: request i is to be sent at i / rate, whatever became of those before it, and its
 * latency counts from then. A closed loop would ask less the slower the answers come, and leave out the very
 * requests that suffer (coordinated omission). One that waits for a free connection is late, and its latency
 * says so.
 *
 * Requests that met a cold start are counted apart: how often that happens is a matter of traffic and
 * provisioned concurrency, and the objective that judge and alarm hold is one of warm requests too.
 *
 * @param ask sends request i and waits at most so many milliseconds; must not throw
 */
export async function runLoad(
  { clock, pause }: LoadPorts,
  { rate, duration }: { readonly rate: number; readonly duration: number },
  ask: (index: number, patience: number) => Promise<LoadAnswer>,
): Promise<LoadState> {
  const count = Math.max(1, Math.floor(rate * duration));
  const start = clock();
  const end = start + (duration + LOAD_GRACE) * 1000;
  const warm: number[] = [];
  const durations: number[] = [];
  let errors = 0;
  let cold = 0;
  const out = new Set<Promise<void>>();

  const send = async (index: number, due: number): Promise<void> => {
    const asked = await ask(index, Math.max(1, end - clock()));
    if (asked.failed) errors += 1;
    if (asked.cold) cold += 1;
    else {
      warm.push(clock() - due);
      if (asked.duration !== undefined) durations.push(asked.duration);
    }
  };

  let sent = 0;
  for (; sent < count; sent += 1) {
    const due = start + (sent * 1000) / rate;
    if (due > clock()) await pause(due - clock());
    while (out.size >= OUTSTANDING) await Promise.race(out);
    if (clock() >= end) break;
    const one: Promise<void> = send(sent, due).finally(() => out.delete(one));
    out.add(one);
  }
  await Promise.all(out);
  // What could not even be sent before the end has waited since it was to be sent.
  for (let index = sent; index < count; index += 1) warm.push(clock() - (start + (index * 1000) / rate));
  errors += count - sent;

  const at = percentiles(warm);
  return {
    sent: count,
    errors,
    cold,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    ...(durations.length > 0 && { duration: percentiles(durations)(0.95) }),
  };
}

/** Nearest rank: a value that was measured, no interpolation. @returns 0 where there is none */
function percentiles(values: readonly number[]): (share: number) => number {
  const sorted = values.toSorted((a, b) => a - b);
  return (share) => Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
}

/** Seconds that a load takes at most. */
export const loadSeconds = ({ duration }: { readonly duration: number }): number => duration + LOAD_GRACE;
