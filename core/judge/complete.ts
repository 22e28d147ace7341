import type { Side } from './contract.ts';
import { type Names, percent, wholeNumber } from './format.ts';
import type { Minute } from './minutes.ts';

/**
 * Why these minutes cannot be judged, or nothing: a metric is missing, or the alias splits traffic otherwise
 * than it says.
 *
 * @param rejected refused requests are compared: a candidate that refuses all that it gets has counted, and
 * fails by that.
 *   A stable version that does so leaves nothing to compare with.
 */
export function incomplete(
  minutes: readonly Minute[],
  minRequests: number,
  names: Names,
  rejected: boolean,
): string | undefined {
  for (const version of ['candidate', 'stable'] as const) {
    const sides = minutes.map((minute) => minute[version]);
    if (sides.some(({ invocations = 0, crashes }) => invocations > 0 && crashes === undefined))
      return `AWS/Lambda has Invocations of the ${names[version]} version without Errors`;
    // A version whose every request crashes emits nothing of its own: its crashes decide.
    const served = servedBy(sides);
    const refusing = rejected && version === 'candidate';
    const isMute = (side: Side): boolean =>
      side.requests === undefined && !(refusing && side.rejected !== undefined);
    if (served >= minRequests && sides.every(isMute))
      return `the ${names[version]} version served ${wholeNumber(served)} requests and counted none of them itself: ${unwritten(refusing)}`;
  }
  return misplaced(minutes, names);
}

/** Requests that ended without a crash, by Lambda's own count. */
const servedBy = (sides: readonly Side[]): number =>
  sum(sides, ({ invocations = 0, crashes = 0 }) => invocations - crashes);

const unwritten = (refusing: boolean): string =>
  `${refusing ? '' : 'were all of them refused (4xx), or '}are its metrics not written?`;

/**
 * Why too few requests of a step are counted, where there were enough: a version that counted before does so
 * no more, for example since somebody deleted its log group.
 *
 * @param minutes of one step
 */
export function silent(
  minutes: readonly Minute[],
  minRequests: number,
  names: Names,
  rejected: boolean,
): string | undefined {
  for (const version of ['candidate', 'stable'] as const) {
    const mute = minutes.map((minute) => minute[version]).filter((side) => !hasCountedSide(side));
    const served = servedBy(mute);
    if (served >= minRequests)
      return `the ${names[version]} version served ${wholeNumber(served)} requests in minutes of this step of which it counted none itself: ${unwritten(rejected)}`;
  }
  return undefined;
}

/**
 * Has either version counted itself what it served? AWS/Lambda’s points may be there minutes before the
 * endpoint’s own: until those come, a minute without errors is one of which nothing is known.
 */
export const hasCounted = ({ candidate, stable }: Minute): boolean =>
  [candidate, stable].every(hasCountedSide);

const hasCountedSide = ({ invocations = 0, crashes = 0, requests, rejected }: Side): boolean =>
  invocations <= crashes || requests !== undefined || rejected !== undefined;

/**
 * The coin of the test is the weight; a split that is not the declared one would be taken for evidence. Four
 * standard deviations, by Bernstein's bound: V alone is too little where few requests are expected, and the
 * first of all falls to the candidate as often as its weight says.
 */
function misplaced(minutes: readonly Minute[], names: Names): string | undefined {
  const n1 = sum(minutes, ({ candidate }) => candidate.invocations ?? 0);
  let [expected, variance] = [0, 0];
  for (const { weight, candidate, stable } of minutes) {
    const n = (candidate.invocations ?? 0) + (stable.invocations ?? 0);
    expected += weight * n;
    variance += weight * (1 - weight) * n;
  }
  const off = Math.abs(n1 - expected);
  if (!(off > 4 * Math.sqrt(variance + off / 3) && off > 0.1 * expected)) return undefined;
  const total = sum(
    minutes,
    ({ candidate, stable }) => (candidate.invocations ?? 0) + (stable.invocations ?? 0),
  );
  return (
    `the ${names.candidate} version received ${wholeNumber(n1)} of ${wholeNumber(total)} requests (${percent(n1 / total)}) where the weights say ` +
    `${wholeNumber(expected)} (${percent(expected / total)}): was the alias changed manually, or are data points missing?`
  );
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/**
 * Requests that the model answered: what fills a step. Rejected ones do not, nor do crashes, which may hit
 * either kind; a version that only crashes fails, it need not fill anything.
 */
export const answered = (sides: readonly Side[]): number => sum(sides, ({ requests = 0 }) => requests);
