import { z } from 'zod';
import { flag, names, percentField } from './schema-fields.ts';
import { TABULAR_WORDS } from './tabular-words.ts';

/** An entry of `models.<name>.batch`. */
export const batch = z.strictObject({
  input: z.string().min(1).meta({
    description: 'Objects to score: `s3://bucket/prefix`, or `s3://bucket/prefix*.suffix`.',
    example: 's3://incoming/churn/*.csv',
  }),
  output: z.string().min(1).meta({
    description: 'Folder that the answers go to: `s3://bucket/prefix/`.',
    example: 's3://scored/churn/',
  }),
  format: z.enum(TABULAR_WORDS).optional().meta({
    description: 'Of the objects; default: by the suffix of `input`, else `csv`.',
  }),
  outputFormat: z.enum(TABULAR_WORDS).optional().meta({
    description: 'Of what is written; default: as `format`.',
  }),
  tolerate: percentField.default('1%').meta({
    description: 'Share of an object’s rows that may fail; beyond it the job fails.',
    type: 'percent',
  }),
  ids: names.optional().meta({
    description: 'Columns that are not the model’s and are written beside its answers.',
    type: 'list',
    example: '[customer]',
  }),
  join: z.enum(['input']).optional().meta({ description: 'All columns are written beside the answers.' }),
  emit: names.optional().meta({
    description: 'Outputs that are written, in this order; default: all.',
    type: 'list',
  }),
  missing: z.enum(['refuse', 'nan']).optional().meta({
    description: 'As for the model, of these objects; default: the model’s.',
  }),
  drift: z.preprocess(flag, z.boolean()).optional().meta({
    type: 'boolean',
    description:
      'Do its rows count for drift? `false` where they are of another population than live ones; default: `true`.',
  }),
  create: z
    .preprocess(flag, z.union([z.boolean(), z.enum(['input', 'output'])]))
    .optional()
    .meta({
      description: 'Buckets that the stack makes, both or one; else they exist.',
      type: '`true` \\| `input` \\| `output`',
    }),
});
