/** Times as a person reads them at three in the morning: UTC, and how far away. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * `14:02:10 UTC`, with the date where it is another day's than `now`; what is no time, since people write
 * reasons, as it is.
 */
export function clockOf(iso: string, now: number): string {
  if (Number.isNaN(Date.parse(iso))) return iso;
  const at = new Date(iso).toISOString();
  const time = `${at.slice(11, 19)} UTC`;
  return at.slice(0, 10) === new Date(now).toISOString().slice(0, 10) ? time : `${at.slice(0, 10)} ${time}`;
}

/** `4 min`, `2 h 5 min`, `3 d 4 h`; below a minute and a half in seconds. */
export function span(milliseconds: number): string {
  const ms = Math.abs(milliseconds);
  if (ms < 1.5 * MINUTE) return `${Math.round(ms / 1000)} s`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  if (ms < DAY) return two(ms, HOUR, 'h', MINUTE, 'min');
  return two(ms, DAY, 'd', HOUR, 'h');
}

function two(ms: number, large: number, name: string, small: number, smallName: string): string {
  const all = Math.round(ms / small);
  const each = large / small;
  const rest = all % each;
  return rest === 0 ? `${all / each} ${name}` : `${Math.floor(all / each)} ${name} ${rest} ${smallName}`;
}

/** `14:12:10 UTC (in 6 min)` or `(4 min ago)`. */
export function moment(iso: string, now: number): string {
  const away = Date.parse(iso) - now;
  if (Number.isNaN(away)) return clockOf(iso, now);
  return `${clockOf(iso, now)} (${away > 0 ? `in ${span(away)}` : `${span(away)} ago`})`;
}
