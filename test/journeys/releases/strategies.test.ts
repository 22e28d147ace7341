/** Strategies as a service declares them, under traffic, to their end. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import type { Model } from '../../../plugins/models/declaration/model.ts';
import { parseModels } from '../../../plugins/models/declaration/parse.ts';
import { endOf, openShop, type Shop, until, WRITTEN, whole } from './shop.ts';
import { servedBy, type Traffic } from './traffic.ts';

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

/** What the plugin makes of `models.churn.release`. */
function declared(release: object): Model['release'] {
  const { models, problems } = parseModels({ churn: { artifact: 'churn.onnx', release } });
  expect(problems).toEqual([]);
  const [model] = models;
  if (model === undefined) throw new Error('it declares no model');
  return model.release;
}

/**
 * Enough for a rate: whole minutes are counted, and the last one, which is none yet, has no more than a few
 * dozen.
 */
const counted = ({ outcomes }: Traffic): Promise<boolean> =>
  until('requests', async () => (outcomes.length < 150 ? undefined : true));

describe('auto', () => {
  const steps = [{ weight: '50%', bake: '1m' }];

  it('takes its steps where the traffic of the last day can fill them', async () => {
    const on = await open('auto-enough');
    await on.deploy({ fingerprint: 'a' });
    const traffic = on.traffic(30);
    await counted(traffic);
    const rules = { strategy: 'auto', steps, minRequests: 5, increase: '100%', maxWait: '10h' };
    await on.deploy({ fingerprint: 'b', factor: 3, release: declared(rules) });
    const { steps: taken, judgements } = await on.until('BAKING');
    expect(taken).toEqual([{ weight: 50, bake: 60 }]);
    expect(judgements).toMatchObject([{ step: 0, verdict: 'pass' }]);
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 1 (2: 50 %)', 'version 2']);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'BAKING', stable: '2', lost: [] });
  });

  it('releases all at once where it cannot, and says so', async () => {
    const on = await open('auto-little');
    await on.deploy({ fingerprint: 'a' });
    const pager = await on.pager();
    const traffic = on.traffic(30);
    await counted(traffic);
    const rules = { strategy: 'auto', steps };
    await on.deploy({ fingerprint: 'b', factor: 3, release: declared(rules) });
    const { steps: taken, judgements } = await on.until('BAKING');
    expect([taken, judgements]).toEqual([[], []]);
    await expect.poll(pager.subjects, WRITTEN).toContainEqual('churn: released all at once');
    expect(pager.texts()).toContainEqual(
      expect.stringMatching(
        /at [\d.]+ requests an hour of the last 24 hours a canary cannot fill its steps, so all traffic goes to version 2 at once/,
      ),
    );
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 2']);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'BAKING', stable: '2', lost: [] });
  });
});

describe('linear', () => {
  it('repeats its one step until all traffic is there', async () => {
    const on = await open('linear');
    await on.deploy({ fingerprint: 'a' });
    const traffic = on.traffic(30);
    await expect.poll(() => servedBy(traffic.outcomes), WRITTEN).toEqual(['1']);
    const rules = {
      strategy: 'linear',
      steps: [{ weight: '30%', bake: '1m' }],
      minRequests: 5,
      increase: '100%',
    };
    await on.deploy({ fingerprint: 'b', factor: 3, release: declared(rules) });
    const { judgements } = await on.until('BAKING');
    expect(judgements).toMatchObject([0, 1, 2].map((step) => ({ step, verdict: 'pass' })));
    const shares = [30, 60, 90].map((share) => `version 1 (2: ${share} %)`);
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', ...shares, 'version 2']);
    expect(servedBy(traffic.outcomes)).toEqual(['1', '2']);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'BAKING', stable: '2', lost: [] });
  });
});
