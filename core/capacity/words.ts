import { percentFigure } from '../units/percent.ts';

/** `83 ms`, `0.41 ms`, `12.5 s`. */
export function milliseconds(value: number): string {
  if (!Number.isFinite(value)) return 'without end';
  return value >= 10_000 ? `${figure(value / 1000)} s` : `${figure(value)} ms`;
}

const figure = (value: number): string =>
  value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));

/** `12 of 400 requests (3 %)`: 100 % are all */
export const ofRequests = (count: number, all: number): string =>
  `${count} of ${all} requests (${percentFigure(count / all, 2)} %)`;

/** `p99.9` */
export const nameOfPercentile = (p: number): string => `p${Number((100 * p).toPrecision(6))}`;
