import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Arrivals, readArrivals } from '../../../core/capacity/arrivals.ts';
import { IDLE_SECONDS } from '../../../core/capacity/environments/cold-share.ts';
import { DAY_HOURS, dailyWeek, WEEK_HOURS, type Week } from '../../../core/capacity/environments/week.ts';
import { wholeNumber } from '../../../core/judge/format.ts';
import { DAY_MS } from '../../../core/units/time.ts';
import { type Command, type Context, sinceOf, usage } from '../context/context.ts';
import { numberWithin } from '../context/number-within.ts';
import { MOST_TRAFFIC } from '../declaration/keys/load.ts';

/** Share of requests that may start cold, in percent: one of a thousand. */
const COLD = '0.1%';
/** Requests at once. */
const CROWD = 10_000;
/** How far back CloudWatch is read: a week, for the hours of one. */
const SINCE = '7d';
/**
 * Days that CloudWatch keeps minutes:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
 */
export const MINUTES_KEPT = 15;
/** Days of a file that is replayed: a year. */
const DAYS_REPLAYED = 366;
export const CLOUDWATCH = 'cloudwatch';

const BOUNDS = {
  cold: { lowest: 0.0001, highest: 50 },
  idle: { lowest: 1, highest: 86_400 },
  crowd: { lowest: 1, highest: 1_000_000 },
} as const;

export type CapacityOptions = {
  /** Share of requests, 0 to 1. */
  readonly promised: number;
  /** Seconds; `isGiven`: else it is assumed. */
  readonly idle: { readonly seconds: number; readonly isGiven: boolean };
  readonly crowd: number;
  /** Seconds back that CloudWatch is read. */
  readonly since: number;
  readonly arrivals?: { readonly file: string; readonly times: Arrivals } | typeof CLOUDWATCH;
  readonly curve?: { readonly file: string; readonly week: Week };
};

/** `--capacity`, and what goes with it alone. */
export const CAPACITY_OPTIONS = {
  capacity: {
    usage:
      'Show instead what must be kept warm for a promised share of cold starts, and what many requests at once meet',
    type: 'boolean',
  },
  cold: {
    usage: `With --capacity: share of the requests that may start cold (default: ${COLD})`,
    type: 'string',
  },
  arrivals: {
    usage: `With --capacity: requests to replay, a file with a time in seconds a line, or ${CLOUDWATCH}`,
    type: 'string',
  },
  since: {
    usage: `With --arrivals ${CLOUDWATCH}: how far back, for example 24h (default: ${SINCE})`,
    type: 'string',
  },
  curve: {
    usage:
      'With --capacity: file with a rate a line, requests a second in 24 hours of a day or 168 of a week',
    type: 'string',
  },
  idle: {
    usage: `With --capacity: seconds that an instance is taken to stay without a request (default: ${IDLE_SECONDS})`,
    type: 'string',
  },
  burst: { usage: `With --capacity: requests that come at once (default: ${CROWD})`, type: 'string' },
  model: {
    usage: 'With --capacity: name of the model (default: all; with --arrivals or --curve the only one)',
    shortcut: 'm',
    type: 'string',
  },
} as const satisfies Command['options'];

type Flags = Context['flags'];

/** @throws ProblemError where one of them is given without it */
export function withoutCapacity(flags: Flags): void {
  const given = Object.keys(CAPACITY_OPTIONS).find(
    (name) => name !== 'capacity' && flags[name] !== undefined,
  );
  if (given !== undefined)
    throw usage(`--${given}`, 'goes with --capacity alone.', 'Add --capacity, or leave it out.');
}

/** What the options say, checked; files are read. @throws ProblemError */
export async function capacityOptions({ flags, service }: Context): Promise<CapacityOptions> {
  if (flags.arrivals !== undefined && flags.curve !== undefined)
    throw usage(
      '--curve',
      'does not go with --arrivals, which has a curve of its own.',
      'Leave one of them out.',
    );
  if (flags.since !== undefined && flags.arrivals !== CLOUDWATCH)
    throw usage('--since', `goes with --arrivals ${CLOUDWATCH} alone.`, 'Add that, or leave it out.');
  const since = sinceOf({ since: flags.since ?? SINCE });
  if (!(since >= 120 && since <= (MINUTES_KEPT * DAY_MS) / 1000))
    throw usage(
      '--since',
      `${flags.since} is not between 2m and ${MINUTES_KEPT}d: CloudWatch keeps minutes for so long.`,
      'Write for example 7d.',
    );
  const idle =
    flags.idle === undefined
      ? IDLE_SECONDS
      : numberWithin('--idle', flags.idle, BOUNDS.idle, 'seconds', '300');
  const arrivals = await arrivalsOf(flags.arrivals, service.dir);
  const curve = await curveOf(flags.curve, service.dir);
  return {
    promised: promisedOf(flags.cold),
    idle: { seconds: idle, isGiven: flags.idle !== undefined },
    crowd: crowdOf(flags.burst),
    since,
    ...(arrivals !== undefined && { arrivals }),
    ...(curve !== undefined && { curve }),
  };
}

function promisedOf(flag: Flags[string] = COLD): number {
  const [, text] = /^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(String(flag)) ?? [];
  const { lowest, highest } = BOUNDS.cold;
  const percent = Number(text);
  if (percent >= lowest && percent <= highest) return percent / 100;
  throw usage(
    '--cold',
    `${flag} is not a share of the requests from ${lowest}% to ${highest}%: a share of 0 no number of instances keeps.`,
    'Write for example 0.1%: one request of a thousand may start cold.',
  );
}

function crowdOf(flag: Flags[string] = String(CROWD)): number {
  const value = numberWithin('--burst', flag, BOUNDS.crowd, 'requests', String(CROWD));
  if (Number.isInteger(value)) return value;
  throw usage('--burst', `${flag} is not a whole number of requests.`, `Write for example ${CROWD}.`);
}

async function textOf(key: string, file: string, dir: string, fix: string): Promise<string> {
  return readFile(resolve(dir, file), 'utf8').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw usage(key, `${file} cannot be read: ${why}.`, fix);
  });
}

async function arrivalsOf(flag: Flags[string], dir: string): Promise<CapacityOptions['arrivals']> {
  if (flag === undefined || flag === CLOUDWATCH) return flag;
  const file = String(flag);
  const fix = `Name a file with a time in seconds a line, ascending, or ${CLOUDWATCH}.`;
  const read = readArrivals(await textOf('--arrivals', file, dir, fix));
  if ('fault' in read)
    throw usage(
      '--arrivals',
      `${file}, line ${read.line}: ${read.value === '' ? 'the file' : read.value} ${read.fault}.`,
      'Write a time in seconds a line, each at or after the one before.',
    );
  const seconds = (read.at(-1) ?? 0) / 1000;
  const most = DAYS_REPLAYED * 86_400;
  if (seconds > most)
    throw usage(
      '--arrivals',
      `${file} lasts ${wholeNumber(seconds)} s; ${wholeNumber(most)} s, which are ${DAYS_REPLAYED} days, are the most that is replayed.`,
      'Write seconds: divide times in milliseconds by 1,000; or name a part of it.',
    );
  if (seconds > 0) return { file, times: read };
  throw usage(
    '--arrivals',
    `${file} has ${read.length === 1 ? 'one time' : 'one time alone'}, which makes no rate.`,
    'Write the times of at least two requests that are not at the same moment.',
  );
}

async function curveOf(flag: Flags[string], dir: string): Promise<CapacityOptions['curve']> {
  if (flag === undefined) return undefined;
  const file = String(flag);
  const fix = `Write a rate in requests a second a line: ${DAY_HOURS} for the hours of a day, or ${WEEK_HOURS} for those of a week from Monday on.`;
  const lines = (await textOf('--curve', file, dir, fix)).split('\n');
  const rates: number[] = [];
  for (const [index, line] of lines.entries()) {
    const value = line.trim();
    if (value === '' || value.startsWith('#')) continue;
    const rate = Number(value);
    if (!(rate >= 0 && rate <= MOST_TRAFFIC))
      throw usage(
        '--curve',
        `${file}, line ${index + 1}: ${value.slice(0, 60)} is no rate from 0 to ${wholeNumber(MOST_TRAFFIC)}.`,
        fix,
      );
    rates.push(rate);
  }
  if (rates.length !== DAY_HOURS && rates.length !== WEEK_HOURS)
    throw usage('--curve', `${file} has ${rates.length} rates, not ${DAY_HOURS} or ${WEEK_HOURS}.`, fix);
  if (rates.every((rate) => rate === 0)) throw usage('--curve', `${file} has no request at any time.`, fix);
  return { file, week: rates.length === WEEK_HOURS ? rates : dailyWeek(rates) };
}
