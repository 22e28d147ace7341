/**
 * How long a server that refuses for now wants to be left alone: by `Retry-After`, seconds or a date
 * (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after), else by a `RateLimit` of which nothing is left:
 * `"api";r=0;t=55`, as Hugging Face tells it (https://huggingface.co/docs/hub/rate-limits).
 *
 * @param headers names in lower case
 * @param now milliseconds
 * @returns milliseconds; undefined where it does not say
 */
export function askedWait(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  now: number,
): number | undefined {
  const { 'retry-after': after, ratelimit: limit } = headers;
  if (typeof after === 'string' && /^\d+$/.test(after)) return Number(after) * 1000;
  const until = typeof after === 'string' ? Date.parse(after) - now : Number.NaN;
  if (Number.isFinite(until)) return Math.max(0, until);
  const waits = String(limit ?? '')
    .split(',')
    .filter((one) => /;\s*r=0\b/.test(one))
    .flatMap((one) => /;\s*t=(\d+)/.exec(one)?.[1] ?? []);
  return waits.length === 0 ? undefined : Math.max(...waits.map(Number)) * 1000;
}
