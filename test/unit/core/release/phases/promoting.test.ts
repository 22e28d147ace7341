import { describe, expect, it } from 'vitest';
import type { Release } from '../../../../../core/release/document/contract.ts';
import { CANARY } from '../../../../fakes/settings.ts';
import { FUNCTION, tick } from '../../../../fakes/world.ts';
import { statusIn } from '../seen.ts';
import {
  deploy,
  deployed,
  MINUTE,
  minute,
  minutes,
  type Rates,
  type Traffic,
  until,
  type World,
} from '../traffic.ts';

/** A release that is about to be promoted, or to get more weight, when its settings change. */

const HEALTHY = { 3: 0.02, 4: 0.02 };
const WORSE = { 3: 0.02, 4: 0.2 };
const DRY = { ...CANARY, dryRun: true };
const shares = (w: World, from: number) => w.aliases.history.slice(from).map(({ to }) => to.weights);

/** Whoever would go on dies while the document is so. */
type Death = { at: (state: NonNullable<ReturnType<World['state']>>, point: string) => boolean };

async function mortal(): Promise<{ w: World; death: Death }> {
  const death: Death = { at: () => false };
  let here: World | undefined;
  const chaos = async (point: string): Promise<void> => {
    const state = here?.state();
    if (state !== undefined && death.at(state, point)) throw new Error('killed');
  };
  const w = await deployed(DRY, { chaos });
  here = w;
  return { w, death };
}

const die = (w: World, rates: Rates, traffic?: Traffic) => minutes(w, 40, rates, traffic).catch(() => {});

/** A deploy of the settings alone; its stack is done as soon as it has the answer. */
async function changed(w: World, settings = CANARY): Promise<void> {
  await deploy(w, '4', 'b', { before: '4', settings });
  w.stack.state = 'done';
}

describe('a dry run held before its promotion, ended by a deploy and resumed', () => {
  const held = async (rates: Rates = WORSE, traffic?: Traffic): Promise<World> => {
    const { w, death } = await mortal();
    death.at = ({ phase, intent }) => phase === 'PROMOTING' && intent === undefined;
    await die(w, rates, traffic);
    death.at = () => false;
    expect(w.state()?.phase).toBe('PROMOTING');
    expect(await w.command('hold')).toMatchObject({ done: true, tick: { phase: 'HELD' } });
    return w;
  };

  it('is judged by its last step, with all of its time, and not promoted on the old decision', async () => {
    const w = await held();
    await changed(w);
    expect(w.state()).toMatchObject({ phase: 'HELD', settings: { dryRun: false } });
    expect(await w.command('resume')).toMatchObject({ done: true, tick: { phase: 'JUDGING' } });
    expect(w.state()).toMatchObject({ step: 2 });
    expect(Date.parse(w.state()?.deadline ?? '') - w.clock.now).toBe((600 + 7200 + 3600) * 1000);
    await until(w, 'ROLLED_BACK', WORSE, { most: 5 });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('goes on to its end where the judge passes it now', async () => {
    const w = await held(HEALTHY, { perMinute: 10 });
    expect(w.state()?.judgements.at(-1)).toMatchObject({ step: 2, verdict: 'nodata' });
    await changed(w);
    await w.command('resume');
    await until(w, 'BAKING', HEALTHY, { most: 40, perMinute: 20_000 });
    expect(w.target()).toEqual({ version: '4', weights: {} });
  });

  it('is promoted as before where it goes on as a dry run', async () => {
    const w = await held();
    expect(await w.command('resume')).toMatchObject({ done: true, tick: { phase: 'BAKING' } });
  });

  it('is promoted where a person promotes it', async () => {
    const w = await held();
    await changed(w);
    expect(await w.command('promote')).toMatchObject({ done: true, tick: { phase: 'BAKING' } });
    expect(w.state()?.promotedBy).toEqual({ by: 'arn:aws:iam::1:user/me', release: w.state()?.release });
    await deploy(w, '5', 'c', { before: '4' });
    expect(w.state()?.promotedBy).toBeUndefined();
  });
});

describe('what a person promoted', () => {
  /** In its first step; the worker dies before it gets to it. */
  const promotes = async (): Promise<World> => {
    const { w, death } = await mortal();
    await minutes(w, 4, HEALTHY);
    await changed(w);
    death.at = ({ phase, intent }) => phase === 'PROMOTING' && intent === undefined;
    await w.command('promote').catch(() => {});
    death.at = () => false;
    expect(w.state()).toMatchObject({
      phase: 'PROMOTING',
      promotedBy: { by: 'arn:aws:iam::1:user/me' },
      step: 0,
    });
    return w;
  };

  it('and holds takes its steps from where it was when it is resumed', async () => {
    const w = await promotes();
    await w.command('hold');
    expect(w.state()?.promotedBy).toBeUndefined();
    expect(await w.command('resume')).toMatchObject({ done: true, tick: { phase: 'JUDGING' } });
    expect(w.state()?.step).toBe(0);
    const from = w.aliases.history.length;
    await until(w, 'BAKING', HEALTHY, { most: 50, perMinute: 20_000 });
    expect(shares(w, from)).toEqual([{ '4': 0.25 }, { '4': 0.5 }, {}]);
  });

  it('waits for a stack that begins meanwhile, judged by the step that it is in, and takes no further step', async () => {
    const w = await promotes();
    await deploy(w, '4', 'b', { before: '4', settings: { ...CANARY, minRequests: 200 } });
    await minute(w, HEALTHY);
    expect(w.state()).toMatchObject({ phase: 'JUDGING', step: 0 });
    expect((await statusIn(w)).next).toBe('all traffic as soon as the stack is done, unless it fails');
    await minutes(w, 2, HEALTHY);
    w.stack.state = 'done';
    const from = w.aliases.history.length;
    await minutes(w, 2, HEALTHY);
    expect(w.state()?.phase).toBe('BAKING');
    expect(shares(w, from)).toEqual([{}]);
  });

  it('is no matter of the next release, where an older worker began it and left the mark', async () => {
    const w = await deployed();
    const found = await w.world.registry.release('churn');
    const promotedBy = { by: 'somebody', release: 'another' };
    await w.world.registry.move({ ...(found?.release as Release), promotedBy }, found?.etag);
    const from = w.aliases.history.length;
    await until(w, 'BAKING', HEALTHY, { perMinute: 20_000 });
    expect(shares(w, from)).toEqual([{ '4': 0.05 }, { '4': 0.25 }, { '4': 0.5 }, {}]);
  });

  it('takes its steps again, from nothing, where the alias was deleted', async () => {
    const w = await promotes();
    w.aliases.byHand(FUNCTION, 'live', undefined);
    await w.send(tick());
    expect(w.state()).toMatchObject({ phase: 'JUDGING', step: 0 });
    expect(w.state()?.promotedBy).toBeUndefined();
  });

  it('waits for a stack that begins meanwhile, and is rolled back if it fails', async () => {
    const w = await promotes();
    await deploy(w, '4', 'b', { before: '4', settings: { ...CANARY, minRequests: 200 } });
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.6 }, { most: 10 });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });
});

describe('a raise that is under way when a deploy ends the dry run', () => {
  it.each([
    ['a step', 'SHIFTING', 0.05, 0],
    ['the promotion', 'PROMOTING', 0.5, 2],
  ] as const)('is given up: %s', async (_, phase, weight, step) => {
    const { w, death } = await mortal();
    death.at = (state, point) =>
      point === 'before update alias' && state.phase === phase && (state.step ?? 0) > 0;
    await die(w, WORSE);
    expect(w.state()?.phase).toBe(phase);
    expect(w.state()?.intent).toBeDefined();
    expect(w.alias()?.weights).toEqual({ '4': weight });
    const slower = w.alias()?.revision ?? '';
    const raise = w.state()?.intent?.after ?? { version: '?', weights: {} };
    death.at = () => false;
    await changed(w);
    expect(w.alias()?.weights).toEqual({ '4': weight });
    const from = w.aliases.history.length;
    await w.send(tick());
    expect(w.state()).toMatchObject({ phase: 'JUDGING', step });
    // A worker that read the alias before cannot make it any more.
    const late = await w.world.aliases.update(FUNCTION, 'live', { ...raise, description: 'late' }, slower);
    expect(late).toBe('changed');
    await until(w, 'ROLLED_BACK', WORSE, { most: 5 });
    expect(shares(w, from)).toEqual([{ '4': weight }, {}]);
    expect(w.clock.now).toBeGreaterThan(MINUTE);
  });

  it('does not keep the judge from the candidate while another stack operation runs', async () => {
    const { w, death } = await mortal();
    death.at = ({ phase, step = 0 }, point) =>
      point === 'before update alias' && phase === 'SHIFTING' && step > 0;
    await die(w, WORSE);
    death.at = (_, point) => point === 'before update alias';
    await changed(w);
    await w.send(tick()).catch(() => {});
    expect(w.state()).toMatchObject({ phase: 'JUDGING', intent: { after: { weights: { '4': 0.05 } } } });
    death.at = () => false;
    w.stack.state = 'busy';
    await until(w, 'ROLLED_BACK', WORSE, { most: 5 });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('is made where it goes on as a dry run', async () => {
    const { w, death } = await mortal();
    death.at = (state, point) =>
      point === 'before update alias' && state.phase === 'SHIFTING' && state.step === 1;
    await die(w, WORSE);
    death.at = () => false;
    await changed(w, { ...DRY, minRequests: 200 });
    await w.send(tick());
    expect(w.alias()?.weights).toEqual({ '4': 0.25 });
  });
});
