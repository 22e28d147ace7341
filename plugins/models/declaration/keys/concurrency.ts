import { z } from 'zod';
import { key, kind } from './key.ts';
import { between, integer, list, map, text } from './kinds.ts';
import { daysOf, minuteOf } from './units.ts';

/**
 * PutProvisionedConcurrencyConfig takes any count from 1; this is more than any account has: a slip of the
 * finger.
 */
const instances = integer(1, 100_000);

/** A plain number has it, too, although it does not scale by itself: a schedule may make it a range. */
const TARGET = 0.7;

/** Objects of batch at once, by default: what Lambda begins to read a queue with. */
export const AT_ONCE = 5;

const day = '(mon|tue|wed|thu|fri|sat|sun)';
const days = new RegExp(`^(daily|${day}(-${day})?(,\\s*${day}(-${day})?)*)$`, 'i');
const timeOfDay = kind(
  z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/)
    .transform(minuteOf),
  { unit: 'minutes since midnight', fix: 'Write a time of the day as "HH:MM", in quotes.' },
);
export const TIMEZONE_FIX = 'Write an IANA name, for example Europe/Berlin or UTC.';

const range = z.strictObject({
  min: key(instances, {
    unit: 'instances',
    required: true,
    description: 'Instances that are always warm.',
  }),
  max: key(instances, {
    unit: 'instances',
    required: true,
    description: 'Most that use may scale it to.',
  }),
  target: key(between(0.1, 0.9), {
    unit: 'share',
    default: TARGET,
    description: 'Share of the warm instances in use that scaling aims at.',
    fix: 'Write a share of the instances from 0.1 to 0.9, for example 0.7.',
  }),
});

const meanwhile = key(instances, {
  unit: 'instances',
  required: true,
  description: 'As in `provisioned`, meanwhile.',
});

/** A range of provisioned concurrency at certain hours. */
const window = map({
  /** In the week's order. */
  days: key(z.string().regex(days).transform(daysOf), {
    required: true,
    description: '`mon-fri`, `sat`, `mon,wed,fri` or `daily`.',
    fix: 'Write days, for example mon-fri, sat or mon,wed,fri, or daily.',
  }),
  from: key(timeOfDay, { required: true, description: 'When the range below begins to hold, `HH:MM`.' }),
  to: key(timeOfDay, { required: true, description: 'When it ends; later on the same day.' }),
  timezone: key(text, {
    required: true,
    description: 'IANA name, for example `Europe/Berlin`.',
    fix: TIMEZONE_FIX,
  }),
  min: meanwhile,
  max: meanwhile,
});

/** `models.<name>.concurrency`. */
const declared = map({
  provisioned: key(
    z
      .union([instances, range])
      .transform((given) => (typeof given === 'number' ? { min: given, max: given, target: TARGET } : given)),
    {
      type: 'integer \\| `{min, max}`',
      description: 'Instances that are warm before traffic comes; a number, or a range that follows use.',
      fix: 'Write a number of instances, or {min: 2, max: 20}.',
    },
  ),
  reserved: key(instances, {
    unit: 'instances',
    description: 'Most instances at once, kept for this model; at least twice what is provisioned.',
  }),
  batch: key(integer(2, 1000), {
    unit: 'objects',
    description: `Most objects that \`batch\` scores at once, and most parts of each large one. Default: ${AT_ONCE}.`,
  }),
  schedule: key(list(window), { description: 'Other ranges at certain hours.' }),
});

export const concurrencyKey = key(declared, {
  description: 'Instances that are kept warm, or kept for this model.',
  fix: 'Write {provisioned: 2}, or {reserved: 100}, for example.',
});

/** Those of the endpoint; undefined where only batch is spoken of. */
export function instancesOf({ batch, schedule = [], ...given }: z.output<typeof declared>) {
  const isOfBatch = batch !== undefined && Object.keys(given).length === 0 && schedule.length === 0;
  return isOfBatch ? undefined : { ...given, schedule };
}
