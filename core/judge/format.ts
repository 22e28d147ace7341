/** Figures as a person reads them at three in the morning. */

/** What the two versions are called in reasons. */
export type Names = { readonly candidate: string; readonly stable: string };
export const RELEASING: Names = { candidate: 'candidate', stable: 'stable' };
export const REVERSING: Names = { candidate: 'live', stable: 'last good' };

export const wholeNumber = (value: number): string => Math.round(value).toLocaleString('en-US');

/** At most two significant digits below ten percent: 0.83 %, 4 %, 12.5 %. */
export function percent(share: number): string {
  const value = share * 100;
  const digits = Math.abs(value) >= 10 ? 3 : 2;
  return `${Number(value.toPrecision(digits))} %`;
}

/** A difference of two percentages. */
export function percentPoints(share: number): string {
  const value = Number((share * 100).toPrecision(2));
  return `${value} percentage point${value === 1 ? '' : 's'}`;
}

/** How far a stake of 1 has grown. */
export function odds(lnE: number): string {
  if (lnE > Math.log(1e9)) return 'over a billion to 1';
  return `${lnE < Math.log(10) ? Number(Math.exp(lnE).toPrecision(2)) : wholeNumber(Math.exp(lnE))} to 1`;
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
