import { METRICS } from '../metrics/contract.ts';

/** Metrics for CloudWatch: the first line of a request's, where it has one. */
const EMBEDDED = '{"_aws":';

/** Members of scores stand together, and none of those before them begins like this. */
const SCORES = `,"${METRICS.output}`;
const SCORE = new RegExp(`,"${METRICS.output}(\\w+)":(-?\\d+(?:e-?\\d+)?)`, 'y');

/**
 * What an endpoint writes of one request: a host counts itself, so that of its metrics only the scores of the
 * outputs matter, which nobody but the endpoint knows. Its log keeps the rest.
 * @param lines whole, each with its newline
 * @returns the members of the line of metrics from the scores on, for `sumsOf`; absent where there are none
 */
export function splitLines(lines: string): { readonly scores?: string; readonly rest: string } {
  if (!lines.startsWith(EMBEDDED)) return { rest: lines };
  const end = lines.indexOf('\n');
  const begin = lines.indexOf(SCORES);
  const rest = lines.slice(end + 1);
  return begin < 0 || begin > end ? { rest } : { scores: lines.slice(begin, end), rest };
}

/**
 * @param scores members as they were written, and what is behind them. A model's own code may have made them
 * up: what is no number of theirs ends them.
 * @returns scores by the names of their metrics, without what these begin with
 */
export function sumsOf(scores: string): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  SCORE.lastIndex = 0;
  for (let found = SCORE.exec(scores); found !== null; found = SCORE.exec(scores)) {
    const sum = Number(found[2]);
    if (!Number.isFinite(sum)) break;
    sums[found[1] as string] = sum;
  }
  return sums;
}
