/**
 * Which events a rule, a subscription or an event source lets through, by the matchers that AWS documents for
 * each.
 */

/**
 * Rules: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 * Topics: https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
 * Event sources of functions: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 */
export type Matched = 'rule' | 'topic' | 'source';

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length > 0;
const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** No two stars in a row; a backslash stands before a star or another one. */
const isWildcard = (value: unknown): boolean => isText(value) && /^(?:[^\\*]|\\[\\*]|\*(?!\*))*$/.test(value);

const isIgnoringCase = (value: unknown): boolean =>
  isMap(value) && Object.keys(value).join() === 'equals-ignore-case' && isText(value['equals-ignore-case']);

function isNumeric(value: unknown): boolean {
  if (!isList(value) || (value.length !== 2 && value.length !== 4)) return false;
  const [sign, , second] = value;
  const numbers = value.filter((_, at) => at % 2 === 1);
  if (!numbers.every(isNumber)) return false;
  if (value.length === 2) return ['=', '<', '<=', '>', '>='].includes(String(sign));
  return ['>', '>='].includes(String(sign)) && ['<', '<='].includes(String(second)) && rises(numbers);
}

const rises = ([first, last]: readonly unknown[]): boolean => Number(first) < Number(last);

function isAnythingBut(value: unknown, of: Matched): boolean {
  if (isText(value) || isNumber(value)) return true;
  if (isList(value)) return value.every(isText) || value.every(isNumber);
  const [[name = '', what], ...more] = Object.entries(isMap(value) ? value : {}) as [[string, unknown]];
  const each = [what].flat();
  if (more.length > 0 || of === 'source') return false;
  if (name === 'prefix' || (of === 'rule' && ['suffix', 'equals-ignore-case'].includes(name)))
    return each.every(isText);
  return of === 'rule' && name === 'wildcard' && each.every(isWildcard);
}

/** By name: who takes it, and what it takes. */
const MATCHERS: Readonly<
  Record<string, readonly [of: string, takes: (value: unknown, of: Matched) => boolean]>
> = {
  'anything-but': ['rule topic source', isAnythingBut],
  cidr: ['rule topic', (value) => isText(value) && /^[\d.:a-f]+\/\d+$/i.test(value)],
  'equals-ignore-case': ['rule topic source', isText],
  exists: ['rule topic source', (value) => typeof value === 'boolean'],
  numeric: ['rule topic source', isNumeric],
  prefix: ['rule topic source', (value, of) => isText(value) || (of === 'rule' && isIgnoringCase(value))],
  suffix: ['rule topic source', (value, of) => isText(value) || (of === 'rule' && isIgnoringCase(value))],
  wildcard: ['rule', isWildcard],
};

/** All that is wrong with a pattern, with the way to it. */
export function patternFaults(pattern: unknown, of: Matched): readonly string[] {
  const faults = inside(pattern, of, '');
  if (faults.length > 0) return faults;
  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
  if (of === 'rule' && JSON.stringify(pattern).length > 2048) return ['it has more than 2048 characters'];
  return of === 'topic' ? limits(pattern) : [];
}

function inside(pattern: unknown, of: Matched, way: string): readonly string[] {
  if (!isMap(pattern) || Object.keys(pattern).length === 0)
    return [`${way || 'it'} is no object with fields`];
  return Object.entries(pattern).flatMap(([name, value]) => {
    const here = way ? `${way}.${name}` : name;
    if (name === '$or')
      return isList(value) && value.length > 1
        ? value.flatMap((one, at) => inside(one, of, `${here}[${at}]`))
        : [`${here} is no list of several patterns`];
    if (isMap(value)) return inside(value, of, here);
    if (!isList(value)) return [`${here} is no list of values`];
    return value.flatMap((one) => matcherFault(one, of, here));
  });
}

function matcherFault(value: unknown, of: Matched, way: string): readonly string[] {
  if (value === null || isText(value) || isNumber(value) || typeof value === 'boolean') return [];
  const [name = '', ...more] = isMap(value) ? Object.keys(value) : [];
  const [takers = '', takes] = (Object.hasOwn(MATCHERS, name) ? MATCHERS[name] : undefined) ?? [];
  if (more.length > 0 || !takers.split(' ').includes(of))
    return [`${way}: ${JSON.stringify(value)} is no matcher`];
  return takes?.((value as Readonly<Record<string, unknown>>)[name], of)
    ? []
    : [`${way}: ${name} does not take ${JSON.stringify((value as Readonly<Record<string, unknown>>)[name])}`];
}

/** https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html */
function limits(pattern: unknown): readonly string[] {
  const lists: number[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) lists.push(value.length);
    else if (isMap(value)) Object.values(value).forEach(visit);
  };
  visit(pattern);
  const combinations = lists.reduce((product, length) => product * length, 1);
  return [
    ...(lists.length > 5 ? [`it has ${lists.length} keys, at most 5 are allowed`] : []),
    ...(combinations > 150 ? [`it has ${combinations} combinations, at most 150 are allowed`] : []),
  ];
}
