/** Provisioned concurrency through releases, under traffic. */
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { everythingLeft } from '../service.ts';
import { holds, targets } from './scaling.ts';
import { CANARY, type Deploy, endOf, half, openShop, type Shop, until, WRITTEN, whole } from './shop.ts';
import { faultsOf, servedBy } from './traffic.ts';
import { EASY, requestOf } from './version.ts';

let aws: LocalAws;
let shop: Shop;
beforeAll(async () => {
  aws = await startAws({ speed: 20 });
});
afterEach(() => shop?.end());
afterAll(() => aws?.stop());

const open = async (service: string): Promise<Shop> => {
  shop = await openShop(aws, service);
  return shop;
};

/** How the environment came up that answers for a version. */
async function initialization({ lambda, functionName }: Shop, Qualifier: string): Promise<unknown> {
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Qualifier, Payload: JSON.stringify(requestOf(EASY)) }),
  );
  return JSON.parse(answer.Payload?.transformToString() ?? '').parameters.initialization;
}

describe('a model with provisioned concurrency', () => {
  it('is released warm: ready before any traffic, on both versions meanwhile, on the live one alone afterwards', async () => {
    const before = await everythingLeft(aws);
    const on = await open('warm');
    // No more than it has at least: requests that wait for a busy machine would raise it.
    await on.deploy({ declares: holds(2, 2) });
    await expect.poll(() => targets(aws, on), WRITTEN).toEqual(['1: 2-2']);
    expect(await on.provisioned()).toEqual({ '1': 2 });
    const traffic = on.traffic(10);

    const held = await on.holdTail();
    const { tail } = held;
    const deployed = on.deploy({ fingerprint: 'b', factor: 3, declares: holds(2, 2), release: CANARY, tail });
    await on.until('SHIFTING');
    expect(await on.provisioned()).toEqual({ '1': 2, '2': 2 });
    expect(await initialization(on, '2')).toBe('provisioned-concurrency');
    await expect.poll(() => servedBy(traffic.outcomes), WRITTEN).toEqual(['1']);
    await held.end('SUCCESS');
    await deployed;
    const { release } = await on.until('JUDGING');

    // Capacity alone changes: on both versions, and it is no new release.
    const more = { fingerprint: 'b', factor: 3, declares: holds(3, 3), release: CANARY, tail };
    expect(await on.deploy(more), await on.events()).toBe('UPDATE_COMPLETE');
    await expect.poll(on.provisioned, WRITTEN).toEqual({ '1': 3, '2': 3 });
    expect(await on.document()).toMatchObject({ release, phase: 'JUDGING' });
    expect(await on.alias()).toEqual(half('1', '2'));

    await on.command('promote');
    await on.until('BAKING');
    await expect.poll(on.provisioned, WRITTEN).toEqual({ '2': 3 });
    await expect.poll(() => targets(aws, on), WRITTEN).toEqual(['2: 3-3']);
    expect(faultsOf(traffic.outcomes)).toEqual([]);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'BAKING', stable: '2', lost: [] });

    await on.end();
    const left = (await everythingLeft(aws)).filter((one) => !before.includes(one));
    // Registry and slow tail are the test's own.
    expect(left.sort()).toEqual(['bucket release-test', `log group /aws/lambda/${on.service}-test-tail`]);
  });

  it('has none for a version that the stack withdraws, before CloudFormation hears of it', async () => {
    const on = await open('withdrawn');
    await on.deploy({ declares: holds(1, 1) });
    const traffic = on.traffic(10);
    const { tail, end: ends } = await on.holdTail();
    const deployed = on.deploy({ factor: 3, declares: holds(1, 1), release: CANARY, tail });
    await on.until('SHIFTING');
    expect(await on.provisioned()).toEqual({ '1': 1, '2': 1 });
    await ends('FAILED');
    expect(await deployed).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await on.provisioned()).toEqual({ '1': 1 });
    expect(await on.versions()).toEqual(['1']);
    // CloudFormation deletes the version after the answer, and its concurrency with it: ours went before.
    const acts = async () => {
      const log = await on.log();
      const asked = log.findLastIndex(({ message }) => message === 'request');
      const each = log
        .slice(asked)
        .flatMap(({ message, action = '' }) =>
          message === 'answered CloudFormation'
            ? ['answered']
            : ['release', 'answer'].includes(action)
              ? [action]
              : [],
        );
      // A tick may come upon the same request and take each step beside it.
      return [...new Set(each)];
    };
    await expect.poll(acts, WRITTEN).toEqual(['release', 'answer', 'answered']);
    // Whatever the alias says, it is written again: a slower worker's move would not be made any more.
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 1']);
    await expect.poll(() => servedBy(traffic.outcomes), WRITTEN).toEqual(['1']);
    const end = { alias: whole('1'), phase: 'ABORTED', stable: '1', lost: [] };
    expect(await endOf(on, traffic)).toEqual(end);
  });

  it('loses it with the deploy that no longer asks for it', async () => {
    const on = await open('no-more');
    await on.deploy({ fingerprint: 'a', declares: holds(1) });
    await expect.poll(() => targets(aws, on), WRITTEN).toEqual(['1: 1-4']);
    const traffic = on.traffic(10);
    await on.deploy({ fingerprint: 'a' });
    await expect.poll(on.provisioned, WRITTEN).toEqual({});
    await expect.poll(() => targets(aws, on), WRITTEN).toEqual([]);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('1'), phase: 'DONE', stable: '1', lost: [] });
  });

  it('keeps the version before warm while blue and green are watched', async () => {
    const on = await open('blue-green');
    const release = { strategy: 'blueGreen', steps: [], rollbackWindow: 86_400 } as const;
    // One instance in use is all of one: with more allowed, its scaling would raise it.
    await on.deploy({ declares: holds(1, 1), release });
    const traffic = on.traffic(10);
    await on.deploy({ factor: 3, declares: holds(1, 1), release });
    const { watch } = await on.until('BAKING');
    expect(await on.provisioned()).toEqual({ '1': 1, '2': 1 });
    // As if the day had passed. What ticks it for the last time before may write the document, too.
    const passed = async () => {
      if (watch) await on.edit({ watch: { ...watch, until: new Date(0).toISOString() } });
      return (await on.tick()).phase;
    };
    await expect.poll(passed, WRITTEN).toBe('DONE');
    await expect.poll(on.provisioned, WRITTEN).toEqual({ '2': 1 });
    expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'DONE', stable: '2', lost: [] });
  });

  it('a blue-green watch keeps the last good version’s instances through a deploy whose gate fails', async () => {
    const on = await open('green-stays');
    // Two versions fit, three do not.
    const { concurrency } = holds(1, 1);
    const declares = { concurrency: { ...concurrency, reserved: 2 } };
    const release = { strategy: 'blueGreen', steps: [], rollbackWindow: 86_400 } as const;
    await on.deploy({ declares, release });
    // Two at a time are all that it may have, and its gate is the other one.
    const traffic = on.traffic(1, 1);
    const live = { fingerprint: 'b', factor: 3, declares };
    await on.deploy({ ...live, release });
    const { watch } = await on.until('BAKING');
    expect(await on.provisioned()).toEqual({ '1': 1, '2': 1 });

    expect(await on.deploy({ init: 'fails', declares, release })).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await on.document()).toMatchObject({ phase: 'ABORTED', stable: { version: '2' }, watch });
    await on.tick();
    expect(await on.provisioned()).toEqual({ '1': 1, '2': 1 });
    expect(await on.schedules()).not.toEqual([]);

    // A third that starts is refused for that, and says until when.
    const next = { fingerprint: 'd', factor: 4, declares, release };
    expect(await on.deploy(next)).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect((await on.document()).reason).toContain(
      `version 1 keeps its provisioned concurrency until ${watch?.until}`,
    );
    expect(await on.provisioned()).toEqual({ '1': 1, '2': 1 });

    // The way out: the watch is ended by a deploy of what is live.
    expect(await on.deploy({ ...live, release: { ...release, rollbackWindow: 0 } })).toBe('UPDATE_COMPLETE');
    await expect.poll(on.provisioned, WRITTEN).toEqual({ '2': 1 });
    // A schedule of a release before ends itself when it ticks: in ten minutes, here half of one.
    await expect.poll(on.schedules, { ...WRITTEN, timeout: 150_000 }).toEqual([]);
    expect(await on.deploy(next), await on.events()).toBe('UPDATE_COMPLETE');
    const { stable, phase } = await on.until('BAKING');
    const lost: readonly string[] = [];
    expect(await endOf(on, traffic)).toEqual({
      alias: whole(stable?.version ?? ''),
      phase,
      stable: stable?.version,
      lost,
    });
    expect(Object.keys(await on.provisioned())).toEqual(['2', stable?.version]);
  });
});

describe('a model with more requests than it may have instances', () => {
  it('pages somebody, is not rolled back for it, and answers again when they are fewer', async () => {
    const on = await open('narrow');
    const declares: Deploy['declares'] = { concurrency: { reserved: 2, schedule: [] } };
    await on.deploy({ declares, hard: 'dawdles' });
    await on.deploy({ declares, hard: 'dawdles', factor: 3 });
    await on.until('BAKING');
    const pager = await on.pager();
    const traffic = on.traffic(4);
    traffic.hard(1);
    const alarmed = async () => ((await on.alarm('throttles'))?.StateValue === 'ALARM' ? true : undefined);
    await until('the alarm', alarmed);
    await expect
      .poll(pager.subjects, WRITTEN)
      .toContainEqual(expect.stringContaining(`${on.functionName}-throttles`));
    traffic.hard(0);
    const over = Date.now();
    // Those under way have their time, and where the machine stood still, some come at once again.
    const again = () => traffic.outcomes.filter(({ sent }) => sent > over).slice(-8);
    const answered = async () =>
      again().filter(({ failure }) => failure === undefined).length < 8 ? undefined : true;
    await until('answers', answered, undefined, async () => again());
    for (const suffix of ['errors', 'crashes'])
      expect((await on.alarm(suffix))?.StateValue, suffix).not.toBe('ALARM');
    expect(await on.document()).toMatchObject({ phase: 'BAKING', rollbacks: [], refused: [] });
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 2']);
    expect(faultsOf(traffic.outcomes)).toEqual([]);
    const { lost, ...end } = await endOf(on, traffic);
    expect(end).toEqual({ alias: whole('2'), phase: 'BAKING', stable: '2' });
    expect(lost).toEqual([expect.stringMatching(/^TooManyRequestsException: /)]);
  });
});
