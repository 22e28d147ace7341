import { loadSeconds } from './load.ts';
import type { GateLimits } from './verdict.ts';

/**
 * Share of a slice's budget that must be left for an answer's lateness to count against the version, and for
 * a load.
 */
export const FAIR = 0.9;

/** Half of what a run of the release worker has: a version starts, or answers, within it or is too slow. */
const LEAST_MS = 140_000;

/**
 * Milliseconds that a slice of the gate must have: with the rest of a run that other things have used up, a
 * version would fail that is only slower than that rest.
 */
export const leastBudget = ({ gate }: GateLimits): number =>
  Math.max(LEAST_MS, gate?.load === undefined ? 0 : (loadSeconds(gate.load) * 1000) / FAIR);
