import type { Settings } from '../../core/release/document/settings-contract.ts';

/** All at once and without a gate: what a test does not ask for does not happen. */
export const SETTINGS: Settings = {
  strategy: 'allAtOnce',
  steps: [],
  minRequests: 100,
  increase: 0.01,
  maxWait: 7200,
  onNoData: 'hold',
  rollbackWindow: 0,
  dryRun: false,
  expectedShift: 0.2,
  memory: 1769,
  timeout: 10,
  rejected: true,
};

/** Three steps of ten minutes, watched for a day after promotion. */
export const CANARY: Settings = {
  ...SETTINGS,
  strategy: 'canary',
  steps: [
    { weight: 5, bake: 600 },
    { weight: 25, bake: 600 },
    { weight: 50, bake: 600 },
  ],
  rollbackWindow: 86_400,
};
