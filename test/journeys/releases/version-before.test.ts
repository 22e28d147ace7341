/**
 * Stacks of main before, under traffic: this version takes them over. Where its deploy fails half-way, or its
 * worker is replaced in mid-release, the older worker goes on with the documents that the newer one has
 * written.
 */

import { ListSchedulesCommand } from '@aws-sdk/client-scheduler';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Release } from '../../../core/release/document/contract.ts';
import type { Phase } from '../../../core/release/document/parts-contract.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { sweepName } from '../../../plugins/models/declaration/naming.ts';
import { outcomeOf } from '../../../plugins/models/releases/words/outcome.ts';
import { type Edition, versionBefore } from '../../older/version-before.ts';
import { holds } from './scaling.ts';
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
import { caseOf, EASY } from './version.ts';

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
/** Where the release is once a deploy over it has failed. */
const AFTER: Readonly<Record<State, Phase>> = {
  live: 'DONE',
  canary: 'JUDGING',
  held: 'HELD',
  watched: 'ABORTED',
  'rolled-back': 'ABORTED',
};
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
    // Nothing is asked of the newer worker but to go on.
    expect(after.requests).toEqual(document.requests);
    expect(await on.worksBy()).toBe(true);
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
    const schedules = { live: 0, 'rolled-back': 0 }[state as string] ?? 1;
    await expect.poll(async () => (await on.schedules()).length, WRITTEN).toBe(schedules);

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
      await on.until('ROLLED_BACK');
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
      // What the failed deploy took the place of begins anew, and may have weight again by now; its own has
      // none.
      const others = async () => {
        const { version, weights } = await on.alias();
        return [version, ...Object.keys(weights).filter((one) => one !== document.candidate?.version)];
      };
      await expect.poll(others, WRITTEN).toEqual([stable]);
      await on.tick();
      const back = await on.until(AFTER[state]);
      // The newer one had begun, and the older one was asked to go back: to what was under way, from its
      // start.
      expect(back).toMatchObject({
        phase: AFTER[state],
        stable: { version: stable },
        operation: { stable: { version: stable } },
        request: { kind: 'rollback', answered: 'SUCCESS' },
        refused: document.refused,
      });
      expect(await on.worksBy(edition)).toBe(true);
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

/**
 * A release of this version, how long it is in each phase, and where the older worker leads it. One that is
 * held is there until the worker is replaced.
 */
type UnderWay = Deploy & { readonly ends: Phase; readonly held?: true };
const UNDER_WAY: Readonly<Partial<Record<Phase, UnderWay>>> = {
  GATING: {
    cases: caseOf(EASY, 0),
    declares: { gate: { cases: 'cases.jsonl', tolerance: 1e-4, load: { rate: 1, duration: 60 } } },
    ends: 'BAKING',
  },
  WARMING: { declares: holds(2), init: 'lasts', ends: 'BAKING' },
  SHIFTING: { held: true, ends: 'BAKING' },
  JUDGING: { ends: 'BAKING' },
  PROMOTING: { release: AT_ONCE, held: true, ends: 'BAKING' },
  BAKING: { release: AT_ONCE, ends: 'ROLLED_BACK' },
};

/** A phase may be over before a busy machine has replaced the worker: then with another model. */
const ATTEMPTS = 5;

/** Deploys a release of this version, and replaces the worker by the older one while it is in a phase. */
async function replacedIn(phase: Phase, deploy: Deploy, held: boolean) {
  for (let attempt = 1; ; attempt += 1) {
    shop = await openShop(aws, `down-${phase.toLowerCase()}-${attempt}`);
    await deployed(A);
    const traffic = shop.traffic(10);
    const { tail, end } = await shop.holdTail();
    const next = { fingerprint: 'b', factor: 3, release: CANARY, ...deploy };
    const done = deployed({ ...next, ...(held && { tail }) });
    const there = shop.until(phase);
    there.catch(() => {});
    // Those before the stack is done may be over before they are seen.
    await (phase === 'GATING' || phase === 'WARMING' ? Promise.race([there, done]) : there);
    await shop.workBy(edition);
    const { release, phase: found } = await shop.document();
    if (held) await end('SUCCESS');
    if (found === phase || attempt === ATTEMPTS) {
      expect(found).toBe(phase);
      return { release, traffic, done };
    }
    await done;
    await shop.end();
  }
}

describe('a release of this version whose worker is replaced by the older one', () => {
  it.each(Object.entries(UNDER_WAY) as [Phase, UnderWay][])(
    'goes on from %s to its right end',
    async (phase, { ends, held = false, ...deploy }) => {
      const { release, traffic, done } = await replacedIn(phase, deploy, held);
      await done;
      expect(await shop.worksBy(edition)).toBe(true);
      if (deploy.release === undefined) {
        await looked(shop, await shop.until('JUDGING'));
        expect(await shop.command('promote')).toMatchObject({ done: true });
      }
      if (ends === 'ROLLED_BACK') expect(await shop.command('rollback')).toMatchObject({ done: true });
      const ended = await shop.until(ends);
      expect(ended.release).toBe(release);

      // This version goes on with that.
      await shop.workBy();
      await shop.tick();
      expect(kept(await shop.document())).toEqual(kept(ended));
      const live = ends === 'BAKING' ? '2' : '1';
      expect(await endOf(shop, traffic)).toEqual({ alias: whole(live), phase: ends, stable: live, lost: [] });
    },
  );
});
