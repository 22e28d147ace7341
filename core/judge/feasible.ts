import { MINUTE_MS } from '../units/time.ts';
import { BOUND_Z } from './bound.ts';
import { firstJudged } from './minutes.ts';

/** Seconds. */
const MINUTE = MINUTE_MS / 1000;

/**
 * A plan of steps and what it asks for. Weights 0 to 1, seconds, requests per second of both versions
 * together.
 */
export type Plan = {
  readonly steps: readonly { readonly weight: number; readonly bake: number }[];
  readonly perSecond: number;
  readonly minRequests: number;
  readonly increase: number;
  readonly maxWait: number;
  /** Error rate (0 to 1) that both versions are expected to have; 0 if not known. */
  readonly errorRate?: number;
  /** Seconds that a request may take. */
  readonly timeout?: number;
};

export type StepForecast = {
  readonly weight: number;
  /** The error rate that the next weight allows. */
  readonly limit: number;
  /** From the step's start until it can pass, on average traffic; Infinity if never. */
  readonly seconds: number;
  /** Requests of the candidate, over all steps so far, when it passes. */
  readonly candidateRequests: number;
  /** Seconds that it may take: bake + maxWait. */
  readonly longest: number;
  readonly fits: boolean;
};

/**
 * Candidate requests, over all steps, that the promote bound needs to come below `limit` if both versions
 * fail at `rate`: without errors the least n with z²/(n+z²) < limit (n: 93, 189, 381 for 4, 2, 1 %); with
 * them about 10.5·p(1−p)/limit², so that nine of ten healthy releases pass.
 */
export function boundRequests(limit: number, rate: number): number {
  const z2 = BOUND_Z ** 2;
  const clean = limit < 1 ? Math.floor((z2 * (1 - limit)) / limit) + 1 : 1;
  return Math.max(clean, Math.ceil((10.5 * rate * (1 - rate)) / limit ** 2));
}

/**
 * When each step can pass, given average traffic: its bake, `minRequests` on both sides, and the bound.
 * Requests count once their minute may be judged, and a release has two at least before a step passes.
 */
export function stepForecasts(plan: Plan): readonly StepForecast[] {
  const late = firstJudged(plan.timeout) - MINUTE;
  let exposed = 0;
  return plan.steps.map(({ weight, bake }, i) => {
    const limit = plan.increase / (plan.steps[i + 1]?.weight ?? 1);
    const [candidate, stable] = [plan.perSecond * weight, plan.perSecond * (1 - weight)];
    const counted = Math.max(
      i === 0 ? 2 * MINUTE : MINUTE,
      plan.minRequests / candidate,
      plan.minRequests / stable,
      Math.max(0, boundRequests(limit, plan.errorRate ?? 0) - exposed) / candidate,
    );
    const seconds = Math.max(bake, late + counted);
    exposed += candidate * seconds;
    const longest = bake + plan.maxWait;
    return { weight, limit, seconds, candidateRequests: exposed, longest, fits: seconds <= longest };
  });
}

/** Whether the traffic fills every step in time: the rule by which `auto` takes a canary. */
export const canFill = (plan: Plan): boolean => stepForecasts(plan).every(({ fits }) => fits);
