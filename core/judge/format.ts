import { percentFigure } from '../units/percent.ts';

/** Figures as a person reads them at three in the morning. */

/** What the two versions are called in reasons. */
export type Names = { readonly candidate: string; readonly stable: string };
export const RELEASING: Names = { candidate: 'candidate', stable: 'stable' };
export const REVERSING: Names = { candidate: 'live', stable: 'last good' };

export const wholeNumber = (value: number): string => Math.round(value).toLocaleString('en-US');

/** At most two significant digits below ten percent: 0.83 %, 4 %, 12.5 %. */
export const percent = (share: number): string => `${percentFigure(share, Math.abs(share) >= 0.1 ? 3 : 2)} %`;

/** A difference of two percentages. */
export function percentPoints(share: number, digits = 2): string {
  const value = Number((share * 100).toPrecision(digits));
  return `${value} percentage point${value === 1 ? '' : 's'}`;
}

/** Two differences, by as many digits as tell them apart: what falls short of a limit must not read as it. */
export function boundAndLimit(bound: number, limit: number): readonly [bound: string, limit: string] {
  let digits = 2;
  const told = (share: number): string => percentPoints(share, digits);
  while (digits < 6 && bound !== limit && told(bound) === told(limit)) digits += 1;
  return [told(bound), told(limit)];
}

/**
 * How far a stake of 1 has grown, rounded down: what falls short of 40 to 1 must not read as if it were that.
 */
export function odds(lnE: number): string {
  if (lnE > Math.log(1e9)) return 'over a billion to 1';
  const stake = Math.exp(lnE);
  // The exponential of the logarithm of 40 may be a little less than 40.
  return `${stake < 10 ? Number(stake.toPrecision(2)) : wholeNumber(Math.floor(stake * (1 + 1e-12)))} to 1`;
}

export const of = (x: number, n: number): string =>
  `${wholeNumber(x)} of ${wholeNumber(n)}${n > 0 ? ` (${percent(x / n)})` : ''}`;

export function rate(perSecond: number): string {
  return perSecond >= 1 ? `${figure(perSecond)} req/s` : `${figure(perSecond * 3600)} req/h`;
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 120 * 60 ? `${Math.ceil(seconds / 60)} min` : `${figure(seconds / 3600)} h`;
}

const figure = (value: number): string =>
  value < 10 ? `${Number(value.toPrecision(2))}` : wholeNumber(value);
