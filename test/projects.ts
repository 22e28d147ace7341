/** Vitest's projects: their names, and which files are theirs. */

/** Files that start nothing. */
export const PURE: Readonly<Record<string, readonly string[]>> = {
  laws: ['test/laws.test.ts'],
  unit: ['test/unit/**/*.test.ts'],
};

/** Files that start a framework, a Python or a local AWS: one project, so that they can share processes. */
export const HEAVY: Readonly<Record<string, readonly string[]>> = {
  heavy: [
    'test/{golden,aws-reference,export}/*.test.ts',
    'test/hundredth/*.test.ts',
    'test/{journeys,local-aws,serving,ship}/**/*.test.ts',
  ],
};
