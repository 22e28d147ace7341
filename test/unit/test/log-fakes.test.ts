import { describe } from 'vitest';
import { calm } from '../../fakes/chaos.ts';
import { logContract } from '../../fakes/log-contract.ts';
import { fakeLogs } from '../../fakes/logs.ts';

describe('the fake keeps the contract of the log port', () => {
  const logs = fakeLogs(calm, 10_000);
  logContract(() => ({
    logs: logs.port,
    at: Date.parse('2026-01-01T10:00:00Z'),
    put: async (group, events) => {
      for (const { at, message } of events) logs.put(group, at, message);
    },
  }));
});
