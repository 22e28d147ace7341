import { afterAll, expect, it, vi } from 'vitest';
import { MONITOR_TIMEOUT } from '../../../../core/drift/contract.ts';

type Config = {
  readonly maxAttempts?: number;
  readonly requestHandler?: { readonly connectionTimeout?: number; readonly socketTimeout?: number };
};

const CLIENTS = [
  ['cloudwatch-logs', 'cloudWatchLogsClient'],
  ['s3', 's3Client'],
  ['sns', 'snsClient'],
] as const;

afterAll(() => {
  for (const [file] of CLIENTS) vi.doUnmock(`../../../../aws/clients/${file}.ts`);
  vi.resetModules();
});

// The SDK itself waits five minutes for one, which is longer than a run.
it('an answer that does not come is asked for again within a run', async () => {
  const made = new Map<string, Config>();
  vi.resetModules();
  for (const [file, name] of CLIENTS)
    vi.doMock(`../../../../aws/clients/${file}.ts`, () => ({
      [name]: (config: Config = {}) => {
        made.set(name, config);
        return {};
      },
    }));
  await import('../../../../functions/drift/handler.ts');
  expect([...made.keys()].toSorted()).toEqual(CLIENTS.map(([, name]) => name));
  for (const { requestHandler } of made.values()) {
    expect(requestHandler?.connectionTimeout).toBeLessThanOrEqual(5000);
    // One that is lost, the next that comes, and half of the time for all others.
    expect(requestHandler?.socketTimeout).toBeLessThanOrEqual((MONITOR_TIMEOUT * 1000) / 4);
  }
});
