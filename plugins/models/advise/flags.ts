import { usage } from '../context/context.ts';
import { MOST_TRAFFIC } from '../declaration/keys/load.ts';
import { bytesOf, perSecond } from '../declaration/keys/units.ts';
import { type AdviseFlags, CHOICES } from './options.ts';

/** Options of the command line as numbers in the units of the advice; undefined where one is not given. */

/** @throws ProblemError */
export function chosenFlag<N extends keyof typeof CHOICES>(
  flags: AdviseFlags,
  name: N,
): (typeof CHOICES)[N][number] | undefined {
  const value = flags[name];
  if (value === undefined) return undefined;
  const words: readonly string[] = CHOICES[name];
  if (typeof value === 'string' && words.includes(value)) return value as (typeof CHOICES)[N][number];
  throw usage(`--${name}`, `${value} is none of ${words.join(', ')}.`, `Write one of ${words.join(', ')}.`);
}

type Limits = {
  readonly least: number;
  readonly most: number;
  readonly what: string;
  readonly example: string;
};

/** @throws ProblemError */
export function numberFlag(flags: AdviseFlags, name: string, limits: Limits): number | undefined {
  const value = flags[name];
  if (value === undefined) return undefined;
  const { example, least, most, what } = limits;
  const number = Number(value);
  if (typeof value === 'string' && value.trim() !== '' && number >= least && number <= most) return number;
  throw usage(
    `--${name}`,
    `${value} is not ${what} from ${least} to ${most}.`,
    `Write for example ${example}.`,
  );
}

const TIMES: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600, d: 86_400 };
/** Seconds: less than a microsecond and more than a month are slips. */
const LATENCY = { least: 1e-6, most: 30 * 86_400 } as const;

/** `5`, `200ms`, `2s`, `8h` → seconds. @throws ProblemError */
export function latencyFlag(flags: AdviseFlags): number | undefined {
  const value = flags.latency;
  if (value === undefined) return undefined;
  const [, count, unit = 'ms'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?$/.exec(String(value)) ?? [];
  const seconds = Number(count) * (TIMES[unit] ?? 1);
  if (seconds >= LATENCY.least && seconds <= LATENCY.most) return seconds;
  throw usage(
    '--latency',
    `${value} is not a time from 0.001 ms to 30 days.`,
    'Write for example 5 or 5ms, 2s, 10m or 8h.',
  );
}

const TRAFFIC = { least: 1e-6, most: MOST_TRAFFIC } as const;

/** `100`, `5/s`, `1000/day` → requests a second. @throws ProblemError */
export function trafficFlag(flags: AdviseFlags): number | undefined {
  const value = flags.traffic;
  if (value === undefined) return undefined;
  const isRate = /^\d+(\.\d+)?(\s*\/\s*(s|min|h|day|month))?$/.test(String(value));
  const rate = isRate ? perSecond(/\//.test(String(value)) ? String(value) : `${value}/s`) : Number.NaN;
  if (rate >= TRAFFIC.least && rate <= TRAFFIC.most) return rate;
  throw usage(
    '--traffic',
    `${value} is not a rate from ${TRAFFIC.least} to ${TRAFFIC.most.toLocaleString('en-US')} requests a second.`,
    'Write for example 100, 5/s, 40/h or 1000/day; leave it out where it is not known.',
  );
}

/** `20KB` → bytes. @throws ProblemError */
export function bytesFlag(flags: AdviseFlags, name: string): number | undefined {
  const value = flags[name];
  if (value === undefined) return undefined;
  const text = String(value);
  const bytes = /^\d+(\.\d+)?\s*(B|KB|MB|GB)?$/i.test(text) ? bytesOf(text) : Number.NaN;
  if (bytes >= 1 && bytes <= 1024 ** 4) return bytes;
  throw usage(
    `--${name}`,
    `${value} is not a size from 1 byte to 1024 GB.`,
    'Write for example 512KB or 20MB.',
  );
}
