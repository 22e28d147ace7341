import type { BreakEven, CheapestFrom, Curve, Form } from './contract.ts';

/** Which form costs least at which rate. Costs go by steps, so rates are looked at one by one. */

/** Dollars a month at so many requests a second; undefined where nothing is known. */
export type CostAt = (form: Form, rate: number) => number | undefined;

/**
 * Requests a second that are looked at: from one in a quarter of an hour to more than most models ever see.
 */
export const RATES = { lowest: 0.001, highest: 10_000 } as const;
const PER_DECADE = 20;
const FINE = 700;
/** Times a rate. Beyond it a step is a small part of what all servers cost. */
const NEAR = 10;

/** Rates in even steps of their logarithm. */
export function ratesBetween(lowest: number, highest: number, perDecade = PER_DECADE): readonly number[] {
  const steps = Math.max(1, Math.round(Math.log10(highest / lowest) * perDecade));
  return Array.from({ length: steps + 1 }, (_, i) => lowest * (highest / lowest) ** (i / steps));
}

export const curveOf = (
  forms: readonly Form[],
  costAt: CostAt,
  rates = ratesBetween(RATES.lowest, RATES.highest),
): Curve => ({
  rates,
  lines: forms.flatMap((form) => {
    const dollars = rates.map((rate) => costAt(form, rate));
    return dollars.every((one) => one !== undefined) ? [{ form, dollars }] : [];
  }),
});

/**
 * From which rate on `form` costs less than `against`: for the first time, and so that it stays so. Between
 * the two, a step up makes it dearer again for a while.
 */
export function breakEvenOf(form: Form, against: Form, { lines, rates }: Curve, costAt: CostAt): BreakEven {
  const of = (name: Form) => lines.find((line) => line.form === name)?.dollars;
  const [ours, theirs] = [of(form), of(against)];
  if (ours === undefined || theirs === undefined) return { form, against };
  const isLess = (rate: number): boolean => (costAt(form, rate) ?? 0) < (costAt(against, rate) ?? 0);
  const last = rates.findLastIndex((_, i) => (ours[i] ?? 0) >= (theirs[i] ?? 0));
  const next = rates[last + 1];
  if (next === undefined) return { form, against };
  const crossing = (i: number): number => {
    const [below, above] = [rates[i - 1], rates[i] ?? next];
    return below === undefined ? above : between(below, above, isLess);
  };
  const first = rates.findIndex((_, i) => (ours[i] ?? 0) < (theirs[i] ?? 0));
  return { form, against, first: crossing(first), rate: lastCrossing(crossing(last + 1), rates, isLess) };
}

/**
 * One server more costs less the more there are, so that a step which lies between two rates of the curve and
 * makes the form dearer again is near where it became cheaper. There rates are looked at a third of a
 * hundredth apart.
 */
function lastCrossing(from: number, rates: readonly number[], isLess: (rate: number) => boolean): number {
  const near = Math.min(NEAR * from, rates.at(-1) ?? from);
  if (near <= from) return from;
  const fine = ratesBetween(from, near, FINE);
  const last = fine.findLastIndex((rate, i) => i > 0 && !isLess(rate));
  const [below, above] = [fine[last], fine[last + 1]];
  return last < 0 || below === undefined || above === undefined ? from : between(below, above, isLess);
}

/** A form stays the cheapest until another costs less by more than this: steps go up and down by turns. */
const STAYS = 1.1;

/** The forms that cost least, give or take a tenth, each from a rate on. */
export function cheapestBy({ lines, rates }: Curve, costAt: CostAt): readonly CheapestFrom[] {
  const found: CheapestFrom[] = [];
  const [first, ...others] = lines;
  if (first === undefined) return [];
  for (const [i, rate] of rates.entries()) {
    const dollarsOf = (line: Curve['lines'][number]): number => line.dollars[i] ?? 0;
    const { form } = others.reduce((best, line) => (dollarsOf(line) < dollarsOf(best) ? line : best), first);
    const now = found.at(-1)?.form;
    if (now === undefined) {
      found.push({ from: 0, form });
      continue;
    }
    const isDearer = (at: number): boolean => (costAt(now, at) ?? 0) > STAYS * (costAt(form, at) ?? 0);
    if (form !== now && isDearer(rate))
      found.push({ from: between(rates[i - 1] ?? rate, rate, isDearer), form });
  }
  return found;
}

/** Where it begins to hold, to a thousandth. */
function between(below: number, above: number, holds: (rate: number) => boolean): number {
  let [low, high] = [below, above];
  for (let i = 0; i < 12; i += 1) {
    const middle = Math.sqrt(low * high);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
