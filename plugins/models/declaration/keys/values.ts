import { z } from 'zod';
import { key } from './key.ts';
import { flag, names } from './kinds.ts';

/** What the values of requests and of batch are called, and what they may be. */

/** The columns of the only input that clients see. */
export const columnsKey = key(names, {
  description:
    'Names of the columns of a model with one input, in its order, by which csv, jsonl and parquet are matched; default: the model’s metadata property `columns`, else the header of `drift.baseline`.',
  example: '[age, income]',
});

export const missingKey = key(
  z.enum(['refuse', 'nan']).transform((word) => (word === 'nan' ? word : undefined)),
  {
    description:
      '`nan`: empty cells, null and NaN of float inputs are NaN for the model, in csv, `/invocations` and batch. Default: `refuse`.',
  },
);

export const finiteKey = key(
  flag.transform((refused) => (refused ? refused : undefined)),
  { description: 'NaN and infinities are refused in binary, too. Default: `false`.' },
);
