import { METRICS } from '../metrics/contract.ts';

/** Metrics for CloudWatch: the first line of a request's, where it has one. */
const EMBEDDED = '{"_aws":';

/** Members of scores stand together, and none of those before them begins like this. */
const SCORES = `,"${METRICS.output}`;
const SCORE = new RegExp(`^,"${METRICS.output}(\\w+)":(-?\\d+(?:e-?\\d+)?)`);

/**
 * What an endpoint writes of one request: a host counts itself, so that of its metrics only the scores of the
 * outputs matter, which nobody but the endpoint knows. Its log keeps the rest.
 * @param lines whole, each with its newline
 * @returns scores by the names of their metrics, without what these begin with; absent where there are none
 */
export function readLines(lines: string): {
  readonly sums?: Readonly<Record<string, number>>;
  readonly rest: string;
} {
  if (!lines.startsWith(EMBEDDED)) return { rest: lines };
  const end = lines.indexOf('\n');
  const metrics = lines.slice(0, end);
  const rest = lines.slice(end + 1);
  const begin = metrics.indexOf(SCORES);
  if (begin < 0) return { rest };
  const sums: Record<string, number> = {};
  let left = metrics.slice(begin);
  for (let found = SCORE.exec(left); found !== null; found = SCORE.exec(left)) {
    sums[found[1] as string] = Number(found[2]);
    left = left.slice(found[0].length);
  }
  return { sums, rest };
}
