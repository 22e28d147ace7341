import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], extra: object = {}) => ({
  test: { name, include, testTimeout: 30_000, hookTimeout: 60_000, ...extra },
});
// Whatever starts a framework, a Python or a local AWS runs one file at a time: the machine for it has two cores.
const alone = { fileParallelism: false, testTimeout: 300_000, hookTimeout: 600_000 };

export default defineConfig({
  test: {
    projects: [
      project('laws', ['test/laws.test.ts']),
      project('unit', ['test/unit/**/*.test.ts']),
      project('golden', ['test/golden/*.test.ts'], alone),
      project('ship', ['test/ship/**/*.test.ts'], alone),
      project('serving', ['test/serving/**/*.test.ts'], alone),
      project('local-aws', ['test/local-aws/**/*.test.ts'], alone),
      project('journeys', ['test/journeys/**/*.test.ts'], alone),
    ],
  },
});
