import type { Settings } from '../../../functions/release/contract.ts';
import { CANARY } from '../../fakes/settings.ts';
import { FUNCTION, fakeWorld, request } from '../../fakes/world.ts';

export const MINUTE = 60_000;

type World = ReturnType<typeof fakeWorld>;
/** Errors among requests, of 1,000 a minute and both versions together. */
type Rates = Readonly<Record<string, number>>;

/** A minute of traffic split as the alias splits it, then the ticks that come due. */
export async function minute(w: World, rates: Rates = {}, perMinute = 1000): Promise<void> {
  const alias = w.alias();
  if (alias !== undefined) {
    const others = Object.entries(alias.weights);
    const rest = 1 - others.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [version, share] of [[alias.version, rest] as const, ...others]) {
      const n = Math.round(perMinute * share);
      const errors = Math.round(n * (rates[version] ?? 0));
      w.metrics.add(FUNCTION, 'live', version, w.clock.now, {
        invocations: n,
        crashes: 0,
        requests: n,
        errors,
      });
    }
  }
  w.clock.now += MINUTE;
  for (const { input } of [...w.schedules.values()]) await w.send(JSON.parse(input));
}

/** Version 3 is live; version 4 is deployed, and its stack is done. */
export async function deployed(
  settings: Settings = CANARY,
  options: Parameters<typeof fakeWorld>[0] = {},
): Promise<World> {
  const w = fakeWorld(options);
  for (const version of ['3', '4', '5', '6']) w.aliases.publish(FUNCTION, version);
  await w.send(request('Create', '3', 'a', { settings }));
  w.stack.state = 'busy';
  await w.send(request('Update', '4', 'b', { before: '3', settings }));
  w.stack.state = 'done';
  return w;
}
