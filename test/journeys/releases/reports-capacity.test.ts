/**
 * What users of other tools reported of provisioned concurrency beside releases (#10 and #12 of the notes on
 * release safety).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { holds, targets } from './scaling.ts';
import { AT_ONCE, CANARY, endOf, half, openShop, type Shop, WRITTEN, whole } from './shop.ts';

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

describe('users saw', () => {
  // aws/serverless-application-model#1296, #1425, hashicorp/terraform-provider-aws#24957
  it('provisioned concurrency refused on an alias with weights, or lost where the version changed with it', async () => {
    const on = await open('weighted');
    // No more than one: its use by a busy machine's requests would raise it.
    await on.deploy({ declares: holds(1, 1) });
    const traffic = on.traffic(10);
    await on.deploy({ factor: 3, declares: holds(1, 1), release: CANARY });
    await on.until('JUDGING');
    expect(await on.alias()).toEqual(half('1', '2'));

    expect(await on.deploy({ factor: 4, declares: holds(2), release: CANARY }), await on.events()).toBe(
      'UPDATE_COMPLETE',
    );
    await on.until('JUDGING');
    // The live version keeps what it was released with, until the new one takes over.
    expect(await on.provisioned()).toEqual({ '1': 1, '3': 2 });
    expect(await on.alias()).toEqual(half('1', '3'));
    await on.command('promote');
    await expect.poll(async () => Object.keys(await on.provisioned()), WRITTEN).toEqual(['3']);
    await expect.poll(() => targets(aws, on), WRITTEN).toEqual(['3: 2-4']);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('3'), phase: 'BAKING', stable: '3', lost: [] });
  });

  // serverless/serverless#7059
  it('a bill that grew with each deploy, since every version kept its provisioned concurrency', async () => {
    const on = await open('piles');
    await on.deploy({ declares: holds(3) });
    const traffic = on.traffic(10);
    for (const [factor, min] of [
      [3, 1],
      [4, 2],
    ] as const) {
      expect(await on.deploy({ factor, declares: holds(min), release: AT_ONCE }), await on.events()).toBe(
        'UPDATE_COMPLETE',
      );
      await on.until('BAKING');
    }
    // As many as the live version had, so that nothing spills over in the moment of the shift; then the
    // scaling decides.
    await expect.poll(async () => Object.keys(await on.provisioned()), WRITTEN).toEqual(['3']);
    await expect.poll(() => targets(aws, on), WRITTEN).toEqual(['3: 2-4']);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('3'), phase: 'BAKING', stable: '3', lost: [] });
  });
});
