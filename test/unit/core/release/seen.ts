import { expect } from 'vitest';
import { readStatus } from '../../../../plugins/models/releases/read-status.ts';
import { sayOf } from '../../../../plugins/models/releases/session.ts';
import { type Status, statusOf } from '../../../../plugins/models/releases/status.ts';
import { statusText } from '../../../../plugins/models/releases/status-text.ts';
import { FUNCTION } from '../../../fakes/world.ts';
import type { World } from './traffic.ts';

/** Every state here is the release worker's own, read as `sls models status` reads it. */
export async function statusIn(
  w: World,
  now = w.clock.now + 20_000,
  { aliases, alarms, registry }: Pick<World['world'], 'aliases' | 'alarms' | 'registry'> = w.world,
  stacked: () => Promise<boolean> = async () => false,
): Promise<Status> {
  const { capacity } = w.world;
  const target = { model: 'churn', functionName: FUNCTION, alias: 'live' };
  const exists = async (name: string): Promise<boolean> => w.aliases.published(name).size > 0;
  const published = async (name: string, version: string): Promise<boolean> =>
    w.aliases.published(name).has(version);
  const sight = { aliases, alarms, capacity, exists, published, stacked, close: () => {} };
  const seen = await readStatus(sight, registry, target);
  const status = statusOf(seen, now, sayOf('churn', 'dev'));
  // The answer URL is a credential, and is in the document while CloudFormation waits.
  expect(JSON.stringify(status)).not.toMatch(/signature|answer\.example/);
  return status;
}
export const textIn = async (w: World): Promise<string> =>
  statusText(await statusIn(w), w.clock.now + 20_000);
