import type { Settings } from '../../../../core/release/document/settings-contract.ts';
import { ALARMS } from '../../../../core/release/document/worker-contract.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION, fakeWorld, request } from '../../../fakes/world.ts';

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

export type World = ReturnType<typeof fakeWorld>;
/** Share of each version's requests that err, by version; `crash`: they crash; `refuse`: they are refused. */
export type Rates = Readonly<Record<string, number>>;
export type Traffic = { readonly perMinute?: number; readonly crash?: boolean; readonly refuse?: boolean };

/** A minute of traffic split as the alias splits it, then the ticks that come due. */
export async function minute(w: World, rates: Rates = {}, traffic: Traffic = {}): Promise<void> {
  serve(w, rates, traffic);
  w.clock.now += MINUTE;
  await due(w);
}

export async function minutes(
  w: World,
  count: number,
  rates: Rates = {},
  traffic: Traffic = {},
): Promise<void> {
  for (let done = 0; done < count; done += 1) await minute(w, rates, traffic);
}

/** Until the release is in this phase, for at most so many minutes. */
export async function until(
  w: World,
  phase: string,
  rates: Rates = {},
  traffic: Traffic & { readonly most?: number } = {},
): Promise<void> {
  for (let done = 0; done < (traffic.most ?? 60) && w.state()?.phase !== phase; done += 1)
    await minute(w, rates, traffic);
  if (w.state()?.phase !== phase)
    throw new Error(`in ${w.state()?.phase}, not in ${phase}: ${w.state()?.reason}`);
}

export function serve(
  w: World,
  rates: Rates,
  { perMinute = 1000, crash = false, refuse = false }: Traffic,
): void {
  const alias = w.alias();
  if (alias === undefined) return;
  const others = Object.entries(alias.weights);
  const rest = 1 - others.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [version, share] of [[alias.version, rest] as const, ...others]) {
    const n = Math.round(perMinute * share);
    const bad = Math.round(n * (rates[version] ?? 0));
    const did = crash
      ? { invocations: n, crashes: bad, requests: n - bad, errors: 0 }
      : refuse
        ? {
            invocations: n,
            crashes: 0,
            ...(n > bad && { requests: n - bad }),
            ...(bad > 0 && { rejected: bad }),
          }
        : { invocations: n, crashes: 0, requests: n, errors: bad };
    w.metrics.add(FUNCTION, 'live', version, w.clock.now, did);
  }
}

export async function due(w: World): Promise<void> {
  for (const { input } of [...w.schedules.values()]) await w.send(JSON.parse(input));
}

type Options = Parameters<typeof fakeWorld>[0];

/** Version 3 is live. */
export async function live(settings: Settings = CANARY, options: Options = {}): Promise<World> {
  const w = fakeWorld(options);
  for (const version of ['3', '4', '5', '6', '7']) w.aliases.publish(FUNCTION, version);
  await w.send(request('Create', '3', 'a', { settings }));
  w.stack.state = 'done';
  return w;
}

/** Deploys a version, up to the worker's answer: the stack is still busy. */
export async function deploy(
  w: World,
  version: string,
  fingerprint: string,
  changes: Parameters<typeof request>[3] = {},
) {
  w.stack.state = 'busy';
  const event = request('Update', version, fingerprint, { before: '3', settings: CANARY, ...changes });
  await w.send(event);
  return event;
}

/** The stack goes back to the template before. */
export async function rollBack(
  w: World,
  version: string,
  fingerprint: string,
  before: string,
): Promise<void> {
  w.stack.state = 'rollingBack';
  await w.send(request('Update', version, fingerprint, { before, settings: CANARY }));
}

/** Version 3 is live; version 4 is deployed, and its stack is done. */
export async function deployed(settings: Settings = CANARY, options: Options = {}): Promise<World> {
  const w = await live(settings, options);
  await deploy(w, '4', 'b', { settings });
  w.stack.state = 'done';
  return w;
}

/** Version 4 has all traffic, and version 3 is the last good one. */
export async function promoted(settings: Settings = CANARY, options: Options = {}): Promise<World> {
  const w = await deployed(settings, options);
  await until(w, 'BAKING', { 3: 0.02, 4: 0.02 });
  w.notices.length = 0;
  await minute(w);
  return w;
}

/** CloudWatch's message to the alerts topic, as Lambda gets it. */
export async function alarm(
  w: World,
  suffix: string = ALARMS.errors,
  turns: 'ALARM' | 'OK' = 'ALARM',
): Promise<void> {
  w.alarms.set(`${FUNCTION}-${suffix}`, turns);
  const Message = JSON.stringify({ AlarmName: `${FUNCTION}-${suffix}`, NewStateValue: turns });
  await w.send({ Records: [{ EventSource: 'aws:sns', Sns: { Message } }] });
}
