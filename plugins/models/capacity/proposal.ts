import { keptFor, targetFor } from '../../../core/capacity/environments/keep.ts';
import type { WeekWindow } from '../../../core/capacity/environments/week.ts';
import { AT_ONCE } from '../declaration/keys/concurrency.ts';
import { DAYS, daysOf, minuteOf, timeOf } from '../declaration/keys/units.ts';
import type { Facts, Model } from '../declaration/model.ts';
import { monthlyCost, total } from '../plan/cost.ts';
import { warmCost } from '../plan/endpoint/cost.ts';
import type { TrafficLoad } from './load.ts';
import type { CapacityPart } from './parts.ts';
import type { Quota } from './quota.ts';
import type { RequestTimes } from './times.ts';

/** The line to write for what must be kept. Pure. */

export type Proposal = {
  /** `models.<name>.concurrency`, as YAML in one line. */
  readonly line: string;
  readonly concurrency: {
    readonly provisioned: { readonly min: number; readonly max: number; readonly target: number };
    readonly schedule?: readonly {
      readonly days: string;
      readonly from: string;
      readonly to: string;
      readonly timezone: string;
      readonly min: number;
      readonly max: number;
    }[];
    readonly reserved?: number;
    readonly batch?: number;
  };
  /** Instances that versions of a release hold together at most, and how many versions that are. */
  readonly release: { readonly versions: number; readonly instances: number };
  /** `max` is less than twice the busiest hour would need. */
  readonly isBounded: boolean;
  /** Why it cannot be had with what there is. */
  readonly lacks?: string;
  /** Dollars a month: what is kept at the least and what requests cost then, and on demand alone. */
  readonly dollars: { readonly kept: number; readonly requests: number; readonly onDemand: number };
};

/** Times of the busiest hour's load that scaling may go up to. */
export const HEADROOM = 2;
/** Instances that an account leaves to functions which have reserved none. */
const LEFT = 100;

export type ProposalGiven = {
  readonly model: Model;
  readonly facts: Facts;
  readonly load: TrafficLoad;
  readonly times: RequestTimes;
  readonly promised: number;
  readonly quota: Quota;
};

/** @returns undefined where nothing comes, and nothing is to be kept */
export function proposalOf(
  { facts, load, model, promised, quota, times }: ProposalGiven,
  parts: readonly CapacityPart[],
): Proposal | undefined {
  const [first] = parts;
  const rate = parts.reduce((sum, part) => sum + part.rate * part.time, 0);
  if (first === undefined || !(rate > 0)) return undefined;
  const service = times.duration.ms / 1000;
  const versions = versionsHeld(model);
  const room = Math.floor(provisionable(quota) / versions);
  const ranges = parts.map((part) => {
    const min = Math.max(1, part.kept);
    const most = keptFor([{ rate: (HEADROOM * part.peak) / service, weight: 1 }], service, promised).kept;
    const more = Math.ceil((most * part.kept) / Math.max(1, part.erlang.kept));
    return { window: part.window, min, more, max: Math.max(min, Math.min(more, room)) };
  });
  // Where the busiest part rests: in the others `min` keeps the promise, and a lower target would keep the
  // busiest part at its `max`.
  const busiest = parts.reduce((high, part) => (part.load > high.load ? part : high), first);
  const outside = ranges.find(({ window }) => window === undefined) ?? { min: 1, max: 1 };
  const schedule = ranges.flatMap(({ window, min, max }) =>
    window === undefined ? [] : [{ ...windowText(window), timezone: load.timezone, min, max }],
  );
  const peak = Math.max(...ranges.map(({ max }) => max));
  const { reserved } = model.concurrency ?? {};
  const batch = model.batch?.concurrency;
  const concurrency: Proposal['concurrency'] = {
    provisioned: { min: outside.min, max: outside.max, target: targetFor(busiest.use) },
    ...(schedule.length > 0 && { schedule }),
    ...(reserved !== undefined && { reserved }),
    ...(batch !== undefined && batch !== AT_ONCE && { batch }),
  };
  const needs = Math.max(...ranges.map(({ min }) => min));
  const planned = planOf(model, concurrency);
  const { concurrency: _, ...alone } = model;
  // By parts of the week: at their mean rate they would seem to need what is kept in others.
  const requestsCost = (of: (part: CapacityPart) => Model): number =>
    parts.reduce((sum, part) => {
      const cost = monthlyCost(of(part), facts, part.rate, service, times.init.ms / 1000);
      return sum + part.time * total(cost);
    }, 0);
  return {
    line: `concurrency: ${flow(concurrency)}`,
    concurrency,
    release: { versions, instances: versions * peak },
    isBounded: ranges.some(({ max, more }) => max < more),
    ...(needs > room && { lacks: lackOf(quota, needs, versions) }),
    dollars: {
      kept: total(warmCost(planned)),
      requests: requestsCost(({ kept }) => keeping(model, concurrency, Math.max(1, kept))),
      onDemand: requestsCost(() => alone),
    },
  };
}

const versionsHeld = ({ release }: Model): number =>
  release.strategy === 'blueGreen' && release.rollbackWindow > 0 ? 3 : 2;

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const provisionable = ({ limit, of }: Quota): number => Math.max(0, of === 'reserved' ? limit : limit - LEFT);

function lackOf({ limit, of }: Quota, needs: number, versions: number): string {
  const all = needs * versions;
  const together = `${versions} versions hold ${all} instances together during a release`;
  return of === 'reserved'
    ? `${together}, and ${limit} are reserved: reserve ${all} or more`
    : `${together}, and the account has ${limit} unreserved, of which ${LEFT} cannot be provisioned: ask AWS for a quota that is ${all + LEFT - limit} larger`;
}

/** The model as if so many were kept at all times. */
const keeping = (model: Model, { provisioned }: Proposal['concurrency'], min: number): Model => ({
  ...model,
  concurrency: { provisioned: { ...provisioned, min }, schedule: [] },
});

/** The model with what is proposed, for what it costs. */
const planOf = (model: Model, { provisioned, schedule = [] }: Proposal['concurrency']): Model => ({
  ...model,
  concurrency: {
    ...model.concurrency,
    provisioned,
    schedule: schedule.map(({ days, from, to, ...range }) => ({
      ...range,
      from: minuteOf(from),
      to: minuteOf(to),
      days: daysOf(days),
    })),
  },
});

/** As the schedule has it: `mon-fri`, `sat,sun`, `daily`. */
export function windowText({ days, from, to }: WeekWindow) {
  return { days: daysText(days), from: timeOf(from), to: timeOf(to) };
}

function daysText(days: readonly number[]): string {
  if (days.length === DAYS.length) return 'daily';
  const runs: number[][] = [];
  for (const day of days) {
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  const name = (day: number | undefined): string => (DAYS[day ?? 0] ?? '').toLowerCase();
  return runs
    .map((run) =>
      run.length > 2 ? `${name(run[0])}-${name(run.at(-1))}` : run.map((day) => name(day)).join(','),
    )
    .join(',');
}

/** YAML's flow form, in one line. Texts with a colon or a comma are quoted. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object' || value === null) {
    const text = String(value);
    return typeof value === 'string' && !/^[a-zA-Z][\w/+-]*$/.test(text) ? JSON.stringify(text) : text;
  }
  return `{ ${Object.entries(value)
    .map(([key, one]) => `${key}: ${flow(one)}`)
    .join(', ')} }`;
}
