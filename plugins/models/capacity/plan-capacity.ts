import { aliasTraffic } from '../../../aws/alias-traffic.ts';
import { MOST_AT_ONCE } from '../../../core/advice/advise.ts';
import { LIVE } from '../../../core/catalog/contract.ts';
import { wholeNumber } from '../../../core/judge/format.ts';
import { type Context, modelOf, usage } from '../context/context.ts';
import { nameOf } from '../contracts/host.ts';
import type { Model } from '../declaration/model.ts';
import { askLive } from '../releases/ask-live.ts';
import { askBriefly } from '../releases/brief.ts';
import { capacityWords } from './capacity-words.ts';
import { type TrafficLoad, trafficLoadOf } from './load.ts';
import { type CapacityOptions, capacityOptions } from './options.ts';
import { accountOf, quotaOf } from './quota.ts';
import { type CapacityReport, capacityReport } from './report.ts';
import { isDurationTold, type RequestTimes, requestTimes, type Told, timeFlags } from './times.ts';

/** What is told of one model; `unknown`: why nothing is. */
type Planned = { readonly report: CapacityReport } | { readonly model: string; readonly unknown: string };

/** `sls models plan --capacity`. */
export async function planCapacity(context: Context): Promise<void> {
  const { flags, print, progress } = context;
  const options = await capacityOptions(context);
  const flagged = timeFlags(flags);
  const chosen = modelsOf(context, options);
  const facts = await context.facts(chosen);
  const offered = [...facts].map(([model, { signature }]) => ({ model, signature }));
  const [live, account] = await Promise.all([askLive(context, offered), accountOf(context)]);
  const planned: Planned[] = [];
  progress(options.arrivals === undefined ? undefined : 'Replaying arrivals');
  try {
    for (const model of chosen) {
      const found = facts.get(model.name);
      if (found === undefined) continue;
      const load = await trafficLoadOf(model, options, context);
      if (load === undefined) {
        planned.push({
          model: model.name,
          unknown: 'no traffic is declared: declare `traffic`, or give --curve or --arrivals',
        });
        continue;
      }
      const { bench, comparison } = live.get(model.name) ?? {};
      const isDeployed = comparison?.compared === true;
      const cloudWatch = await durationOf(
        context,
        model,
        isDeployed && !isDurationTold(model, flagged, { bench }),
        load.duration,
      );
      const times = requestTimes(model, found, flagged, { bench, cloudWatch });
      countable(model, load, times);
      const quota = quotaOf(model, account);
      planned.push({ report: capacityReport({ model, facts: found, options, load, times, quota }) });
    }
  } finally {
    progress(undefined);
  }
  print(flags.json ? json(planned, context) : text(planned, context));
}

/** Arrivals and curves are of one model. */
const modelsOf = (context: Context, { arrivals, curve }: CapacityOptions): readonly Model[] =>
  context.flags.model === undefined && arrivals === undefined && curve === undefined
    ? context.models
    : [modelOf(context)];

/** @throws ProblemError where more would be in progress than anything here is made for */
function countable(
  { name }: Model,
  { from, rates = [], week = [] }: TrafficLoad,
  { duration }: RequestTimes,
): void {
  const most = 10 * MOST_AT_ONCE;
  const busiest = [...week, ...rates.map(({ rate }) => rate)].reduce((high, rate) => Math.max(high, rate), 0);
  const atOnce = (busiest * duration.ms) / 1000;
  if (atOnce <= most) return;
  const key = from === 'declared' ? `models.${name}.traffic` : from === 'curve' ? '--curve' : '--arrivals';
  throw usage(
    key,
    `${wholeNumber(busiest)} requests a second of ${wholeNumber(duration.ms)} ms each (${duration.from}) are ${wholeNumber(atOnce)} at once; ${wholeNumber(most)} are the most that is counted.`,
    'Check the unit of both: rates are a second, times in milliseconds.',
  );
}

/** Seconds back that CloudWatch is asked how long requests take. */
const BACK = 7 * 86_400;

/** What CloudWatch has of the alias; nothing where it cannot be asked soon. */
async function durationOf(
  { aws, plan, service }: Context,
  model: Model,
  isWanted: boolean,
  told: number | undefined,
): Promise<Told | undefined> {
  if (told !== undefined) return { ms: told, from: 'measured by CloudWatch' };
  if (!isWanted) return undefined;
  const to = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  const span = { from: to - BACK * 1000, to: to + 3_600_000, period: 3600 };
  const found = await askBriefly({ aws, service }, (brief) =>
    aliasTraffic(brief, nameOf(model, plan.host), LIVE, span),
  );
  if (!('answer' in found)) return undefined;
  const sum = (points: ReadonlyMap<number, number>): number =>
    [...points.values()].reduce((all, one) => all + one, 0);
  const requests = sum(found.answer.requests);
  const ms = sum(found.answer.busy) / requests;
  return requests > 0 && ms > 0 ? { ms, from: 'measured by CloudWatch in 7 days' } : undefined;
}

const text = (planned: readonly Planned[], { service }: Context): string =>
  [
    `Capacity of ${service.stack} in ${service.region}`,
    ...planned.map((one) =>
      'report' in one ? capacityWords(one.report) : `${one.model}: not known: ${one.unknown}`,
    ),
  ].join('\n\n');

const json = (planned: readonly Planned[], { service }: Context): string =>
  JSON.stringify(
    {
      stack: service.stack,
      region: service.region,
      models: planned.map((one) => ('report' in one ? one.report : one)),
    },
    null,
    2,
  );
