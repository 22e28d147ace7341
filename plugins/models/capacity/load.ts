import { aliasTraffic } from '../../../aws/alias-traffic.ts';
import type { Arrivals } from '../../../core/capacity/arrivals.ts';
import type { RateFor } from '../../../core/capacity/environments/keep.ts';
import {
  busiest,
  hourlyRates,
  type MinuteCount,
  scattered,
} from '../../../core/capacity/environments/minutes.ts';
import { evenWeek, type Week, weekOf } from '../../../core/capacity/environments/week.ts';
import { LIVE } from '../../../core/catalog/contract.ts';
import { DAY_MS, MINUTE_MS } from '../../../core/units/time.ts';
import { awsFix } from '../context/aws-fix.ts';
import { type Context, usage } from '../context/context.ts';
import { nameOf } from '../contracts/host.ts';
import type { Model } from '../declaration/model.ts';
import { problemError } from '../problems/errors.ts';
import { type CapacityOptions, CLOUDWATCH, MINUTES_KEPT } from './options.ts';

/** What is known of when requests come. */
export type TrafficLoad = {
  readonly from: 'declared' | 'curve' | 'file' | 'cloudwatch';
  /** For people: where the figures are from, and what is assumed of them. */
  readonly words: string;
  /** By the clock; a file's times are of no clock, and have `rates` alone. */
  readonly week?: Week;
  readonly rates?: readonly RateFor[];
  readonly timezone: string;
  /** To be replayed: milliseconds, of `cloudwatch` since the epoch; `isPart`: the busiest ones of all. */
  readonly replayed?: { readonly arrivals: Arrivals; readonly words: string; readonly isPart?: boolean };
  /** Milliseconds of a request on average, where CloudWatch told that. */
  readonly duration?: number;
};

/** Requests that are replayed at most: some seconds of work. */
const MOST = 3_000_000;

/** @returns undefined where nobody says anything of the model's traffic @throws ProblemError */
export async function trafficLoadOf(
  model: Model,
  { arrivals, curve, since }: CapacityOptions,
  context: Context,
): Promise<TrafficLoad | undefined> {
  const [scheduled] = model.concurrency?.schedule ?? [];
  const timezone = scheduled?.timezone ?? 'UTC';
  if (arrivals === CLOUDWATCH) return cloudWatchLoad(model, since, timezone, context);
  if (arrivals !== undefined) {
    const { file, times } = arrivals;
    const length = lastingWords((times.at(-1) ?? 0) / 1000);
    return {
      from: 'file',
      words: `${quantity(times.length)} arrivals of ${file}, within ${length}, at times of no clock${scheduled === undefined ? '' : ': the schedule is left out'}`,
      rates: hourlyRates(times),
      timezone,
      replayed: { arrivals: times, words: `${quantity(times.length)} arrivals of ${file}, ${length}` },
    };
  }
  if (curve !== undefined)
    return { from: 'curve', words: `${curve.file}, hours of ${timezone}`, week: curve.week, timezone };
  if (model.traffic === undefined) return undefined;
  return {
    from: 'declared',
    words: 'as declared, taken for even over the week: --curve or --arrivals say when it comes',
    week: evenWeek(model.traffic),
    timezone,
  };
}

async function cloudWatchLoad(
  model: Model,
  since: number,
  timezone: string,
  { aws, plan, service }: Context,
): Promise<TrafficLoad> {
  const functionName = nameOf(model, plan.host);
  // The minute that runs is not over, and the one before may not have been published.
  const now = Date.now();
  const to = Math.floor(now / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
  // Where the first minute is gone CloudWatch would answer with longer ones, or not at all.
  const kept = Math.ceil((now - MINUTES_KEPT * DAY_MS) / MINUTE_MS + 1) * MINUTE_MS;
  const from = Math.max(kept, Math.floor((to - since * 1000) / MINUTE_MS) * MINUTE_MS);
  const { requests, busy } = await aliasTraffic(aws, functionName, LIVE, { from, to, period: 60 }).catch(
    (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw problemError(
        [
          {
            code: 'MODELS_AWS',
            key: '--arrivals',
            message: `CloudWatch cannot be asked for the requests of ${functionName}:${LIVE}: ${why.replace(/[.!?]$/, '')}.`,
            fix: awsFix(error, 'Check credentials, --aws-profile and --region, or name a file of arrivals.'),
          },
        ],
        error,
      );
    },
  );
  const minutes = [...requests]
    .map(([at, count]): MinuteCount => ({ at, count }))
    .filter(({ count }) => count > 0)
    .sort((one, other) => one.at - other.at);
  const all = minutes.reduce((sum, { count }) => sum + count, 0);
  if (all < 2)
    throw usage(
      '--arrivals',
      `CloudWatch knows ${all === 1 ? 'one request' : 'no request'} of ${functionName}:${LIVE} in ${service.region} in ${lastingWords(since)}.`,
      'Name a longer --since, another --stage or --region, or a file of arrivals.',
    );
  const { week, seen } = weekOf(minutes, to, timezone);
  const replayed = replayedOf(minutes);
  return {
    from: 'cloudwatch',
    words: `CloudWatch, ${quantity(all)} requests in ${lastingWords((to - (minutes[0]?.at ?? to)) / 1000)} since the first of them, ${seen} of the 168 hours of a week seen, hours of ${timezone}`,
    week,
    timezone,
    ...(replayed && { replayed }),
    ...(all > 0 && busy.size > 0 && { duration: [...busy.values()].reduce((sum, ms) => sum + ms, 0) / all }),
  };
}

/** @returns undefined where a single minute has more than can be replayed */
function replayedOf(minutes: readonly MinuteCount[]): TrafficLoad['replayed'] {
  const chosen = busiest(minutes, MOST);
  if (chosen.length === 0) return undefined;
  const arrivals = scattered(chosen, 1);
  const length = lastingWords(((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)) / 1000);
  const isPart = chosen.length < minutes.length;
  const part = isPart ? `the busiest ${length} of them, ` : '';
  return {
    ...{ arrivals, isPart },
    words: `${part}${quantity(arrivals.length)} arrivals by minutes of CloudWatch; within a minute they are taken to know nothing of each other (Poisson), since it counts no less: bursts of seconds are not in them`,
  };
}

const quantity = (value: number): string => Math.round(value).toLocaleString('en-US');

/** `90 s`, `24 h`, `7 days`. */
export function lastingWords(seconds: number): string {
  const [unit, length] =
    seconds >= 3 * 86_400
      ? (['days', 86_400] as const)
      : seconds >= 7200
        ? (['h', 3600] as const)
        : seconds >= 180
          ? (['min', 60] as const)
          : (['s', 1] as const);
  return `${Number((seconds / length).toPrecision(3))} ${unit}`;
}
