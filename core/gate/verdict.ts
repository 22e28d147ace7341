import { MEMORY_SHARE } from '../capacity/contract.ts';
import type { MetricSettings, MetricState } from '../quality/contract.ts';
import { counted } from '../text/counted.ts';
import type { CaseFailure, GateSettings, GateState, LoadState } from './contract.ts';

/** Share of the load's requests that may fail: a network has hiccups that are nobody's version. */
const ERROR_SHARE = 0.01;
/** Below so many warm requests a 95th percentile says nothing. */
const LEAST_WARM = 20;
/** Numbers of failed cases in a reason, which must stay under 1 KB. */
const NAMED = 20;

/** What the gate's own limits are. */
export type GateLimits = {
  readonly gate?: GateSettings;
  /** Milliseconds. */
  readonly p95?: number;
  /** MB of the function; Infinity where they are not known. */
  readonly memory: number;
};

/**
 * What is wrong by now, one sentence each; empty where nothing is. Names cases by number, never a value of
 * one.
 */
export function gateFaults(state: GateState, { gate, p95, memory }: GateLimits): readonly string[] {
  const faults: string[] = [];
  if (state.failed.length > 0) {
    const which = `${names(state.failed)} of ${state.count} failed`;
    const rest = state.done < state.count ? `; the gate stopped after ${state.done}` : '';
    faults.push(`${which}${rest}.`);
  }
  if (state.memory !== undefined && state.memory > MEMORY_SHARE * memory)
    faults.push(
      `It took ${state.memory} of ${memory} MB, and more than 95 % leaves no room for a larger request: raise memory.`,
    );
  if (state.metric !== undefined) faults.push(...metricFaults(state.metric, gate?.metric));
  if (state.load !== undefined && gate?.load !== undefined)
    faults.push(...loadFaults(state.load, gate.load, p95));
  return faults;
}

/** The rows that cannot decide are no pass: who wants them to be says so. */
function metricFaults(
  { rows, refused, result }: MetricState,
  settings: MetricSettings | undefined,
): readonly string[] {
  if (refused.length > 0) return [`${names(refused, 'Row')} of the ${rows} labelled rows got no prediction.`];
  if (result === undefined || result.verdict === 'pass') return [];
  if (result.verdict === 'nodata' && settings?.onNoData === 'pass') return [];
  return [result.reason];
}

function loadFaults(
  load: LoadState,
  { rate, duration }: { readonly rate: number; readonly duration: number },
  p95: number | undefined,
): readonly string[] {
  const faults: string[] = [];
  if (load.errors > ERROR_SHARE * load.sent)
    faults.push(`${load.errors} of ${load.sent} requests at ${rate}/s failed.`);
  if (p95 === undefined) return faults;
  const warm = load.sent - load.cold;
  if (warm < LEAST_WARM)
    faults.push(
      `Only ${warm} of ${load.sent} requests met a warm instance, too few for a 95th percentile: load longer than ${duration} s.`,
    );
  else if (load.p95 > p95) faults.push(`${latency(load)} at ${rate}/s is above the objective of ${p95} ms.`);
  return faults;
}

/** `p95 83 ms (Lambda’s own duration 61 ms)`. */
const latency = ({ p95, duration }: LoadState): string =>
  duration === undefined ? `p95 ${p95} ms` : `p95 ${p95} ms (Lambda’s own duration ${duration} ms)`;

function names(lines: readonly number[], what = 'Case'): string {
  if (lines.length === 1) return `${what} ${lines[0]}`;
  const shown = lines.slice(0, NAMED);
  const rest = lines.length - shown.length;
  const last = rest > 0 ? `${rest} more` : String(shown.pop());
  return `${what}s ${shown.join(', ')} and ${last}`;
}

/** What passed, for a person. */
export function passed(
  { count, metric, load, memory }: GateState,
  { gate, p95, memory: limit }: GateLimits,
): string {
  const cases = count === 0 ? ['It starts'] : [counted(count, 'case')];
  const loaded =
    load === undefined || gate?.load === undefined
      ? []
      : [
          `${latency(load)} at ${gate.load.rate}/s${p95 === undefined ? '' : `, objective ${p95} ms`}, ${counted(load.errors, 'error')}, ${counted(load.cold, 'cold start')}`,
        ];
  const of = limit === Number.POSITIVE_INFINITY ? '' : ` of ${limit}`;
  const used = memory === undefined ? [] : [`${memory}${of} MB`];
  const good = metric?.result === undefined ? [] : [metric.result.reason.replace(/\.$/, '')];
  return `${[...cases, ...good, ...loaded, ...used].join('; ')}.`;
}

/** Failures that evidence keeps. */
const KEPT = 20;

const isSame = (one: CaseFailure, other: CaseFailure): boolean =>
  one.case === other.case && one.of === other.of;

/**
 * Failures of one slice behind those of the slices before. A slice whose state was not kept runs again, and
 * each of its cases counts once.
 */
export const gathered = (
  before: readonly CaseFailure[],
  now: readonly CaseFailure[],
): readonly CaseFailure[] =>
  [...before.filter((one) => !now.some((other) => isSame(one, other))), ...now].slice(0, KEPT);
