/** Is the form that `advise` calls the cheapest the cheapest in a simulated month? Over needs by chance. */
import { advise } from '../../core/advice/advise.ts';
import { type AdviceNeeds, type Form, REAL_TIME } from '../../core/advice/contract.ts';
import { keptWarm } from '../../core/advice/lambda-cost.ts';
import { formLoad } from '../../core/advice/load.ts';
import { seeded } from '../../core/capacity/random.ts';
import { PRICE_LIST } from '../../plugins/models/plan/shared/prices.ts';
import { simulateMonth } from './month.ts';

export type ComparedAdvice = {
  readonly needs: AdviceNeeds;
  readonly form: Form;
  readonly cheapest: Form;
  /** What the advised form costs in the simulated month ÷ what the cheapest costs there. */
  readonly ratio: number;
  /** The same of Lambda on demand, whatever is asked; absent where that is ruled out. */
  readonly always?: number;
  /** Largest simulated ÷ counted of any form, either way up. */
  readonly apart: readonly (readonly [Form, number])[];
};

/** @param requests of a simulated month at most */
export function compareAdvice(seed: number, requests: number): ComparedAdvice {
  const chance = seeded(seed);
  const needs = needsByChance(chance);
  const advice = advise(needs, PRICE_LIST);
  const traffic = needs.traffic?.value ?? 1;
  const load = formLoad(needs, traffic);
  const month = simulateMonth(load, keptWarm(load), PRICE_LIST, chance, requests);
  const open = REAL_TIME.filter(
    (form) => advice.forms.find((one) => one.form === form)?.excludedBy.length === 0,
  );
  const { form } = advice;
  if (form === undefined) throw new Error(`Nothing is advised: ${advice.headline}`);
  const costOf = (one: Form): number => month[one] ?? Number.POSITIVE_INFINITY;
  const cheapest = open.reduce<Form>((best, one) => (costOf(one) < costOf(best) ? one : best), form);
  return {
    needs,
    form,
    cheapest,
    ratio: costOf(form) / costOf(cheapest),
    ...(open.includes('on-demand') && { always: costOf('on-demand') / costOf(cheapest) }),
    apart: REAL_TIME.flatMap((one) => {
      const counted = advice.forms.find((other) => other.form === one)?.cost?.total;
      return counted === undefined || month[one] === undefined
        ? []
        : [[one, Math.max(month[one] / counted, counted / month[one])] as const];
    }),
  };
}

/** Even in the logarithm. */
const between = (chance: () => number, least: number, most: number): number =>
  least * (most / least) ** chance();

function needsByChance(chance: () => number): AdviceNeeds {
  const known = (value: number) => ({ value, from: 'by chance', isGuess: false });
  const service = between(chance, 0.001, 0.5);
  return {
    deviceUpdate: { value: 'monthly', from: 'by chance' },
    traffic: known(between(chance, 0.01, 1000)),
    burst: known(chance() < 0.4 ? 1 : between(chance, 1, 6)),
    service: known(service),
    start: known(between(chance, 0.2, 5)),
    payload: known(Math.round(between(chance, 100, 1_000_000))),
    memory: known(Math.round(between(chance, 512, 8192))),
    // Half of them promise a latency; the least that some form can keep is the request by itself.
    ...(chance() < 0.5 && { latency: known(Math.max(0.05, service * between(chance, 3, 30))) }),
    architecture: chance() < 0.5 ? 'arm64' : 'x86_64',
    http: chance() < 0.5,
    batch: false,
    size: { weights: [], rest: 1e6 },
  };
}
