/** Lengths of time, in milliseconds, and how a time is written. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** @param at milliseconds since the epoch */
export const iso = (at: number): string => new Date(at).toISOString();
