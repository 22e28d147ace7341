import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Arrivals, meanRate, readArrivals } from '../../../core/capacity/arrivals.ts';
import { type Objective, SCENARIOS, type Scenario } from '../../../core/capacity/contract.ts';
import { LEAST_RUNS } from '../../../core/capacity/promise.ts';
import { wholeNumber } from '../../../core/judge/format.ts';
import { type Context, usage } from '../context/context.ts';
import { numberWithin } from '../context/number-within.ts';
import type { Model } from '../declaration/model.ts';

/** Seconds of a scenario. MLPerf asks for 600. */
export const SECONDS = 60;
const STRICT_SECONDS = 600;
/** Requests that are out at once at most. */
export const OUTSTANDING = 1000;
export const ROWS = 64;
const RATES = { lowest: 0.01, highest: 10_000 } as const;
const DAY = 86_400;
/** Requests of a scenario: more would not fit into memory. */
export const MOST_REQUESTS = 3_000_000;

/** Requests a second that a scenario of so many seconds is asked for at most. */
export const highestRate = (seconds: number): number => MOST_REQUESTS / seconds;

export type BenchOptions = {
  readonly scenarios: readonly Scenario[];
  readonly seconds: number;
  readonly strict: boolean;
  readonly runs: number;
  readonly seed: number;
  readonly outstanding: number;
  /** Rows of a request in Offline; absent: 64, or as many as Lambda takes. */
  readonly rows?: number;
  /** Requests a second of Server; absent: found, or those of a file. */
  readonly rate?: number;
  readonly arrivals: 'poisson' | 'even' | { readonly file: string; readonly times: Arrivals };
  readonly objective?: Objective;
  readonly curve: boolean;
};

/** Scenarios that an option is of, where it is not of all. */
const OF: Readonly<Record<string, readonly Scenario[]>> = {
  slo: ['Server'],
  rate: ['Server'],
  arrivals: ['Server'],
  runs: ['Server'],
  seed: ['Server'],
  curve: ['Server'],
  rows: ['Offline'],
  outstanding: ['Server', 'Offline'],
};

/** @throws ProblemError where one is given that none of the scenarios has */
function ofOthers(flags: Context['flags'], scenarios: readonly Scenario[]): void {
  for (const [name, of] of Object.entries(OF))
    if (flags[name] !== undefined && flags[name] !== false && !scenarios.some((one) => of.includes(one)))
      throw usage(
        `--${name}`,
        `applies to ${of.join(' and ')} only, and --scenario is ${flags.scenario}.`,
        'Leave one of them out.',
      );
}

/** What the command's options say, checked; a file of arrivals is read. @throws ProblemError */
export async function benchOptions(model: Model, { flags, notice, service }: Context): Promise<BenchOptions> {
  const strict = flags.strict === true;
  const scenarios = scenariosOf(flags.scenario);
  ofOthers(flags, scenarios);
  const arrivals = await arrivalsOf(flags.arrivals, service.dir);
  const isReplay = typeof arrivals !== 'string';
  if (isReplay && flags.rate !== undefined)
    throw usage(
      '--rate',
      'does not go with a file of --arrivals, which has a rate of its own.',
      'Leave one of them out.',
    );
  if (isReplay && flags.curve === true)
    throw usage(
      '--curve',
      'does not go with a file of --arrivals: a curve needs many rates.',
      'Leave one of them out.',
    );
  const seconds = secondsOf(flags.duration, strict);
  // One file is one run; it has no seed that another could have.
  const runs = isReplay ? 1 : wholeOf('--runs', flags.runs ?? String(LEAST_RUNS), 1, 100);
  const isAsked = !isReplay && scenarios.includes('Server');
  const rate = isAsked ? askedRate(model, flags.rate, { seconds, runs }, notice) : undefined;
  const objective = objectiveOf(flags.slo) ?? (model.latency && { percentile: 0.95, ms: model.latency.p95 });
  return {
    scenarios,
    strict,
    seconds,
    runs,
    seed: wholeOf('--seed', flags.seed ?? '1', 0, 2 ** 31),
    outstanding: wholeOf('--outstanding', flags.outstanding ?? String(OUTSTANDING), 1, 10_000),
    ...(flags.rows !== undefined && { rows: wholeOf('--rows', flags.rows, 1, 1_000_000) }),
    ...(rate !== undefined && { rate }),
    arrivals,
    ...(objective && { objective }),
    curve: flags.curve === true,
  };
}

type Lasting = { readonly seconds: number; readonly runs: number };

/** @returns the rate that is named, or declared; undefined where it is to be found. @throws ProblemError */
function askedRate(
  { name, traffic }: Model,
  flag: Flag,
  lasting: Lasting,
  notice: Context['notice'],
): number | undefined {
  const rate = flag === undefined ? traffic : numberWithin('--rate', flag, RATES, 'requests a second', '20');
  const fault = rate === undefined ? undefined : rateFault(rate, lasting);
  if (fault === undefined) return rate;
  if (flag !== undefined) throw usage('--rate', fault.words, fault.fix);
  notice(`models.${name}.traffic: ${fault.words} Server takes half of what one caller reaches.`);
  return undefined;
}

function rateFault(
  rate: number,
  { runs, seconds }: Lasting,
): { readonly words: string; readonly fix: string } | undefined {
  const length = seconds / runs;
  // A run has one request at least, so that a lower rate would be another one than it says.
  if (rate * length < 1)
    return {
      words: `${Number(rate.toPrecision(3))} requests a second are less than one in a run of ${Number(length.toPrecision(3))} s.`,
      fix: 'Raise --rate or --duration, or lower --runs.',
    };
  const most = highestRate(seconds);
  if (rate <= most) return undefined;
  return {
    words: `${rate} requests a second for ${seconds} s are more than a bench can hold: at most ${Math.floor(most)}.`,
    fix: 'Lower --rate or --duration.',
  };
}

type Flag = string | boolean | undefined;

function secondsOf(flag: Flag, strict: boolean): number {
  const least = strict ? STRICT_SECONDS : 1;
  if (flag === undefined) return strict ? STRICT_SECONDS : SECONDS;
  return numberWithin(
    '--duration',
    flag,
    { lowest: least, highest: DAY },
    'seconds',
    String(strict ? STRICT_SECONDS : SECONDS),
  );
}

function scenariosOf(flag: Flag): readonly Scenario[] {
  if (flag === undefined) return SCENARIOS;
  const named = SCENARIOS.filter((name) => name.toLowerCase() === String(flag).toLowerCase());
  if (named.length > 0) return named;
  throw usage(
    '--scenario',
    `${flag} is none of ${SCENARIOS.join(', ')}.`,
    'Name one, or leave it out for all.',
  );
}

/** @throws ProblemError where it is none */
export function objectiveOf(flag: Flag): Objective | undefined {
  if (flag === undefined) return undefined;
  const [, share, ms] = /^p(\d+(?:\.\d+)?)=(\d+(?:\.\d+)?)(?:ms)?$/.exec(String(flag)) ?? [];
  // 99.9 / 100 is another double than 0.999, and so another percentile.
  const [percentile, limit] = [Number((Number(share) / 100).toPrecision(15)), Number(ms)];
  if (percentile > 0 && percentile <= 0.9999 && limit > 0) return { percentile, ms: limit };
  throw usage(
    '--slo',
    `${flag} is no percentile above 0 and up to 99.99 with a number of milliseconds above 0.`,
    'Write for example p99=50: 99 of 100 requests within 50 ms.',
  );
}

function wholeOf(key: string, flag: Flag, lowest: number, highest: number): number {
  const value = Number(flag);
  if (typeof flag === 'string' && /^\d+$/.test(flag) && value >= lowest && value <= highest) return value;
  throw usage(
    key,
    `${flag} is not a whole number from ${lowest} to ${highest}.`,
    `Write for example ${Math.max(lowest, 5)}.`,
  );
}

async function arrivalsOf(flag: Flag, dir: string): Promise<BenchOptions['arrivals']> {
  if (flag === undefined || flag === 'poisson') return 'poisson';
  if (flag === 'even') return 'even';
  const file = String(flag);
  const text = await readFile(resolve(dir, file), 'utf8').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw usage(
      '--arrivals',
      `is neither even nor poisson, and as a file it cannot be read: ${why}.`,
      'Name a file with a time in seconds a line, ascending.',
    );
  });
  const read = readArrivals(text);
  if (!('fault' in read)) {
    const seconds = (read.at(-1) ?? 0) / 1000;
    if (seconds > DAY)
      throw usage(
        '--arrivals',
        `${file} lasts ${wholeNumber(seconds)} s; a bench lasts ${wholeNumber(DAY)} s at most.`,
        'Write seconds: divide times in milliseconds by 1,000; or replay a part of it.',
      );
    if (read.length > MOST_REQUESTS)
      throw usage(
        '--arrivals',
        `${file} has ${wholeNumber(read.length)} requests; a bench holds ${wholeNumber(MOST_REQUESTS)} at most.`,
        'Replay a part of it.',
      );
    if (Number.isFinite(meanRate(read))) return { file, times: read };
    throw usage(
      '--arrivals',
      `${file} has ${read.length === 1 ? 'one time' : 'one time alone'}, which makes no rate.`,
      'Write the times of at least two requests that are not at the same moment.',
    );
  }
  throw usage(
    '--arrivals',
    `${file}, line ${read.line}: ${read.value === '' ? 'the file' : read.value} ${read.fault}.`,
    'Write a time in seconds a line, each at or after the one before.',
  );
}
