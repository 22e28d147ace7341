import { IDLE_SECONDS } from '../../../core/capacity/environments/cold-share.ts';
import { originDifference, originLine } from '../../../core/origin/origin.ts';
import { sizeText } from '../../../core/units/bytes.ts';
import type { Context } from '../context/context.ts';
import type { Model, ServiceOptions } from '../declaration/model.ts';
import { monitorCost, sweepCost, total } from '../plan/cost.ts';
import { startsOf } from '../plan/endpoint/cost.ts';
import { capacityLine } from '../plan/release/capacity.ts';
import { mlflowLine } from '../plan/release/mlflow.ts';
import { policyText } from '../plan/report.ts';
import { MONTH, PRICE_LIST, PRICES } from '../plan/shared/prices.ts';
import type { Live } from '../releases/ask-live.ts';
import { comparisonLines } from '../releases/live-signature.ts';
import { promotedLine } from '../releases/words/promoted.ts';
import { capacitiesOf, forecastIn, type PlannedModel, type PlanReport, packaged } from './report.ts';

/** The plan, as a person reads it. */
export function planText(
  { items, lines, idle, images, live }: PlanReport,
  { plan, service }: Context,
): string {
  const resources = items.reduce((sum, item) => sum + item.resources, 0);
  const policy = policyText(packaged(plan, { lines }));
  const capacities = capacitiesOf(plan.models);
  const monitor = monitorCost(plan.models);
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
    `  ${'idle'.padEnd(16)} ${dollars(idle)} for packages in S3, ${images > 0 ? `${dollars(images)}${doubt('ecr.gb')} for images at ECR without their bases, ` : ''}${dollars(sweepCost())} for the sweeps of the release worker${monitor > 0 ? `, ${dollars(monitor)} for the monitor of drift` : ''}`,
    ...(plan.options.dashboard
      ? [
          `  ${'dashboard'.padEnd(16)} ${dollars(PRICES.dashboard)}, or nothing where the account has less than three others, and this one at most ${FREE_METRICS} metrics`,
        ]
      : []),
    ...(policy === undefined ? [] : ['', `${policy.charAt(0).toUpperCase()}${policy.slice(1)}`]),
  ].join('\n');
}

function priced({ model, standing, cost }: PlannedModel): string {
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
function timed({ cost, model, times: { duration, init } }: PlannedModel): readonly string[] {
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
function originsOf(lines: readonly PlannedModel[], live: ReadonlyMap<string, Live>): readonly string[] {
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
function imagesOf(lines: readonly PlannedModel[]): readonly string[] {
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
function writtenOf(lines: readonly PlannedModel[], options: ServiceOptions): readonly string[] {
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

/** What a sum with this price has behind it. */
const doubt = (name: keyof typeof PRICE_LIST): string =>
  PRICE_LIST[name].doubt === undefined ? '' : ' ? (no page of AWS’s own could be read)';

/** Metrics of a dashboard that AWS gives free of charge: https://aws.amazon.com/cloudwatch/pricing/ */
const FREE_METRICS = 50;

const percent = (share: number): string => `${round(100 * share)} %`;

const round = (value: number): number => Number(value.toPrecision(3));

/** Cents from a dollar on, two significant digits below. */
const dollars = (amount: number): string =>
  `$${amount >= 1 ? amount.toFixed(2) : amount === 0 ? '0' : Number(amount.toPrecision(2)).toFixed(amount < 0.001 ? 5 : 3)}`;
