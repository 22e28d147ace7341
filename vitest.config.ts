import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { InTurn } from './test/order.ts';
import { HEAVY, PURE } from './test/projects.ts';

/** What a test waits for comes late on a busy machine: Vitest's own second ends tests that would pass. */
const LIMITS = { testTimeout: 300_000, hookTimeout: 600_000, expect: { poll: { timeout: 60_000 } } };
const projects = (files: Readonly<Record<string, readonly string[]>>, settings: object) =>
  Object.entries(files).map(([name, include]) => ({ test: { name, include, ...LIMITS, ...settings } }));
/** Adapters that tests call themselves are recorded, too, where `npm test` asks for it. */
const recorded = process.env.MODELS_AWS_CALLS
  ? { execArgv: ['--import', new URL('./local-aws/semantics/calls/record.mjs', import.meta.url).href] }
  : {};
/**
 * Pure code on every core. One file more than there are cores: a minute of a long one is waiting. Files share
 * a process: half of the time of most went into the start of theirs. So each puts back what it changes of the
 * process. In a whole run they have what time the heavy ones leave (`test/all.ts`): hence their limit, which
 * ends what hangs, and measures nothing.
 */
const light = {
  maxWorkers: availableParallelism() + 1,
  isolate: false,
  setupFiles: ['test/seeded.ts'],
  testTimeout: 900_000,
};
/**
 * Four files at a time, since half of such a file’s time is waiting; of six, tests failed of what a starved
 * machine makes late. Limits that tests give to processes are for a machine that is busier than that:
 * local-aws and journeys were run on two processors with a load of sixteen and more. Files share no port, no
 * folder that they write to and no local AWS; what they install has a lock. They share processes, for which
 * they are one project: each file's own would load the same modules again, half a second of a processor.
 */
const heavy = {
  maxWorkers: 4,
  isolate: false,
  setupFiles: ['test/anew.ts', 'test/seeded.ts'],
  sequence: { groupOrder: 1 },
  ...recorded,
};

export default defineConfig({
  test: {
    sequence: { sequencer: InTurn },
    projects: [...projects(PURE, light), ...projects(HEAVY, heavy)],
  },
});
