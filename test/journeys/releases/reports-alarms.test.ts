/**
 * What users of other tools reported of alarms and analyses (#7, #8 and #15 of the notes on release safety).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { CANARY, endOf, half, openShop, type Shop, until, WRITTEN, whole } from './shop.ts';
import { faultsOf, servedBy } from './traffic.ts';

let aws: LocalAws;
let shop: Shop;
beforeAll(async () => {
  aws = await startAws({ speed: 30 });
});
afterEach(() => shop?.end());
afterAll(() => aws?.stop());

const open = async (service: string): Promise<Shop> => {
  shop = await openShop(aws, service);
  return shop;
};

const becomes = (on: Shop, suffix: string, state: string) =>
  until(`${suffix} ${state}`, async () =>
    (await on.alarm(suffix))?.StateValue === state ? true : undefined,
  );

/** What the topic sends to the worker when an alarm turns on. */
const calls = (on: Shop, suffix: string) =>
  on.call({
    Records: [
      {
        Sns: {
          Message: JSON.stringify({ AlarmName: `${on.functionName}-${suffix}`, NewStateValue: 'ALARM' }),
        },
      },
    ],
  });

describe('users saw', () => {
  // davidgf/serverless-plugin-canary-deployments#82, aws/serverless-application-model#716
  it('a hotfix that was rolled back, all at once even, because the alarm that it would have ended was on', async () => {
    const on = await open('hotfix');
    await on.deploy({ hard: 'errs' });
    const traffic = on.traffic(10);
    traffic.hard(0.5);
    await becomes(on, 'errors', 'ALARM');

    expect(await on.deploy({ factor: 3 }), await on.events()).toBe('UPDATE_COMPLETE');
    const { watch } = await on.until('BAKING');
    // It is on still, or was when the new version went live.
    const { StateValue, StateUpdatedTimestamp } = (await on.alarm('errors')) ?? {};
    if (StateValue !== 'ALARM')
      expect(StateUpdatedTimestamp?.getTime()).toBeGreaterThan(Date.parse(watch?.since ?? ''));
    await calls(on, 'errors');
    await on.tick();
    await becomes(on, 'errors', 'OK');
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 2']);
    expect(servedBy(faultsOf(traffic.outcomes))).toEqual(['1']);
    expect(await on.document()).toMatchObject({ rollbacks: [], refused: [] });
    expect(await endOf(on, traffic, ['1'])).toEqual({
      alias: whole('2'),
      phase: 'BAKING',
      stable: '2',
      lost: [],
    });
  });

  // aws/serverless-application-model#2452, aws/aws-cdk#23307
  it('an alarm that went on stopping deploys after it had gone from the template', async () => {
    const on = await open('ghost');
    await on.deploy({ declares: { latency: { p95: 200 } } });
    const traffic = on.traffic(10);
    expect(await on.alarm('latency')).toBeDefined();

    expect(await on.deploy({ factor: 3 }), await on.events()).toBe('UPDATE_COMPLETE');
    await on.until('BAKING');
    expect(await on.alarm('latency')).toBeUndefined();
    // Its last message is late.
    await calls(on, 'latency');
    const heard = async () => (await on.log()).some(({ message }) => message === 'alarm');
    await expect.poll(heard, WRITTEN).toBe(true);
    expect(await on.tick()).toMatchObject({ phase: 'BAKING', version: '2' });
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 2']);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'BAKING', stable: '2', lost: [] });
  });

  // fluxcd/flagger#30, #1801, argoproj/argo-rollouts#1905
  it('a new version judged by the analysis of the one before, and no traffic taken for a failure', async () => {
    const on = await open('stale');
    await on.deploy({});
    const traffic = on.traffic(20);
    const release = { ...CANARY, steps: [{ weight: 50, bake: 60 }] };
    const slow = { ...CANARY, dryRun: true };
    await on.deploy({ fingerprint: 'bad', hard: 'errs', release: slow });
    await on.until('JUDGING');
    traffic.hard(0.5);
    const failed = async () => {
      const last = (await on.document()).judgements.at(-1);
      return last?.verdict === 'fail' ? true : undefined;
    };
    await until('the verdict on version 2', failed);

    traffic.hard(0);
    await traffic.pause();
    expect(await on.deploy({ fingerprint: 'good', factor: 3, release }), await on.events()).toBe(
      'UPDATE_COMPLETE',
    );
    // A tick may have looked already: it saw nothing.
    const { judgements, refused } = await on.document();
    expect(judgements.filter(({ verdict }) => verdict !== 'nodata')).toEqual([]);
    expect(refused).toEqual([]);
    const unjudged = async () => (await on.document()).judgements.at(-1);
    const looked = await until('a look at version 3', unjudged);
    expect(looked).toMatchObject({ verdict: 'nodata' });
    expect(await on.alias()).toEqual(half('1', '3'));
    traffic.rate(20);
    await on.until('BAKING');
    await expect
      .poll(on.moves, WRITTEN)
      .toEqual(['version 1', 'version 1 (2: 50 %)', 'version 1', 'version 1 (3: 50 %)', 'version 3']);
    expect(await endOf(on, traffic, ['2'])).toEqual({
      alias: whole('3'),
      phase: 'BAKING',
      stable: '3',
      lost: [],
    });
  });
});
