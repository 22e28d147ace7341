import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { InTurn } from './test/order.ts';

const project = (name: string, include: string[], extra: object) => ({
  test: { name, include, testTimeout: 30_000, hookTimeout: 60_000, ...extra },
});
/** Adapters that tests call themselves are recorded, too, where `npm test` asks for it. */
const recorded = process.env.MODELS_AWS_CALLS
  ? { execArgv: ['--import', new URL('./local-aws/semantics/calls/record.mjs', import.meta.url).href] }
  : {};
/**
 * Pure code on every core, first: what is wrong there is told within a minute. One file more than there are cores: a
 * minute of a long one is waiting. Files share a process: half of the time of most went into the start of theirs. So each puts back
 * what it changes of the process.
 */
const light = { maxWorkers: availableParallelism() + 1, isolate: false, testTimeout: 60_000 };
/**
 * Whatever starts a framework, a Python or a local AWS: four files at a time, of all projects in turn, since half of such a
 * file’s time is waiting; of six, tests failed of what a starved machine makes late. Limits that tests give to processes are
 * for a machine that is busier than that: local-aws and journeys were run on two processors with a load of sixteen and more.
 * Files share no port, no folder that they write to and no local AWS; what they install has a lock.
 */
const heavy = {
  maxWorkers: 4,
  sequence: { groupOrder: 1 },
  testTimeout: 300_000,
  hookTimeout: 600_000,
  ...recorded,
};

export default defineConfig({
  test: {
    sequence: { sequencer: InTurn },
    projects: [
      project('laws', ['test/laws.test.ts'], light),
      project('unit', ['test/unit/**/*.test.ts'], light),
      project('golden', ['test/{golden,aws-reference}/*.test.ts'], heavy),
      project('hundredth', ['test/hundredth/*.test.ts'], heavy),
      project('journeys', ['test/journeys/**/*.test.ts'], heavy),
      project('local-aws', ['test/local-aws/**/*.test.ts'], heavy),
      project('serving', ['test/serving/**/*.test.ts'], heavy),
      project('ship', ['test/ship/**/*.test.ts'], heavy),
    ],
  },
});
