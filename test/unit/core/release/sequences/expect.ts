import { isDeepStrictEqual } from 'node:util';

/**
 * What the agreement says, in the words of our tests' own `expect`, which nothing but a test runner can call.
 */

type Matchers = {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  toMatchObject(expected: object): void;
  toContain(part: unknown): void;
  toHaveLength(length: number): void;
  toBeGreaterThanOrEqual(least: number): void;
  toBeUndefined(): void;
};

/** @throws Error with `what` and both sides, where they disagree */
export function expect(found: unknown, what = 'it'): Matchers & { readonly not: Matchers } {
  return { ...matchers(found, what, true), not: matchers(found, what, false) };
}

function matchers(found: unknown, what: string, is: boolean): Matchers {
  const must = (holds: boolean, words: string, expected?: unknown): void => {
    if (holds === is) return;
    const other = expected === undefined ? '' : ` ${JSON.stringify(expected)}`;
    throw new Error(`${what}: ${JSON.stringify(found)} ${is ? 'is not' : 'is'} ${words}${other}`);
  };
  const listed = Array.isArray(found) || typeof found === 'string' ? found : [];
  return {
    toBe: (expected) => must(Object.is(found, expected), 'what is expected:', expected),
    toEqual: (expected) => must(isDeepStrictEqual(found, expected), 'equal to', expected),
    toMatchObject: (expected) => {
      const own = Object.entries(expected).map(([key]) => [key, Object(found)[key]]);
      must(isDeepStrictEqual(Object.fromEntries(own), { ...expected }), 'like', expected);
    },
    toContain: (part) => must(listed.includes(part as never), 'something with', part),
    toHaveLength: (length) => must(listed.length === length, 'of the length', length),
    toBeGreaterThanOrEqual: (least) => must(Number(found) >= least, 'at least', least),
    toBeUndefined: () => must(found === undefined, 'absent'),
  };
}
