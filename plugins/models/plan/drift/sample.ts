import { LEAST_ROWS } from '../../../../core/drift/contract.ts';
import type { Drift, DriftFacts, Model } from '../../declaration/model.ts';
import { PRICES } from '../shared/prices.ts';
import { alphaOf, smallestShift } from './budget.ts';
import { driftBytes } from './cost.ts';
import { medianPhi, nativeBudget, nativeSignals } from './functions.ts';

/** Shares that are proposed: each about half of the one before. */
const SHARES = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];

/** A smaller sample may find this much less. */
const LOSS = 1.1;
/** Dollars a month that are worth a word. */
const WORTH = 10;

const MONTH = 30 * 86_400;

/**
 * Beyond some rows a window more of them tell hardly more, since the reference's own rows and the effect's
 * floor are what limits what is found; their lines cost on. @returns what a person should know of that, if
 * anything
 */
export function sampleAdvice(
  model: Pick<Model, 'traffic'> & { readonly drift: Drift },
  facts: DriftFacts,
): string | undefined {
  const { drift, traffic } = model;
  if (traffic === undefined || nativeSignals(facts).length === 0) return undefined;
  const phi = medianPhi(nativeSignals(facts));
  const cost = (share: number): number =>
    ((traffic * MONTH * share * driftBytes(facts)) / 1024 ** 3) * (PRICES.logGb + PRICES.logStoredGb);
  const shift = (share: number): number => {
    const budget = nativeBudget({ traffic, drift: { ...drift, sample: share } }, facts);
    return smallestShift({ ...budget, phi }, alphaOf(budget), traffic * drift.window * share);
  };
  const now = shift(drift.sample);
  const isJudged = (share: number): boolean => traffic * drift.window * share >= LEAST_ROWS;
  const enough = SHARES.filter(
    (share) => share < drift.sample && isJudged(share) && shift(share) <= LOSS * now,
  ).at(-1);
  if (enough === undefined || cost(drift.sample) - cost(enough) < WORTH) return undefined;
  const rounded = (value: number): string => String(Number(value.toPrecision(2)));
  return `Its lines in the log cost about $${rounded(cost(drift.sample))} a month at the declared traffic. With \`sample: ${rounded(100 * enough)}%\` a shift of ${rounded(shift(enough))} σ is found instead of ${rounded(now)} σ, for $${rounded(cost(enough))}.`;
}
