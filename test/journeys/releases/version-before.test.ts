/**
 * Stacks of the version of the plugin before this one, under traffic: this one takes them over, and where its deploy fails half-way
 * the older worker goes on with the documents that the newer one has written.
 */
import { ListSchedulesCommand } from '@aws-sdk/client-scheduler';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Release } from '../../../core/release/document/contract.ts';
import { sweepName } from '../../../plugins/models/declaration/naming.ts';
import { outcomeOf } from '../../../plugins/models/releases/outcome.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { type Edition, versionBefore } from '../../older/version-before.ts';
import {
  AT_ONCE,
  CANARY,
  type Deploy,
  endOf,
  half,
  openShop,
  type Shop,
  until,
  WRITTEN,
  whole,
} from './shop.ts';
import { faultsOf, servedBy } from './traffic.ts';

let aws: LocalAws;
let shop: Shop;
let edition: Edition;
beforeAll(async () => {
  [aws, edition] = await Promise.all([startAws({ speed: 20 }), versionBefore()]);
});
afterEach(() => shop?.end());
afterAll(() => aws?.stop());

const A: Deploy = { fingerprint: 'a' };
const B: Deploy = { fingerprint: 'b', factor: 3, hard: 'errs' };
const C: Deploy = { fingerprint: 'c', factor: 4 };
const OVER = { ...AT_ONCE, rollbackWindow: 0 };
const BROKEN = { name: 'Broken', seconds: 1, status: 'FAILED' } as const;

/** What is deployed by the version before, one over the other, and where its worker leaves the release. */
const STATES = {
  live: { deploys: [{ ...A, release: OVER }], phase: 'DONE', alias: whole('1') },
  canary: { deploys: [A, { ...B, release: CANARY }], phase: 'JUDGING', alias: half('1', '2') },
  held: { deploys: [A, { ...B, release: CANARY }], phase: 'HELD', alias: half('1', '2') },
  watched: { deploys: [A, B], phase: 'BAKING', alias: whole('2') },
  'rolled-back': { deploys: [A, B], phase: 'ROLLED_BACK', alias: whole('1') },
} as const satisfies Record<string, object>;
type State = keyof typeof STATES;
const every = Object.keys(STATES) as State[];

/** A service as the version before deployed it. @returns the last deploy of it, too */
async function before(service: string, state: State) {
  const { deploys, phase, alias } = STATES[state];
  shop = await openShop(aws, service);
  for (const deploy of deploys) await deployed({ ...deploy, edition });
  if (state === 'canary' || state === 'held') await shop.until('JUDGING');
  if (state === 'watched' || state === 'rolled-back') await shop.until('BAKING');
  if (state === 'held') expect(await shop.command('hold')).toMatchObject({ done: true });
  if (state === 'rolled-back') expect(await shop.command('rollback')).toMatchObject({ done: true });
  const document = await shop.until(phase);
  // It is the older worker that wrote it.
  expect(Object.keys(document)).not.toContain('order');
  expect(await shop.alias()).toEqual(alias);
  const last: Deploy = deploys[deploys.length - 1] ?? A;
  return { on: shop, document, last, traffic: shop.traffic(10) };
}

async function deployed(deploy: Deploy): Promise<void> {
  const status = await shop.deploy(deploy);
  expect(status, await shop.events()).toMatch(/^(CREATE|UPDATE)_COMPLETE$/);
}

/** All of a release that a deploy which does not touch it must leave. */
const kept = ({ release, phase, stable, candidate, shifts, watch, held, lives, refused }: Release) => ({
  release,
  phase,
  shifts,
  watch,
  held,
  refused,
  stable: stable?.version,
  candidate: candidate?.version,
  lives: lives.map(({ version }) => version),
});

async function outcome(fingerprint: string) {
  const { version, weights } = await shop.alias();
  const alias = { version, weights, revision: '', description: '' };
  return outcomeOf(fingerprint, { release: await shop.document(), alias });
}

const looked = (on: Shop, { judgements }: Release): Promise<true> =>
  until('another look', async () =>
    (await on.document()).judgements.at(-1)?.at === judgements.at(-1)?.at ? undefined : true,
  );

describe('a deploy over a stack of the version before', () => {
  it.each(every)('starts no release: %s', async (state) => {
    const { on, document, last, traffic } = await before(`over-${state}`, state);
    await deployed(last);
    await on.tick();
    const after = await on.document();
    expect(kept(after)).toEqual(kept(document));
    // The newer worker was asked, and followed it.
    expect(after.requests.length).toBe(document.requests.length + 1);
    const is = {
      live: { is: 'live' },
      canary: { is: 'onItsWay', held: false },
      held: { is: 'onItsWay', held: true },
      watched: { is: 'live' },
      'rolled-back': { is: 'refused' },
    }[state];
    expect(await outcome(last.fingerprint ?? '')).toMatchObject(is);
    const { Schedules = [] } = await on.scheduler.send(new ListSchedulesCommand({}));
    expect(Schedules.map(({ Name }) => Name)).toContain(sweepName);
    expect((await on.schedules()).length).toBe({ live: 0, 'rolled-back': 0 }[state as string] ?? 1);

    let bad: readonly string[] = [];
    let end: { version: string; phase: Release['phase'] } = { version: '1', phase: document.phase };
    if (state === 'canary' || state === 'held') {
      if (state === 'held') expect(await on.command('resume')).toMatchObject({ done: true });
      await looked(on, after);
      expect(await on.command('promote')).toMatchObject({ done: true });
      await on.until('BAKING');
      end = { version: '2', phase: 'BAKING' };
    }
    if (state === 'watched') {
      traffic.rate(20);
      traffic.hard(0.5);
      await on.until('ROLLED_BACK', 90);
      expect(servedBy(faultsOf(traffic.outcomes))).toEqual(['2']);
      bad = ['2'];
      end = { version: '1', phase: 'ROLLED_BACK' };
    }
    const { version, phase } = end;
    expect(await endOf(on, traffic, bad)).toEqual({
      alias: whole(version),
      phase,
      stable: version,
      lost: [],
    });
  });
});

describe('a deploy over a stack of the version before that fails half-way', () => {
  it.each(every.filter((state) => state !== 'live'))(
    'leaves the older worker with what was live, and nothing that the newer one wrote is in its way: %s',
    async (state) => {
      const { on, document, last, traffic } = await before(`back-${state}`, state);
      const stable = document.stable?.version ?? '';
      // It offers nothing new: what is under way goes on.
      expect(await on.deploy({ ...last, tail: BROKEN })).toBe('UPDATE_ROLLBACK_COMPLETE');
      await on.tick();
      expect(kept(await on.document())).toEqual(kept(document));

      expect(await on.deploy({ ...C, release: CANARY, tail: BROKEN })).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(await on.events()).toMatch(/Broken \w+_FAILED asked to/);
      await expect.poll(on.alias, WRITTEN).toEqual(whole(stable));
      await on.tick();
      const back = await on.document();
      // The newer one had begun, and the older one was asked to go back.
      expect(back).toMatchObject({
        phase: 'ABORTED',
        stable: { version: stable },
        operation: { stable: { version: stable } },
        request: { kind: 'rollback', answered: 'SUCCESS' },
        refused: document.refused,
      });
      expect(back.request?.id).not.toBe(back.operation?.request);
      expect(back.watch).toEqual(document.watch);
      expect(await outcome('c')).toMatchObject({ is: 'none' });

      // The older one releases the next, and the newer one goes on with that.
      const next = { fingerprint: 'd', factor: 5, release: CANARY };
      await deployed({ ...next, edition });
      const found = await on.until('JUDGING');
      const version = found.candidate?.version ?? '';
      expect(await on.alias()).toEqual(half(stable, version));
      await deployed(next);
      expect(kept(await on.document())).toEqual(kept(found));
      expect(await on.command('promote')).toMatchObject({ done: true });
      await on.until('BAKING');
      const end = { alias: whole(version), phase: 'BAKING', stable: version, lost: [] };
      expect(await endOf(on, traffic)).toEqual(end);
    },
  );
});

describe('the version before over a stack of this one', () => {
  it.each(['canary', 'held'] as const)(
    'goes on with what this one began anew, and this one with that: %s',
    async (state) => {
      shop = await openShop(aws, `down-${state}`);
      const canary = { ...B, release: CANARY };
      await deployed(A);
      const traffic = shop.traffic(10);
      await deployed(canary);
      await shop.until('JUDGING');
      if (state === 'held') expect(await shop.command('hold')).toMatchObject({ done: true });
      expect(await shop.deploy({ ...C, release: CANARY, tail: BROKEN })).toBe('UPDATE_ROLLBACK_COMPLETE');
      const phase = state === 'held' ? 'HELD' : 'JUDGING';
      const anew = await shop.until(phase);
      expect(anew).toMatchObject({ candidate: { version: '2' }, operation: { superseded: {} } });

      await deployed({ ...canary, edition });
      await shop.tick();
      const older = await shop.document();
      expect(kept(older)).toEqual(kept(anew));
      if (state === 'held') expect(await shop.command('resume')).toMatchObject({ done: true });
      await looked(shop, older);
      expect(await shop.alias()).toEqual(half('1', '2'));

      const found = await shop.document();
      await deployed(canary);
      expect(kept(await shop.document())).toEqual(kept(found));
      expect(await shop.command('promote')).toMatchObject({ done: true });
      await shop.until('BAKING');
      expect(await endOf(shop, traffic)).toEqual({
        alias: whole('2'),
        phase: 'BAKING',
        stable: '2',
        lost: [],
      });
    },
  );
});
