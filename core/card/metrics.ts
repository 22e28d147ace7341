import type { OriginMetric } from '../origin/contract.ts';
import { MEASURES, type Measure } from '../quality/contract.ts';
import {
  CARD_METRICS,
  type CardMetric,
  type CardSource,
  type DeclaredMetric,
  type ModelCard,
} from './contract.ts';
import { type CardFault, conflict, SAYS } from './faults.ts';

/**
 * The declared metrics first, each with what the source knows of it on the same data, then what else the
 * source knows.
 */
export function mergedMetrics(
  declared: Readonly<Record<string, DeclaredMetric>>,
  theirs: readonly OriginMetric[],
  from: CardSource,
  faults: CardFault[],
): readonly CardMetric[] {
  const taken = new Set<OriginMetric>();
  const own = Object.entries(declared).map(([name, metric]): CardMetric => {
    const found = theirsOf(name, metric, theirs, from, faults);
    if (found !== undefined) taken.add(found);
    const merged = mergedMetric(name, metric, found, from, faults);
    const { value, on, min } = merged;
    if (min !== undefined && isLowerBetter(name))
      faults.push({
        kind: 'metric',
        key: `metrics.${name}.min`,
        value: min,
        message: `is ${min}, and of ${name} less is better: a least value refuses none that is too bad.`,
        fix: `Leave \`min\` out, and write the most that is good enough as \`gate.metric.max\`.`,
      });
    else if (value !== undefined && min !== undefined && value.value < min)
      faults.push({
        kind: 'metric',
        key: `metrics.${name}.min`,
        value: min,
        message: `is ${min}, and ${name} is ${value.value}${on ? ` on ${on.value}` : ''} by ${value.from.map((one) => SAYS[one]).join(' and ')}.`,
        fix: 'Package a better version of the model, or write a lower `min`.',
      });
    return merged;
  });
  const others = theirs
    .filter((one) => !taken.has(one))
    .map(
      ({ name, value, dataset }): CardMetric => ({
        name,
        value: { value, from: [from] },
        ...(dataset !== undefined && { on: { value: dataset, from: [from] } }),
      }),
    );
  return [...own, ...others.slice(0, Math.max(0, CARD_METRICS - own.length))];
}

/** What the source knows of a declared metric: on the data that it names, or on the only ones. */
function theirsOf(
  name: string,
  { value, on }: DeclaredMetric,
  theirs: readonly OriginMetric[],
  from: CardSource,
  faults: CardFault[],
): OriginMetric | undefined {
  const same = theirs.filter((one) => one.name === name);
  if (on !== undefined)
    return same.find(({ dataset }) => dataset === on) ?? same.find(({ dataset }) => dataset === undefined);
  const [only, second] = same;
  if (second === undefined) return only;
  if (value !== undefined) {
    const [found, another] = same.filter((one) => agrees(value, one.value));
    if (another === undefined) return found ?? only;
  }
  faults.push({
    kind: 'metric',
    key: `metrics.${name}.on`,
    message: `is missing, and ${SAYS[from]} knows ${name} on ${same.map(({ dataset = 'data without a name' }) => dataset).join(', ')}.`,
    fix: 'Write on which of them it counts.',
  });
  return undefined;
}

function mergedMetric(
  name: string,
  { value, on, min }: DeclaredMetric,
  found: OriginMetric | undefined,
  from: CardSource,
  faults: CardFault[],
): CardMetric {
  const isAgreed = found !== undefined && (value === undefined || agrees(value, found.value));
  if (found !== undefined && value !== undefined && !isAgreed)
    faults.push(conflict(`metrics.${name}.value`, { value, from: 'card' }, { value: found.value, from }));
  const card = { from: ['card'] } as const;
  const both = { from: ['card', from] } as const;
  const theirs = { from: [from] };
  const known = isAgreed
    ? { value: found.value, ...(value === undefined ? theirs : both) }
    : value === undefined
      ? undefined
      : { value, ...card };
  const data =
    on !== undefined
      ? { value: on, ...(found?.dataset === on ? both : card) }
      : found?.dataset === undefined
        ? undefined
        : { value: found.dataset, ...theirs };
  return {
    name,
    ...(known && { value: known }),
    ...(data && { on: data }),
    ...(min !== undefined && { min }),
  };
}

/**
 * The same number, or what it is rounded to by two decimals or more: people write 0.91 of 0.9134, and 0.90 of
 * 0.9034, whose last digit YAML does not keep.
 */
function agrees(declared: number, theirs: number): boolean {
  if (declared === theirs) return true;
  const found = /^-?\d+(?:\.(\d+))?$/.exec(String(declared));
  if (found === null) return false;
  const decimals = Math.max(2, found[1]?.length ?? 0);
  return Math.abs(declared - theirs) <= 0.5 * 10 ** -decimals * (1 + 1e-9);
}

/** Metrics of our own names only: nobody knows what another one is. */
const isLowerBetter = (name: string): boolean =>
  Object.hasOwn(MEASURES, name) && MEASURES[name as Measure].better === 'lower';

/** The metrics that have a `min` that can count, and no value by the card or the source. */
export const metricsNotKnown = ({ metrics }: ModelCard): readonly CardMetric[] =>
  metrics.filter(({ name, min, value }) => min !== undefined && value === undefined && !isLowerBetter(name));
