import { z } from 'zod';
import { key } from './key.ts';
import { map, positive } from './kinds.ts';
import { perSecond } from './units.ts';

/** What traffic is expected, and how fast it must be answered. */

/** Requests a second: more than any account is given, and a slip of the unit. */
export const MOST_TRAFFIC = 1_000_000;

export const trafficKey = key(
  z
    .string()
    .regex(/^\d{1,15}(\.\d{1,20})?\s*\/\s*(s|min|h|day|month)$/)
    .transform(perSecond)
    .refine((rate) => rate <= MOST_TRAFFIC),
  {
    unit: 'requests a second',
    description:
      'Expected requests: what they cost, and what a release can see in them; `5/s`, `40/h`, `1000/day`.',
    example: '5/s',
    fix: 'Write requests per s, min, h, day or month, for example 5/s; at most 1,000,000/s.',
  },
);

export const latencyKey = key(
  map({
    p95: key(positive(900_000), {
      unit: 'milliseconds',
      required: true,
      description: 'Milliseconds that 95 % of the warm requests keep to: gate, judge and alarm read it.',
      fix: 'Write a number of milliseconds up to 900,000.',
    }),
  }),
  { description: 'Service level objective.', fix: 'Write {p95: <milliseconds>}.' },
);
