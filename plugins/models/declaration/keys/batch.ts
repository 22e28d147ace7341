import { z } from 'zod';
import type { Entry } from '../../../../core/batch/contract.ts';
import { formatOfFile } from '../../../../core/tabular/formats.ts';
import { AT_ONCE } from './concurrency.ts';
import { key } from './key.ts';
import { asShare, flag, flagOr, list, map, names, text } from './kinds.ts';
import { TABULAR_WORDS } from './tabular-words.ts';
import { objectsOf } from './units.ts';

export const OUTPUT_FIX = 'Write s3://bucket/prefix/.';

/** An entry of `models.<name>.batch`. */
const declared = map({
  input: key(text, {
    required: true,
    description: 'Objects to score: `s3://bucket/prefix`, or `s3://bucket/prefix*.suffix`.',
    example: 's3://incoming/churn/*.csv',
    fix: 'Write s3://bucket/prefix, or s3://bucket/prefix*.suffix.',
  }),
  output: key(text, {
    required: true,
    description: 'Folder that the answers go to: `s3://bucket/prefix/`.',
    example: 's3://scored/churn/',
    fix: OUTPUT_FIX,
  }),
  format: key(z.enum(TABULAR_WORDS), {
    description: 'Format of the objects; default: by the suffix of `input`, else `csv`.',
  }),
  outputFormat: key(z.enum(TABULAR_WORDS), {
    description: 'Format of what is written; default: as `format`.',
  }),
  tolerate: key(asShare, {
    default: '1%',
    description: 'Share of an object’s rows that may fail; beyond it the job fails.',
    fix: 'Write a share of the rows from 0% to 100%, for example 1%.',
  }),
  ids: key(names, {
    description: 'Columns that are not the model’s and are written beside its answers.',
    example: '[customer]',
    fix: 'Write names of columns, for example [customer].',
  }),
  join: key(z.enum(['input']), {
    description: 'All columns are written beside the answers.',
    fix: 'Write input, or leave it out.',
  }),
  emit: key(names, {
    description: 'Outputs that are written, in this order; default: all.',
    fix: 'Write names of outputs, for example [probabilities].',
  }),
  missing: key(z.enum(['refuse', 'nan']), {
    description: 'As for the model, of these objects; default: the model’s.',
  }),
  drift: key(flag, {
    description:
      'Do its rows count for drift? `false` where they are of another population than live ones; default: `true`.',
  }),
  create: key(flagOr(['input', 'output']), {
    type: '`true` \\| `input` \\| `output`',
    description: 'Buckets that the stack makes, both or one; else they exist.',
    fix: 'Write true, input or output, or leave it out where the buckets exist.',
  }),
});

export const batchKey = key(list(declared, 1), {
  description: 'Objects in S3 that are scored when they appear there.',
  fix: 'Write entries, for example {input: s3://incoming/churn/*.csv, output: s3://scored/churn/}.',
});

type Declared = z.output<typeof declared>;

/** @param missing the model's, for entries that do not say */
export function batchOf(given: readonly Declared[], atOnce: number | undefined, missing: Entry['missing']) {
  const entries = given.map((entry) => entryOf(entry, missing));
  const made = given.flatMap(({ create }, index) => {
    const { input, output } = entries[index] as Entry;
    return [
      ...(create === true || create === 'input' ? [input.bucket] : []),
      ...(create === true || create === 'output' ? [output.bucket] : []),
    ];
  });
  return {
    /** An object is the first one's that takes it. */
    entries,
    /** Buckets that the stack makes. */
    create: [...new Set(made)],
    /** Objects at once, and parts of each large one. */
    concurrency: atOnce ?? AT_ONCE,
  };
}

function entryOf(given: Declared, missing: Entry['missing']): Entry {
  const input = objectsOf(given.input);
  const { bucket, prefix } = objectsOf(given.output);
  const format = given.format ?? formatOfFile((input.suffix || input.prefix).replace(/\.gz$/i, '')) ?? 'csv';
  return {
    input,
    output: { bucket, prefix: prefix.replace(/(?<=[^/])$/, '/') },
    format,
    outputFormat: given.outputFormat ?? format,
    tolerate: given.tolerate,
    ids: given.ids ?? [],
    join: given.join === 'input',
    emit: given.emit ?? [],
    ...((given.missing ?? missing) === 'nan' && { missing: 'nan' }),
    ...(given.drift === false && { drift: given.drift }),
  };
}
