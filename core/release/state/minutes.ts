import type { Side } from '../../judge/contract.ts';
import type { Minute } from '../../judge/minutes.ts';
import { MINUTE_MS } from '../../units/time.ts';
import type { WeightShift } from '../document/parts-contract.ts';
import { METRICS_KEPT_MS } from './durations.ts';

export const minuteAt = (time: number): number => Math.floor(time / MINUTE_MS) * MINUTE_MS;

/** By version, then by the minute's start in milliseconds. */
export type Sides = ReadonlyMap<string, ReadonlyMap<number, Side>>;

/**
 * What two versions did since the first shift, minute by minute, each with the weight that was in force all
 * through it. Minutes in which the alias moved, or may have (between the intent and the note of it), are left
 * out.
 *
 * @param to start of the minute after the last
 */
export function minutesOf(
  sides: Sides,
  candidate: string,
  stable: string,
  shifts: readonly WeightShift[],
  to: number,
): readonly Minute[] {
  const minutes: Minute[] = [];
  for (let start = since(shifts, to); start < to; start += MINUTE_MS) {
    const end = start + MINUTE_MS;
    if (shifts.some(({ asked, at }) => Date.parse(asked) < end && Date.parse(at) >= start)) continue;
    const shift = shifts.findLast(({ at }) => Date.parse(at) < start);
    if (shift === undefined || shift.weight === 0) continue;
    minutes.push({
      at: new Date(start).toISOString(),
      step: shift.step,
      weight: shift.weight / 100,
      candidate: sides.get(candidate)?.get(start) ?? {},
      stable: sides.get(stable)?.get(start) ?? {},
    });
  }
  return minutes;
}

/** Start of the first minute that a look needs, and can have. */
export const since = (shifts: readonly WeightShift[], to: number): number =>
  shifts[0] === undefined ? to : Math.max(minuteAt(Date.parse(shifts[0].asked)), to - METRICS_KEPT_MS);

/** The last minutes of a version that has all traffic. */
export function alone(sides: Sides, version: string, from: number, to: number): readonly Minute[] {
  const minutes: Minute[] = [];
  for (let start = minuteAt(from); start < to; start += MINUTE_MS) {
    const candidate = sides.get(version)?.get(start) ?? {};
    minutes.push({ at: new Date(start).toISOString(), step: 0, weight: 1, candidate, stable: {} });
  }
  return minutes;
}

/** All minutes of a version in one. */
export function allMinutes(sides: Sides, version: string): Side {
  const all = [...(sides.get(version)?.values() ?? [])];
  const sum = (of: (side: Side) => number | undefined): number =>
    all.reduce((total, side) => total + (of(side) ?? 0), 0);
  return {
    invocations: sum(({ invocations }) => invocations),
    crashes: sum(({ crashes }) => crashes),
    requests: sum(({ requests }) => requests),
    errors: sum(({ errors }) => errors),
    rejected: sum(({ rejected }) => rejected),
    coldStarts: sum(({ coldStarts }) => coldStarts),
    slow: [
      sum(({ slow }) => slow?.[0]),
      sum(({ slow }) => slow?.[1]),
      sum(({ slow }) => slow?.[2]),
      sum(({ slow }) => slow?.[3]),
    ],
  };
}
