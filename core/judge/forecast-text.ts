import { type Plan, stepForecasts } from './feasible.ts';
import { forecast, type Question } from './forecast.ts';
import { duration, percent, percentPoints, rate } from './format.ts';
import { planPower } from './power.ts';

/** "at 40 req/h a 10 % canary needs 202 h to see errors rise from 1 % to 3 %" */
export function canarySees(perSecond: number, question: Question): string {
  const { weight, from, to } = question;
  const { requests } = forecast(question);
  const change = `errors rise from ${percent(from)} to ${percent(to)}`;
  const canary = `at ${rate(perSecond)} a ${percent(weight)} canary`;
  const seconds = requests / perSecond;
  return Number.isFinite(seconds)
    ? `${canary} needs ${duration(seconds)} to see ${change}`
    : `${canary} cannot see ${change}`;
}

/** Below this probability of seeing errors triple a canary is little protection. */
const WEAK = 0.5;
/** Assumed where the stable version's errors are not known or too rare to tell. */
const USUAL = 0.01;

/**
 * What a deploy prints about its canary, a line each: what it sees, when each step can pass, and whether that
 * is enough.
 */
export function forecastSays(plan: Plan): readonly string[] {
  const [first] = plan.steps;
  if (first === undefined || !(plan.perSecond > 0)) return ['without traffic a canary sees nothing'];
  const from = Math.max(plan.errorRate ?? 0, USUAL);
  const to = Math.min(1, 3 * from);
  const steps = stepForecasts(plan);
  // A step that its time does not fill ends all the same.
  const planned = steps.map(({ weight, seconds, longest }) => ({
    weight,
    seconds: Math.min(seconds, longest),
  }));
  const power = planPower(planned, plan.perSecond, { from, to });
  return [
    canarySees(plan.perSecond, { weight: first.weight, from, to }),
    ...steps.map(({ weight, seconds, limit, longest, fits }, i) => {
      const step = `step ${i + 1} (${percent(weight)})`;
      const passes = Number.isFinite(seconds) ? `can pass after ${duration(seconds)}` : 'can never pass';
      const until = `errors may have risen by less than ${percentPoints(limit)}`;
      return `${step} ${passes}, when ${until}${fits ? '' : `; its bake and maxWait end after ${duration(longest)}`}`;
    }),
    `the whole plan sees errors rise from ${percent(from)} to ${percent(to)} in ${
      power > 0.99 ? 'over 99 %' : percent(power)
    } of releases`,
    ...(power < WEAK
      ? ['that is little: larger weights, longer bakes or a synthetic load in the gate would show more']
      : []),
  ];
}
