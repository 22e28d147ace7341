import type { Command, Context } from '../context/context.ts';
import type { Facts, Model } from '../declaration/model.ts';
import {
  type Cost,
  idleCost,
  monthlyCost,
  type StandingCost,
  standingCost,
  sweepCost,
  total,
} from '../plan/cost.ts';
import { type Item, inventory } from '../plan/inventory.ts';
import { neededPolicy } from '../plan/plan.ts';
import { type Capacity, capacityLine, capacityOf } from '../plan/release/capacity.ts';
import { PRICES } from '../plan/shared/prices.ts';
import { problemError } from '../problems/errors.ts';
import { compareWithLive } from '../releases/ask-live.ts';
import { type Comparison, comparisonLines } from '../releases/live-signature.ts';
import { autoLine, forecastLines, isStepwise } from '../releases/words/forecast.ts';
import { targetOf } from '../targets/targets.ts';

const DURATION = '50';

type Line = {
  readonly model: Model;
  readonly facts: Facts;
  readonly standing: StandingCost;
  readonly cost?: Cost;
};

/** What is printed, as text or as JSON. */
type Report = {
  readonly items: readonly Item[];
  readonly lines: readonly Line[];
  readonly idle: number;
  readonly duration: number;
  /** What is offered against what is live, by model. */
  readonly live: ReadonlyMap<string, Comparison>;
};

/**
 * `sls models plan`: what a deploy would create, what that costs a month, and how signatures differ from the
 * live ones. Only the last part is asked of AWS, and everything else is shown without it.
 */
export const command: Command = {
  usage: 'Show what a deploy creates, what it costs a month, and what changes for clients',
  options: {
    duration: { usage: `Milliseconds that a request is billed for (default: ${DURATION})`, type: 'string' },
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  run: async (context) => {
    const { models, flags, print, plan } = context;
    const duration = durationOf(flags.duration);
    const facts = await context.facts(models);
    const lines = models.flatMap((model): Line[] => {
      const found = facts.get(model.name);
      if (found === undefined) return [];
      const line = { model, facts: found, standing: standingCost(model, plan.host, facts) };
      if (model.traffic === undefined) return [line];
      return [{ ...line, cost: monthlyCost(model, found, model.traffic, duration / 1000) }];
    });
    // Functions of one target and architecture share what they run in.
    const shared = new Map(
      lines.map((line) => [
        `${targetOf(line.model).kind} ${line.model.architecture}`,
        line.facts.runtimeBytes,
      ]),
    );
    const idle = idleCost(
      facts.values(),
      [...shared.values()].reduce((sum, bytes) => sum + bytes, 0),
    );
    const live = await compareWithLive(
      context,
      lines.map(({ model, facts: { signature } }) => ({ model: model.name, signature })),
    );
    const report: Report = { items: inventory(plan, facts), lines, idle, duration, live };
    print(flags.json ? json(report, context) : text(report, context));
  },
};

function durationOf(value: unknown): number {
  const duration = Number(value ?? DURATION);
  if (duration > 0 && duration <= 900_000) return duration;
  throw problemError([
    {
      code: 'MODELS_USAGE',
      key: '--duration',
      value,
      message: 'is not a number of milliseconds up to 900000.',
      fix: 'Write what you measured, for example 20.',
    },
  ]);
}

function text({ items, lines, idle, duration, live }: Report, { plan, service }: Context): string {
  const resources = items.reduce((sum, item) => sum + item.resources, 0);
  const policy = neededPolicy(plan);
  const capacities = capacitiesOf(plan.models);
  return [
    `${service.stack} in ${service.region}: ${resources} resources of 500`,
    ...items.map(({ what, name }) => `  ${what.padEnd(16)} ${name}`),
    ...(capacities.length === 0
      ? []
      : ['', 'Capacity:', ...capacities.map((one) => `  ${one.name.padEnd(16)} ${capacityLine(one)}`)]),
    ...forecastOf(plan.models),
    ...signaturesOf(plan.models, live, service.stage),
    '',
    `Cost a month (${PRICES.region}, prices of ${PRICES.year}, without free tier, transfer and cold starts; ${duration} ms a request):`,
    ...lines.map((line) => `  ${line.model.name.padEnd(16)} ${priced(line)}`),
    `  ${'idle'.padEnd(16)} ${dollars(idle)} for packages in S3, ${dollars(sweepCost())} for the sweeps of the release worker`,
    ...(plan.options.dashboard
      ? [
          `  ${'dashboard'.padEnd(16)} ${dollars(PRICES.dashboard)}, or nothing where the account has less than three others`,
        ]
      : []),
    ...(policy === undefined
      ? []
      : ['', 'The service names a role; it needs this policy:', JSON.stringify(policy, null, 2)]),
  ].join('\n');
}

function priced({ model, standing, cost }: Line): string {
  const parts = Object.entries({ ...cost, ...standing })
    .filter(([, amount]) => amount > 0)
    .map(([name, amount]) => `${name} ${dollars(amount)}${name === 'provisioned' ? ' at the least' : ''}`)
    .join(', ');
  if (cost === undefined)
    return `${dollars(total(standing))} without requests: ${parts}; with them unknown, since no traffic is declared`;
  const all = total(cost) + total(standing);
  return `${dollars(all)} at ${round(model.traffic ?? 0)} requests/s: ${parts}`;
}

/** What the canary of each model sees, where the declared traffic tells; nothing where no model has steps. */
function forecastOf(models: readonly Model[]): readonly string[] {
  const lines = models.flatMap(forecastIn);
  return lines.length === 0 ? [] : ['', 'Releases:', ...lines.map((line) => `  ${line}`)];
}

/** How signatures differ from the live ones, or why that is not known; nothing without models. */
function signaturesOf(
  models: readonly Model[],
  live: ReadonlyMap<string, Comparison>,
  stage: string,
): readonly string[] {
  const lines = comparisonLines(models, live, stage);
  return lines.length === 0 ? [] : ['', 'Signatures:', ...lines.map((line) => `  ${line}`)];
}

function forecastIn(model: Model): readonly string[] {
  const { traffic } = model;
  if (traffic === undefined) return forecastLines(model, { unknown: 'no traffic is declared' });
  const auto = autoLine(model, traffic);
  return [
    ...forecastLines(model, { perSecond: traffic, from: 'declared' }),
    ...(auto === undefined || !isStepwise(model) ? [] : [auto]),
  ];
}

const capacitiesOf = (models: readonly Model[]): readonly Capacity[] =>
  models.map(capacityOf).filter((capacity) => capacity !== undefined);

const round = (value: number): number => Number(value.toPrecision(3));

/** Cents from a dollar on, two significant digits below. */
const dollars = (amount: number): string =>
  `$${amount >= 1 ? amount.toFixed(2) : amount === 0 ? '0' : Number(amount.toPrecision(2)).toFixed(amount < 0.001 ? 5 : 3)}`;

function json({ items, lines, idle, duration, live }: Report, { plan, service }: Context): string {
  const policy = neededPolicy(plan);
  return JSON.stringify(
    {
      stack: service.stack,
      region: service.region,
      resources: items.reduce((sum, item) => sum + item.resources, 0),
      creates: items,
      capacity: capacitiesOf(plan.models),
      releases: plan.models.map((model) => ({
        name: model.name,
        strategy: model.release.strategy,
        steps: model.release.steps,
        forecast: forecastIn(model),
        signature: live.get(model.name),
      })),
      cost: {
        currency: 'USD',
        prices: { region: PRICES.region, year: PRICES.year, sources: PRICES.sources },
        duration,
        models: lines.map(({ model, facts, standing, cost }) => ({
          name: model.name,
          zipBytes: facts.zipBytes,
          ...standing,
          ...(cost !== undefined && {
            traffic: model.traffic,
            ...cost,
            total: total(cost) + total(standing),
          }),
        })),
        idle,
        sweeps: sweepCost(),
      },
      ...(policy !== undefined && { policy }),
    },
    null,
    2,
  );
}
