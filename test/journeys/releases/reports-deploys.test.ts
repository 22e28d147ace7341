/**
 * What users of other tools reported of their deploys (#5, #6, #9, #11 and #14 of the notes on release
 * safety).
 */
import { DescribeStackEventsCommand } from '@aws-sdk/client-cloudformation';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MARGIN } from '../../../core/release/document/worker-contract.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { limitedLambda } from './limited.ts';
import {
  CANARY,
  endOf,
  half,
  openShop,
  PATIENCE,
  type Shop,
  type ShopOptions,
  until,
  WRITTEN,
  whole,
} from './shop.ts';
import { servedBy } from './traffic.ts';
import { caseOf, HARD } from './version.ts';

let aws: LocalAws;
let shop: Shop;
beforeAll(async () => {
  aws = await startAws({ speed: 30 });
});
afterEach(() => shop?.end());
afterAll(() => aws?.stop());

const open = async (service: string, options?: ShopOptions): Promise<Shop> => {
  shop = await openShop(aws, service, options);
  return shop;
};

/** Seconds of its clock that the alias took in the deploy that failed. */
async function tookTheAlias({ cloudFormation, stack }: Shop): Promise<number> {
  const { StackEvents = [] } = await cloudFormation.send(
    new DescribeStackEventsCommand({ StackName: stack }),
  );
  const ofAlias = StackEvents.filter(({ ResourceType }) => ResourceType === 'Custom::ModelAlias');
  const failed = ofAlias.findIndex(({ ResourceStatus }) => ResourceStatus === 'UPDATE_FAILED');
  const [end, begin] = ofAlias.slice(failed);
  expect([end?.ResourceStatus, begin?.ResourceStatus]).toEqual(['UPDATE_FAILED', 'UPDATE_IN_PROGRESS']);
  return ((end?.Timestamp?.getTime() ?? 0) - (begin?.Timestamp?.getTime() ?? 0)) / 1000;
}

describe('users saw', () => {
  // davidgf/serverless-plugin-canary-deployments#159
  it('new versions behind old aliases, after many functions at once had exceeded Lambda’s API rate', async () => {
    const limited = await limitedLambda(aws.endpoint);
    const beside = ['fraud', 'trees', 'words'];
    try {
      const on = await open('many', { beside, environment: { AWS_ENDPOINT_URL_LAMBDA: limited.url } });
      await on.deploy({});
      const traffic = on.traffic(10);
      limited.begin();
      expect(await on.deploy({ factor: 3 }), await on.events()).toBe('UPDATE_COMPLETE');
      await on.until('BAKING');
      for (const model of beside) {
        const promoted = async () => ((await on.document(model)).phase === 'BAKING' ? true : undefined);
        await until(`the promotion of ${model}`, promoted);
        expect(await on.alias(model)).toEqual(whole('2'));
      }
      expect(limited.refused()).toBeGreaterThan(5);
      expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'BAKING', stable: '2', lost: [] });
    } finally {
      limited.close();
    }
  });

  // davidgf/serverless-plugin-canary-deployments#32
  it('a deploy that stood still for an hour, since a check never answered', async () => {
    const on = await open('hangs');
    const declares = { timeout: 5 };
    await on.deploy({ declares });
    const traffic = on.traffic(10);
    expect(await on.deploy({ hard: 'hangs', cases: caseOf(HARD, 2), declares })).toBe(
      'UPDATE_ROLLBACK_COMPLETE',
    );
    expect(await on.events()).toMatch(/the gate failed: Case 1 of 1 failed/);
    expect(await tookTheAlias(on)).toBeLessThan(PATIENCE - ANSWER_MARGIN);

    // Nor where the worker may do nothing at all.
    await on.deny('s3:*');
    expect(await on.deploy({ factor: 3, declares })).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await on.events()).toMatch(/nothing was changed: .*s3:GetObject/);
    expect(await tookTheAlias(on)).toBeLessThan(PATIENCE - ANSWER_MARGIN);
    await on.deny(undefined);
    await expect.poll(() => servedBy(traffic.outcomes), WRITTEN).toEqual(['1']);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('1'), phase: 'ABORTED', stable: '1', lost: [] });
  });

  // aws/serverless-application-model#291
  it('INVALID_LAMBDA_CONFIGURATION at every deploy, once the alias was not where CloudFormation believed', async () => {
    const on = await open('believed');
    const release = { strategy: 'allAtOnce', steps: [], rollbackWindow: 0 } as const;
    await on.deploy({ release });
    const traffic = on.traffic(10);
    await on.deploy({ factor: 3, release });
    await on.until('DONE');
    await on.byHand('1');

    expect(await on.deploy({ factor: 4, release: CANARY }), await on.events()).toBe('UPDATE_COMPLETE');
    await on.until('JUDGING');
    // From where it is, not from where it was.
    expect(await on.alias()).toEqual(half('1', '3'));
    expect(await on.deploy({ factor: 5, release }), await on.events()).toBe('UPDATE_COMPLETE');
    await on.until('DONE');
    expect(await endOf(on, traffic)).toEqual({ alias: whole('4'), phase: 'DONE', stable: '4', lost: [] });
  });

  // serverless/serverless#7250, gradientedge/cdk-utils PR #1110
  it('weights that a dead release had left, and every later deploy failing until somebody cleared them', async () => {
    const on = await open('leftover');
    const release = { strategy: 'allAtOnce', steps: [], rollbackWindow: 0 } as const;
    await on.deploy({ release });
    const traffic = on.traffic(10);
    await on.deploy({ factor: 3, release });
    await on.until('DONE');
    await on.byHand('2', { '1': 0.3 });

    expect(await on.deploy({ factor: 4, init: 'fails', release: CANARY })).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await on.alias()).toEqual(whole('2'));
    await on.byHand('2', { '1': 0.3 });
    expect(await on.deploy({ factor: 5, release: CANARY }), await on.events()).toBe('UPDATE_COMPLETE');
    await on.until('JUDGING');
    const weighted = async () => (await on.moves()).filter((move) => move.includes('%'));
    await expect.poll(weighted, WRITTEN).toEqual(['version 2 (4: 50 %)']);
    const end = { alias: half('2', '4'), phase: 'JUDGING', stable: '2', lost: [] };
    expect(await endOf(on, traffic)).toEqual(end);
  });

  // lumigo-io/SAR-Lambda-Janitor#58
  it('a rollback to a version that had been pruned', async () => {
    const on = await open('pruned');
    const release = { strategy: 'allAtOnce', steps: [], rollbackWindow: 60 } as const;
    await on.deploy({ release });
    const traffic = on.traffic(10);
    await on.deploy({ fingerprint: 'b', factor: 3, release });
    // Else the next deploy may come first, and this one never was live.
    await expect.poll(on.alias, WRITTEN).toEqual(whole('2'));
    for (const factor of [4, 5, 6, 7, 8]) await on.deploy({ factor, release: CANARY });
    await on.deploy({ fingerprint: 'b', factor: 3, release });
    await on.until('DONE');
    // Beyond the five newest: the one that is not needed went.
    await expect.poll(on.versions, WRITTEN).toEqual(['1', '2', '4', '5', '6', '7', '8']);
    // A plain one would mean version 8, whose traffic the last deploy took away a moment ago.
    expect(await on.command('rollback')).toMatchObject({ done: false });
    expect(await on.command('rollback', { to: '1' })).toMatchObject({ done: true });
    expect(await endOf(on, traffic)).toEqual({
      alias: whole('1'),
      phase: 'ROLLED_BACK',
      stable: '1',
      lost: [],
    });
  });
});
