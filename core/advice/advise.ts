import { breakEvenOf, type CostAt, cheapestBy, curveOf, RATES, ratesBetween } from './break-even.ts';
import {
  type AdviceNeeds,
  type AdvisedForm,
  type CheapestFrom,
  FORMS,
  type Form,
  type FormAdvice,
  type FormCost,
  type Prices,
  REAL_TIME,
  type RuleReason,
} from './contract.ts';
import { rungsOf } from './device.ts';
import { formCost } from './form-cost.ts';
import { formLoad } from './load.ts';
import { BATCH_SECONDS, RULES } from './rules.ts';
import { unknownOf } from './unknown.ts';
import { dollarWords, FORM_NAMES, rateWords, sumWords } from './words.ts';

/** Forms whose costs differ by less are about equal: prices and guesses are no better than that. */
const EQUAL = 1.2;
/** Requests at once: more than an account is given. */
export const MOST_AT_ONCE = 10_000;
/** Requests a second by which forms are compared where nobody tells the traffic. */
const UNTOLD = 1;

const isRealTime = (form: Form): boolean => REAL_TIME.some((one) => one === form);

/** Where a model should run: rules first, latency before all others, then what it costs. Pure. */
export function advise(needs: AdviceNeeds, prices: Prices): FormAdvice {
  const spoken = RULES.map((rule) => rule(needs)).filter((reason) => reason !== undefined);
  const isForbidden = spoken.some(
    ({ excludes, rule }) => rule !== 'cold starts' && excludes.includes('on-demand'),
  );
  // How on demand starts says nothing where it is out for another reason.
  const found = spoken.filter(({ rule }) => rule !== 'cold starts' || !isForbidden);
  const waits = needs.latency && needs.latency.value >= BATCH_SECONDS ? needs.latency.value : undefined;
  const costAt: CostAt = (form, rate) => formCost(form, formLoad(needs, rate), prices, waits)?.total;
  const costs = new Map(FORMS.map((form) => [form, formOf(needs, prices, form, waits)]));
  const isOut = (form: Form): boolean => found.some(({ excludes }) => excludes.includes(form));
  const kept = FORMS.filter((form) => !isOut(form));
  const budget = budgetRule(needs, costs, kept);
  const reasons = budget === undefined ? found : [...found, budget];
  const left = kept.filter((form) => budget?.excludes.includes(form) !== true);

  const byCost = (forms: readonly Form[]): readonly Form[] =>
    forms
      .flatMap((form) => {
        const dollars = costAt(form, needs.traffic?.value ?? UNTOLD);
        return dollars === undefined ? [] : [{ form, dollars }];
      })
      .sort((one, other) => one.dollars - other.dollars)
      .map(({ form }) => form);
  const realTime = left.filter(isRealTime);
  const form = chosenFrom(left, needs, byCost(realTime));
  const cheapestCost = form === undefined ? undefined : costs.get(form)?.total;
  const equals =
    form === undefined || !isRealTime(form) || cheapestCost === undefined
      ? []
      : byCost(realTime).filter(
          (other) => other !== form && (costs.get(other)?.total ?? 0) <= EQUAL * cheapestCost,
        );

  const drawn = [...kept.filter(isRealTime), ...(kept.includes('batch') ? (['batch'] as const) : [])];
  const highest = Math.min(
    RATES.highest,
    Math.max(1, MOST_AT_ONCE / (needs.burst.value * needs.service.value)),
  );
  const curve = curveOf(drawn, costAt, ratesBetween(RATES.lowest, highest));
  const realTimeOnly = { ...curve, lines: curve.lines.filter((line) => isRealTime(line.form)) };
  const against = realTimeOnly.lines[0]?.form;
  const cheapest = cheapestBy(realTimeOnly, costAt);
  return {
    ...(form !== undefined && { form }),
    equals,
    headline: headlineOf(needs, form, equals, {
      ...{ costs, kept, reasons, budget },
      next: cheapest[1],
    }),
    reasons,
    forms: FORMS.map((name): AdvisedForm => {
      const cost = costs.get(name);
      return {
        form: name,
        ...(cost !== undefined && { cost }),
        excludedBy: reasons.filter(({ excludes }) => excludes.includes(name)).map(({ rule }) => rule),
      };
    }),
    breakEven:
      against === undefined
        ? []
        : realTimeOnly.lines
            .filter((line) => line.form !== against)
            .map((line) => breakEvenOf(line.form, against, realTimeOnly, costAt)),
    cheapest,
    curve,
    rungs: rungsOf(needs.size),
    unknown: unknownOf(needs, form, [...costs.values()], prices),
  };
}

function formOf(
  needs: AdviceNeeds,
  prices: Prices,
  form: Form,
  waits: number | undefined,
): FormCost | undefined {
  return needs.traffic === undefined
    ? undefined
    : formCost(form, formLoad(needs, needs.traffic.value), prices, waits);
}

/**
 * Latency first: whoever may wait takes batch, and whoever may not takes the cheapest that answers at once. A
 * device is taken only where nothing else is left, since what it costs is not known here.
 */
function chosenFrom(
  left: readonly Form[],
  { latency }: AdviceNeeds,
  realTime: readonly Form[],
): Form | undefined {
  const [cheapest] = realTime;
  const mayWait = latency === undefined ? cheapest === undefined : latency.value >= BATCH_SECONDS;
  if (mayWait && left.includes('batch')) return 'batch';
  if (cheapest !== undefined) return cheapest;
  return left.find((form) => form === 'edge') ?? left.find((form) => form === 'batch');
}

function budgetRule(
  { budget }: AdviceNeeds,
  costs: ReadonlyMap<Form, FormCost | undefined>,
  kept: readonly Form[],
): RuleReason | undefined {
  if (budget === undefined) return undefined;
  const known = kept.flatMap((form) => {
    const cost = costs.get(form);
    return cost === undefined ? [] : [{ form, ...cost }];
  });
  if (known.length === 0) return undefined;
  const over = known.filter(({ total }) => total > budget.value);
  const cheapest = known.reduce((best, one) => (one.total < best.total ? one : best));
  const isKeptByNone = over.length === known.length;
  // Not known is no reason to take it for cheap.
  const hasDevice = kept.includes('edge');
  return {
    rule: 'budget',
    words: `${dollarWords(budget.value)} a month (${budget.from}) ${
      isKeptByNone
        ? `is kept by no form: the cheapest, ${FORM_NAMES[cheapest.form]}, costs ${sumWords(cheapest)}${hasDevice ? ', and what devices cost is not known' : ''}`
        : over.length === 0
          ? 'is kept by every form that is left'
          : `is kept by ${known.length - over.length} of ${known.length} forms that are left`
    }.`,
    excludes: [...over.map(({ form }) => form), ...(isKeptByNone && hasDevice ? (['edge'] as const) : [])],
  };
}

function headlineOf(
  needs: AdviceNeeds,
  form: Form | undefined,
  equals: readonly Form[],
  {
    budget,
    costs,
    kept,
    next,
    reasons,
  }: {
    readonly costs: ReadonlyMap<Form, FormCost | undefined>;
    readonly kept: readonly Form[];
    readonly reasons: readonly RuleReason[];
    readonly budget: RuleReason | undefined;
    /** What costs least at larger rates. */
    readonly next: CheapestFrom | undefined;
  },
): string {
  if (form === undefined) {
    if (kept.length > 0 && budget !== undefined) return `No form keeps the budget: ${budget.words}`;
    return `No form keeps all of this at once: ${together(reasons).join(', ')}.`;
  }
  const cost = costs.get(form);
  const like = equals.map((other) => FORM_NAMES[other]);
  const about = like.length === 0 ? '' : `; about equal (within 20 %): ${like.join(', ')}`;
  const name = FORM_NAMES[form].replace(/^./, (first) => first.toUpperCase());
  if (cost !== undefined && needs.traffic !== undefined)
    return `${name}: ${sumWords(cost)} a month at ${rateWords(needs.traffic.value)}${about}${less(form, cost, kept, costs)}.`;
  if (form === 'edge') return `${name}.`;
  if (needs.traffic !== undefined) return `${name}, as far as is known: its cost is not.`;
  const until =
    next === undefined || form === 'batch'
      ? ''
      : ` up to ${rateWords(next.from)}, ${FORM_NAMES[next.form]} beyond that;`;
  return `${name}, as far as is known:${until} how many requests come is not told.`;
}

/** Batch is chosen whatever it costs; where so few come that its queue is most of the cost, that is told. */
function less(
  form: Form,
  { total }: FormCost,
  kept: readonly Form[],
  costs: ReadonlyMap<Form, FormCost | undefined>,
): string {
  const other = kept.includes('on-demand') ? costs.get('on-demand') : undefined;
  if (form !== 'batch' || other === undefined || other.total >= total) return '';
  return `; one by one, ${FORM_NAMES['on-demand']}, they cost ${sumWords(other)}`;
}

/** The first rules that leave nothing between them: what contradicts what. */
function together(reasons: readonly RuleReason[]): readonly string[] {
  const out = new Set<Form>();
  return reasons.flatMap(({ excludes, rule }) => {
    const before = out.size;
    for (const form of excludes) out.add(form);
    return out.size > before ? [rule] : [];
  });
}
