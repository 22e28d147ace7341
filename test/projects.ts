/** Vitest's projects: their names, and which files are theirs. */

/** Files that start nothing. */
export const PURE: Readonly<Record<string, string>> = {
  laws: 'test/laws.test.ts',
  unit: 'test/unit/**/*.test.ts',
};

/** Files that start a framework, a Python or a local AWS. */
export const HEAVY: Readonly<Record<string, string>> = {
  golden: 'test/{golden,aws-reference,export}/*.test.ts',
  hundredth: 'test/hundredth/*.test.ts',
  journeys: 'test/journeys/**/*.test.ts',
  'local-aws': 'test/local-aws/**/*.test.ts',
  serving: 'test/serving/**/*.test.ts',
  ship: 'test/ship/**/*.test.ts',
};
