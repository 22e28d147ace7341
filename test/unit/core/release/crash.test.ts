import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../core/release/document/settings-contract.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION, fakeWorld, request, tick } from '../../../fakes/world.ts';
import { DAY, MINUTE, serve, type World } from './traffic.ts';

/**
 * The worker dies before or after each of its effects, one after the other, in whole stories; whoever ticks
 * next goes on. Each story must end as it does without a death, and no weight may ever be one that it does
 * not have without.
 */

const SHORT: Settings = {
  ...CANARY,
  steps: [
    { weight: 10, bake: 60 },
    { weight: 50, bake: 60 },
  ],
  minRequests: 20,
  increase: 0.5,
  capacity: { provisioned: { min: 2, max: 4, target: 0.7 }, schedules: [] },
};

/**
 * Every so many-th call, since all take half a minute: a number that shares no factor with the calls of one
 * decision.
 */
const EVERY = Number(process.env.CRASH_EVERY ?? 5);

type Story = {
  readonly rates: Readonly<Record<string, number>>;
  /** By minute: what else happens in it. */
  readonly at: Readonly<Record<number, (w: World) => unknown>>;
  readonly minutes: number;
};

const alarmed = (w: World) => {
  w.alarms.set(`${FUNCTION}-errors`, 'ALARM');
  return {
    Records: [
      { Sns: { Message: JSON.stringify({ AlarmName: `${FUNCTION}-errors`, NewStateValue: 'ALARM' }) } },
    ],
  };
};
const command = (verb: string) => ({
  command: { verb, model: 'churn', functionName: FUNCTION, alias: 'live', by: 'me' },
});
const GOOD = { 3: 0.02, 4: 0.02 };
const BAD = { 3: 0.02, 4: 0.4 };

const STORIES: Readonly<Record<string, Story>> = {
  'a canary that is promoted': { rates: GOOD, at: {}, minutes: 14 },
  'a canary that is rolled back': { rates: BAD, at: {}, minutes: 10 },
  'a version that goes bad after promotion': { rates: GOOD, at: { 14: alarmed }, minutes: 34 },
  'a release that somebody promotes': { rates: GOOD, at: { 5: () => command('promote') }, minutes: 8 },
  'a release that somebody rolls back after promotion': {
    rates: GOOD,
    at: { 14: () => command('rollback') },
    minutes: 16,
  },
  'a deploy over a canary': {
    rates: { ...GOOD, 5: 0.02 },
    at: { 5: () => request('Update', '5', 'c', { before: '4', settings: SHORT, id: 'superseding-1' }) },
    minutes: 20,
  },
};

/** @param dies at which call the worker dies, counted from the deploy on */
async function tell(story: Story, dies: number) {
  let [calls, counting] = [0, false];
  const w = fakeWorld({
    chaos: async () => {
      if (!counting) return;
      calls += 1;
      if (calls === dies) throw new Error('killed');
    },
  });
  for (const version of ['3', '4', '5']) w.aliases.publish(FUNCTION, version);
  await w.send(request('Create', '3', 'a', { settings: SHORT, id: 'first-1' }));
  counting = true;
  const gone = (error: unknown): void => {
    if (!(error instanceof Error) || error.message !== 'killed') throw error;
  };
  /** Lambda tries an event again, and a person a command. */
  const send = async (event: unknown): Promise<void> => {
    let failed = false;
    await w.send(event).catch((error) => {
      gone(error);
      failed = true;
    });
    if (failed) await w.send(event).catch(gone);
  };
  const deploy = async (event: unknown): Promise<void> => {
    w.stack.state = 'busy';
    await send(event);
    for (let more = 0; more < 8 && w.state()?.request?.url !== undefined; more += 1) {
      w.clock.now += MINUTE;
      await w.send(tick()).catch(gone);
    }
    w.stack.state = 'done';
  };
  await deploy(request('Update', '4', 'b', { before: '3', settings: SHORT, id: 'deploy-1' }));
  for (let minute = 0; minute < story.minutes; minute += 1) {
    const rates = minute >= 14 && story.at[14] === alarmed ? BAD : story.rates;
    serve(w, rates, {});
    w.clock.now += MINUTE;
    const event = story.at[minute]?.(w);
    if (event !== undefined && 'RequestType' in (event as object)) await deploy(event);
    else if (event !== undefined) await send(event);
    for (const { input } of [...w.schedules.values()]) await w.send(JSON.parse(input)).catch(gone);
  }
  w.clock.now += DAY;
  for (let more = 0; more < 3; more += 1) {
    w.clock.now += MINUTE;
    for (const { input } of [...w.schedules.values()]) await w.send(JSON.parse(input)).catch(gone);
  }
  return { w, calls };
}

const end = (w: World) => ({
  phase: w.state()?.phase,
  target: w.target(),
  stable: w.state()?.stable?.version,
  refused: w.state()?.refused.map(({ version }) => version),
  held: w.capacity.held(FUNCTION),
  schedules: w.schedules.size,
  notices: [...new Set(w.notices.map(({ subject }) => subject))],
  answers: [...new Set(w.answers.map(({ RequestId, Status }) => `${RequestId} ${Status}`))],
});
const weights = (w: World) =>
  new Set(w.aliases.history.map(({ to }) => JSON.stringify([to.version, to.weights])));

describe('a worker that dies before or after any effect', () => {
  it.each(Object.entries(STORIES))('of %s', async (_, story) => {
    const { w: whole, calls } = await tell(story, 0);
    const [expected, allowed] = [end(whole), weights(whole)];
    expect(expected.schedules).toBe(0);
    for (let dies = 1; dies <= calls; dies += EVERY) {
      const { w } = await tell(story, dies);
      expect(end(w), `killed at call ${dies} of ${calls}`).toEqual(expected);
      for (const weight of weights(w)) expect(allowed, `killed at call ${dies}`).toContain(weight);
    }
  });
});
