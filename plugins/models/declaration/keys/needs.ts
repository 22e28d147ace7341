import { z } from 'zod';
import { PRIVACY, UPDATES } from '../../../../core/advice/contract.ts';
import { key, kind } from './key.ts';
import { between, map, positive } from './kinds.ts';
import { bytesOf } from './units.ts';

/** What only the advice reads: it changes nothing of what is deployed. */

/** `20KB`, `5 MB`, `800` → bytes. */
const inBytes = kind(
  z
    .preprocess(
      (value: number | string) => (typeof value === 'number' ? String(value) : value),
      z.string().regex(/^\d{1,15}(\.\d{1,20})?\s*(B|KB|MB|GB)?$/i),
    )
    .transform(bytesOf)
    .refine((bytes) => bytes >= 1 && bytes <= 1024 ** 4),
  { type: 'size', unit: 'bytes', fix: 'Write a size from 1 byte to 1024 GB, for example 20KB.' },
);

export const needsKey = key(
  map({
    update: key(z.enum(UPDATES), {
      description: 'How often a new version of the model comes.',
    }),
    privacy: key(z.enum(PRIVACY), {
      description: 'May the data go to one place (`central`), or must they stay where they are (`local`)?',
    }),
    budget: key(positive(1_000_000_000), {
      unit: 'dollars a month',
      description: 'What it may cost a month.',
      fix: 'Write dollars a month above 0, for example 50.',
    }),
    payload: key(inBytes, {
      description: 'Bytes of a request and its answer: `20KB`, `5MB`.',
      example: '20KB',
    }),
    burst: key(between(1, 1000), {
      unit: 'times the average',
      description: 'Half of the requests come at so many times the average rate; 1 is an even day.',
      fix: 'Write a number from 1 to 1000, for example 3.',
    }),
  }),
  {
    description:
      'What a model is needed for, beside `latency`, `traffic` and `memory`: only `sls models advise` reads it.',
    fix: 'Write {update: weekly, privacy: central}, for example.',
  },
);
