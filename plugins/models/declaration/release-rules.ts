import type { Problem } from '../problems/errors.ts';
import { floorOf } from './gate-floor.ts';
import { timeOf, written } from './keys/units.ts';
import { metricProblems } from './metric-rules.ts';
import { type Gate, type Model, peakOf, type ReleaseRules, type Window } from './model.ts';
import type { Declaration } from './schema.ts';
import { timezoneFault } from './timezone.ts';

const DAY = 86_400;

/**
 * CloudWatch keeps values by the minute for 15 days, and the judge reads them all at every look:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 */
const LONGEST = 14 * DAY;
const REMEMBERED = `metrics by the minute last ${LONGEST / DAY} days`;
const LONGEST_FIX = `Write ${LONGEST / DAY}d or less.`;

/** Seconds. The judge counts whole minutes. */
const SHORTEST_BAKE = 60;

/**
 * Seconds of synthetic load: it must fit into one run of the release worker, beside its cold start and the
 * last answers.
 */
const LONGEST_LOAD = 180;

/** Below it a p95 is merely the slowest of all requests. */
const LEAST_LOAD = 20;

/** What the length of a release follows from. */
const LENGTH = ['release.steps', 'release.strategy', 'release.maxWait'];

/** Less than 0.1 % of all requests no release can exclude; more likely 0.01 was meant to be 1 %. */
const LEAST_INCREASE = 0.001;

/**
 * Rules between the keys of `concurrency`, `latency`, `gate` and `release`.
 *
 * @param given the same as written, for what the model no longer tells
 * @param isBroken is this key refused already? What is left out of the model for it is not missing, and what
 * stands in its place nobody wrote
 */
export function releaseProblems(
  key: string,
  model: Model,
  given: Declaration,
  isBroken: (name: string) => boolean,
): readonly Problem[] {
  return [
    ...capacityProblems(`${key}.concurrency`, model, isBroken('concurrency.provisioned')),
    ...(isBroken('timeout') ? [] : latencyProblems(`${key}.latency.p95`, model)),
    ...floorProblems(key, given),
    ...(model.gate === undefined
      ? []
      : gateProblems(`${key}.gate`, model.gate, {
          cases: isBroken('gate.cases'),
          metric: isBroken('gate.metric'),
        })),
    ...stepProblems(`${key}.release`, model.release, given.release.steps),
    ...durationProblems(`${key}.release`, model.release, LENGTH.some(isBroken)),
  ];
}

function capacityProblems(
  key: string,
  { concurrency, function: given }: Model,
  isBroken: boolean,
): readonly Problem[] {
  if (concurrency === undefined) return [];
  const { provisioned, schedule } = concurrency;
  const problems: Problem[] = [];
  const ranges = [
    ...(provisioned ? [{ key: `${key}.provisioned`, ...provisioned }] : []),
    ...schedule.map((window, index) => ({ key: `${key}.schedule.${index}`, ...window })),
  ];
  for (const { key: where, min, max } of ranges) {
    if (min <= max) continue;
    problems.push(invalid(`${where}.min`, min, `is above \`max\`, ${max}.`, `Write at most ${max}.`));
  }
  if (provisioned === undefined && !isBroken && schedule.length > 0) {
    const fix = 'Write `concurrency.provisioned`, the range at all other times.';
    problems.push(invalid(`${key}.schedule`, undefined, 'changes a range, but none is set.', fix));
  }
  problems.push(...scheduleProblems(`${key}.schedule`, schedule));
  const framework = given.reservedConcurrency;
  if (concurrency.reserved !== undefined && framework !== undefined) {
    const fix = 'Leave `reservedConcurrency` out of `function`.';
    problems.push(invalid(`${key}.reserved`, concurrency.reserved, 'is declared twice.', fix));
  }
  const reserved = concurrency.reserved ?? (typeof framework === 'number' ? framework : undefined);
  const peak = peakOf(concurrency);
  if (reserved !== undefined && peak > 0 && reserved < 2 * peak) {
    problems.push({
      code: 'MODELS_CAPACITY',
      key: concurrency.reserved === undefined ? `${key}.provisioned` : `${key}.reserved`,
      value: concurrency.reserved ?? peak,
      message: `reserves ${reserved} instances, but both versions of a release hold up to ${peak} each.`,
      fix: `Reserve ${2 * peak} or more, or ${reserved < 2 ? 'leave `provisioned` out' : `provision ${Math.floor(reserved / 2)} at most`}.`,
    });
  }
  return problems;
}

function scheduleProblems(key: string, schedule: readonly Window[]): readonly Problem[] {
  return schedule.flatMap((window, index): Problem[] => {
    const where = `${key}.${index}`;
    const problems: Problem[] = [];
    if (window.from >= window.to) {
      const fix = 'Write a later time of the same day; a window over midnight is two of them.';
      problems.push(
        invalid(`${where}.to`, timeOf(window.to), `is not after \`from\`, ${timeOf(window.from)}.`, fix),
      );
    }
    const fault = timezoneFault(window.timezone);
    if (fault !== undefined)
      problems.push(invalid(`${where}.timezone`, window.timezone, fault.message, fault.fix));
    const before = schedule.slice(0, index);
    const other = before.findIndex((one) => touch(one, window));
    if (other !== -1) {
      const message = `touches \`schedule.${other}\`: which range holds then would be chance.`;
      const fix = 'Leave at least a minute between them.';
      problems.push(invalid(where, undefined, message, fix));
    }
    const apart = before.findIndex((one) => isElsewhere(one, window));
    if (apart !== -1) {
      const message = `is of another time zone than \`schedule.${apart}\`: how far they are apart changes with summer time, so whether they touch cannot be told for the whole year.`;
      const fix = 'Write both in one time zone.';
      problems.push(invalid(`${where}.timezone`, window.timezone, message, fix));
    }
    return problems;
  });
}

/** Two actions at one moment have no order. */
function touch(a: Window, b: Window): boolean {
  if (a.timezone !== b.timezone) return false;
  return a.days.some((day) => b.days.includes(day)) && a.from <= b.to && b.from <= a.to;
}

/** Another zone; a word that is none has its own problem. */
const isElsewhere = (a: Window, b: Window): boolean =>
  a.timezone !== b.timezone && [a, b].every(({ timezone }) => timezoneFault(timezone) === undefined);

function latencyProblems(key: string, { latency, timeout }: Model): readonly Problem[] {
  if (latency === undefined || latency.p95 <= timeout * 1000) return [];
  const message = `is ${latency.p95} ms, but the model stops at its timeout of ${timeout} s.`;
  return [invalid(key, latency.p95, message, `Write at most ${timeout * 1000}, or a longer \`timeout\`.`)];
}

function gateProblems(
  key: string,
  { cases, reference, load, metric }: Gate,
  broken: { readonly cases: boolean; readonly metric: boolean },
): readonly Problem[] {
  const problems: Problem[] =
    metric === undefined ? [] : [...metricProblems(`${key}.metric`, metric, broken.metric)];
  const isNeeded = reference !== undefined || load !== undefined || metric === undefined;
  if (cases === undefined && isNeeded && !broken.cases && !broken.metric) {
    const fix = 'Write `cases`, a file with a case a line, or leave `gate` out.';
    problems.push(
      invalid(key, undefined, 'has no cases, but a reference and a load need their inputs.', fix),
    );
  }
  if (load === undefined) return problems;
  const { rate, duration } = load;
  if (duration > LONGEST_LOAD) {
    const message = `is ${written(duration)}; a load may take ${written(LONGEST_LOAD)}.`;
    const fix = `Write ${written(LONGEST_LOAD)} or less.`;
    problems.push(invalid(`${key}.load.duration`, duration, message, fix));
  }
  if (rate * duration < LEAST_LOAD) {
    const message = `sends ${Math.floor(rate * duration)} requests; a p95 needs ${LEAST_LOAD}.`;
    problems.push(invalid(`${key}.load`, undefined, message, 'Write a higher rate, or a longer duration.'));
  }
  return problems;
}

/** One least value, in one place. */
function floorProblems(key: string, { gate, card }: Declaration): readonly Problem[] {
  const min = gate?.metric?.min;
  const floor = gate && floorOf(gate, card);
  if (gate?.metric === undefined || min === undefined || floor === undefined || min === floor) return [];
  const { name } = gate.metric;
  const message = `is ${min}, and card.metrics.${name}.min is ${floor}.`;
  return [invalid(`${key}.gate.metric.min`, min, message, 'Leave it out: the gate takes that of the card.')];
}

function stepProblems(
  key: string,
  { strategy }: ReleaseRules,
  given: Declaration['release']['steps'],
): readonly Problem[] {
  if (given === undefined) return [];
  if (strategy === 'blueGreen' || strategy === 'allAtOnce') {
    const message = `do not go with the strategy ${strategy}, which has none.`;
    return [invalid(`${key}.steps`, undefined, message, 'Leave them out, or write another strategy.')];
  }
  if (strategy === 'linear' && given.length > 1) {
    const message = `are ${given.length}, but linear repeats one step.`;
    return [invalid(`${key}.steps`, undefined, message, 'Write one step, or the strategy canary.')];
  }
  return given.flatMap(({ weight, bake }, index): Problem[] => {
    const where = `${key}.steps.${index}`;
    const before = given[index - 1]?.weight ?? 0;
    return [
      ...(weight < 1 || weight > 99
        ? [invalid(`${where}.weight`, weight, `is ${weight} %, not 1 to 99.`, 'Write 1 to 99.')]
        : weight <= before
          ? [
              invalid(
                `${where}.weight`,
                weight,
                `is ${weight} %, not above the ${before} % before it.`,
                'Write rising weights.',
              ),
            ]
          : []),
      ...(bake < SHORTEST_BAKE
        ? [
            invalid(
              `${where}.bake`,
              bake,
              `is ${written(bake)}; the judge counts whole minutes.`,
              'Write 1m or more.',
            ),
          ]
        : bake > LONGEST
          ? [invalid(`${where}.bake`, bake, `is ${written(bake)}; ${REMEMBERED}.`, LONGEST_FIX)]
          : []),
    ];
  });
}

function durationProblems(key: string, rules: ReleaseRules, isBroken: boolean): readonly Problem[] {
  const { steps, maxWait, increase, rollbackWindow } = rules;
  const problems: Problem[] = [];
  if (increase < LEAST_INCREASE || increase > 1) {
    const message = `is ${Number((increase * 100).toPrecision(12))} % of all requests, not 0.1 to 100 %.`;
    problems.push(
      invalid(`${key}.increase`, increase, message, 'Write percent from 0.1% to 100%, for example 1%.'),
    );
  }
  // In place of what is refused the defaults stand here.
  const known = isBroken ? [] : steps;
  const baking = known.reduce((sum, { bake }) => sum + bake, 0);
  const longest = baking + known.length * maxWait;
  // A single bake beyond it has its own problem.
  if (baking > LONGEST) {
    const message = `bake for ${(baking / DAY).toFixed(1)} days together; ${REMEMBERED}.`;
    if (steps.every(({ bake }) => bake <= LONGEST))
      problems.push(invalid(`${key}.steps`, undefined, message, 'Write fewer or shorter steps.'));
  } else if (longest > LONGEST) {
    const message = `lets the steps take ${(longest / DAY).toFixed(1)} days with their bakes; ${REMEMBERED}.`;
    problems.push(invalid(`${key}.maxWait`, maxWait, message, 'Write less, or fewer or shorter steps.'));
  }
  if (rollbackWindow > LONGEST) {
    const message = `is ${written(rollbackWindow)}; ${REMEMBERED}.`;
    problems.push(invalid(`${key}.rollbackWindow`, rollbackWindow, message, LONGEST_FIX));
  }
  return problems;
}

function invalid(key: string, value: unknown, message: string, fix: string): Problem {
  return { code: 'MODELS_INVALID_VALUE', key, ...(value !== undefined && { value }), message, fix };
}
