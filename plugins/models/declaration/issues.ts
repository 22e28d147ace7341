import { z } from 'zod';
import { isObject } from '../../../core/json/is-object.ts';
import type { Problem } from '../problems/errors.ts';
import { TOLD } from './keys/key.ts';
import { declaration, serviceOptions } from './schema.ts';
import { mapIn, under } from './within.ts';

type Issue = z.core.$ZodIssue;

/** One issue of zod in our words: below `prefix`, of the value `raw` that stands there. */
export function problemsOf(issue: Issue, prefix: string, raw: unknown): readonly Problem[] {
  const key = [prefix, ...writtenPath(raw, issue.path).map(String)].join('.');
  const schema = prefix === 'custom.models' ? serviceOptions : declaration;
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(mapIn(typeAt(schema, issue.path))?.shape ?? {});
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
  const told = TOLD.get(typeAt(schema, issue.path));
  const found = at(raw, issue.path);
  const value = typeof found === 'string' && told?.shown !== undefined ? told.shown(found) : found;
  const model = issue.path.length === 0 && schema === declaration ? prefix.split('.').at(-1) : undefined;
  const fix =
    told?.fix ??
    `Write ${model === undefined ? expectation(issue) : `\`${model}: {artifact: <file>}\` below \`models\``}.`;
  if (issue.code === 'invalid_union' && isObject(value)) {
    // A map was meant for the one that takes maps: what is wrong inside of it says more.
    const inside = issue.errors.find(([first]) => first !== undefined && !isOtherType(first));
    if (inside !== undefined)
      return inside.flatMap((one) => problemsOf({ ...one, path: [...issue.path, ...one.path] }, prefix, raw));
  }
  if (value === undefined) {
    return [{ code: 'MODELS_INVALID_VALUE', key, message: 'is missing.', fix }];
  }
  return [
    {
      code: 'MODELS_INVALID_VALUE',
      key,
      value,
      message: isEmpty(issue)
        ? `is an empty ${Array.isArray(value) ? 'list' : 'text'}.`
        : `${isCounted(issue, value) ? `has ${value.length}` : `is ${shown(value)}`}, not ${expectation(issue)}.`,
      fix,
    },
  ];
}

const isOtherType = ({ path, code }: Issue): boolean => path.length === 0 && code !== 'unrecognized_keys';

/** An empty list or text: a count of what must be in it tells little. */
const isEmpty = (issue: Issue): boolean =>
  issue.code === 'too_small' && issue.minimum === 1 && ['array', 'string'].includes(issue.origin);

const isCounted = (issue: Issue, value: unknown): value is readonly unknown[] =>
  issue.code === 'too_small' && Array.isArray(value);

const FORM = 'a value of the form that is expected here';

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'too_small':
      return `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${issue.origin === 'string' ? ' character' : ''}`;
    case 'too_big':
      return `at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`;
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

/** Longer ones tell no more. */
const SHOWN = 200;

/** A value, for people. JSON has no NaN and no infinity. */
export const shown = (value: unknown): string =>
  typeof value === 'number'
    ? String(value)
    : isObject(value)
      ? 'a map'
      : Array.isArray(value)
        ? 'a list'
        : typeof value === 'string' && value.length > SHOWN
          ? `${JSON.stringify(value.slice(0, SHOWN))}… of ${value.length} characters`
          : JSON.stringify(value);

/** At a path that is no key. */
const NOTHING = z.never();

/** What stands at this path of a schema: the key that its last name means. */
function typeAt(schema: z.ZodType, path: readonly PropertyKey[]): z.core.$ZodType {
  const names = path.filter((part) => typeof part === 'string');
  return names.reduce((here: z.core.$ZodType, name) => under(here, name) ?? NOTHING, schema);
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

/** Without the place in a list that somebody wrote no list for: `batch: true`. */
function writtenPath(raw: unknown, path: readonly PropertyKey[]): readonly PropertyKey[] {
  const above = path.slice(0, -1);
  return path.at(-1) === 0 && isBare(at(raw, above)) ? above : path;
}

const isBare = (value: unknown): boolean => value !== undefined && typeof value !== 'object';

/** The value at a path; undefined where there is none. A list of one may be written without its brackets. */
export function at(raw: unknown, path: readonly PropertyKey[]): unknown {
  let here = raw;
  for (const part of path) {
    if (part === 0 && (isObject(here) || isBare(here))) continue;
    here =
      isObject(here) || Array.isArray(here)
        ? (here as Readonly<Record<PropertyKey, unknown>>)[part]
        : undefined;
  }
  return here ?? undefined;
}
