import type { z } from 'zod';
import { isObject } from '../../../core/json/is-object.ts';
import { ARTIFACT_FIX } from './artifact-words.ts';
import type { Problem } from './errors.ts';
import { declaration, mapIn, serviceOptions } from './schema.ts';
import { anyOf, SUFFIXES } from './tabular-words.ts';

type Issue = z.core.$ZodIssue;

/** One issue of zod in our words: below `prefix`, of the value `raw` that stands there. */
export function problemsOf(issue: Issue, prefix: string, raw: unknown): readonly Problem[] {
  const key = [prefix, ...issue.path.map(String)].join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(prefix === 'custom.models' ? serviceOptions : declaration, issue.path);
    return issue.keys.map((name) => {
      const near = nearest(name, known);
      return {
        code: 'MODELS_UNKNOWN_KEY',
        key: `${key}.${name}`,
        message: 'is not a key that exists here.',
        fix: near === undefined ? `Use one of ${known.join(', ')}.` : `Did you mean \`${near}\`?`,
      };
    });
  }
  const value = at(raw, issue.path);
  if (issue.code === 'invalid_union' && isObject(value)) {
    // A map was meant for the one that takes maps: what is wrong inside of it says more.
    const inside = issue.errors.find(([first]) => first !== undefined && !isOtherType(first));
    if (inside !== undefined)
      return inside.flatMap((one) => problemsOf({ ...one, path: [...issue.path, ...one.path] }, prefix, raw));
  }
  if (value === undefined) {
    return [
      {
        code: 'MODELS_INVALID_VALUE',
        key,
        message: 'is missing.',
        fix: FIXES[plain(issue.path)] ?? `Write ${expectation(issue)}.`,
      },
    ];
  }
  return [
    {
      code: 'MODELS_INVALID_VALUE',
      key,
      value,
      message: isEmpty(issue)
        ? `is an empty ${Array.isArray(value) ? 'list' : 'text'}.`
        : `is ${shown(value)}, not ${expectation(issue)}.`,
      fix: FIXES[plain(issue.path)] ?? `Write ${expectation(issue)}.`,
    },
  ];
}

const isOtherType = ({ path, code }: Issue): boolean => path.length === 0 && code !== 'unrecognized_keys';

/** Of a list, a count of what must be in it says little. */
const isEmpty = (issue: Issue): boolean =>
  issue.code === 'too_small' && issue.minimum === 1 && ['array', 'string'].includes(issue.origin);

const plain = (path: readonly PropertyKey[]): string =>
  path.filter((part) => typeof part === 'string').join('.');

/** Where zod's words would not tell a person what to write. */
const FIXES: Readonly<Record<string, string>> = {
  artifact: ARTIFACT_FIX,
  'http.auth': 'Write iam, none or {authorizer: <name>}.',
  'http.path': 'Write a prefix, for example /v1/models: letters, digits and . _ ~ - between slashes.',
  latency: 'Write {p95: <milliseconds>}.',
  'concurrency.provisioned': 'Write a number of instances, or {min: 2, max: 20}.',
  'concurrency.provisioned.target': 'Write a share of the instances from 0.1 to 0.9, for example 0.7.',
  'concurrency.schedule.days': 'Write days, for example mon-fri, sat or mon,wed,fri, or daily.',
  'concurrency.schedule.from': 'Write a time of the day as "HH:MM", in quotes.',
  'concurrency.schedule.to': 'Write a time of the day as "HH:MM", in quotes.',
  'concurrency.schedule.timezone': 'Write an IANA name, for example Europe/Berlin or UTC.',
  batch: 'Write entries, for example {input: s3://incoming/churn/*.csv, output: s3://scored/churn/}.',
  'batch.input': 'Write s3://bucket/prefix, or s3://bucket/prefix*.suffix.',
  'batch.output': 'Write s3://bucket/prefix/.',
  'batch.tolerate': 'Write a share of the rows from 0% to 100%, for example 1%.',
  'batch.ids': 'Write names of columns, for example [customer].',
  'batch.join': 'Write input, or leave it out.',
  'batch.emit': 'Write names of outputs, for example [probabilities].',
  'batch.create': 'Write true, input or output, or leave it out where the buckets exist.',
  'gate.cases': 'Write the path of a file with a case a line.',
  'gate.reference': 'Write sagemaker:<name of the endpoint>.',
  'gate.load.duration': 'Write a duration, for example 30s.',
  'release.steps': 'Write steps, for example {weight: 5%, bake: 10m}, or leave the key out.',
  'release.steps.weight': 'Write a share of the traffic from 1% to 99%, for example 5%.',
  'release.steps.bake': 'Write a duration, for example 90s, 10m, 2h or 1d.',
  'release.increase': 'Write a share of all requests from 0.1% to 100%, for example 1%.',
  'release.maxWait': 'Write a duration, for example 90s, 10m, 2h or 1d.',
  'release.rollbackWindow': 'Write a duration, for example 90s, 10m, 2h or 1d.',
  alerts: 'Write an e-mail address, or the ARN of a topic (not a FIFO one).',
  'drift.baseline': `Write the path of a ${anyOf(SUFFIXES)} file, relative to serverless.yml.`,
  audit: 'Write {}, or {predictions: true} with the outputs.',
  'audit.retention': 'Write a number of days, for example 2192 for six years.',
  'audit.kmsKey':
    'Write the ARN of a key, arn:aws:kms:<region>:<account>:key/<id>, or a CloudFormation function that gives one.',
  'drift.sample': 'Write a share of all requests from 0.1% to 100%, for example 10%.',
  traffic: 'Write requests per s, min, h, day or month, for example 5/s.',
  'registry.bucket': 'Write the name of an existing S3 bucket.',
};

const FORM = 'a value of the form that is expected here';

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'too_small':
      return `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${issue.origin === 'string' ? ' character' : ''}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_type':
      return (
        (
          {
            int: 'a whole number',
            number: 'a number',
            string: 'a text',
            boolean: 'true or false',
            array: 'a list',
          } as Readonly<Record<string, string>>
        )[issue.expected] ?? 'a map'
      );
    case 'invalid_union': {
      const ways = issue.errors.flatMap(([first]) => (first === undefined ? [] : [expectation(first)]));
      const [first = FORM, ...others] = new Set(ways);
      return [first, ...others].join(' or ');
    }
    default:
      return FORM;
  }
}

const shown = (value: unknown): string =>
  isObject(value) ? 'a map' : Array.isArray(value) ? 'a list' : JSON.stringify(value);

/** Keys that exist at this path of a schema. */
function keysAt(schema: z.ZodObject, path: readonly PropertyKey[]): readonly string[] {
  let here: z.ZodObject | undefined = schema;
  for (const part of path) if (typeof part === 'string') here = mapIn(here?.shape[part]);
  return Object.keys(here?.shape ?? {});
}

/** The name that a misspelling most likely means: at most a third of it may be wrong. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.max(1, Math.ceil(name.length / 3))
    ? best.candidate
    : undefined;
}

/** Levenshtein's distance with adjacent swaps (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  const cell = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          cell(i - 1, j) + 1,
          cell(i, j - 1) + 1,
          cell(i - 1, j - 1) + cost,
          swapped ? cell(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return cell(a.length, b.length);
}

/** The value at a path; undefined where there is none. A list of one may be written without its brackets. */
export function at(raw: unknown, path: readonly PropertyKey[]): unknown {
  let here = raw;
  for (const part of path) {
    if (part === 0 && isObject(here)) continue;
    here =
      isObject(here) || Array.isArray(here)
        ? (here as Readonly<Record<PropertyKey, unknown>>)[part]
        : undefined;
  }
  return here ?? undefined;
}
