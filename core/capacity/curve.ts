/** One rate of a rate–latency curve. */
export type CurvePoint = {
  /** Requests a second that were to be sent. */
  readonly rate: number;
  /** Milliseconds of the objective's percentile; absent where nothing was answered. */
  readonly latency?: number;
  /** Its upper bound; absent where the runs do not allow one. */
  readonly upper?: number;
  readonly mean?: number;
  /** Answers a second. */
  readonly answered: number;
  /** Whether as many were answered as were asked for, without more errors than are let pass. */
  readonly keptUp: boolean;
};

/** Steps of the curve, each so many times the rate before. */
const STEP = Math.SQRT2;
/** Width to which the capacity is bisected, as a share of it. */
const CLOSE = 0.05;

/** Does the upper bound keep the objective at this rate? Without a bound nothing is kept. */
const keeps = ({ upper, keptUp }: CurvePoint, objective: number): boolean =>
  keptUp && upper !== undefined && upper <= objective;

/**
 * The rate up to which runs had too few requests for a bound, with the latency within the objective; 0 where
 * there is none. Lower rates have even fewer in the same time.
 */
function unsureUpTo(points: readonly CurvePoint[], objective: number): number {
  let unsure = 0;
  for (const { keptUp, latency, rate, upper } of points.toSorted((a, b) => a.rate - b.rate)) {
    if (!keptUp || upper !== undefined || latency === undefined || latency > objective) break;
    unsure = rate;
  }
  return unsure;
}

/** The rate up to which every one that was measured keeps the objective, and the least that does not. */
function bracket(
  points: readonly CurvePoint[],
  good: (point: CurvePoint) => boolean,
): { readonly most?: number; readonly least?: number } {
  const sorted = points.toSorted((a, b) => a.rate - b.rate);
  const broken = sorted.find((point) => !good(point))?.rate;
  const most = sorted.findLast(({ rate }) => broken === undefined || rate < broken)?.rate;
  return { ...(most !== undefined && { most }), ...(broken !== undefined && { least: broken }) };
}

/**
 * Which rate to measure next: up by steps until the objective is broken (without one: until the target does
 * not keep up), down by steps where it is from the start, then between the two until they are within 5 %.
 * Rates with too few requests for a bound break nothing: twice the rate is tried then.
 *
 * @returns undefined where the curve is done
 */
export function nextRate(
  points: readonly CurvePoint[],
  start: number,
  { objective, lowest, highest }: { objective?: number | undefined; lowest: number; highest: number },
): number | undefined {
  if (points.length === 0) return start;
  const unsure = objective === undefined ? 0 : unsureUpTo(points, objective);
  const good = (point: CurvePoint): boolean =>
    objective === undefined ? point.keptUp : point.rate <= unsure || keeps(point, objective);
  const { most = 0, least } = bracket(points, good);
  if (least === undefined) {
    const next = most * (most === unsure ? STEP ** 2 : STEP);
    return next <= highest ? next : undefined;
  }
  if (most === 0) {
    const next = least / STEP ** 2;
    return next >= lowest ? next : undefined;
  }
  return least / most - 1 > CLOSE ? Math.sqrt(least * most) : undefined;
}

/** The largest rate whose upper bound keeps the objective, no measured rate below breaking it. */
export function capacityWithin(points: readonly CurvePoint[], objective: number): number | undefined {
  const unsure = unsureUpTo(points, objective);
  return bracket(
    points.filter(({ rate }) => rate > unsure),
    (point) => keeps(point, objective),
  ).most;
}

/**
 * The knee: the measured rate with the most answers per second and second of mean latency. Kleinrock's power:
 * below it the target is idle, above it latency grows faster than throughput.
 * L. Kleinrock, Power and deterministic rules of thumb for probabilistic problems in computer communications,
 * ICC 1979.
 */
export function knee(points: readonly CurvePoint[]): number | undefined {
  let best: { readonly rate: number; readonly power: number } | undefined;
  for (const { rate, answered, mean } of points) {
    if (mean === undefined || !(mean > 0)) continue;
    const power = answered / mean;
    if (best === undefined || power > best.power) best = { rate, power };
  }
  return best?.rate;
}
