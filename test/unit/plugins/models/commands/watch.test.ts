import { describe, expect, it } from 'vitest';
import type { TickAnswer } from '../../../../../core/release/document/worker-contract.ts';
import { watch } from '../../../../../plugins/models/commands/status.ts';
import { sayOf } from '../../../../../plugins/models/releases/session.ts';
import { type Status, statusOf } from '../../../../../plugins/models/releases/status.ts';
import { FUNCTION } from '../../../../fakes/world.ts';
import { deployed, live, minute, minutes, type World } from '../../../core/release/traffic.ts';

/**
 * Watches a world in which each tick is a minute with this traffic.
 *
 * @returns the lines, and how often it ticked
 */
async function watched(
  w: World,
  rates: Parameters<typeof minute>[1] = {},
  fails: (tick: number) => Error | undefined = () => undefined,
  unread: (look: number) => Error | undefined = () => undefined,
) {
  const printed: string[] = [];
  const noticed: string[] = [];
  let ticks = 0;
  let looks = 0;
  const status = async (): Promise<Status> => {
    looks += 1;
    const unreadable = unread(looks);
    if (unreadable !== undefined) throw unreadable;
    const release = w.state();
    const alias = w.alias();
    return statusOf(
      { model: 'churn', functionName: FUNCTION, ...(alias && { alias }), ...(release && { release }) },
      w.clock.now,
      sayOf('churn', 'dev'),
    );
  };
  const tick = async (): Promise<TickAnswer> => {
    ticks += 1;
    const error = fails(ticks);
    if (error !== undefined) throw error;
    await minute(w, rates);
    return { model: 'churn', phase: 'NONE', running: true };
  };
  const target = async () => ({ model: 'churn', functionName: FUNCTION, alias: 'live' });
  const context = {
    flags: {},
    print: (line: string) => printed.push(line),
    notice: (line: string) => noticed.push(line),
  };
  await watch({ status, target, now: () => w.clock.now, worker: { tick } }, ['churn'], context, 1);
  return { printed, noticed, ticks };
}

describe('sls models status --watch', () => {
  it('ends with the rollback that it watched, and lets go of the signals', async () => {
    const w = await deployed();
    const listening = process.listenerCount('SIGINT');
    const { printed, ticks } = await watched(w, { 3: 0.01, 4: 0.4 });
    expect(ticks).toBeGreaterThan(1);
    expect(printed.at(-1)).toMatch(/^churn: ROLLED_BACK: Version 4 was rolled back/);
    expect(process.listenerCount('SIGINT')).toBe(listening);
  });

  it('goes on ticking after a tick that did not get through, and tells of it once', async () => {
    const busy = (tick: number) =>
      tick < 3
        ? Object.assign(new Error('Rate exceeded'), {
            name: 'TooManyRequestsException',
            $metadata: { httpStatusCode: 429 },
          })
        : undefined;
    const { printed, noticed } = await watched(await deployed(), { 3: 0.01, 4: 0.4 }, busy);
    expect(noticed).toEqual(['A tick of churn did not get through, and is tried again: Rate exceeded']);
    expect(printed.at(-1)).toMatch(/^churn: ROLLED_BACK: /);
  });

  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

  it('goes on watching after a look at which AWS could not be reached, and tells of it once', async () => {
    const gone = (look: number) => (look === 2 || look === 3 ? reset : undefined);
    const { printed, noticed } = await watched(await deployed(), { 3: 0.01, 4: 0.4 }, undefined, gone);
    expect(noticed).toEqual(['It could not be read, and is tried again: read ECONNRESET']);
    expect(printed.at(-1)).toMatch(/^churn: ROLLED_BACK: /);
  });

  it('ends where nothing could be read from the start, for minutes, or is denied, and lets go of the signals', async () => {
    const listening = process.listenerCount('SIGINT');
    const from = (first: number, error: Error) => (look: number) => (look < first ? undefined : error);
    await expect(watched(await deployed(), {}, undefined, from(1, reset))).rejects.toBe(reset);
    const denied = Object.assign(new Error('Access Denied'), { $metadata: { httpStatusCode: 403 } });
    await expect(watched(await deployed(), {}, undefined, from(2, denied))).rejects.toBe(denied);
    const w = await deployed();
    const silent = (look: number) => {
      if (look < 2) return undefined;
      w.clock.now += 60_000;
      return reset;
    };
    await expect(watched(w, {}, undefined, silent)).rejects.toBe(reset);
    expect(process.listenerCount('SIGINT')).toBe(listening);
  });

  it('ends when the candidate is promoted: that it is watched for a day is no move', async () => {
    const w = await deployed();
    const { printed } = await watched(w, { 3: 0.01, 4: 0.01 });
    expect(printed.at(-1)).toMatch(/^churn: BAKING: /);
  });

  it('ends where a person must decide', async () => {
    const w = await deployed();
    await minutes(w, 2, { 3: 0.01, 4: 0.01 });
    await w.command('hold');
    expect(await watched(w)).toMatchObject({ ticks: 0, printed: [expect.stringMatching(/^churn: HELD/)] });
  });

  it('ends at once where nothing runs', async () => {
    expect(await watched(await live())).toMatchObject({
      ticks: 0,
      printed: [expect.stringMatching(/^churn: DONE/)],
    });
  });

  it('ends at once when it is interrupted, also while the worker runs a gate for minutes', async () => {
    const w = await deployed();
    const noticed: string[] = [];
    let fail = (_: Error): void => {};
    const asked = new Promise<TickAnswer>((_, reject) => {
      fail = reject;
    });
    const status = async (): Promise<Status> => {
      const [release, alias] = [w.state(), w.alias()];
      const seen = {
        model: 'churn',
        functionName: FUNCTION,
        ...(alias && { alias }),
        ...(release && { release }),
      };
      return statusOf(seen, w.clock.now, sayOf('churn', 'dev'));
    };
    const target = async () => ({ model: 'churn', functionName: FUNCTION, alias: 'live' });
    const tick = (): Promise<TickAnswer> => {
      setImmediate(() => process.emit('SIGHUP'));
      return asked;
    };
    const context = { flags: {}, print: () => {}, notice: (text: string) => noticed.push(text) };
    await watch({ status, target, now: () => w.clock.now, worker: { tick } }, ['churn'], context, 1);
    // The desk closes what is still asked.
    fail(new Error('the connection was closed'));
    await new Promise((done) => setImmediate(done));
    expect(noticed).toEqual([]);
  });
});
