import type { Entry } from '../../../core/batch/contract.ts';
import { formatOf } from '../../../core/tabular/formats.ts';
import type { Problem } from '../problems/errors.ts';
import { OUTPUT_FIX } from './keys/batch.ts';
import { placeOf } from './keys/units.ts';
import type { Model } from './model.ts';
import type { Declaration } from './schema.ts';

/**
 * Rules of `batch` that need no artifact: names in S3, entries beside each other, and what would feed itself.
 */

/** Entries of a model: each is a rule on the account's bus, which takes 300 in all. */
const ENTRIES = 10;

/** Bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const KEY = 1024;

/** Bytes of an output's prefix: below it come the model, two digests and a name. */
const OUTPUT_PREFIX = 512;

/**
 * @param given the same as written
 * @param isBroken is this key refused already?
 */
export function batchProblems(
  key: string,
  model: Model,
  given: Declaration,
  isBroken: (name: string) => boolean,
): readonly Problem[] {
  const { batch } = model;
  const atOnce = given.concurrency?.batch;
  if (batch === undefined) {
    if (atOnce === undefined || isBroken('batch')) return [];
    const fix = 'Write `batch`, or leave it out.';
    return [invalid(`${key}.concurrency.batch`, atOnce, 'bounds a batch that there is not.', fix)];
  }
  const { entries } = batch;
  const problems: Problem[] = entries.flatMap((entry, index) => {
    const { input, output } = given.batch?.[index] ?? { input: '', output: '' };
    const where = `${key}.batch.${index}`;
    return [
      ...inputProblems(`${where}.input`, input, entry),
      ...outputProblems(`${where}.output`, output, entry),
      ...entryProblems(where, entry),
      ...hiddenProblems(key, entries, index),
    ];
  });
  if (entries.length > ENTRIES) {
    problems.push({
      code: 'MODELS_LIMIT',
      key: `${key}.batch`,
      message: `has ${entries.length} entries; a model takes ${ENTRIES}.`,
      fix: 'Put what goes to one place below one prefix.',
    });
  }
  return problems;
}

function inputProblems(key: string, written: string, { input, format }: Entry): readonly Problem[] {
  const problems = [...urlProblems(key, written, input.bucket)];
  if (problems.length > 0) return problems;
  if (written.split('*').length > 2) {
    const message = `is ${written}, with more than one \`*\`.`;
    problems.push(
      invalid(key, written, message, 'Write one, between prefix and suffix: s3://bucket/in/*.csv.'),
    );
  }
  problems.push(...keyProblems(key, written, input.prefix, input.suffix, KEY));
  if (/\.gz$/i.test(input.suffix) && !formatOf(format).streams) {
    const message = `takes packed objects, which ${format} is not read from.`;
    problems.push(
      invalid(key, written, message, `Write objects that are not packed; Parquet packs its columns itself.`),
    );
  }
  return problems;
}

function outputProblems(key: string, written: string, { output }: Entry): readonly Problem[] {
  const problems = [...urlProblems(key, written, output.bucket)];
  if (problems.length > 0) return problems;
  if (written.includes('*')) {
    const message = `is ${written}, with a \`*\`: it is one folder.`;
    problems.push(invalid(key, written, message, OUTPUT_FIX));
  }
  problems.push(...keyProblems(key, written, output.prefix, '', OUTPUT_PREFIX));
  return problems;
}

function urlProblems(key: string, written: string, bucket: string): Problem[] {
  if (!/^s3:\/\/[^/]/.test(written)) {
    const fix = 'Write s3://bucket/prefix.';
    return [invalid(key, written, `is ${JSON.stringify(written)}, which is no place in S3.`, fix)];
  }
  const why = bucketFault(bucket);
  if (why === undefined) return [];
  const fix = 'Write the name of a bucket as S3 takes it.';
  return [invalid(key, written, `names the bucket ${JSON.stringify(bucket)}, but ${why}.`, fix)];
}

/**
 * What keeps a text from being the name of a general purpose bucket:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html (Directory buckets send no
 * events.)
 */
export function bucketFault(name: string): string | undefined {
  if (name.length < 3 || name.length > 63) return `it has ${name.length} characters, not 3 to 63`;
  if (!/^[a-z0-9.-]+$/.test(name)) return 'only small letters, digits, dots and hyphens may be in it';
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name)) return 'it must begin and end with a letter or digit';
  if (name.includes('..')) return 'no two dots may follow each other';
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return 'it has the form of an IP address';
  const prefix = ['xn--', 'sthree-', 'amzn-s3-demo-'].find((one) => name.startsWith(one));
  if (prefix !== undefined) return `${prefix} at its beginning is S3’s own`;
  const suffix = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3'].find((one) => name.endsWith(one));
  return suffix === undefined ? undefined : `${suffix} at its end is S3’s own, and not a bucket of objects`;
}

function keyProblems(
  key: string,
  written: string,
  prefix: string,
  suffix: string,
  most: number,
): readonly Problem[] {
  const problems: Problem[] = [];
  const text = `${prefix}${suffix}`;
  const bytes = bytesOf(text);
  if (bytes > most) {
    const message = `has ${bytes} bytes after the bucket; ${most} at most.`;
    problems.push(invalid(key, written, message, 'Write a shorter prefix.'));
  }
  if (prefix.startsWith('/')) {
    const message = 'has a slash after the bucket’s own, which would be part of each key.';
    problems.push(invalid(key, written, message, 'Write one slash after the bucket.'));
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    const message = 'has control characters.';
    problems.push(invalid(key, written, message, 'Write a prefix that can be read.'));
  }
  return problems;
}

/** In UTF-8. */
function bytesOf(text: string): number {
  let bytes = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function entryProblems(key: string, entry: Entry): readonly Problem[] {
  const problems: Problem[] = [];
  if (entry.tolerate > 1) {
    const percent = entry.tolerate * 100;
    const message = `is ${Number(percent.toPrecision(12))} % of the rows, not 0 to 100 %.`;
    problems.push(invalid(`${key}.tolerate`, percent, message, 'Write 0% to 100%.'));
  }
  const [column] = entry.ids.length > 0 ? ['ids'] : entry.join ? ['join'] : [];
  if (entry.ids.length > 0 && entry.join) {
    const message = 'is set beside `ids`: it writes all columns, those too.';
    problems.push(invalid(`${key}.join`, 'input', message, 'Leave out one of them.'));
  }
  if (column !== undefined) {
    const wrong = (['format', 'outputFormat'] as const).find((name) => formatOf(entry[name]).isArray);
    if (wrong !== undefined) {
      const message = `does not go with the ${wrong} ${entry[wrong]}, which has numbers and no named columns.`;
      problems.push(
        invalid(`${key}.${column}`, undefined, message, `Leave it out, or write another ${wrong}.`),
      );
    }
  }
  for (const name of ['ids', 'emit'] as const) {
    const twice = entry[name].find((one, index) => entry[name].indexOf(one) !== index);
    if (twice === undefined) continue;
    problems.push(invalid(`${key}.${name}`, twice, `names ${twice} twice.`, 'Name it once.'));
  }
  return problems;
}

type Input = Entry['input'];

/** Does the first one take whatever the second one takes? */
export const takesAllOf = (one: Input, { bucket, prefix, suffix }: Input): boolean =>
  one.bucket === bucket && prefix.startsWith(one.prefix) && suffix.endsWith(one.suffix);

/** An entry whose objects an earlier one takes all: the first that matches has them. */
function hiddenProblems(key: string, entries: readonly Entry[], index: number): readonly Problem[] {
  const { input } = entries[index] as Entry;
  const before = entries.slice(0, index).findIndex((other) => takesAllOf(other.input, input));
  if (before === -1) return [];
  const { input: other } = entries[before] as Entry;
  const same = other.prefix === input.prefix && other.suffix === input.suffix;
  return [
    {
      code: 'MODELS_BATCH',
      key: `${key}.batch.${index}.input`,
      value: placeOf(input),
      message: same
        ? `is ${placeOf(input)}, as of \`batch.${before}\`.`
        : `gets no object: \`batch.${before}\` takes all of ${placeOf(other)} before it.`,
      fix: same ? 'Leave out one of them.' : 'Write the narrower one first.',
    },
  ];
}

function invalid(key: string, value: unknown, message: string, fix: string): Problem {
  return { code: 'MODELS_INVALID_VALUE', key, ...(value !== undefined && { value }), message, fix };
}
