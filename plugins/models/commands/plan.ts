import { IDLE_SECONDS } from '../../../core/capacity/environments/cold-share.ts';
import { originDifference, originLine } from '../../../core/origin/origin.ts';
import { sizeText } from '../../../core/units/bytes.ts';
import { CAPACITY_OPTIONS, withoutCapacity } from '../capacity/options.ts';
import { DURATION, type RequestTimes, requestTimes, timeFlags } from '../capacity/times.ts';
import type { Command, Context } from '../context/context.ts';
import type { Facts, Model, ServiceOptions } from '../declaration/model.ts';
import {
  type Cost,
  idleCost,
  imagesCost,
  monthlyCost,
  type StandingCost,
  standingCost,
  sweepCost,
  total,
} from '../plan/cost.ts';
import { startsOf } from '../plan/endpoint/cost.ts';
import { type Item, inventory } from '../plan/inventory.ts';
import { neededPolicy } from '../plan/plan.ts';
import { type Capacity, capacityLine, capacityOf } from '../plan/release/capacity.ts';
import { mlflowLine } from '../plan/release/mlflow.ts';
import { MONTH, PRICES } from '../plan/shared/prices.ts';
import { askLive, type Live } from '../releases/ask-live.ts';
import { comparisonLines } from '../releases/live-signature.ts';
import { autoLine, forecastLines, isStepwise } from '../releases/words/forecast.ts';
import { promotedLine } from '../releases/words/promoted.ts';
import { PROMOTE_FROM, PROMOTE_FROM_OPTION } from '../stages/option.ts';
import { targetOf } from '../targets/targets.ts';

type Line = {
  readonly model: Model;
  readonly facts: Facts;
  readonly standing: StandingCost;
  readonly times: RequestTimes;
  readonly cost?: Cost;
};

/** What is printed, as text or as JSON. */
type Report = {
  readonly items: readonly Item[];
  readonly lines: readonly Line[];
  readonly idle: number;
  /** The same of images. */
  readonly images: number;
  /** What is offered against what is live, by model. */
  readonly live: ReadonlyMap<string, Live>;
};

/**
 * `sls models plan`: what a deploy would create, what that costs a month, and how signatures differ from the
 * live ones. Only the last part is asked of AWS, and everything else is shown without it.
 */
export const command: Command = {
  usage: 'Show what a deploy creates, what it costs a month, and what changes for clients',
  options: {
    duration: {
      usage: `Milliseconds that a request takes (default: by the bench of the live version, else ${DURATION})`,
      type: 'string',
    },
    init: {
      usage: 'Milliseconds of a cold start’s INIT phase (default: by that bench, else assumed)',
      type: 'string',
    },
    ...CAPACITY_OPTIONS,
    [PROMOTE_FROM]: PROMOTE_FROM_OPTION,
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  run: async (context) => {
    if (context.flags.capacity === true) {
      const { planCapacity } = await import('../capacity/plan-capacity.ts');
      return planCapacity(context);
    }
    withoutCapacity(context.flags);
    const { models, flags, print, plan } = context;
    const flagged = timeFlags(flags);
    const facts = await context.facts(models);
    const live = await askLive(
      context,
      [...facts].map(([model, { signature }]) => ({ model, signature })),
    );
    const lines = models.flatMap((model): Line[] => {
      const found = facts.get(model.name);
      if (found === undefined) return [];
      const times = requestTimes(model, found, flagged, live.get(model.name));
      const line = { model, facts: found, standing: standingCost(model, plan.host, facts), times };
      if (model.traffic === undefined) return [line];
      const { duration, init } = times;
      const cost = monthlyCost(model, found, model.traffic, duration.ms / 1000, init.ms / 1000);
      return [{ ...line, cost }];
    });
    // Functions of one target and architecture share what they run in.
    const shared = new Map(
      lines.flatMap((line) =>
        line.facts.image === undefined
          ? [[`${targetOf(line.model).kind} ${line.model.architecture}`, line.facts.runtimeBytes] as const]
          : [],
      ),
    );
    const idle = idleCost(
      facts.values(),
      [...shared.values()].reduce((sum, bytes) => sum + bytes, 0),
    );
    const images = imagesCost(facts.values());
    const report: Report = { items: inventory(plan, facts), lines, idle, images, live };
    print(flags.json ? json(report, context) : text(report, context));
  },
};

function text({ items, lines, idle, images, live }: Report, { plan, service }: Context): string {
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
    ...imagesOf(lines),
    ...originsOf(lines, live),
    ...writtenOf(lines, plan.options),
    '',
    `Cost a month (${PRICES.region}, prices of ${PRICES.year}, without free tier and transfer):`,
    ...lines.flatMap((line) => [
      `  ${line.model.name.padEnd(16)} ${priced(line)}`,
      ...timed(line).map((words) => `  ${''.padEnd(16)} ${words}`),
    ]),
    `  ${'idle'.padEnd(16)} ${dollars(idle)} for packages in S3, ${images > 0 ? `${dollars(images)} for images at ECR without their bases, ` : ''}${dollars(sweepCost())} for the sweeps of the release worker`,
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
    .map(
      ([name, amount]) =>
        `${name === 'coldStarts' ? 'cold starts' : name} ${dollars(amount)}${name === 'provisioned' ? ' at the least' : ''}`,
    )
    .join(', ');
  if (cost === undefined)
    return `${dollars(total(standing))} without requests: ${parts}; with them unknown, since no traffic is declared`;
  const all = total(cost) + total(standing);
  return `${dollars(all)} at ${round(model.traffic ?? 0)} requests/s: ${parts}`;
}

/** How long requests take, and which of them start an instance. */
function timed({ cost, model, times: { duration, init } }: Line): readonly string[] {
  if (cost === undefined || model.traffic === undefined) return [];
  const { cold } = startsOf(model, { requests: model.traffic * MONTH, duration: duration.ms / 1000 });
  return [
    `${round(duration.ms)} ms a request (${duration.from}); ${percent(cold)} of them start an instance, which bills ${round(init.ms)} ms of INIT more (${init.from}),`,
    `if one stays ${IDLE_SECONDS} s without a request: an assumption, since Lambda documents none`,
  ];
}

/** What the canary of each model sees, where the declared traffic tells; nothing where no model has steps. */
function forecastOf(models: readonly Model[]): readonly string[] {
  const lines = models.flatMap(forecastIn);
  return lines.length === 0 ? [] : ['', 'Releases:', ...lines.map((line) => `  ${line}`)];
}

/** Where artifacts come from, and what the live version differs in; nothing where none is of a registry. */
function originsOf(lines: readonly Line[], live: ReadonlyMap<string, Live>): readonly string[] {
  const told = lines.flatMap(({ model: { name }, facts: { origin, promoted, signedBy } }) => {
    if (origin === undefined && signedBy === undefined && promoted === undefined) return [];
    const words = [
      ...(promoted === undefined ? [] : [`as validated by ${promotedLine(promoted)}`]),
      ...(origin === undefined ? [] : [originLine(origin)]),
      ...(signedBy === undefined ? [] : [`signed by ${signedBy}`]),
    ];
    const before = live.get(name)?.origin;
    const difference = origin && before && originDifference(before, origin);
    return [
      `${name}: ${words.join('; ')}`,
      ...(difference === undefined ? [] : [`${name}: the live one is ${difference}`]),
    ];
  });
  return told.length === 0 ? [] : ['', 'Artifacts:', ...told.map((line) => `  ${line}`)];
}

/** What each image is laid over, and what is laid over it; nothing where all are zips. */
function imagesOf(lines: readonly Line[]): readonly string[] {
  const told = lines.flatMap(({ model: { name }, facts: { image } }) =>
    image === undefined
      ? []
      : [
          `  ${name}: over ${image.base}`,
          ...image.layers.map(
            ({ name: layer, diffId, bytes }) => `    ${layer}: ${sizeText(bytes)} packed, ${diffId}`,
          ),
        ],
  );
  return told.length === 0 ? [] : ['', 'Images:', ...told];
}

/** What MLflow is told of each model; nothing where it is told nothing. */
function writtenOf(lines: readonly Line[], options: ServiceOptions): readonly string[] {
  const told = lines.flatMap(({ model: { name, artifact }, facts: { origin } }) => {
    const line = mlflowLine(options, artifact.reference, origin);
    return line === undefined ? [] : [`  ${name}: ${line}`];
  });
  return told.length === 0 ? [] : ['', 'MLflow:', ...told];
}

/** How signatures differ from the live ones, or why that is not known; nothing without models. */
function signaturesOf(
  models: readonly Model[],
  live: ReadonlyMap<string, Live>,
  stage: string,
): readonly string[] {
  const comparisons = new Map([...live].map(([name, { comparison }]) => [name, comparison]));
  const lines = comparisonLines(models, comparisons, stage);
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

const percent = (share: number): string => `${round(100 * share)} %`;

const originJson = (
  { name, artifact }: Model,
  lines: readonly Line[],
  live: ReadonlyMap<string, Live>,
  options: ServiceOptions,
) => {
  const { origin, promoted, signedBy } = lines.find(({ model }) => model.name === name)?.facts ?? {};
  const before = live.get(name)?.origin;
  const mlflow = mlflowLine(options, artifact.reference, origin);
  return {
    ...(origin && { origin }),
    ...(signedBy && { signedBy }),
    ...(promoted && { promoted }),
    ...(before && { liveOrigin: before }),
    ...(mlflow !== undefined && { mlflow }),
  };
};

const round = (value: number): number => Number(value.toPrecision(3));

/** Cents from a dollar on, two significant digits below. */
const dollars = (amount: number): string =>
  `$${amount >= 1 ? amount.toFixed(2) : amount === 0 ? '0' : Number(amount.toPrecision(2)).toFixed(amount < 0.001 ? 5 : 3)}`;

function json({ items, lines, idle, images, live }: Report, { plan, service }: Context): string {
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
        signature: live.get(model.name)?.comparison,
        ...originJson(model, lines, live, plan.options),
      })),
      cost: {
        currency: 'USD',
        prices: { region: PRICES.region, year: PRICES.year, sources: PRICES.sources },
        idleLife: { seconds: IDLE_SECONDS, from: 'assumed' },
        models: lines.map(({ model, facts, standing, times, cost }) => ({
          name: model.name,
          zipBytes: facts.zipBytes,
          ...(facts.image && { image: facts.image }),
          duration: times.duration,
          init: times.init,
          ...standing,
          ...(cost !== undefined && {
            traffic: model.traffic,
            coldShare: startsOf(model, {
              requests: (model.traffic ?? 0) * MONTH,
              duration: times.duration.ms / 1000,
            }).cold,
            ...cost,
            total: total(cost) + total(standing),
          }),
        })),
        idle,
        ...(images > 0 && { images }),
        sweeps: sweepCost(),
      },
      ...(policy !== undefined && { policy }),
    },
    null,
    2,
  );
}
