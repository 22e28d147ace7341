/** Two writers of one release at the same moment, under traffic: one is first, the other reads again. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { type Is, type Race, startRace } from './race.ts';
import { CANARY, endOf, half, openShop, type Shop, WRITTEN, whole } from './shop.ts';
import { faultsOf, servedBy } from './traffic.ts';

let aws: LocalAws;
let race: Race;
let shop: Shop;
beforeAll(async () => {
  aws = await startAws({ speed: 30 });
  race = await startRace(aws.endpoint);
});
afterEach(() => shop?.end());
afterAll(async () => {
  race?.close();
  await aws?.stop();
});

const open = async (service: string): Promise<Shop> => {
  const { environment } = race;
  shop = await openShop(aws, service, { environment });
  return shop;
};

const promotes: Is = ({ phase }) => phase === 'PROMOTING';
const withdraws: Is = ({ phase }) => phase === 'ROLLED_BACK';

describe('two commands at once', () => {
  async function canary(service: string) {
    const on = await open(service);
    await on.deploy({});
    const traffic = on.traffic(10);
    await on.deploy({ fingerprint: 'b', factor: 3, release: CANARY });
    await on.until('JUDGING');
    return { on, traffic };
  }

  it('to promote move the alias once', async () => {
    const { on, traffic } = await canary('both-promote');
    const met = race.meet(promotes, promotes);
    const answers = await Promise.all([on.command('promote'), on.command('promote')]);
    expect(await met).toEqual([200, 412]);
    // Who was second found what it wanted under way, or done.
    expect(answers).toContainEqual(expect.objectContaining({ done: true, text: 'version 2 is promoted' }));
    const { stable, lives } = await on.until('BAKING');
    expect([stable, ...lives].map((one) => one?.version)).toEqual(['2', '2', '1']);
    await expect.poll(on.moves, WRITTEN).toEqual(['version 1', 'version 1 (2: 50 %)', 'version 2']);
    expect(await endOf(on, traffic)).toEqual({ alias: whole('2'), phase: 'BAKING', stable: '2', lost: [] });
  });

  it.each([
    ['the promotion', [promotes, withdraws]],
    ['the rollback', [withdraws, promotes]],
  ] as const)(
    'of which one promotes and one rolls back end with the version before, where %s was first',
    async (first, writers) => {
      const { on, traffic } = await canary(`promote-or-${first.split(' ')[1]}`);
      const met = race.meet(...writers);
      const [promoted, withdrawn] = await Promise.all([on.command('promote'), on.command('rollback')]);
      expect(await met).toEqual([200, 412]);
      expect(withdrawn).toMatchObject({ done: true });
      if (first === 'the promotion') expect(promoted).toMatchObject({ done: true });
      else
        expect(promoted).toMatchObject({
          done: false,
          refused: expect.stringMatching(/^(churn has no release to promote|the alias is being moved)/),
        });
      const { refused, reason } = await on.until('ROLLED_BACK');
      expect(refused).toMatchObject([{ version: '2', fingerprint: 'b' }]);
      expect(reason).toContain('asked for by arn:aws:iam::000000000000:user/ops');
      const moves = ['version 1', 'version 1 (2: 50 %)', 'version 1'];
      // Whether the promotion has moved the alias before the rollback reads again is a matter of luck.
      const luck = [...moves.slice(0, 2), 'version 2', 'version 1'];
      const seen = first === 'the promotion' ? expect.toBeOneOf([moves, luck]) : moves;
      await expect.poll(on.moves, WRITTEN).toEqual(seen);
      const end = { alias: whole('1'), phase: 'ROLLED_BACK', stable: '1', lost: [] };
      expect(await endOf(on, traffic)).toEqual(end);
    },
  );
});

describe('a deploy while the hook acts', () => {
  const hook: Is = ({ phase }) => phase === 'REVERSING';
  const deploy: Is = ({ phase, candidate }) => phase === 'GATING' && candidate?.version === '3';

  it.each([
    ['it begins with the last good version, and is first', 'begins', [hook, deploy]],
    ['it tries the last good version, and comes too late', 'tries', [deploy, hook]],
  ] as const)('goes on from the live version, where %s', async (_, when, writers) => {
    const on = await open(`hook-${when}`);
    await on.deploy({});
    const traffic = on.traffic(20);
    await on.deploy({ fingerprint: 'bad', hard: 'errs' });
    const { release } = await on.until('BAKING');
    traffic.hard(0.5);
    if (when === 'tries') {
      await on.until('REVERSING');
      traffic.hard(0);
      await expect.poll(on.alias, WRITTEN).toEqual(half('2', '1'));
    }
    const met = race.meet(...writers);
    await expect.poll(() => race.holds(hook), WRITTEN).toBe(true);
    // So that the last good version is tried for minutes, and not until the first whole one has shown enough.
    traffic.hard(0);
    const status = on.deploy({ factor: 4, release: CANARY });
    expect(await met).toEqual([200, 412]);
    expect(await status, await on.events()).toBe('UPDATE_COMPLETE');
    const document = await on.until('JUDGING');
    expect(document).toMatchObject({
      stable: { version: '2', fingerprint: 'bad' },
      candidate: { version: '3' },
      lives: [{ version: '2' }, { version: '1' }],
      refused: [],
    });
    expect(document.release).not.toBe(release);
    expect(document.reversal).toBeUndefined();
    // What was tried gives its half back before the candidate gets its own.
    const tried = ['version 1', 'version 2', 'version 2 (1: 50 %)', 'version 2', 'version 2 (3: 50 %)'];
    // How far a hook that was first gets until the deploy has read again is a matter of luck.
    const untried = ['version 1', 'version 2', 'version 2 (3: 50 %)'];
    const seen = when === 'tries' ? tried : expect.toBeOneOf([tried, untried]);
    await expect.poll(on.moves, WRITTEN).toEqual(seen);
    expect(servedBy(faultsOf(traffic.outcomes))).toEqual(['2']);
    const end = { alias: half('2', '3'), phase: 'JUDGING', stable: '2', lost: [] };
    expect(await endOf(on, traffic, ['2'])).toEqual(end);
  });
});
