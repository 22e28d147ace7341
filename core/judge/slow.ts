import type { Side } from './contract.ts';
import { type Row, successes } from './counts.ts';
import type { Minute } from './minutes.ts';

/** Which edge the candidate is held against; the stable version is held against the one below. */
export type SlowEdge = 1 | 2 | 3;

/** The edge that is the objective itself. */
export const OBJECTIVE: SlowEdge = 2;

/**
 * e_i = p95 · 2^((i−2)/4), in the unit of `p95`: neighbours are a factor of 1.19 apart, the allowed slowdown.
 */
export const slowEdges = (p95: number): readonly [number, number, number, number] => [
  p95 * 2 ** -0.5,
  p95 * 2 ** -0.25,
  p95,
  p95 * 2 ** 0.25,
];

/** Warm, successful requests: like is compared with like, and a new version starts cold. */
export const warm = (side: Side): number => Math.max(0, successes(side) - (side.coldStarts ?? 0));

/**
 * Candidate above e_i, stable above e_{i−1}: a candidate exactly 1.19 times slower has equal shares, whatever
 * the distribution of its latency.
 */
export function slowRow({ step, weight, candidate, stable }: Minute, edge: SlowEdge): Row {
  return {
    step,
    weight,
    x1: candidate.slow?.[edge] ?? 0,
    n1: warm(candidate),
    x2: stable.slow?.[edge - 1] ?? 0,
    n2: warm(stable),
  };
}

const AIM = 0.1;
const EDGES: readonly SlowEdge[] = [2, 1, 3];

/**
 * The edge for a release, from the stable version's counts in the hour before it: the one whose lower
 * neighbour it exceeded in nearest a tenth of its warm, successful requests. Any is valid, this one sees
 * most; without requests it is 2, the SLO itself.
 */
export function slowEdge(stableHour: Side): SlowEdge {
  const shares = EDGES.map((edge) => Math.abs(exceeded(stableHour, edge) - AIM));
  return EDGES[shares.indexOf(Math.min(...shares))] ?? 2;
}

/** The share of the stable version's warm requests above the edge that it is held against; 0 without any. */
export function exceeded(stable: Side, edge: SlowEdge): number {
  const n = warm(stable);
  return n > 0 ? Math.min(1, (stable.slow?.[edge - 1] ?? 0) / n) : 0;
}
