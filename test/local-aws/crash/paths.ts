import type { Settings } from '../../../core/release/document/settings-contract.ts';
import { ALARMS } from '../../../core/release/document/worker-contract.ts';
import { SETTINGS } from '../../fakes/settings.ts';
import { BROKEN } from './cloud.ts';
import type { Life } from './life.ts';

/** A way that a release may go: what happened before, and the part in which the worker may be killed. */
export type Path = {
  readonly name: string;
  readonly given?: (life: Life) => Promise<void>;
  readonly play: (life: Life) => Promise<void>;
  /** Phase that it ends in, and the version that has all traffic; undefined where the alias is gone. */
  readonly ends: readonly [phase: string | undefined, version: string | undefined];
  /** Published versions; default 4. With more than are kept each run needs a function of its own. */
  readonly versions?: number;
};

export const ALL_AT_ONCE: Settings = { ...SETTINGS, minRequests: 20, rollbackWindow: 1800 };
export const CANARY: Settings = {
  ...ALL_AT_ONCE,
  strategy: 'canary',
  steps: [
    { weight: 10, bake: 120 },
    { weight: 50, bake: 120 },
  ],
  increase: 0.05,
  maxWait: 300,
};
const provisioned = (min: number) => ({
  capacity: { provisioned: { min, max: 3, target: 0.7 }, schedules: [] },
});

const deploy =
  (version: string, settings: Settings) =>
  async (life: Life): Promise<void> => {
    await life.deploy({ version, settings });
    await life.quiet();
  };
const first = deploy('1', ALL_AT_ONCE);
/** Version 2 has its first weight beside version 1. */
const judging = async (life: Life): Promise<void> => {
  await first(life);
  await life.deploy({ version: '2', settings: CANARY });
  await life.until('JUDGING');
};
/** Version 2 has all traffic and is watched. */
const baking = async (life: Life): Promise<void> => {
  await first(life);
  await life.deploy({ version: '2', settings: ALL_AT_ONCE });
  await life.until('BAKING');
};
/** Version 2 is worse than it was, and an alarm is on. */
const alarmed =
  (suffix: string, of: 'errors' | 'crashes', share: number) =>
  async (life: Life): Promise<void> => {
    life.traffic({ [of]: { 2: share } });
    await life.minutes(2);
    await life.alarm(suffix);
    await life.quiet();
  };
const commanded =
  (...command: Parameters<Life['command']>) =>
  async (life: Life): Promise<void> => {
    await life.command(...command);
    await life.quiet();
  };

export const PATHS: readonly Path[] = [
  { name: 'first', play: first, ends: ['DONE', '1'] },
  { name: 'pruned', play: first, ends: ['DONE', '1'], versions: 8 },
  { name: 'canary', given: first, play: deploy('2', CANARY), ends: ['DONE', '2'] },
  {
    name: 'rolled-back',
    given: async (life) => {
      await first(life);
      life.traffic({ errors: { 2: 0.4 } });
    },
    play: deploy('2', CANARY),
    ends: ['ROLLED_BACK', '1'],
  },
  { name: 'gate-fails', given: first, play: deploy(BROKEN, CANARY), ends: ['ABORTED', '1'] },
  {
    name: 'no-data',
    given: async (life) => {
      await first(life);
      life.traffic({ perMinute: 0 });
    },
    play: async (life) => {
      await life.deploy({ version: '2', settings: CANARY });
      await life.until('HELD');
      life.traffic({ perMinute: 1000 });
      await life.command('resume');
      await life.quiet();
    },
    ends: ['DONE', '2'],
  },
  {
    name: 'no-data-passes',
    given: async (life) => {
      await first(life);
      life.traffic({ perMinute: 0 });
    },
    play: deploy('2', { ...CANARY, onNoData: 'pass' }),
    ends: ['DONE', '2'],
  },
  {
    name: 'no-data-rolls-back',
    given: async (life) => {
      await first(life);
      life.traffic({ perMinute: 0 });
    },
    play: deploy('2', { ...CANARY, onNoData: 'rollback' }),
    ends: ['ROLLED_BACK', '1'],
  },
  {
    name: 'dry-run',
    given: async (life) => {
      await first(life);
      life.traffic({ errors: { 2: 0.4 } });
    },
    play: deploy('2', { ...CANARY, dryRun: true }),
    ends: ['DONE', '2'],
  },
  {
    name: 'foreign',
    given: judging,
    play: async (life) => {
      await life.byHand({ version: '1', weights: { 2: 0.3 } });
      await life.until('HELD');
      await life.deploy({ version: '4', settings: CANARY });
      await life.quiet();
    },
    ends: ['DONE', '4'],
  },
  {
    name: 'alias-gone',
    given: judging,
    play: async (life) => {
      await life.byHand(undefined);
      await life.quiet();
    },
    ends: ['DONE', '2'],
  },
  { name: 'superseded', given: judging, play: deploy('4', CANARY), ends: ['DONE', '4'] },
  {
    name: 'stack-fails',
    given: first,
    play: async (life) => {
      await life.deploy({ version: '2', settings: CANARY, tail: { minutes: 2, status: 'FAILED' } });
      await life.quiet();
    },
    ends: ['ABORTED', '1'],
  },
  {
    // The release that the failed deploy took the place of.
    name: 'begins-anew',
    given: judging,
    play: async (life) => {
      await life.deploy({ version: '4', settings: CANARY, tail: { minutes: 2, status: 'FAILED' } });
      await life.quiet();
    },
    ends: ['DONE', '2'],
  },
  {
    name: 'stack-busy',
    given: first,
    play: async (life) => {
      await life.deploy({ version: '2', settings: ALL_AT_ONCE, tail: { minutes: 2, status: 'SUCCESS' } });
      await life.quiet();
    },
    ends: ['DONE', '2'],
  },
  {
    name: 'reversed',
    given: baking,
    play: alarmed(ALARMS.errors, 'errors', 0.4),
    ends: ['ROLLED_BACK', '1'],
  },
  { name: 'restored', given: baking, play: alarmed(ALARMS.errors, 'errors', 0), ends: ['DONE', '2'] },
  {
    name: 'crashing',
    given: baking,
    play: alarmed(ALARMS.crashes, 'crashes', 0.9),
    ends: ['ROLLED_BACK', '1'],
  },
  { name: 'back-to', given: baking, play: commanded('rollback', '1'), ends: ['ROLLED_BACK', '1'] },
  {
    // Whoever asks again, since no answer came, must not go back behind version 2.
    name: 'withdrawn',
    given: async (life) => {
      await deploy('1', ALL_AT_ONCE)(life);
      await deploy('2', ALL_AT_ONCE)(life);
      await life.deploy({ version: '4', settings: CANARY });
      await life.until('JUDGING');
    },
    play: commanded('rollback'),
    ends: ['ROLLED_BACK', '2'],
  },
  {
    name: 'refused',
    given: async (life) => {
      await judging(life);
      await life.command('rollback');
      await life.quiet();
    },
    play: async (life) => {
      await life.deploy({ version: '4', fingerprint: 'fingerprint-2', settings: CANARY });
      await life.quiet();
    },
    ends: ['ROLLED_BACK', '1'],
  },
  { name: 'promoted', given: judging, play: commanded('promote'), ends: ['DONE', '2'] },
  {
    name: 'held',
    given: judging,
    play: async (life) => {
      await life.command('hold');
      await life.minutes(2);
      await life.command('resume');
      await life.quiet();
    },
    ends: ['DONE', '2'],
  },
  { name: 'deleted', given: judging, play: (life) => life.remove(), ends: [undefined, undefined] },
  {
    name: 'provisioned',
    given: deploy('1', { ...ALL_AT_ONCE, ...provisioned(1) }),
    play: deploy('2', { ...CANARY, ...provisioned(1) }),
    ends: ['DONE', '2'],
  },
  {
    name: 'blue-green',
    given: deploy('1', { ...ALL_AT_ONCE, ...provisioned(1) }),
    play: deploy('2', { ...ALL_AT_ONCE, strategy: 'blueGreen', ...provisioned(2) }),
    ends: ['DONE', '2'],
  },
  {
    name: 'capacity-only',
    given: deploy('1', { ...ALL_AT_ONCE, ...provisioned(1) }),
    play: deploy('1', { ...ALL_AT_ONCE, ...provisioned(2) }),
    ends: ['DONE', '1'],
  },
];
