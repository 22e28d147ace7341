/** The host under more than it can do: what it still answers, and whether its probes are. */
import type { Effort, Sample } from '../claims.ts';
import type { ModelName } from '../events.ts';
import { median } from '../median.ts';
import { inferences, probes } from './calling.ts';
import { startHost, WORKERS } from './servers.ts';

/** Requests in the host at full load: one in each process, and one that waits for each. */
const FULL_LOAD = WORKERS * 2;

/** Milliseconds of a run at least: connections are made, and the first answers of a process are slow. */
const LEAST_MS = 2000;

/**
 * Milliseconds before anything counts. Refused connections are read again within a second, also those that
 * are closed by then, and what they have sent takes places of the queue.
 */
const SETTLE_MS = 2000;

export type Overload = { readonly times: 10 } | { readonly callers: number };

/** Milliseconds of a probe’s 99th percentile, at 64 callers. */
export async function probesUnderLoad(model: ModelName, { repeats, warm, block }: Effort): Promise<Sample> {
  const host = await startHost(model);
  try {
    const ours: number[] = [];
    const most: number[] = [];
    await inferences(host.port, model, warm * 6, { callers: 64 });
    for (let turn = 0; turn < repeats; turn++) {
      const ms = Math.max(LEAST_MS, block * 5);
      const [, probed] = await Promise.all([
        inferences(host.port, model, ms, { callers: 64 }),
        probes(host.port, ms),
      ]);
      mustBeGood(probed);
      ours.push(probed.p99);
      most.push(probed.most);
    }
    return {
      ours,
      other: [],
      beside: `the longest of each run: ${median(most).toFixed(1)} ms at the median`,
    };
  } finally {
    await host.stop();
  }
}

export type Overloaded = {
  /** µs an answer, all processes together: overloaded, and at full load. */
  readonly answers: Sample;
  /** Milliseconds, 99th percentile, while it is overloaded. */
  readonly probes: Sample;
};

const known = new Map<string, Promise<Overloaded>>();

/** Run once for both claims. @param overload clients that ask again at once, whatever `Retry-After` says */
export function overloaded(model: ModelName, overload: Overload, effort: Effort): Promise<Overloaded> {
  const key = JSON.stringify([model, overload, effort.repeats]);
  const found = known.get(key) ?? run(model, overload, effort);
  known.set(key, found);
  return found;
}

async function run(
  model: ModelName,
  overload: Overload,
  { repeats, warm, block }: Effort,
): Promise<Overloaded> {
  const host = await startHost(model);
  try {
    const ask = (ms: number, how: Parameters<typeof inferences>[3], settle = 0) =>
      inferences(host.port, model, ms, how, settle);
    const ms = Math.max(LEAST_MS, block * 7);
    const full: number[] = [];
    const over: number[] = [];
    const probed: number[] = [];
    const most: number[] = [];
    const offered: number[] = [];
    await ask(warm * 6, { callers: FULL_LOAD });
    for (let turn = 0; turn < repeats; turn++) {
      // What the overload before this turn has left in the queue is no load of this one.
      const at = await ask(ms, { callers: FULL_LOAD }, SETTLE_MS);
      mustBeGood(at);
      const capacity = at.good / at.seconds;
      full.push(1e6 / capacity);
      const how =
        'callers' in overload
          ? overload
          : // As many as it takes where each is refused, and then not read for as long as it was told to wait.
            { rate: capacity * overload.times, connections: Math.ceil(capacity * overload.times * 1.5) };
      const settle = LEAST_MS;
      const found = await ask(ms, how, settle);
      if (found.good === 0) throw new Error(`nothing was answered: ${JSON.stringify(found)}`);
      over.push((found.seconds * 1e6) / found.good);
      offered.push((found.good + found.refused + found.other) / found.seconds / capacity);
      // By themselves: at full load there were none either, and a hundred a second take 4 % of the machine.
      const [, probe] = await Promise.all([ask(ms, how, settle), probes(host.port, ms, settle)]);
      mustBeGood(probe);
      probed.push(probe.p99);
      most.push(probe.most);
    }
    const times = `${median(offered).toFixed(1)} times its capacity was answered or refused`;
    const longest = `the longest of each run: ${median(most).toFixed(1)} ms at the median`;
    return {
      answers: { ours: over, other: full, beside: times },
      probes: { ours: probed, other: [], beside: longest },
    };
  } finally {
    await host.stop();
  }
}

function mustBeGood(called: {
  readonly good: number;
  readonly refused: number;
  readonly other: number;
}): void {
  if (called.good === 0 || called.refused + called.other > 0)
    throw new Error(`not all were answered: ${JSON.stringify(called)}`);
}
